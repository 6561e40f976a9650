"""Who is let in: the handshake by ``authorize``, a namespace by its ``recv_connect``."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import subprocess
import tempfile
import types
from collections import ChainMap, OrderedDict
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio.errors import ConfigError, UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import (
    Connection,
    PollingClient,
    Recorder,
    event,
    fetch,
    handshake,
    make_app,
    serving,
    wait_for,
)
from tests.integration.jsclients import JS, install_packages
from tests.integration.programs import first_line, program
from tests.streams import ALL_CLIENTS, EVERY

HANDSHAKE = "/socket.io/1/?t=1"
UNAUTHORIZED = "handshake unauthorized"
ERROR = "handshake error"

every = pytest.mark.parametrize("transport", EVERY)


@contextlib.contextmanager
def running(server: SocketIOServer) -> Iterator[SocketIOServer]:
    """Run a server of the application's own class."""
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=2)


def answering(what: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a hook that returns ``what``, or raises it."""

    def authorize(environ: dict[str, Any]) -> Any:
        if isinstance(what, BaseException):
            raise what
        return what

    return authorize


@contextlib.contextmanager
def deciding(how: str, what: Any, **kw: Any) -> Iterator[SocketIOServer]:
    """Run a server that decides by the keyword, or by an overridden method."""
    if how == "keyword":
        with serving({"": BaseNamespace}, authorize=answering(what), **kw) as server:
            yield server
        return

    class Deciding(SocketIOServer):
        def authorize(self, environ: dict[str, Any]) -> object:
            return answering(what)(environ)

    app = make_app({"": BaseNamespace})
    with running(Deciding(("127.0.0.1", 0), app, log=None, error_log=None, **kw)) as server:
        yield server


both = pytest.mark.parametrize("how", ["keyword", "method"])


# -- let in ----------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("granted", [True, None])
def test_true_and_none_let_a_client_in_and_add_nothing_to_its_session(
    how: str, granted: Any
) -> None:
    with deciding(how, granted) as server:
        assert server.sockets[handshake(server)].session == {}


MAPPINGS = [
    {"user": "ann", "level": 3},
    OrderedDict([("user", "ann"), ("level", 3)]),
    types.MappingProxyType({"user": "ann", "level": 3}),
    ChainMap({"user": "ann"}, {"user": "bob", "level": 3}),
]


@both
@pytest.mark.parametrize("granted", MAPPINGS, ids=lambda m: type(m).__name__)
def test_a_mapping_lets_a_client_in_and_is_merged_into_its_session(how: str, granted: Any) -> None:
    with deciding(how, granted) as server:
        socket = server.sockets[handshake(server)]
        assert socket.session == {"user": "ann", "level": 3}
        assert socket.session is not granted


def test_an_empty_mapping_lets_a_client_in_for_it_is_not_false() -> None:
    with serving({}, authorize=answering({})) as server:
        assert server.sockets[handshake(server)].session == {}


def test_two_clients_do_not_share_what_the_hook_returned() -> None:
    with serving({}, authorize=answering({"user": "ann"})) as server:
        one, two = (server.sockets[handshake(server)] for _ in range(2))
        one.session["user"] = "bob"
        assert two.session == {"user": "ann"}


@every
def test_a_namespace_finds_what_the_hook_returned_in_its_session(transport: str) -> None:
    class Who(BaseNamespace):
        def recv_connect(self) -> None:
            self.emit("you", self.session["user"])

        def on_who(self) -> Any:
            return self.session["user"]

    with serving({"": Who, "/who": Who}, authorize=answering({"user": "ann"})) as server:
        client = ALL_CLIENTS[transport](server).open()
        client.send("1::/who", event("who", msgid="1+"))
        assert client.recv() == "1::/who"
        assert client.recv() == '5::/who:{"args":["ann"],"name":"you"}'
        assert client.recv() == '6:::1+["ann"]'
        client.close()


@both
def test_rooms_that_the_hook_returned_are_entered(how: str) -> None:
    with deciding(how, {"rooms": {"_lobby"}}) as server:
        client = PollingClient(server).open()
        server.emit("news", room="lobby")
        assert client.recv() == '5:::{"name":"news"}'
        client.close()


def test_the_keyword_counts_more_than_the_method() -> None:
    class Closed(SocketIOServer):
        def authorize(self, environ: dict[str, Any]) -> object:
            raise AssertionError("not called")

    authorize = answering({"by": "keyword"})
    with running(Closed(("127.0.0.1", 0), make_app({}), log=None, authorize=authorize)) as server:
        assert server.sockets[handshake(server)].session == {"by": "keyword"}


def test_without_a_hook_everybody_is_let_in() -> None:
    with serving({}) as server:
        assert server.authorize({}) is True
        assert handshake(server)


@pytest.mark.parametrize("wrong", [True, "auth", 5, {}])
def test_a_hook_that_cannot_be_called_is_refused_when_the_server_is_made(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"authorize: .* cannot be called"):
        SocketIOServer(("127.0.0.1", 0), authorize=wrong)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_hook_is_called_once_with_the_request(method: str) -> None:
    seen: list[dict[str, Any]] = []

    def authorize(environ: dict[str, Any]) -> None:
        assert environ is not None
        seen.append(dict(environ))

    with serving({}, authorize=authorize) as server:
        headers = {"Cookie": "token=abc; theme=dark", "X-Api-Key": "k-1", "User-Agent": "test"}
        connection = Connection(server)
        connection.start(method, "/socket.io/1/?t=5&user=ann&key=%C3%A9", headers=headers)
        assert connection.read_answer().status == 200
        connection.close()
        (environ,) = seen
    assert environ["REQUEST_METHOD"] == method
    assert environ["QUERY_STRING"] == "t=5&user=ann&key=%C3%A9"
    assert environ["PATH_INFO"] == "/socket.io/1/"
    assert environ["HTTP_COOKIE"] == "token=abc; theme=dark"
    assert environ["HTTP_X_API_KEY"] == "k-1"
    assert environ["HTTP_USER_AGENT"] == "test"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert "socketio" not in environ


def test_the_hook_is_not_called_for_the_requests_of_a_session() -> None:
    record = Recorder()

    def authorize(environ: dict[str, Any]) -> None:
        record(environ["PATH_INFO"])

    with serving({"": BaseNamespace}, authorize=authorize) as server:
        client = PollingClient(server).open()
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        fetch(server, "GET", f"/socket.io/1//{client.sessid}/?disconnect=1")
        client.close()
    assert record.seen == ["/socket.io/1/"]


# -- refused ---------------------------------------------------------------------------------------

SECRET = "the password of ann is 1234"


def refused(what: Any) -> Any:
    return pytest.param(what, id=type(what).__name__)


REFUSALS = [refused(False), refused(UnauthorizedError(SECRET)), refused(UnauthorizedError())]
FAILURES = [
    *map(refused, (ValueError(SECRET), KeyError(SECRET), MemoryError(SECRET))),
    *map(refused, (RecursionError(SECRET), StopIteration(SECRET), OSError(13, SECRET))),
]
WRONG = [
    *map(refused, (0, 1, "", "yes", b"", 0.0, [], (), set(), object(), [("user", "ann")])),
    *map(refused, (re.match("a", "a"), NotImplemented, ..., iter({}), lambda: True)),
]


def plain(server: SocketIOServer, **headers: str) -> tuple[int, str]:
    answer = fetch(server, "GET", HANDSHAKE, **headers)
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.status, answer.text


@both
@pytest.mark.parametrize("what", REFUSALS)
def test_false_and_unauthorized_refuse_a_client_for_good(
    how: str, what: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with deciding(how, what) as server:
        assert plain(server) == (403, UNAUTHORIZED)
        assert len(server.sockets) == len(server._pending) == 0
        assert server.refusals.counts == {"authorize": 1}
    (line,) = [r for r in caplog.records if r.name == "socketio.handler"]
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("refused a handshake: ")
    if isinstance(what, UnauthorizedError) and what.args:
        assert SECRET in line.getMessage()


@both
@pytest.mark.parametrize("what", FAILURES)
def test_a_hook_that_fails_lets_nobody_in_and_tells_its_traceback_to_the_log_alone(
    how: str, what: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with deciding(how, what) as server:
        answer = fetch(server, "GET", HANDSHAKE)
        assert (answer.status, answer.text) == (500, ERROR)
        assert SECRET not in repr(answer)
        assert len(server.sockets) == len(server._pending) == 0
    (line,) = [r for r in caplog.records if r.name == "socketio.handler"]
    assert line.levelno == logging.ERROR
    assert line.exc_info is not None
    assert line.exc_info[1] is what
    assert "Traceback" in caplog.text
    assert SECRET in caplog.text


@both
@pytest.mark.parametrize("what", WRONG)
def test_a_hook_without_a_verdict_opens_no_door_and_the_log_tells_what_to_return(
    how: str, what: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with deciding(how, what) as server:
        assert plain(server) == (500, ERROR)
        assert len(server.sockets) == len(server._pending) == 0
    (line,) = [r for r in caplog.records if r.name == "socketio.handler"]
    assert line.levelno == logging.ERROR
    text = line.getMessage()
    assert text.startswith("authorize() returned ")
    assert "return True or a dictionary to let a client in, False to refuse it" in text
    assert len(text) < 300


@pytest.mark.parametrize("index", ["0", "3", "999999999999"])
@pytest.mark.parametrize(
    ("what", "text"),
    [
        (False, UNAUTHORIZED),
        (UnauthorizedError(SECRET), UNAUTHORIZED),
        (ValueError(SECRET), ERROR),
        (0, ERROR),
        ("", ERROR),
    ],
)
def test_a_script_gets_the_refusal_as_an_error_object(what: Any, text: str, index: str) -> None:
    with serving({}, authorize=answering(what)) as server:
        answer = fetch(server, "GET", f"{HANDSHAKE}&jsonp={index}")
        assert answer.status == 200
        assert answer.text == f'io.j[{index}](new Error("{text}"));'
        assert answer.headers["content-type"].split(";")[0] == "application/javascript"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
        assert not server.sockets


@pytest.mark.parametrize("index", ["", "x", "1;alert(1)", "-1", "1e3", "1234567890123", "%0a1"])
def test_what_is_no_index_is_never_put_into_a_script(index: str) -> None:
    with serving({}, authorize=answering(False)) as server:
        assert plain_with(server, f"{HANDSHAKE}&jsonp={index}") == (403, UNAUTHORIZED)


def plain_with(server: SocketIOServer, target: str) -> tuple[int, str]:
    answer = fetch(server, "GET", target)
    return answer.status, answer.text


@pytest.mark.parametrize("what", [False, UnauthorizedError(), ValueError(), 0])
@pytest.mark.parametrize("origins", [None, ["http://friend.example"], "*"])
def test_a_page_of_an_allowed_origin_may_read_the_refusal(what: Any, origins: Any) -> None:
    with serving({}, authorize=answering(what), origins=origins) as server:
        origin = "http://friend.example" if origins else f"http://127.0.0.1:{server.server_port}"
        answer = fetch(server, "GET", HANDSHAKE, Origin=origin)
        assert answer.status in (403, 500)
        assert answer.text in (UNAUTHORIZED, ERROR)
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"


def test_a_refusal_of_a_request_without_an_origin_has_no_access_control_headers() -> None:
    with serving({}, authorize=answering(False)) as server:
        headers = fetch(server, "GET", HANDSHAKE).headers
        assert not [name for name in headers if name.startswith("access-control")]


def test_a_refused_client_may_try_again_on_the_same_connection() -> None:
    verdicts = [False, 0, UnauthorizedError(), True]

    def authorize(environ: dict[str, Any]) -> Any:
        return answering(verdicts.pop(0))(environ)

    with serving({}, authorize=authorize) as server:
        connection = Connection(server)
        answers = [connection.request("GET", HANDSHAKE).status for _ in range(4)]
        assert answers == [403, 500, 403, 200]
        connection.close()
        assert len(server.sockets) == 1


def test_the_log_gets_one_line_about_many_refusals_and_the_count_is_full(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving({}, authorize=answering(False)) as server:
        connection = Connection(server)
        for _ in range(50):
            assert connection.request("GET", HANDSHAKE).status == 403
        connection.close()
        assert server.refusals.counts["authorize"] == 50
    assert caplog.text.count("refused a handshake") == 1


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
    wait_for(lambda: any(not handler.idle for handler in server._connections.values()))
    return connection


def test_a_stopping_server_does_not_ask_the_hook(asked: Recorder) -> None:
    with serving({}, authorize=asked) as server:
        connection = begin_request(server)
        stopping = gevent.spawn(server.stop, 30)
        wait_for(lambda: server.stopping)
        connection.send_raw(b"Host: x\r\n\r\n")
        answer = connection.read_answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        connection.close()
        stopping.get()
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


def ask(port: int, target: str = HANDSHAKE, method: str = "GET") -> tuple[int, str]:
    """Ask a server in another process; blocks."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, headers={"Connection": "close"})
        with connection.getresponse() as response:
            return response.status, response.read().decode()
    finally:
        connection.close()


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


# -- what is kept of the handshake -----------------------------------------------------------------


def test_the_handshake_stays_readable_for_the_life_of_the_session() -> None:
    seen: list[Any] = []

    class Looking(BaseNamespace):
        def recv_connect(self) -> None:
            seen.append(self.socket.handshake_environ)

    with serving({"/look": Looking}) as server:
        answer = fetch(
            server, "GET", "/socket.io/1/?t=1&user=ann", Cookie="a=b", User_Agent="test/1"
        )
        sessid = answer.text.split(":")[0]
        client = PollingClient(server, sessid).open()
        client.send("1::/look")
        assert client.recv() == "1::/look"
        client.close()
        (kept,) = seen
        assert kept["HTTP_COOKIE"] == "a=b"
        assert kept["HTTP_USER_AGENT"] == "test/1"
        assert kept["QUERY_STRING"] == "t=1&user=ann"
        assert kept["PATH_INFO"] == "/socket.io/1/"
        assert kept["REQUEST_METHOD"] == "GET"
        assert kept["REMOTE_ADDR"] == "127.0.0.1"
        assert all(type(value) is str for value in kept.values())
        assert kept.keys().isdisjoint({"wsgi.input", "wsgi.errors", "socketio"})


def kept_of(server: SocketIOServer, headers: dict[str, str]) -> dict[str, str]:
    connection = Connection(server)
    connection.start("GET", HANDSHAKE, headers=headers)
    answer = connection.read_answer()
    connection.close()
    assert answer.status == 200, answer
    kept: dict[str, str] = server.sockets[answer.text.split(":")[0]].handshake_environ
    return kept


def test_a_value_that_is_too_long_is_left_out_and_no_other() -> None:
    with serving({}) as server:
        kept = kept_of(server, {"Cookie": "c" * 4096, "X-Long": "x" * 4097, "X-Short": "y"})
        assert kept["HTTP_COOKIE"] == "c" * 4096
        assert kept["HTTP_X_SHORT"] == "y"
        assert "HTTP_X_LONG" not in kept
        assert kept["QUERY_STRING"] == "t=1"


def test_the_values_together_are_bounded_too() -> None:
    with serving({}) as server:
        kept = kept_of(server, {f"X-Long-{n}": str(n) * 4000 for n in range(9)})
        total = sum(map(len, kept.values()))
        assert 12000 < total <= 16384
        assert sum(len(value) == 4000 for value in kept.values()) in (3, 4)


def test_a_session_of_a_subclass_has_its_handshake_too() -> None:
    class Mine(Socket):
        pass

    class Server(SocketIOServer):
        def get_socket(self, sessid: str = "") -> Any:
            if sessid:
                return super().get_socket(sessid)
            socket = Mine(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    authorize = answering({"user": "ann"})
    with running(Server(("127.0.0.1", 0), make_app({}), log=None, authorize=authorize)) as server:
        socket = server.sockets[handshake(server)]
        assert type(socket) is Mine
        assert socket.handshake_environ["PATH_INFO"] == "/socket.io/1/"
        assert socket.session == {"user": "ann"}


# -- serve() ---------------------------------------------------------------------------------------

DOOR = """
from socketio.errors import UnauthorizedError

def only_ann(environ):
    if "user=ann" not in environ["QUERY_STRING"]:
        raise UnauthorizedError("not ann")

class Door:
    @staticmethod
    def closed(environ):
        return False
"""

RUNNER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from socketio.server import serve

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"the application's page"]

serve(app, host="127.0.0.1", port="0", log_file="/dev/null", **json.loads(sys.argv[2]))
"""


@contextlib.contextmanager
def served(directory: Path, **settings: str) -> Iterator[int]:
    """Run ``serve()`` in a process, with settings as an .ini file gives them; yields its port."""
    (directory / "door.py").write_text(DOOR)
    with program("-c", RUNNER, directory, json.dumps(settings)) as process:
        line = first_line(process)
        assert line.startswith("serving on http://127.0.0.1:"), (line, process.stderr)
        yield int(line.rsplit(":", 1)[1])


def test_serve_takes_the_hook_as_the_name_of_a_function(tmp_path: Path) -> None:
    with served(tmp_path, authorize="door:only_ann") as port:
        assert ask(port) == (403, UNAUTHORIZED)
        assert ask(port, f"{HANDSHAKE}&user=ann")[0] == 200


def test_serve_takes_the_hook_as_the_name_of_an_attribute(tmp_path: Path) -> None:
    with served(tmp_path, authorize="door:Door.closed") as port:
        assert ask(port, f"{HANDSHAKE}&user=ann") == (403, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("text", "status"), [("none", 404), ("None", 404), ("", 404), ("false", 200), ("False", 200)]
)
def test_serve_reads_the_words_that_stand_for_no_client_file(
    tmp_path: Path, text: str, status: int
) -> None:
    with served(tmp_path, client_js=text) as port:
        answer = ask(port, "/socket.io/socket.io.js")
        assert answer[0] == status
        assert ("client_js=" in answer[1]) == (status == 404)
        assert (answer[1] == "the application's page") == (status == 200)


def test_serve_takes_the_path_of_a_client_file(tmp_path: Path) -> None:
    path = tmp_path / "client.js"
    path.write_text("var io;")
    with served(tmp_path, client_js=str(path)) as port:
        assert ask(port, "/socket.io/socket.io.js") == (200, "var io;")


# == namespaces ====================================================================================

REFUSED = "7::/ns:2"


class Door(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Refuses everybody until ``verdict`` is None; notes whatever is called."""

    record: Recorder
    verdict: BaseException | None = UnauthorizedError(SECRET)

    def recv_connect(self) -> None:
        self.record("connect")
        self.decide()

    def decide(self) -> None:
        verdict = type(self).verdict
        if verdict is not None:
            raise verdict

    def recv_disconnect(self) -> None:
        self.record("disconnect")
        self.disconnect(silent=True)

    def recv_message(self, data: str) -> None:
        self.record("message", data)

    def recv_json(self, data: Any) -> None:
        self.record("json", data)

    def recv_error(self, packet: Any) -> None:
        self.record("error")

    def on_hello(self, *args: Any) -> str:
        self.record("hello")
        return "hello"


class Open(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_echo(self, value: Any) -> Any:
        return value


class Place:
    """A server with ``/ns``, of which a test says what it does, and ``/open``; and a client."""

    def __init__(self, server: SocketIOServer, transport: str, record: Recorder) -> None:
        self.server = server
        self.record = record
        self.door: Any = None
        self.client = ALL_CLIENTS[transport](server).open()
        self.socket = server.sockets[self.client.sessid]
        self._count = 0

    def heard(self) -> list[str]:
        """Return all that the client was sent up to now."""
        self._count += 1
        self.client.send(event("echo", "mark", endpoint="/open", msgid=f"{self._count}+"))
        found: list[str] = []
        while (text := self.client.recv()) != f'6::/open:{self._count}+["mark"]':
            found.append(text)
        return found


@contextlib.contextmanager
def place(transport: str, door: type[Door], **kw: Any) -> Iterator[Place]:
    record = Recorder()
    ns = type("DoorHere", (door,), {"record": record})
    with serving({"": BaseNamespace, "/ns": ns, "/open": Open}, **kw) as server:
        here = Place(server, transport, record)
        here.door = ns
        try:
            yield here
        finally:
            here.client.close()


@every
def test_a_refused_client_gets_the_refusal_and_no_more(transport: str) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["connect"]
        assert "/ns" not in here.socket.active_ns
        assert here.socket.connected


@every
def test_a_refused_namespace_was_never_left(transport: str) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns", "0::/ns")
        assert here.heard() == [REFUSED]
        socket = here.socket
        socket.disconnect()
        wait_for(lambda: socket.state == "DISCONNECTED" or socket.active_ns == {})
        assert here.record.seen == ["connect"]


@every
def test_the_greenlets_of_a_refused_namespace_are_killed(transport: str) -> None:
    jobs: list[Any] = []

    class Busy(Door):
        def recv_connect(self) -> None:
            jobs.append(self.spawn(gevent.sleep, 3600))
            super().recv_connect()

    with place(transport, Busy) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        wait_for(lambda: jobs[0].dead)
        assert len(jobs) == 1


@every
def test_the_reason_is_for_the_log_and_not_for_the_client(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "socketio.virtsocket")
    with place(transport, Door) as here:
        here.client.send("1::/ns", event("hello", endpoint="/ns", msgid="9+"))
        assert SECRET not in "".join(here.heard())
        assert caplog.text.count(SECRET) == 2
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "packet",
    [
        event("hello", endpoint="/ns"),
        event("hello", 1, 2, endpoint="/ns", msgid="7+"),
        event("no such thing", endpoint="/ns", msgid="7+"),
        "3::/ns:x",
        "4::/ns:[1]",
        "1::/ns:?a=b",
        "1::/ns",
    ],
)
@every
def test_every_later_packet_is_decided_anew_and_reaches_no_other_handler(
    transport: str, packet: str
) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns", packet, packet)
        assert here.heard() == [REFUSED] * 3
        assert here.record.seen == ["connect"] * 3
        assert "/ns" not in here.socket.active_ns


@every
def test_a_refused_packet_may_be_acknowledged_as_received_but_is_not_answered(
    transport: str,
) -> None:
    with place(transport, Door) as here:
        here.client.send("3:5:/ns:x", event("hello", endpoint="/ns", msgid="6+"))
        assert here.heard() == ["6::/ns:5", REFUSED, REFUSED]
        assert here.record.seen == ["connect"] * 2


@pytest.mark.parametrize("packet", ["0::/ns", "6::/ns:1", "7::/ns:2", "2::/ns", "8::/ns"])
@every
def test_what_a_client_says_about_a_namespace_it_is_not_in_opens_nothing(
    transport: str, packet: str
) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns", packet)
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["connect"]


@every
def test_a_client_that_was_refused_may_be_let_in_later(transport: str) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        here.door.verdict = None
        here.client.send("1::/ns", event("hello", endpoint="/ns", msgid="6+"))
        assert here.heard() == ["1::/ns", '6::/ns:6+["hello"]']
        assert here.record.seen == ["connect", "connect", "hello"]
        here.client.send("0::/ns")
        assert here.heard() == []
        assert here.record.seen[3:] == ["disconnect"]


@every
def test_another_namespace_of_the_session_goes_on(transport: str) -> None:
    with place(transport, Door) as here:
        assert here.heard() == []
        here.client.send("1::/ns", event("echo", 1, endpoint="/open", msgid="90+"), "1::/ns")
        assert here.heard() == [REFUSED, "6::/open:90+[1]", REFUSED]
        assert set(here.socket.active_ns) == {"/open"}


# -- nobody can make it unsaid ---------------------------------------------------------------------


class Swallowing(Door):
    def exception_handler_decorator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except BaseException:
                return None

        return call


class Replacing(Door):
    def exception_handler_decorator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except UnauthorizedError:
                raise ValueError("something else") from None

        return call


class SwallowingPackets(Door):
    def process_packet(self, packet: Any) -> Any:
        try:
            return super().process_packet(packet)
        except Exception:
            return None


class SwallowingCalls(Door):
    def call_method(self, method_name: str, packet: Any, *args: Any) -> Any:
        try:
            return super().call_method(method_name, packet, *args)
        except Exception:
            return None


class Subclassed(UnauthorizedError):
    pass


class RefusingOwnError(Door):
    verdict = Subclassed("of the application")


class TakingPacket(Door):
    def recv_connect(self, packet: Any) -> None:  # type: ignore[override]
        assert packet["type"] == "connect"
        assert packet["endpoint"] == "/ns"
        self.record("connect")
        self.decide()


class RefusingByItsDecorator(Door):
    def recv_connect(self) -> None:
        self.record("connect")

    def exception_handler_decorator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            function(*args, **kwargs)
            raise UnauthorizedError("a decorator may refuse too")

        return call


class RefusingByProcessPacket(Door):
    def process_packet(self, packet: Any) -> Any:
        assert packet["type"] == "connect"
        self.record("connect")
        raise UnauthorizedError("an override may refuse too")


class WithAclForTheRest(Door):
    def get_initial_acl(self) -> Any:
        return {"recv_connect"}


@pytest.mark.parametrize(
    "door",
    [
        *[Swallowing, Replacing, SwallowingPackets, SwallowingCalls, RefusingOwnError],
        *[TakingPacket, RefusingByItsDecorator, RefusingByProcessPacket, WithAclForTheRest],
    ],
)
@every
def test_a_refusal_counts_whatever_stands_around_it(transport: str, door: type[Door]) -> None:
    with place(transport, door) as here:
        here.client.send("1::/ns", event("hello", endpoint="/ns"), "3::/ns:x")
        assert here.heard() == [REFUSED] * 3
        assert here.record.seen == ["connect"] * 3
        assert "/ns" not in here.socket.active_ns


class RefusingInInit(Door):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record("init")
        raise UnauthorizedError(SECRET)


class RefusingInInitialize(Door):
    def initialize(self) -> None:
        self.record("init")
        raise UnauthorizedError(SECRET)


class RefusingInAnInheritedInitialize(RefusingInInitialize):
    def initialize(self) -> None:
        self.record("first")


@pytest.mark.parametrize("first", ["1::/ns", "3::/ns:x", event("hello", endpoint="/ns")])
@pytest.mark.parametrize(
    "door",
    [
        RefusingInInit,
        RefusingInInitialize,
    ],
)
@every
def test_a_namespace_may_refuse_before_it_is_connected(
    transport: str, door: type[Door], first: str
) -> None:
    with place(transport, door) as here:
        here.client.send(first)
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["init"]
        assert "/ns" not in here.socket.active_ns


def test_the_initialize_of_a_base_class_may_refuse() -> None:
    with place("websocket", RefusingInAnInheritedInitialize) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["first", "init"]


@every
def test_jobs_that_a_refused_namespace_began_in_initialize_are_killed(transport: str) -> None:
    jobs: list[Any] = []

    class Busy(Door):
        def initialize(self) -> None:
            jobs.append(self.spawn(gevent.sleep, 3600))
            raise UnauthorizedError

    with place(transport, Busy) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        wait_for(lambda: jobs[0].dead)


@every
def test_the_global_namespace_may_refuse_when_it_is_made(transport: str) -> None:
    class Closed(BaseNamespace):
        def initialize(self) -> None:
            raise UnauthorizedError

        def on_hello(self) -> None:
            raise AssertionError("not called")

    with serving({"": Closed, "/open": Open}) as server:
        client = ALL_CLIENTS[transport](server).open()
        client.send(event("hello"), event("echo", 1, endpoint="/open", msgid="1+"))
        assert client.recv() == "7:::2"
        assert client.recv() == "6::/open:1+[1]"
        assert set(server.sockets[client.sessid].active_ns) == {"/open"}
        client.close()


# -- while it is decided ---------------------------------------------------------------------------


class Hesitating(Door):
    """Waits in ``recv_connect`` until it is told to go on."""

    go_on: Event

    def recv_connect(self) -> None:
        self.record("connect")
        self.go_on.wait()
        self.decide()


@contextlib.contextmanager
def hesitating(transport: str, verdict: Any, first: str = "1::/ns") -> Iterator[tuple[Place, Any]]:
    """A client whose ``recv_connect`` waits, and another that is in the namespace already."""
    attributes = {"go_on": Event(), "verdict": None}
    door = type("HesitatingHere", (Hesitating,), attributes)
    with place(transport, door) as here:
        here.door.go_on.set()
        member = PollingClient(here.server).open()
        try:
            member.send("1::/ns")
            assert member.recv() == "1::/ns"
            here.door.go_on.clear()
            here.door.verdict = verdict
            here.client.send(first)
            wait_for(lambda: here.record.count("connect") == 2)
            yield here, member
        finally:
            here.door.go_on.set()
            member.close()


def to_everyone(here: Place, member: Any) -> None:
    """Broadcast in every way there is, from elsewhere, and see that it arrives elsewhere."""
    other = here.server.sockets[member.sessid]["/ns"]
    other.join("room")
    here.server.emit("by_server", namespace="/ns")
    other.broadcast_event("by_namespace")
    other.broadcast_event_not_me("not_me")
    other.broadcast_to_room("room", "by_room")
    here.server.emit("by_server_to_room", namespace="/ns", room="room")
    for name in ("by_server", "by_namespace", "by_room", "by_server_to_room"):
        assert member.recv() == f'5::/ns:{{"name":"{name}"}}'


@every
def test_a_client_that_is_refused_never_gets_what_was_broadcast_meanwhile(transport: str) -> None:
    with hesitating(transport, UnauthorizedError()) as (here, member):
        here.socket["/ns"].join("room")
        to_everyone(here, member)
        here.door.go_on.set()
        assert here.heard() == [REFUSED]
        to_everyone(here, member)
        assert here.heard() == []


@every
def test_a_client_that_is_let_in_gets_its_answer_before_any_broadcast(transport: str) -> None:
    with hesitating(transport, None) as (here, member):
        to_everyone(here, member)
        here.door.go_on.set()
        wait_for(lambda: here.socket._opening is None)
        here.server.emit("afterwards", namespace="/ns")
        assert here.heard() == ["1::/ns", '5::/ns:{"name":"afterwards"}']


@every
def test_a_client_that_sent_an_event_first_waits_for_the_decision_too(transport: str) -> None:
    first = event("hello", endpoint="/ns", msgid="9+")
    with hesitating(transport, UnauthorizedError(), first) as (here, member):
        to_everyone(here, member)
        here.door.go_on.set()
        assert here.heard() == [REFUSED]
        assert here.record.count("hello") == 0


@every
def test_a_client_whose_initialize_refuses_never_gets_what_was_broadcast_meanwhile(
    transport: str,
) -> None:
    go_on = Event()

    class Looking(Door):
        def initialize(self) -> None:
            self.record("init")
            go_on.wait()
            raise UnauthorizedError

    with place(transport, Looking) as here:
        here.client.send("1::/ns")
        wait_for(lambda: here.record.seen == ["init"])
        here.server.emit("news", namespace="/ns")
        go_on.set()
        assert here.heard() == [REFUSED]


def test_a_broadcast_of_a_socket_whose_packets_go_another_way_is_kept_back_too() -> None:
    record = Recorder()

    class Mine(Socket):
        def send_packet(self, pkt: Any) -> None:
            record(pkt["type"])
            super().send_packet(pkt)

    class Server(SocketIOServer):
        def get_socket(self, sessid: str = "") -> Any:
            if sessid:
                return super().get_socket(sessid)
            socket = Mine(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    go_on = Event()

    class Waiting(Door):
        record = Recorder()

        def recv_connect(self) -> None:
            super_record = self.record
            super_record("connect")
            go_on.wait()
            raise UnauthorizedError

    app = make_app({"": BaseNamespace, "/ns": Waiting, "/open": Open})
    with running(Server(("127.0.0.1", 0), app, log=None, error_log=None)) as server:
        here = Place(server, "websocket", Waiting.record)
        here.client.send("1::/ns")
        wait_for(lambda: Waiting.record.seen)
        server.emit("news", namespace="/ns")
        go_on.set()
        assert here.heard() == [REFUSED]
        assert record.seen == ["connect", "error", "ack"]
        here.client.close()


@pytest.mark.parametrize("verdict", [None, UnauthorizedError()])
@every
def test_a_namespace_that_sends_before_it_decides_has_its_answer_sent_first(
    transport: str, verdict: Any
) -> None:
    class Greeting(Door):
        def recv_connect(self) -> None:
            self.emit("welcome")
            self.send("hello")
            self.decide()

    with place(transport, Greeting) as here:
        here.door.verdict = verdict
        here.client.send("1::/ns")
        sent = ["1::/ns", '5::/ns:{"name":"welcome"}', "3::/ns:hello"]
        assert here.heard() == sent + ([] if verdict is None else [REFUSED])


@pytest.mark.parametrize("way", ["broadcast_event", "broadcast_event_not_me", "emit_to_room"])
@every
def test_a_namespace_that_broadcasts_before_it_decides_reaches_the_others(
    transport: str, way: str
) -> None:
    class Announcing(Door):
        def recv_connect(self) -> None:
            self.join("room")
            if way == "emit_to_room":
                self.emit_to_room("room", "somebody")
            else:
                getattr(self, way)("somebody")
            self.decide()

    with place(transport, Announcing) as here:
        here.door.verdict = None
        member = PollingClient(here.server).open()
        member.send("1::/ns")
        greeting = '5::/ns:{"name":"somebody"}'
        assert member.recv() == "1::/ns"
        if way == "broadcast_event":
            assert member.recv() == greeting
        here.door.verdict = UnauthorizedError()
        here.client.send("1::/ns")
        assert member.recv() == greeting
        # It told itself of its client, so it let that in before it refused it.
        own = ["1::/ns", greeting] if way == "broadcast_event" else []
        assert here.heard() == [*own, REFUSED]
        member.close()


@every
def test_a_packet_of_another_namespace_does_not_let_a_client_in(transport: str) -> None:
    class Talking(Door):
        def recv_connect(self) -> None:
            self.socket["/open"].emit("aside")
            self.decide()

    with place(transport, Talking) as here:
        assert here.heard() == []
        here.client.send("1::/ns")
        assert here.heard() == ['5::/open:{"name":"aside"}', REFUSED]


@every
def test_a_room_that_was_entered_before_the_refusal_delivers_nothing(transport: str) -> None:
    class Joining(Door):
        def recv_connect(self) -> None:
            self.join("room")
            self.decide()

    with place(transport, Joining) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        here.door.verdict = None
        member = PollingClient(here.server).open()
        member.send("1::/ns")
        assert member.recv() == "1::/ns"
        to_everyone(here, member)
        assert here.server.sockets[member.sessid]["/ns"].members("room") == [
            here.server.sockets[member.sessid]
        ]
        assert here.heard() == []
        member.close()


@every
def test_a_session_that_ends_while_it_is_decided_ends_quietly(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    with hesitating(transport, UnauthorizedError()) as (here, _member):
        socket = here.socket
        gevent.spawn(socket.disconnect)
        wait_for(lambda: not socket.state.live)
        here.door.go_on.set()
        wait_for(lambda: socket._receiver.dead)
        assert socket.active_ns == {}
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize("calls_super", [True, False])
@every
def test_a_socket_class_of_the_application_s_own_refuses_too(
    transport: str, calls_super: bool
) -> None:
    sent: list[str] = []

    class Mine(Socket):
        def send_packet(self, pkt: Any) -> None:
            sent.append(pkt["type"])
            if calls_super:
                super().send_packet(pkt)
            else:
                self.put_client_msg(self.encode_packet(pkt))

    class Server(SocketIOServer):
        def get_socket(self, sessid: str = "") -> Any:
            if sessid:
                return super().get_socket(sessid)
            socket = Mine(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    record = Recorder()
    door = type("DoorHere", (Door,), {"record": record})
    app = make_app({"": BaseNamespace, "/ns": door, "/open": Open})
    with running(Server(("127.0.0.1", 0), app, log=None, error_log=None)) as server:
        here = Place(server, transport, record)
        here.client.send("1::/ns", event("hello", endpoint="/ns"))
        # What goes around our method cannot be kept back by it; the refusal is what counts.
        early = [] if calls_super else ["1::/ns"]
        assert here.heard() == [*early, REFUSED, REFUSED]
        assert record.seen == ["connect", "connect"]
        assert sent[:3] == ["connect", "error", "error"]
        assert "/ns" not in here.socket.active_ns
        here.client.close()


@every
def test_a_thousand_refusals_leave_nothing_behind(transport: str) -> None:
    with place(transport, Door, max_inbound_packets=2000) as here:
        for _ in range(10):
            here.client.send(*["1::/ns"] * 100)
        assert here.heard() == [REFUSED] * 1000
        assert set(here.socket.active_ns) == {"/open"}
        assert here.socket.jobs == [here.socket._receiver]
        assert here.socket._opening is None


# == the client of the time ========================================================================


def missing(what: str) -> None:
    """Skip the test for want of a tool, or fail it where everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing", pytrace=False)
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        missing("node")
    if not (JS / "node_modules" / ".package-lock.json").is_file() and not shutil.which("npm"):
        missing("npm")
    install_packages(JS)
    return str(found)


def run_node(node: str, server: SocketIOServer, scenario: str, transport: str) -> list[Any]:
    """Run a scenario of authorization.js to its end and return what its client saw."""
    url = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with subprocess.Popen(
            [node, str(JS / "authorization.js"), url, scenario, transport], stdout=out, stderr=err
        ) as process:
            try:
                # Not process.wait(): the server that it talks to runs in this thread.
                wait_for(lambda: process.poll() is not None, scenario)
            finally:
                process.kill()
        for file in (out, err):
            file.seek(0)
        assert process.returncode == 0, err.read().decode()
        return [json.loads(line) for line in out.read().decode().splitlines()]


both_transports = pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])


def name_in(environ: dict[str, Any]) -> str:
    match = re.search(r"name=(\w+)", environ["QUERY_STRING"])
    assert match
    return match[1]


@pytest.mark.parametrize(
    ("what", "text"), [(False, UNAUTHORIZED), (UnauthorizedError(SECRET), UNAUTHORIZED)]
)
@both_transports
def test_a_refused_node_client_shows_why_and_does_not_come_back(
    node: str, transport: str, what: Any, text: str
) -> None:
    asked = Recorder()

    def authorize(environ: dict[str, Any]) -> Any:
        asked(name_in(environ))
        return answering(what)(environ)

    with serving({}, authorize=authorize) as server:
        seen = run_node(node, server, "refused", transport)
        assert seen == [["first", "error", text], ["second", "error", text]]
        assert asked.seen == ["first", "second"]
        assert not server.sockets


class Dropping(BaseNamespace):
    def on_drop(self) -> None:
        self.socket.disconnect(silent=True)


@both_transports
def test_a_reconnecting_node_client_that_is_refused_gives_up(node: str, transport: str) -> None:
    asked = Recorder()

    def authorize(environ: dict[str, Any]) -> bool:
        asked(name_in(environ))
        return asked.count("first") < 2

    with serving({"": Dropping}, authorize=authorize) as server:
        seen = run_node(node, server, "dropped", transport)
        assert seen[:2] == [["first", "connect"], ["first", "disconnect"]]
        assert ["first", "error", UNAUTHORIZED] in seen
        assert ["first", "reconnect"] not in seen
        assert asked.seen == ["first", "first", "second"]


@both_transports
def test_a_reconnecting_node_client_comes_back_after_an_error_of_the_hook(
    node: str, transport: str
) -> None:
    asked = Recorder()

    def authorize(environ: dict[str, Any]) -> None:
        asked(name_in(environ))
        if asked.count("first") == 2:
            raise ValueError(SECRET)

    with serving({"": Dropping}, authorize=authorize) as server:
        seen = run_node(node, server, "returning", transport)
        assert seen[:2] == [["first", "connect"], ["first", "disconnect"]]
        assert seen[-1] == ["first", "reconnect"]
        assert asked.seen == ["first", "first", "first"]


@both_transports
def test_a_node_client_hears_that_it_may_not_enter_a_namespace(node: str, transport: str) -> None:
    record = Recorder()
    door = type("DoorHere", (Door,), {"record": record})
    with serving({"": BaseNamespace, "/ns": door, "/open": Open}) as server:
        seen = run_node(node, server, "namespace", transport)
        assert seen == [["/ns", "connect_failed", "unauthorized"], ["/open", "ack", "still here"]]
        assert record.seen == ["connect"]
