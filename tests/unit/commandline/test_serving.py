"""From a command to a server, in this process; real processes are in test_command_line."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from socketio.commandline import main
from socketio.commandline.listening import Listener
from socketio.commandline.loading import Interrupted
from socketio.commandline.parser import Exit
from socketio.commandline.reloading import ModuleReporter
from socketio.commandline.serving import serve
from socketio.commandline.values import parse_command
from tests.client import wait_for

CODE = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"page"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with an application; what a command changes is put back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "servable.py").write_text(CODE)
    (tmp_path / "breaking.py").write_text("1 / 0\n")
    logger = logging.getLogger("socketio")
    kept = logger.handlers[:], logger.level
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    logger.handlers[:], logger.level = kept
    logger.setLevel(kept[1])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for name in ("servable", "breaking"):
        sys.modules.pop(name, None)


def check(*argv: str) -> int:
    return main(["--no-patch", "--check", *argv])


def test_an_application_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("servable:app", "--origins=*", "--backlog=7", "--no-access-log") == 0
    assert capsys.readouterr().out == "servable:app can be served\n"


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["breaking:app"], 3, "importing 'breaking' failed, for the application 'breaking:app'"),
        (["servable:no"], 3, "module 'servable' has no 'no'"),
        (
            ["servable:app", "--authorize", "breaking:x"],
            3,
            "importing 'breaking:x' for --authorize",
        ),
        (
            ["servable:app", "--authorize", "servable:x"],
            2,
            "--authorize: 'servable:x' cannot be imp",
        ),
        (["servable:app", "--transports", "x"], 2, "--transports: 'x' is unknown"),
        (["servable:app", "--certfile", "x"], 1, "cannot start: --certfile: x: No such file"),
        (["servable:app", "--certfile", "servable.py"], 1, "--certfile: no usable certificate"),
        (["servable:app", "--log-file", "."], 1, "cannot start: "),
    ],
)
def test_what_is_wrong_is_told_and_has_its_status(
    argv: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(*argv) == status
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("gevent-socketio: ")
    assert message in last


def test_an_address_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with Listener(parse_command(["servable:app", "--port=0"], {}).address) as taken:
        assert main(["--no-patch", "servable:app", f"--port={taken.port}"]) == Exit.CANNOT_START
    assert "something else listens there" in capsys.readouterr().err


def state(logger: logging.Logger) -> tuple[int, int]:
    return logger.level, len(logger.handlers)


def test_our_own_logs_are_shown_unless_somebody_has_configured_logging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = logging.getLogger("socketio")
    check("servable:app")  # pytest has a handler at the root
    assert state(logger) == (logging.NOTSET, 0)
    check("servable:app", "--log-level=error")
    assert state(logger) == (logging.ERROR, 0)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    check("servable:app")
    assert state(logger) == (logging.INFO, 1)


def end_when_it_serves(capfd: pytest.CaptureFixture[str], found: list[str]) -> None:
    def told() -> bool:
        found.append(capfd.readouterr().out)
        return "serving" in found[-1]

    wait_for(told)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)  # one is enough


def test_it_serves_until_a_signal_comes(capfd: pytest.CaptureFixture[str], folder: Path) -> None:
    command = parse_command(["servable:app", "--port=0", "--no-patch", "--stop-timeout=3"], {})
    found: list[str] = []
    reader, writer = os.pipe()
    with Listener(command.address) as listener:
        port = listener.port
        ender = gevent.spawn(end_when_it_serves, capfd, found)
        assert serve(command, listener, ModuleReporter(writer)) == Exit.STOPPED
        ender.get()
    assert "".join(found).endswith(
        f"serving servable:app on http://127.0.0.1:{port}/ (Socket.IO at /socket.io/1/)\n"
    )
    assert "stopping, within 3 s; ^C ends at once" in capfd.readouterr().err
    assert str(folder) in json.loads(os.read(reader, 1 << 20))
    os.close(reader)
    os.close(writer)


def test_a_server_whose_supervisor_is_gone_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    command = parse_command(["servable:app", "--port=0", "--no-patch"], {})
    reader, writer = os.pipe()
    reporter = ModuleReporter(writer)
    monkeypatch.setattr(reporter, "orphaned", lambda: True)
    with Listener(command.address) as listener:
        assert serve(command, listener, reporter) == Exit.STOPPED
    os.close(reader)
    os.close(writer)


def test_a_failure_tells_the_supervisor_where_to_look(folder: Path) -> None:
    away = folder / "away"
    away.mkdir()
    (away / "breaking.py").write_text("1 / 0\n")
    command = parse_command(["away/breaking.py:app", "--port=0", "--no-patch"], {})
    reader, writer = os.pipe()
    with Listener(command.address) as listener:
        assert serve(command, listener, ModuleReporter(writer)) == Exit.NO_APPLICATION
    assert str(away) in json.loads(os.read(reader, 1 << 20))
    os.close(reader)
    os.close(writer)


def test_a_signal_while_the_application_is_loaded_ends_it(folder: Path) -> None:
    (folder / "breaking.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    command = parse_command(["breaking:app", "--port=0", "--no-patch"], {})
    with Listener(command.address) as listener:
        assert serve(command, listener) == Exit.STOPPED
    assert Interrupted().code == 0


def test_a_second_interrupt_cleans_up_and_leaves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Left(BaseException):
        pass

    path = folder / "chat.sock"

    def leave(status: int) -> Any:
        assert status == Exit.INTERRUPTED
        assert not path.exists()
        raise Left

    (folder / "breaking.py").write_text(
        "import os, signal\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "except SystemExit:\n    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    monkeypatch.setattr(os, "_exit", leave)
    command = parse_command(["breaking:app", f"--unix={path}", "--no-patch"], {})
    with Listener(command.address) as listener, pytest.raises(Left):
        assert path.exists()
        serve(command, listener)
