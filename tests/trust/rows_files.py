"""F56: paths that lead out of what is served."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
from gevent.fileobject import FileObject

from tests.client import Connection, fetch
from tests.trust.rows import Figure, row
from tests.trust.stage import Fault, Stage

_ROOT = Path(__file__).resolve().parents[2]
_CHAT = _ROOT / "examples" / "simple_chat"
_OUTSIDE = [
    *["/etc/passwd", "/etc/hostname", str(_CHAT / "chat.py"), str(_CHAT.parent / "package.json")],
    *[str(_ROOT / "pyproject.toml"), "/proc/self/environ", "/proc/self/cmdline"],
]
"""Files that are there and are not served."""

_CLIMBS = [
    *["..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "..%00", "..;", "...", ". .", "..."],
    *[
        "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae",
        "．．",
        "\u2025",
        "..\\",
        "%2e%2e%5c",
        "..%2f",
        "..%5c..",
    ],
]
_SEPARATORS = ["/", "//", "\\", "%2f", "%5c", "/./", "%c0%af", "/%2e/"]


def climbs(prefix: str, name: str) -> list[str]:
    """Return paths that lead from ``prefix`` to the file ``name``, for a server that is fooled."""
    found = [f"{prefix}{name}", f"{prefix}/{name}", f"/{name}", f"//{name}", f"{prefix}?f={name}"]
    found += [f"{prefix}%00{name}", f"{prefix}{name}%00.js", f"file://{name}", f"{prefix};{name}"]
    for up in _CLIMBS:
        found.append(f"{prefix}/{'/'.join([up] * 12)}{name}")
    for separator in _SEPARATORS:
        found.append(f"{prefix}{separator}{separator.join(['..'] * 12)}{name}")
    for depth in range(1, 9):
        found.append(f"{prefix}{'/..' * depth}/{Path(name).name}")
    return found


def ask(server: Any, path: str) -> tuple[int, bytes]:
    """Send ``path`` as it stands; return the status and the body of the answer."""
    connection = Connection(server)
    try:
        line = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n"
        connection.send_raw(line.encode("utf-8", "replace") + b"Connection: close\r\n\r\n")
        answer = connection.read_to_end()
    finally:
        connection.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
    return int(match[1]) if match else 0, body


@contextlib.contextmanager
def chat() -> Iterator[Any]:
    """Run the example as its users do."""
    with tempfile.TemporaryFile() as errors:
        command = [sys.executable, str(_CHAT), "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=_ROOT)
        assert process.stdout is not None
        lines = FileObject(process.stdout, "rb", close=False)
        try:
            with gevent.Timeout(30, Fault("the chat does not start")):
                match = re.search(rb":(\d+)/", lines.readline())
            if match is None:
                errors.seek(0)
                raise Fault(f"the chat does not start: {errors.read()[-500:]!r}")
            yield SimpleNamespace(server_port=int(match[1]), resource="socket.io")
            if process.poll() is not None:
                raise Fault("the chat's process has died")
        finally:
            process.terminate()
            process.wait()
            lines.close()
            process.stdout.close()


def outside(server: Any, paths: list[str], known: set[bytes]) -> tuple[Counter[int], list[str]]:
    """Ask for every path; return the statuses, and the paths that were answered with a file.

    Args:
        server: Whom to ask.
        paths: What to ask for.
        known: The bodies that may come with 200.
    """
    statuses, wrong = Counter[int](), []
    for path in paths:
        status, body = ask(server, path)
        statuses[status] += 1
        secret = b"root:" in body or b"def " in body or b"[project]" in body or b"PATH=" in body
        if secret or (200 <= status < 400 and body not in known):
            wrong.append(path)
    return statuses, wrong


@row(
    "F56",
    "paths out of the directory, to client_js= and to the static files of the example",
    passes="0 files but those that are served",
)
def path_traversal(stage: Stage) -> Figure:
    targets = _OUTSIDE if stage.scale >= 1 else _OUTSIDE[:1]
    with tempfile.TemporaryDirectory() as folder, chat() as example:
        served = Path(folder) / "public" / "socket.io.js"
        served.parent.mkdir()
        served.write_bytes(b"the client")
        (Path(folder) / "secret").write_bytes(b"root: of the row")
        place: Any = stage.serve(client_js=str(served))
        mine = [*targets, str(Path(folder) / "secret")]
        prefixes = ["/socket.io/socket.io.js", "/socket.io/static", "/socket.io"]
        paths = [path for name in mine for prefix in prefixes for path in climbs(prefix, name)]
        pages = {b"the client", b"the application's page"}
        first, wrong = outside(place, paths, pages)
        good = fetch(place, "GET", "/socket.io/socket.io.js").body == b"the client"
        more = [
            path
            for name in mine
            for prefix in ("/static", "/static/chat.css")
            for path in climbs(prefix, name)
        ]
        files = {fetch(example, "GET", url).body for url in ("/", "/static/chat.css")}
        second, more_wrong = outside(example, more, files)
        good = good and b"<html" in fetch(example, "GET", "/").body
    wrong += more_wrong
    text = (
        f"{len(wrong)} of {len(paths) + len(more):,} paths answered with a file outside "
        f"(client_js= {dict(sorted(first.items()))}, example {dict(sorted(second.items()))}), "
        f"what is served {'is' if good else 'IS NOT'} there"
    )
    tried = first.total() + second.total() >= 50 and 0 not in first and 0 not in second
    return Figure(not wrong and good and tried, text + (f": {wrong[:3]}" if wrong else ""))
