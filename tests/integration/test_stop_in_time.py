"""A server that stops is back when it said, whatever its handlers and clients do."""

from __future__ import annotations

import contextlib
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import socket as gsocket
from gevent.event import Event

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Connection, Recorder, event, make_app, wait_for
from tests.integration.programs import first_line, program
from tests.integration.secure import Certificate
from tests.integration.stopping import gave_everything_back, nothing_on_stderr
from tests.streams import ALL_CLIENTS

__all__ = ["nothing_on_stderr"]  # a fixture of every test here

TIMEOUT = 0.5
"""What ``stop()`` is told; it promises to be back half a second later."""
GENEROUS = 3
"""What it may take here, where others are at work too."""
LONG = 30
SOON = 10
CHOICES: list[dict[str, Any]] = [{}, {"spawn": 10}]


@contextlib.contextmanager
def stubborn(**kw: Any) -> Iterator[tuple[SocketIOServer, Event, Recorder]]:
    """Give a server whose handlers and pages swallow every kill until the event is set."""
    gate, record = Event(), Recorder()

    def stay() -> None:
        record("at work")
        while not gate.is_set():
            try:
                gate.wait()
            except gevent.GreenletExit:
                record("no")

    class Stubborn(BaseNamespace):
        def on_stay(self) -> None:
            stay()

    inner = make_app({"": Stubborn})

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/stay":
            stay()
        return inner(environ, start_response)

    server = SocketIOServer(("127.0.0.1", 0), app, log=None, **kw)
    server.start()
    try:
        yield server, gate, record
    finally:
        gate.set()
        wait_for(lambda: gave_everything_back(server))


def seconds_of(server: SocketIOServer, timeout: float | None = TIMEOUT) -> float:
    begin = time.monotonic()
    server.stop(timeout)
    return time.monotonic() - begin


# -- those that will not end -----------------------------------------------------------------------


@pytest.mark.parametrize("choice", CHOICES, ids=str)
@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_a_handler_that_swallows_its_kill_is_not_waited_for_twice(
    transport: str, choice: dict[str, Any]
) -> None:
    with stubborn(**choice) as (server, _, record):
        client = ALL_CLIENTS[transport](server).open()
        client.send(event("stay"))
        wait_for(lambda: record.seen)
        assert TIMEOUT <= seconds_of(server) < GENEROUS
        assert "no" in record.seen
        client.close()


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_page_that_swallows_its_kill_is_not_waited_for_twice(choice: dict[str, Any]) -> None:
    with stubborn(**choice) as (server, _, record):
        connection = Connection(server)
        connection.start("GET", "/stay")
        wait_for(lambda: record.seen)
        assert TIMEOUT <= seconds_of(server) < GENEROUS
        assert "no" in record.seen
        connection.close()


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_stop_waits_once_for_what_will_not_end(
    choice: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stubborn(**choice) as (server, _, record):
        waits = Recorder()
        join = gevent.joinall

        def joinall(greenlets: Any, timeout: Any = None, **more: Any) -> Any:
            waits(timeout)
            return join(greenlets, timeout, **more)

        monkeypatch.setattr(gevent, "joinall", joinall)
        if server.pool is not None:
            monkeypatch.setattr(server.pool, "join", lambda timeout=None: waits(timeout))
        connection = Connection(server)
        connection.start("GET", "/stay")
        wait_for(lambda: record.seen)
        server.stop(0.01)
        assert sum(waits.seen) <= 0.01 + 0.5
        connection.close()


def test_a_server_knows_whether_it_was_stopped_since_it_started() -> None:
    with stubborn() as (server, _, _record):
        assert not server.stopped
        server.close()
        assert not server.stopped
        server.stop(TIMEOUT)
        assert server.stopped
        server.start()
        assert not server.stopped
        server.stop(TIMEOUT)
        assert server.stopped


SERVE = """
import gevent
from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer, serve

SocketIOServer.stop_timeout = 4

def app(environ, start_response):
    print("at work", flush=True)
    while True:
        try:
            gevent.sleep(3600)
        except gevent.GreenletExit:
            print("no", flush=True)

serve(app, port=0, log=None, **{spawn})
print("returned", flush=True)
"""


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_serve_waits_once_for_a_handler_that_will_not_end(choice: dict[str, Any]) -> None:
    with program("-c", SERVE.replace("{spawn}", repr(choice))) as process:
        port = int(re.findall(r":(\d+)$", first_line(process))[0])
        with gsocket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert first_line(process) == "at work"
            begin = time.monotonic()
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=40)
            took = time.monotonic() - begin
        assert (process.returncode, err) == (0, "")
        assert out.splitlines()[-1] == "returned"
        assert set(out.splitlines()[:-1]) == {"no"}
        assert 3.9 < took < 7.5


# -- those that have not begun ---------------------------------------------------------------------

HALVES = {
    "nothing": b"",
    "half a line": b"GET /pa",
    "half a header": b"GET /page HTTP/1.1\r\nHost: x\r\nX-Long: aaa",
    "all but the end": b"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n",
}


@pytest.mark.parametrize("choice", CHOICES, ids=str)
@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("behind", [0, 1])
def test_a_client_with_half_a_header_does_not_hold_the_stop(
    behind: int, half: str, choice: dict[str, Any]
) -> None:
    with stubborn(header_timeout=LONG, keepalive_timeout=LONG, **choice) as (server, _, _record):
        connection = Connection(server)
        for _ in range(behind):
            assert connection.request("GET", "/page").status == 200
        connection.send_raw(HALVES[half])
        wait_for(lambda: [handler for handler in server._connections.values() if handler.idle])
        gevent.sleep(0)
        assert seconds_of(server, LONG) < SOON
        assert connection.read_to_end() == b""
        connection.close()


def test_a_request_whose_header_is_there_is_no_idle_connection() -> None:
    with stubborn() as (server, gate, record):
        connection = Connection(server)
        connection.start("GET", "/stay")
        wait_for(lambda: record.seen)
        stopping = gevent.spawn(server.stop, LONG)
        wait_for(lambda: server.stopping)
        gate.set()
        assert connection.read_answer().status == 200
        stopping.get(timeout=SOON)
        assert record.seen == ["at work"]
        connection.close()


# -- over TLS --------------------------------------------------------------------------------------


def test_a_tls_connection_that_is_accepted_in_the_moment_of_the_stop_is_closed(
    tmp_path: Path,
) -> None:
    kw: dict[str, Any] = {"log": None, "tls_handshake_timeout": 60}
    kw.update(Certificate.issue(tmp_path).files())
    server = SocketIOServer(("127.0.0.1", 0), make_app({}), **kw)
    server.start()
    try:
        server._begin_stopping(goodbye=False)
        ours, theirs = gsocket.socketpair()
        theirs.settimeout(SOON)
        late = gevent.spawn(server.wrap_socket_and_handle, ours, ("127.0.0.1", 1))
        assert theirs.recv(1) == b""
        late.join(SOON)
        assert late.successful()
        assert ours.fileno() == -1
        assert server.stats()["connections"] == 0
        assert server.stats()["errors"] == server.stats()["limits"] == {}
        theirs.close()
    finally:
        server.stop(TIMEOUT)


@pytest.mark.parametrize("spawn", ["default", 10])
@pytest.mark.parametrize("end", ["close", "stop"])
def test_a_connection_accepted_in_the_moment_of_the_end_is_closed_without_a_word(
    spawn: Any, end: str
) -> None:
    server = SocketIOServer(("127.0.0.1", 0), make_app({}), spawn=spawn, log=None)
    server.start()
    ours, theirs = gsocket.socketpair()
    server.do_handle(ours, ("127.0.0.1", 1))  # its greenlet has not begun yet
    getattr(server, end)()
    with gevent.Timeout(SOON):
        assert theirs.recv(10) == b""
    theirs.close()
    server.stop()
