"""Recorded conversations as data: a file of ``recorded/`` goes in, a list of steps comes out.

How to read a file: ``#N`` is the number of a TCP connection in the order of opening. Session ids,
host and port, and the number that defeats caches are replaced by SID, HOST and T; the headers Date
and Keep-Alive are left out. Payloads are JSON string literals and shown unmasked; ``[81 83 +mask]``
are the first bytes of a frame's header. Every line is understood, or parsing fails. The requests
made by hand, in ``recorded/raw``, have a form of their own: see :mod:`tests.conversations.raw`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

FOLDER = Path(__file__).parent / "recorded"

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Opened:
    """The client opens a TCP connection."""

    connection: int


@dataclass(frozen=True)
class Closed:
    """One side ends a TCP connection."""

    connection: int
    by: str


@dataclass(frozen=True)
class Request:
    """An HTTP request of the client."""

    connection: int
    method: str
    target: str
    headers: Headers
    body: str = ""


@dataclass(frozen=True)
class Response:
    """An HTTP response of the server; the chunks of one that was complete at once are joined."""

    connection: int
    status: str
    headers: Headers
    body: str = ""


@dataclass(frozen=True)
class Chunk:
    """One chunk of a response that goes on; the last one is empty."""

    connection: int
    text: str


@dataclass(frozen=True)
class Frame:
    """One WebSocket frame; the header comes without the mask."""

    connection: int
    sender: str
    header: bytes
    payload: bytes


@dataclass(frozen=True)
class Note:
    """What the application code did or saw at that moment."""

    text: str


@dataclass(frozen=True)
class Pause:
    """Nothing happened for a while."""

    seconds: float


Step: TypeAlias = Opened | Closed | Request | Response | Chunk | Frame | Note | Pause


@dataclass(frozen=True)
class Recording:
    """One file."""

    name: str
    transport: str
    scenario: str
    steps: list[Step]


def names() -> list[str]:
    """Return all recordings of a client there are, as ``transport/scenario``."""
    return sorted(
        f"{path.parent.name}/{path.stem}"
        for path in FOLDER.glob("*/*.txt")
        if path.parent.name != "raw"
    )


def load(name: str) -> Recording:
    """Parse one file; ValueError when it has a line that means nothing."""
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    transport, scenario = (lines[i].split(":", 1)[1].strip() for i in (0, 1))
    start = lines.index("") + 1
    return Recording(name, transport, scenario, _Parser(lines[start:]).parse())


_OPENED = re.compile(r"#(\d+) TCP connection opened by client")
_CLOSED = re.compile(r"#(\d+) TCP closed by (client|server)")
_REQUEST = re.compile(r"#(\d+) client -> server")
_RESPONSE = re.compile(r"#(\d+) server -> client")
_CHUNK = re.compile(r"#(\d+) server -> client  \[chunk (\d+) bytes\] (.*)")
_FRAME = re.compile(
    r"#(\d+) (client|server) -> (?:client|server)  ws frame \[([0-9a-f ]+?)( \+mask)?\] "
    r"(?:text (.*)|close ([0-9a-f]*))"
)
_BODY = re.compile(r"body\((\d+) bytes\): (.*)")
_PAUSE = re.compile(r" +\.\.\. (\d+) ms \.\.\.")
_INDENT = "    "


class _Parser:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._steps: list[Step] = []

    def parse(self) -> list[Step]:
        while self._lines:
            self._parse_step(self._lines.pop(0))
        return self._steps

    def _parse_step(self, line: str) -> None:
        if line.startswith("-- "):
            self._steps.append(Note(line[3:]))
        elif match := _PAUSE.fullmatch(line):
            self._steps.append(Pause(int(match[1]) / 1000))
        elif match := _OPENED.fullmatch(line):
            self._steps.append(Opened(int(match[1])))
        elif match := _CLOSED.fullmatch(line):
            self._steps.append(Closed(int(match[1]), match[2]))
        elif match := _REQUEST.fullmatch(line):
            first, headers, body = self._parse_http()
            method, target, _ = first.split(" ")
            self._steps.append(Request(int(match[1]), method, target, headers, body))
        elif match := _RESPONSE.fullmatch(line):
            first, headers, body = self._parse_http()
            status = first.removeprefix("HTTP/1.1 ")
            self._steps.append(Response(int(match[1]), status, headers, body))
        elif match := _CHUNK.fullmatch(line):
            self._add_chunk(int(match[1]), int(match[2]), json.loads(match[3]))
        elif match := _FRAME.fullmatch(line):
            self._steps.append(_frame(match))
        else:
            raise ValueError(f"cannot read the line {line!r}")

    def _parse_http(self) -> tuple[str, Headers, str]:
        first, *lines = self._take_indented()
        body = ""
        if lines and (match := _BODY.fullmatch(lines[-1])):
            lines.pop()
            body = json.loads(match[2])
            check_size(int(match[1]), body)
        headers = tuple((name, value) for name, value in (line.split(": ") for line in lines))
        if "Content-Length" in dict(headers):
            check_size(int(dict(headers)["Content-Length"]), body)
        return first, headers, body

    def _take_indented(self) -> list[str]:
        taken = []
        while self._lines and self._lines[0].startswith(_INDENT) and "..." not in self._lines[0]:
            taken.append(self._lines.pop(0)[len(_INDENT) :])
        return taken

    def _add_chunk(self, connection: int, size: int, text: str) -> None:
        check_size(size, text)
        steps = self._steps
        steps.append(Chunk(connection, text))
        if text:
            return
        start = len(steps)
        while isinstance(step := steps[start - 1], Chunk) and step.connection == connection:
            start -= 1
        if isinstance(step, Response) and step.connection == connection:
            body = "".join(chunk.text for chunk in steps[start:] if isinstance(chunk, Chunk))
            steps[start - 1 :] = [Response(connection, step.status, step.headers, body)]


def _frame(match: re.Match[str]) -> Frame:
    connection, sender, header = int(match[1]), match[2], bytes.fromhex(match[3])
    payload = utf8(json.loads(match[5])) if match[6] is None else bytes.fromhex(match[6])
    masked = bool(header[1] & 0x80)
    if masked != bool(match[4]) or masked != (sender == "client"):
        raise ValueError("a mask where none is due, or none where one is")
    if header[1] & 0x7F != len(payload):
        raise ValueError(f"the frame header {header!r} does not fit {payload!r}")
    return Frame(connection, sender, header, payload)


def utf8(text: str) -> bytes:
    """Return ``text`` as UTF-8."""
    return text.encode()


def check_size(size: int, text: str) -> None:
    """Raise ValueError unless ``text`` has ``size`` bytes, with session ids as they were then."""
    # The session ids of the reference server have 20 characters.
    sent = utf8(re.sub(r"SID\d*", "x" * 20, text))
    if size != len(sent):
        raise ValueError(f"{text!r} has {len(sent)} bytes, not {size}")


_DRESSED = (r'io\.j\[[0-9]+\]\((".*")\);', r'<script>_\((".*")\);</script>')


def said(step: Step) -> str | None:
    """Return what the server says to the client in a step, out of the dress of the transport."""
    if isinstance(step, Frame):
        return step.payload.decode() if step.sender == "server" and step.header[0] == 0x81 else None
    text = {Response: "body", Chunk: "text"}.get(type(step))
    if text is None:
        return None
    dressed = getattr(step, text)
    for pattern in _DRESSED:
        if match := re.fullmatch(pattern, dressed):
            return str(json.loads(match[1]))
    return str(dressed)


def is_said_by_server(step: Step) -> bool:
    """Tell whether a step is one that our server has to make."""
    if isinstance(step, Frame):
        return step.sender == "server"
    return isinstance(step, (Response, Chunk)) or (isinstance(step, Closed) and step.by == "server")
