"""The servers that are compared, and how each gets an environment of its own under ``.bench``.

An environment is made once: its stamp holds what it was made from, so a changed list of versions
makes it anew. What cannot be installed here is left out of the run with a reason, it fails nothing.
"""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.errors import NotMeasuredError
from benchmarks.wire import V09, V4, Dialect

__all__ = ["SERVERS", "Launch", "Server"]

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
PROGRAMS = ROOT / "benchmarks" / "servers"
HOME = ROOT / ".bench"
#: Seconds for one step of an installation: gevent for Python 2.7 is compiled here.
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started, see :class:`benchmarks.server.ServerProcess`."""

    command: list[str]
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the comparison.

    Attributes:
        name: Its column in the table.
        dialect: What it speaks; the rows about polling and sessions are for 0.9 only.
        prepare: Installs what it needs, if need be, and returns how to start it. Raises
            NotMeasuredError.
        versions: Returns the versions of what a launch starts, by name.
    """

    name: str
    dialect: Dialect
    prepare: Callable[[], Launch]
    versions: Callable[[Launch], dict[str, str]]

    @property
    def old_protocol(self) -> bool:
        """Whether it speaks Socket.IO 0.9."""
        return isinstance(self.dialect, V09)


def _run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Return the output of a command; raises NotMeasuredError with the last thing it said."""
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMeasuredError(str(error).partition("\n")[0]) from None
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        name = Path(command[0]).name
        raise NotMeasuredError(f"{name} failed: {(said or ['without a word'])[-1][:160]}")
    return done.stdout


def _installed(name: str, install: Callable[[Path], None], salt: str = "") -> Path:
    """Return the directory of peer ``name``, after installing it if its list has changed."""
    place, made_from = HOME / name, hashlib.sha256(salt.encode())
    for file in sorted((PEERS / name).iterdir()):
        made_from.update(file.read_bytes())
    stamp = place / ".made-from"
    if not stamp.exists() or stamp.read_text() != made_from.hexdigest():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        print(f"installing {name} into .bench/{name}", file=sys.stderr)
        install(place)
        stamp.write_text(made_from.hexdigest())
    return place


def _pip(python: str | Path, name: str, *more: str | Path) -> None:
    wanted = PEERS / name / "requirements.txt"
    quiet = ("--quiet", "--disable-pip-version-check")
    _run([python, "-m", "pip", "install", *quiet, *more, "-r", wanted])


def _python27() -> str:
    """Return a Python 2.7 that has pip."""
    known = [os.environ.get("PYTHON27", ""), shutil.which("python2.7") or ""]
    roots = {os.environ.get("PYENV_ROOT", ""), str(Path.home() / ".pyenv")} - {""}
    for root in sorted(roots):
        known += sorted(glob.glob(f"{root}/versions/2.7*/bin/python2.7"))
    reason = "no Python 2.7 (set PYTHON27)"
    for python in filter(None, known):
        try:
            # A shim on the path may well lead nowhere: ask it.
            _run([python, "-c", "import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))"])
            return python
        except NotMeasuredError as error:
            reason = f"no usable Python 2.7: {error}"
    raise NotMeasuredError(reason)


def _ours() -> Launch:
    return Launch([sys.executable, str(PROGRAMS / "ours.py")], {"PYTHONPATH": str(ROOT)})


def _ours_orjson() -> Launch:
    def install(place: Path) -> None:
        _pip(sys.executable, "orjson", "--target", place)

    place = _installed("orjson", install, sys.version)
    launch = _ours()
    path = os.pathsep.join([str(ROOT), str(place)])
    return Launch([*launch.command, "orjson"], {"PYTHONPATH": path})


def _original() -> Launch:
    python = _python27()

    def install(place: Path) -> None:
        _pip(python, "original", "--no-deps", "--target", place)

    place = _installed("original", install, python)
    return Launch([python, "-B", str(PROGRAMS / "original.py")], {"PYTHONPATH": str(place)})


def _pysio() -> Launch:
    def install(place: Path) -> None:
        _run([sys.executable, "-m", "venv", place])
        _pip(place / "bin" / "python", "python-socketio")

    place = _installed("python-socketio", install, sys.version)
    return Launch([str(place / "bin" / "python"), str(PROGRAMS / "pysio.py")])


def _node(name: str, program: str) -> Callable[[], Launch]:
    def prepare() -> Launch:
        node, npm = shutil.which("node"), shutil.which("npm")
        if not node or not npm:
            raise NotMeasuredError("no node or no npm")

        def install(place: Path) -> None:
            for file in (PEERS / name).iterdir():
                shutil.copy(file, place)
            # Nothing has to be compiled: the native parts of 0.9 are for its client.
            quiet = ("--no-audit", "--no-fund", "--silent")
            _run([npm, "ci", "--ignore-scripts", *quiet], cwd=place)

        place = _installed(name, install)
        return Launch([node, str(PROGRAMS / program)], {"NODE_PATH": str(place / "node_modules")})

    return prepare


def _python_versions(*names: str) -> Callable[[Launch], dict[str, str]]:
    """Return what tells the version of the interpreter, and those of the packages in it."""
    code = (
        "import platform, sys, importlib.metadata as m; print('python', platform.python_version())"
        "\nfor n in sys.argv[1:]: print(n, m.version(n))"
    )
    return lambda launch: _pairs([launch.command[0], "-c", code, *names], launch.env)


def _original_versions(launch: Launch) -> dict[str, str]:
    """Return the versions of the one environment that cannot be asked for its packages."""
    code = "import platform; print('python ' + platform.python_version())"
    wanted = (PEERS / "original" / "requirements.txt").read_text().split()
    return {
        **_pairs([launch.command[0], "-c", code], {}),
        **dict(line.split("==", 1) for line in wanted),
    }


def _node_versions(launch: Launch) -> dict[str, str]:
    code = (
        "console.log('node', process.versions.node);"
        "console.log('socket.io', require('socket.io/package.json').version)"
    )
    return _pairs([launch.command[0], "-e", code], launch.env)


def _pairs(command: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """Return what a command prints as lines of a name and a value."""
    shown = subprocess.run(
        list(command), env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    lines = [line.split(None, 1) for line in shown.stdout.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2}


OURS = ("gevent-socketio", "gevent", "gevent-websocket", "websockets")
THEIRS = ("python-socketio", "python-engineio", "gevent", "gevent-websocket")

#: All servers, in the order of the columns; every ratio is of the first one to another.
SERVERS: dict[str, Server] = {
    server.name: server
    for server in (
        Server("ours", V09(), _ours, _python_versions(*OURS)),
        Server("ours+orjson", V09(), _ours_orjson, _python_versions(*OURS, "orjson")),
        Server("original", V09(), _original, _original_versions),
        Server("node-0.9", V09(), _node("node-0.9", "node09.js"), _node_versions),
        Server("node-4.8", V4(), _node("node-4.8", "node48.js"), _node_versions),
        Server("python-socketio", V4(), _pysio, _python_versions(*THEIRS)),
    )
}
