"""Clients that we do not serve are told so: newer ones, other versions, transports not offered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Answer, Connection, PollingClient, Recorder, fetch, handshake, serving
from tests.streams import ALL_CLIENTS, EVERY

SPEAKS = "Socket.IO 0.9"


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec_WebSocket_Version": "13",
}


class World:
    """A server whose application notes its calls, and a session that must not be disturbed."""

    def __init__(self, server: SocketIOServer, called: Recorder) -> None:
        self.server = server
        self.called = called
        self.client = ALL_CLIENTS[server.transports[0]](server).open()
        self.socket = server.sockets[self.client.sessid]
        called.seen.clear()
        self._count = 0

    def check(self) -> None:
        """See that nothing came of what was refused, and that the session goes on."""
        assert self.called.seen == []
        assert list(self.server.sockets) == [self.client.sessid]
        assert not self.server._pending
        self._count += 1
        self.client.send(f"3:{self._count}::x")
        assert self.client.recv() == f"6:::{self._count}"


@contextlib.contextmanager
def world(**kw: Any) -> Iterator[World]:
    called = Recorder()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        called(environ["PATH_INFO"])
        if "socketio" in environ:
            socketio_manage(environ, {"": BaseNamespace})
            return []
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"the application's page"]

    with serving(application, **kw) as server:
        here = World(server, called)
        try:
            yield here
        finally:
            here.client.close()


def assert_refused(answer: Answer, *words: str) -> None:
    """See that this is one line of text that says why."""
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
    assert answer.headers["connection"] == "close"
    assert answer.text.isprintable()  # one line
    assert 20 < len(answer.text) < 200
    for word in words:
        assert word in answer.text


# -- Socket.IO 1 and later -------------------------------------------------------------------------


NEWER = [
    f"/socket.io/?EIO={version}&transport={transport}{more}"
    for version in (2, 3, 4)
    for transport in ("polling", "websocket")
    for more in ("", "&t=Nabc123", "&sid=AAAAabcd", "&b64=1", "&j=0")
]


ODD = [
    "/socket.io?EIO=4&transport=polling",
    "/socket.io/?transport=polling&EIO=4",
    "/socket.io/?EIO=99999999999999999999",
    "/socket.io/?EIO=",
    "/socket.io/?EIO",
    "/socket.io/?EIO=4&EIO=3",
    "/socket.io/?EIO=%00%0d%0aX-Injected:%201",
    "/socket.io/?EIO=" + "4" * 4000,
    "/socket.io/?EIO=4&jsonp=0",
    "/socket.io/?EIO=4&disconnect=1",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_newer_client_that_polls_is_told_which_client_it_needs(method: str) -> None:
    with world() as here:
        for target in [*NEWER, *ODD]:
            body = b"40" if method == "POST" else b""
            answer = fetch(here.server, method, target, body)
            assert_refused(answer, SPEAKS, "socket.io-client 0.9")
            assert "x-injected" not in answer.headers
        assert here.server.journal.refusals == {"version": len(NEWER) + len(ODD)}
        here.check()


@pytest.mark.parametrize("version", [3, 4])
def test_a_newer_client_that_wants_a_websocket_is_told_before_there_is_one(version: int) -> None:
    with world() as here:
        target = f"/socket.io/?EIO={version}&transport=websocket"
        answer = fetch(here.server, "GET", target, **UPGRADE)
        assert_refused(answer, SPEAKS)
        assert "upgrade" not in answer.headers
        assert "sec-websocket-accept" not in answer.headers
        here.check()


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE"])
def test_any_other_request_of_a_newer_client_is_refused_too(method: str) -> None:
    with world() as here:
        assert_refused(fetch(here.server, method, NEWER[0]), SPEAKS)
        here.check()


def test_a_newer_client_is_known_by_the_resource_of_the_server() -> None:
    with world(resource="api/live") as here:
        assert_refused(fetch(here.server, "GET", "/api/live/?EIO=4&transport=polling"), SPEAKS)
        here.check()
        assert fetch(here.server, "GET", "/socket.io/?EIO=4").text == "the application's page"


@pytest.mark.parametrize(
    "target",
    [
        *["/socket.io/", "/socket.io", "/socket.io/?x=EIO", "/socket.io/?eio=4", "/?EIO=4"],
        *["/x?EIO=4", "/socket.io/app?EIO=4", "/socket.io/abc/def?EIO=4", "/socket.iox/?EIO=4"],
    ],
)
def test_a_url_of_the_application_stays_its_own(target: str) -> None:
    with world() as here:
        assert fetch(here.server, "GET", target).text == "the application's page"
        assert len(here.called.seen) == 1
        assert not here.server.journal.refusals


def test_a_query_key_of_our_client_with_that_name_does_no_harm() -> None:
    with world() as here:
        answer = fetch(here.server, "GET", "/socket.io/1/?EIO=4&t=1")
        assert answer.status == 200
        sessid = answer.text.split(":")[0]
        url = f"/socket.io/1/xhr-polling/{sessid}?EIO=4&t=2"
        assert fetch(here.server, "GET", url).text == "1::"


# -- other versions of the protocol ----------------------------------------------------------------


VERSIONS = ["0", "2", "3", "4", "10", "11", "00", "2.0", "1.1", "1.5", "0.9", "9" * 300]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("tail", ["", "/", "/?t=1", "/xhr-polling/123", "/websocket/123?t=1"])
def test_another_version_is_told_which_one_is_spoken(method: str, tail: str) -> None:
    with world() as here:
        for version in VERSIONS:
            answer = fetch(here.server, method, f"/socket.io/{version}{tail}")
            assert_refused(answer, "Protocol version not supported.", SPEAKS)
        assert here.server.journal.refusals == {"version": len(VERSIONS)}
        here.check()


def test_another_version_is_never_wrapped_into_a_script() -> None:
    with world() as here:
        answer = fetch(here.server, "GET", "/socket.io/2/?jsonp=3")
        assert_refused(answer, SPEAKS)
        assert "io.j" not in answer.text
        here.check()


def test_another_version_cannot_end_a_session() -> None:
    with world() as here:
        target = f"/socket.io/2//{here.client.sessid}/?disconnect=1"
        assert_refused(fetch(here.server, "GET", target), SPEAKS)
        here.check()


@pytest.mark.parametrize("version", ["1", "01", "001", "1.", "1.0", "1.00"])
def test_the_version_is_a_number_however_it_is_written(version: str) -> None:
    with world() as here:
        answer = fetch(here.server, "GET", f"/socket.io/{version}/?t=1")
        assert (answer.status, answer.text.split(":")[1:3]) == (200, ["60", "60"])


@pytest.mark.parametrize("version", ["x", "v1", "-1", "1x", "1e0", "+1", "%201", "¹", "1,0", ""])
def test_what_is_no_version_is_the_application_s(version: str) -> None:
    with world() as here:
        quoted = version.replace("¹", "%C2%B9")
        answer = fetch(here.server, "GET", f"/socket.io/{quoted}/?t=1")
        assert answer.text == "the application's page"
        assert list(here.server.sockets) == [here.client.sessid]


# -- transports ------------------------------------------------------------------------------------


UNKNOWN = [
    "polling",
    "WEBSOCKET",
    "Xhr-Polling",
    "websocket2",
    "__class__",
    "..",
    "%00",
    "%20",
    "x",
]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_an_unknown_transport_is_told_which_ones_there_are(method: str) -> None:
    with world() as here:
        targets = [f"/socket.io/1/{name}/{here.client.sessid}?t=1" for name in UNKNOWN]
        targets += ["/socket.io/1/nothing/123", "/socket.io/1/" + "x" * 4000 + "/123"]
        targets.append("/socket.io/1//123")  # the empty transport of a disconnect that is none
        for target in targets:
            answer = fetch(here.server, method, target)
            assert_refused(answer, *EVERY)
        assert here.server.journal.refusals == {"transport": len(targets)}
        here.check()


def test_what_was_asked_for_is_not_repeated_to_a_browser() -> None:
    with world() as here:
        target = "/socket.io/1/%3Cscript%3Ealert(1)%3C!--/123"
        answer = fetch(here.server, "GET", target)
        assert "script" not in answer.text
        here.check()


@pytest.mark.parametrize("off", EVERY)
def test_a_transport_that_is_switched_off_is_as_good_as_unknown(off: str) -> None:
    others = [name for name in EVERY if name != off]
    with world(transports=others) as here:
        for sessid in (here.client.sessid, "123"):
            target = f"/socket.io/1/{off}/{sessid}?t=1"
            answers = [fetch(here.server, method, target) for method in ("GET", "POST")]
            answers.append(fetch(here.server, "GET", target, **UPGRADE))
            for answer in answers:
                assert_refused(answer, ", ".join(others))
                assert off not in answer.text.replace(", ".join(others), "")
        assert here.server.journal.refusals == {"transport": 6}
        here.check()
        offered = fetch(here.server, "GET", "/socket.io/1/").text.split(":")[3]
        assert offered.split(",") == others


@pytest.mark.parametrize("only", EVERY)
def test_a_server_of_one_transport_names_that_one(only: str) -> None:
    with world(transports=only) as here:
        for name in [*EVERY, "nothing"]:
            if name != only:
                answer = fetch(here.server, "GET", f"/socket.io/1/{name}/{here.client.sessid}")
                assert_refused(answer)
                assert answer.text == f"transport not available here: use {only}"
        here.check()


# -- pages of other origins ------------------------------------------------------------------------


REFUSED = ["/socket.io/?EIO=4&transport=polling", "/socket.io/2/", "/socket.io/1/nothing/123"]


@pytest.mark.parametrize("target", REFUSED)
@pytest.mark.parametrize("origins", [None, ["http://friend.example"], "*"])
def test_a_page_of_an_allowed_origin_may_read_why(target: str, origins: Any) -> None:
    with world(origins=origins) as here:
        own = f"http://127.0.0.1:{here.server.server_port}"
        origin = "http://friend.example" if origins else own
        answer = fetch(here.server, "GET", target, Origin=origin)
        assert_refused(answer)
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("target", REFUSED)
def test_a_page_of_a_foreign_origin_may_not(target: str) -> None:
    with world() as here:
        answer = fetch(here.server, "GET", target, Origin="http://evil.example")
        assert answer.status in (400, 403)
        assert "access-control-allow-origin" not in answer.headers
        here.check()


# -- many of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_a_hundred_of_them_leave_every_session_as_it_was(transport: str) -> None:
    with world() as here:
        other = ALL_CLIENTS[transport](here.server).open()
        for _ in range(35):
            for target in REFUSED:
                assert fetch(here.server, "GET", target).status == 400
        other.send("3:7::x")
        assert other.recv() == "6:::7"
        other.close()
        assert len(here.server.sockets) == 2
        assert sum(here.server.journal.refusals.values()) == 105


def test_a_poll_that_waits_goes_on_waiting() -> None:
    with serving({"": BaseNamespace}) as server:
        client = PollingClient(server).open()
        poll = client.start_poll()
        for target in REFUSED:
            assert fetch(server, "GET", target).status == 400
        server.sockets[client.sessid].send_packet({"type": "message", "data": "here"})
        assert poll.read_answer().text == "3:::here"
        client.close()


def test_a_refused_body_is_not_read_as_the_next_request() -> None:
    with world() as here:
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        for target in REFUSED:
            connection = Connection(here.server)
            connection.start("POST", target, smuggled)
            assert connection.read_answer().status == 400
            assert connection.read_to_end() == b""
            connection.close()
        here.check()


def test_a_handshake_is_possible_right_after_a_refusal() -> None:
    with serving({}) as server:
        assert fetch(server, "GET", REFUSED[0]).status == 400
        assert handshake(server)
