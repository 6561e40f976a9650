"""``python -m socketio``: how it ends, and what it says when it cannot begin."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.commands import (
    COMMAND,
    START,
    command,
    eventually,
    finished,
    refuses,
    url_of,
    write_application,
)
from tests.remote import RemoteClients
from tests.subprograms import TOP, free_port, running

PORT = ("--port", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_application(tmp_path)
    return tmp_path


# -- the end -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_gracefully(folder: Path, number: signal.Signals) -> None:
    with command(folder, "chat:app", *PORT) as program, RemoteClients() as clients:
        client = clients.connect(url_of(program), "/chat")
        program.signal(number)
        assert program.wait() == 0
        client.next("disconnect")
        client.next("reconnecting")
        assert "Traceback" not in program.output()
        assert "stopping, within 5 s; ^C ends at once" in program.output()


def test_a_signal_during_the_import_ends_it_without_a_traceback(folder: Path) -> None:
    (folder / "slow.py").write_text(
        "import time\nprint('importing', flush=True)\ntime.sleep(600)\n"
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        with command(folder, "slow:app", *PORT) as program:
            program.wait_for_line("importing")
            program.signal(number)
            assert program.wait() == 0
            assert program.output() == "importing\n"


# A signal to a process is handled by the main thread, whichever thread it came to. One that comes
# just before the hub sleeps leaves it asleep likewise, but cannot be had at will.
ELSEWHERE = """
import signal, threading
from gevent import monkey
monkey.get_original("_thread", "start_new_thread")(
    monkey.get_original("time", "sleep"), (600,)
)
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("patched", [True, False])
def test_a_signal_that_the_hub_sleeps_through_wakes_it(
    folder: Path, number: signal.Signals, patched: bool
) -> None:
    (folder / "idle.py").write_text(f"{ELSEWHERE}{(folder / 'chat.py').read_text()}")
    (folder / "slow.py").write_text(
        f"{ELSEWHERE}import gevent\nprint('importing', flush=True)\ngevent.sleep(600)\n"
    )
    for name, line in (("idle", "serving"), ("slow", "importing")):
        options = [] if patched else ["--no-patch"]
        with command(folder, f"{name}:app", *PORT, *options) as program:
            program.wait_for_line(line)
            program.signal(number)
            assert program.wait() == 0
            assert "Traceback" not in program.output()


def test_a_handler_that_stays_is_ended_after_the_time_that_is_given(folder: Path) -> None:
    options = [*PORT, "--stop-timeout", "0.1"]
    with command(folder, "chat:app", *options) as program, RemoteClients() as clients:
        clients.connect(url_of(program), "/chat").emit("stay")
        program.wait_for_line("staying")
        program.signal(signal.SIGTERM)
        program.wait_for_line(r"stopping, within 0\.1 s")
        assert program.wait() == 0


def test_a_second_interrupt_ends_it_at_once_and_removes_the_socket(folder: Path) -> None:
    path = folder / "chat.sock"
    options = ["--unix", str(path), "--stop-timeout", "600"]
    with command(folder, "chat:app", *options) as program, socket.socket(socket.AF_UNIX) as client:
        url_of(program)
        client.connect(str(path))
        client.sendall(b"GET /stay HTTP/1.1\r\nHost: x\r\n\r\n")
        program.wait_for_line("staying")
        program.signal(signal.SIGINT)
        program.wait_for_line("stopping")
        assert path.exists()
        program.signal(signal.SIGINT)
        assert program.wait() == 130
    assert not path.exists()


def test_a_second_sigterm_is_no_order(folder: Path) -> None:
    # Some supervisors send it to the group and to the process.
    options = [*PORT, "--stop-timeout", "1"]
    with command(folder, "chat:app", *options) as program, RemoteClients() as clients:
        client = clients.connect(url_of(program), "/chat")
        client.emit("stay")
        program.wait_for_line("staying")
        program.signal(signal.SIGTERM)
        program.wait_for_line("stopping")
        program.signal(signal.SIGTERM)
        client.next("disconnect")
        assert program.wait() == 0


def test_a_second_interrupt_ends_even_what_lets_nothing_else_run(folder: Path) -> None:
    with command(folder, "chat:app", *PORT) as program, RemoteClients() as clients:
        clients.connect(url_of(program), "/chat").emit("spin")
        program.wait_for_line("spinning")

        def interrupted() -> bool:
            program.signal(signal.SIGINT)
            return not program.running()

        eventually(interrupted)
        assert program.wait() == 130


# -- what goes wrong ---------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_with_the_option_that_changes_it(folder: Path) -> None:
    with command(folder, "chat:app", *PORT) as program:
        port = program.wait_for_line(START)["port"]
        status, output = finished(folder, "chat:app", "--port", port)
    assert status == 1
    assert output == (
        f"gevent-socketio: cannot listen on 127.0.0.1:{port}: something else listens there; choose "
        "another address with --port (0 takes any free one) or --host\n"
    )


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["chat:app", "--certfile", "x.pem"], 1, "--certfile: x.pem: No such file or directory"),
        (
            ["chat:app", "--certfile", "chat.py"],
            1,
            "--certfile: no usable certificate with its key",
        ),
        (["chat:app", "--log-file", "/no/x"], 1, "--log-file: /no/x: No such file or directory"),
        (["chat:app", "--client-js", "/no/x"], 2, "--client-js: '/no/x' cannot be read"),
        (["chat:app", "--transports", "x"], 2, "--transports: 'x' is unknown; known are "),
        (["chat:app", "--authorize", "chat:x"], 2, "--authorize: 'chat:x' cannot be imported"),
        (["chat:app", "--authorize", "bad:x"], 3, "importing 'bad:x' for --authorize failed: see"),
        (["bad:app"], 3, "importing 'bad' failed, for the application 'bad:app'"),
        (["chat:missing"], 3, "'chat:missing': module 'chat' has no 'missing'; there are Chat, "),
        (["chta:app"], 3, "'chta:app': there is no module 'chta' in "),
        (["chat:Chat"], 3, "'chat:Chat' cannot be served: it is a namespace; name a mapping"),
        (["chat:create_app"], 3, "'chat:create_app' cannot be served: it cannot be called with"),
    ],
)
def test_what_cannot_be_served_is_told_in_a_line_and_by_the_status(
    folder: Path, argv: list[str], status: int, message: str
) -> None:
    (folder / "bad.py").write_text("raise ArithmeticError('of the application')\n")
    found, output = finished(folder, *argv, *PORT)
    assert found == status
    last = output.splitlines()[-1]
    assert last.startswith("gevent-socketio: ")
    assert message in last
    assert ("Traceback" in output) == ("bad" in argv[-1])
    if "bad" in argv[-1]:
        assert "ArithmeticError: of the application" in output
        assert "commandline" not in output


def test_a_policy_server_that_cannot_listen_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = "{}:{}".format(*taken.getsockname())
        options = [*PORT, "--policy-server", "--policy-listener", where]
        # Without -W error: gevent leaves the socket to the collector.
        argv = [sys.executable, "-m", "socketio", "chat:app", *options]
        with running(argv, cwd=folder) as program:
            assert program.wait() == 1
            output = program.output()
    assert re.search(
        r"^gevent-socketio: cannot start: .* in use.*; see --policy-listener$", output, re.M
    )
    assert "Traceback" not in output


def test_mistakes_in_the_arguments_have_a_status_of_their_own(folder: Path) -> None:
    status, output = finished(folder, "chat:app", "--orign", "*")
    assert status == 2
    assert "error: there is no option --orign; did you mean --origins?" in output
    status, output = finished(folder, "chat:app", env={"SOCKETIO_PORT": "x"})
    assert status == 2
    assert "error: SOCKETIO_PORT: 'x' is no number from 0 to 65535" in output


def test_help_and_version_are_no_mistakes(folder: Path) -> None:
    status, output = finished(folder, "--help")
    assert status == 0
    assert output.startswith("usage: python -m socketio [OPTION ...] MODULE:APPLICATION")
    status, output = finished(folder, "--version")
    assert status == 0
    assert output.startswith("gevent-socketio 1.")


def test_nothing_listens_any_more_when_it_has_ended(folder: Path) -> None:
    with running([*COMMAND, "chat:app", *PORT], cwd=folder) as program:
        url = url_of(program)
        assert not refuses(url)
        program.signal(signal.SIGTERM)
        program.wait()
        assert refuses(url)


def test_an_application_that_lets_no_exception_out_while_it_is_loaded_is_interrupted_again(
    folder: Path,
) -> None:
    (folder / "deaf.py").write_text(
        "import time\n"
        "try:\n    print('importing', flush=True)\n    time.sleep(600)\n"
        "except BaseException:\n    print('no', flush=True)\n"
        "time.sleep(600)\n"
    )
    with command(folder, "deaf:app", *PORT) as program:
        program.wait_for_line("importing")
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert "no" in program.output()
        assert "Traceback" not in program.output()


SPINNING = """
import sys

def app(environ, start_response):
    sys.stderr.write("spinning\\n")
    while True:
        pass
"""


@pytest.mark.parametrize("reload", [[], ["--reload"]], ids=["plain", "reload"])
def test_a_server_that_lets_nothing_else_run_is_ended_when_its_time_is_over(
    folder: Path, reload: list[str]
) -> None:
    (folder / "chat.py").write_text(SPINNING)
    with command(folder, "chat:app", "--port=0", "--stop-timeout=0.3", *reload) as server:
        port = int(server.wait_for_line(r"http://127\.0\.0\.1:(\d+)/")[1])
        with socket.create_connection(("127.0.0.1", port)) as asking:
            asking.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            server.wait_for_line("^spinning")
            server.signal(signal.SIGTERM)
            server.wait_for_line(r"has not stopped in 3\.3 s, it is killed")
            assert server.wait() == 130


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_server_serves_and_stops_when_nobody_reads_what_it_says(
    folder: Path, stream: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    port = free_port()
    argv = [sys.executable, "-m", "socketio", "chat:app", f"--port={port}"]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: writer}
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    with subprocess.Popen(argv, cwd=folder, env=env, **streams) as process:
        os.close(writer)
        try:
            eventually(lambda: answers(port))
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, 120)  # 120: Python could not flush the stream
        finally:
            process.kill()


def answers(port: int) -> bool:
    """Tell whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
