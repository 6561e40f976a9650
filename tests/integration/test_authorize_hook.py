"""When the ``authorize`` hook is asked, and what one that blocks or breaks cannot do."""

from __future__ import annotations

from collections import ChainMap
from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Connection, PollingClient, Recorder, fetch, handshake, serving, wait_for
from tests.integration.hooks import ERROR, HANDSHAKE, SECRET, answering, ask, plain
from tests.integration.programs import first_line, program

# -- the hook is not asked -------------------------------------------------------------------------


@pytest.fixture
def asked() -> Recorder:
    return Recorder()


def test_a_preflight_does_not_ask_the_hook(asked: Recorder) -> None:
    with serving({}, authorize=asked) as server:
        answer = fetch(server, "OPTIONS", HANDSHAKE)
        assert answer.status == 200
        assert (asked.seen, len(server.sockets)) == ([], 0)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH"])
def test_a_method_that_no_client_uses_does_not_ask_the_hook(asked: Recorder, method: str) -> None:
    with serving({}, authorize=asked) as server:
        assert fetch(server, method, HANDSHAKE).status == 405
        assert (asked.seen, len(server.sockets)) == ([], 0)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("target", [HANDSHAKE, f"{HANDSHAKE}&jsonp=1"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_a_foreign_page_does_not_reach_the_hook(
    asked: Recorder, method: str, target: str, origin: str
) -> None:
    with serving({}, authorize=asked) as server:
        answer = fetch(server, method, target, Origin=origin)
        assert "handshake bad origin" in answer.text
        assert "access-control-allow-origin" not in answer.headers
        assert (asked.seen, len(server.sockets)) == ([], 0)


@pytest.mark.parametrize("limit", ["max_sessions", "max_handshakes"])
def test_a_full_server_does_not_ask_the_hook(asked: Recorder, limit: str) -> None:
    with serving({}, authorize=lambda _: asked("asked") or True, **{limit: 1}) as server:
        handshake(server)
        answer = fetch(server, "GET", HANDSHAKE)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert asked.seen == ["asked"]


def begin_request(server: SocketIOServer) -> Connection:
    """Send half of a handshake, and wait until the server reads it."""
    connection = Connection(server)
    connection.send_raw(f"GET {HANDSHAKE} HTTP/1.1\r\n".encode())
    wait_for(lambda: any(h._header_timer is not None for h in server._connections.values()))
    return connection


def test_a_stopping_server_does_not_ask_the_hook(asked: Recorder) -> None:
    with serving({}, authorize=asked) as server:
        connection = begin_request(server)
        server.close()
        connection.send_raw(b"Host: x\r\n\r\n")
        answer = connection.read_answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        connection.close()
        assert (asked.seen, len(server.sockets)) == ([], 0)


# -- a hook that takes its time --------------------------------------------------------------------


class Slow:
    """A hook that waits, for a request that says so, until it is told to go on."""

    def __init__(self, verdict: Any = True) -> None:
        self.verdict = verdict
        self.entered = 0
        self.go_on = Event()

    def __call__(self, environ: dict[str, Any]) -> Any:
        if "slow" in environ["QUERY_STRING"]:
            self.entered += 1
            self.go_on.wait()
        return answering(self.verdict)(environ)


def start_slow(server: SocketIOServer, hook: Slow, count: int = 1) -> list[Connection]:
    connections = [Connection(server) for _ in range(count)]
    for connection in connections:
        connection.start("GET", f"{HANDSHAKE}&slow")
    wait_for(lambda: hook.entered == count)
    return connections


def test_a_hook_that_blocks_stops_no_other_handshake_and_no_session() -> None:
    hook = Slow()
    with serving({"": BaseNamespace}, authorize=hook) as server:
        waiting = start_slow(server, hook, 5)
        for _ in range(3):
            client = PollingClient(server).open()
            client.send("3:1::x")
            assert client.recv() == "6:::1"
            client.close()
        assert len(server.sockets) == 3
        hook.go_on.set()
        for connection in waiting:
            assert connection.read_answer().status == 200
            connection.close()
        assert len(server.sockets) == 8


@pytest.mark.parametrize("limit", ["max_sessions", "max_handshakes"])
def test_a_server_that_is_full_when_the_hook_returns_makes_no_session(limit: str) -> None:
    hook = Slow()
    with serving({}, authorize=hook, **{limit: 2}) as server:
        waiting = start_slow(server, hook, 5)
        hook.go_on.set()
        answers = [connection.read_answer().status for connection in waiting]
        assert sorted(answers) == [200, 200, 503, 503, 503]
        assert len(server.sockets) == 2
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_server_that_stops_while_the_hook_blocks_makes_no_session(how: str) -> None:
    hook = Slow()
    with serving({}, authorize=hook) as server:
        (connection,) = start_slow(server, hook)
        stopping = gevent.spawn(server.stop, 30) if how == "stop" else gevent.spawn(server.close)
        wait_for(lambda: server.stopping)
        hook.go_on.set()
        answer = connection.read_answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        connection.close()
        stopping.get()
        assert not server.sockets


def test_a_refusal_by_a_hook_that_blocked_while_the_server_stopped_is_a_refusal() -> None:
    hook = Slow(verdict=False)
    with serving({}, authorize=hook) as server:
        (connection,) = start_slow(server, hook)
        server.close()
        hook.go_on.set()
        assert connection.read_answer().status == 403
        connection.close()


def test_a_hook_that_never_returns_does_not_keep_the_server_from_stopping() -> None:
    hook = Slow()
    with serving({}, authorize=hook) as server:
        (connection,) = start_slow(server, hook)
        server.stop(timeout=0.05)
        connection.read_to_end()
        connection.close()
        assert not server.sockets
        assert not server._connections


def test_a_client_that_left_while_the_hook_blocked_leaves_a_session_that_is_forgotten() -> None:
    hook = Slow()
    with serving({}, authorize=hook, handshake_timeout=0.05) as server:
        (connection,) = start_slow(server, hook)
        connection.close()
        hook.go_on.set()
        wait_for(lambda: not server._connections)
        wait_for(lambda: not server.sockets)
        assert not server._pending


# -- a hook that raises what is no Exception -------------------------------------------------------


class Unusual(BaseException):
    """Of the application."""


UNUSUAL = {
    "GreenletExit": gevent.GreenletExit,
    "Timeout": gevent.Timeout,
    "Unusual": Unusual,
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_whatever_the_hook_raises_ends_no_more_than_its_handshake(kind: str) -> None:
    def authorize(environ: dict[str, Any]) -> bool:
        if "bad" in environ["QUERY_STRING"]:
            raise UNUSUAL[kind]
        return True

    with serving({"": BaseNamespace}, authorize=authorize) as server:
        client = PollingClient(server).open()
        for _ in range(3):
            answer = fetch(server, "GET", f"{HANDSHAKE}&bad")
            assert answer.status == 500
            assert "Traceback" not in answer.text
        assert len(server.sockets) == 1
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        client.close()
        assert handshake(server)


@pytest.mark.parametrize("kind", UNUSUAL)
def test_whatever_the_hook_raises_is_answered_and_logged_like_any_error(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving({}, authorize=answering(UNUSUAL[kind]())) as server:
        assert plain(server) == (500, ERROR)
        script = fetch(server, "GET", f"{HANDSHAKE}&jsonp=3").text
        assert script == f'io.j[3](new Error("{ERROR}"));'
        assert caplog.text.count("authorize() failed") == 2


SERVING = """
import sys
import gevent
from socketio.server import SocketIOServer

def authorize(environ):
    if "bad" in environ["QUERY_STRING"]:
        raise SystemExit(3)

server = SocketIOServer(("127.0.0.1", 0), lambda *_: [], authorize=authorize, log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_a_hook_that_exits_does_not_end_the_process() -> None:
    with program("-c", SERVING) as process:
        port = int(first_line(process))
        assert ask(port)[0] == 200
        assert ask(port, f"{HANDSHAKE}&bad") == (500, ERROR)
        assert ask(port)[0] == 200
        assert process.poll() is None


def test_a_mapping_that_cannot_be_read_leaves_no_session_behind() -> None:
    class Unreadable(ChainMap[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise ValueError(SECRET)

    with serving({}, authorize=answering(Unreadable({"user": "ann"}))) as server:
        answer = fetch(server, "GET", HANDSHAKE)
        assert (answer.status, answer.text) == (500, ERROR)
        assert not server.sockets
