"""Who is let in by the ``authorize`` hook, and what the others are told."""

from __future__ import annotations

import contextlib
import logging
import re
import types
from collections import ChainMap, OrderedDict
from collections.abc import Iterator
from typing import Any

import pytest

from socketio.errors import ConfigError, UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import (
    Connection,
    PollingClient,
    Recorder,
    event,
    fetch,
    handshake,
    make_app,
    serving,
)
from tests.integration.hooks import (
    ERROR,
    HANDSHAKE,
    SECRET,
    UNAUTHORIZED,
    answering,
    plain,
    running,
)
from tests.streams import ALL_CLIENTS, EVERY

every = pytest.mark.parametrize("transport", EVERY)


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


@both
@pytest.mark.parametrize("what", REFUSALS)
def test_false_and_unauthorized_refuse_a_client_for_good(
    how: str, what: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with deciding(how, what) as server:
        assert plain(server) == (403, UNAUTHORIZED)
        assert len(server.sockets) == len(server._pending) == 0
        assert server.journal.refusals == {"authorize": 1}
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
        assert server.journal.refusals["authorize"] == 50
    assert caplog.text.count("refused a handshake") == 1
