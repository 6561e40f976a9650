"""The upgrade to WebSocket, and gevent-websocket's way of using it without Socket.IO."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent import socket as gsocket
from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler as OriginalHandler
from geventwebsocket.websocket import WebSocket as OriginalWebSocket

from socketio.websocket.connection import WebSocket
from socketio.websocket.handler import WebSocketHandler, is_upgrade, take_early_bytes
from tests.client import Recorder, wait_for

from .frames import BINARY, PING, PONG, Peer, close_frame, frame, text
from .handshakes import ACCEPT, BAD, GOOD, NO_UPGRADE, upgrade


@contextlib.contextmanager
def plain_server(application: Callable[..., Any]) -> Iterator[Callable[..., Peer]]:
    """Run gevent's own server with our handler; gives a function that connects to it."""
    server = WSGIServer(
        ("127.0.0.1", 0), application, handler_class=WebSocketHandler, log=None, error_log=None
    )
    server.start()
    peers: list[Peer] = []

    def connect(*data: bytes) -> Peer:
        peer = Peer(gsocket.create_connection(("127.0.0.1", server.server_port)))
        peers.append(peer)
        peer.send(*data)
        return peer

    try:
        yield connect
    finally:
        for peer in peers:
            peer.close()
        server.stop(timeout=2)


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The echo application of gevent-websocket's documentation."""
    ws = environ.get("wsgi.websocket")
    if ws is None:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"no websocket"]
    while (message := ws.receive()) is not None:
        ws.send(message)
    return []


# -- the echo application --------------------------------------------------------------------------


def test_an_application_of_gevent_websocket_echoes_over_our_handler() -> None:
    with plain_server(echo) as connect:
        peer = connect(upgrade())
        assert peer.read_head() == (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        )
        for message in ("one", "", "\u2603\U0001f600", "x" * 70_000):
            peer.send(text(message))
            assert peer.read_text() == message
        peer.send(frame(BINARY, b"\xff\x00"))
        assert peer.read_frame() == (BINARY, b"\xff\x00")
        peer.send(frame(PING, b"p"))
        assert peer.read_frame() == (PONG, b"p")
        peer.send(close_frame(1000, b"bye"))
        assert peer.read_close() == 1000


def test_what_comes_in_the_segment_of_the_upgrade_is_echoed() -> None:
    with plain_server(echo) as connect:
        long = "y" * 100_000
        peer = connect(upgrade() + text("early") + text(long))
        peer.read_head()
        assert peer.read_text() == "early"
        assert peer.read_text() == long


def test_the_environ_has_a_websocket_with_gevent_websockets_interface() -> None:
    record = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ws = environ["wsgi.websocket"]
        record(environ["wsgi.websocket_version"], type(ws), isinstance(ws, OriginalWebSocket))
        record(ws.closed, ws.environ is environ, ws.handler.environ is environ)
        record(environ["PATH_INFO"], environ["QUERY_STRING"])
        return []

    with plain_server(app) as connect:
        connect(upgrade(Sec_WebSocket_Version="8")).read_head()
        wait_for(lambda: len(record.seen) == 3)
        assert record.seen == [("8", WebSocket, True), (False, True, True), ("/feed", "q=1")]


def test_an_application_that_returns_closes_its_websocket_properly() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ws = environ["wsgi.websocket"]
        ws.send("last words of " + ws.receive())
        return []

    with plain_server(app) as connect:
        peer = connect(upgrade(), text("the application"))
        peer.read_head()
        assert peer.read_text() == "last words of the application"
        assert peer.read_close() == 1000


def test_an_application_that_closes_gives_code_and_reason() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.websocket"].close(4001, b"enough")
        return []

    with plain_server(app) as connect:
        peer = connect(upgrade())
        peer.read_head()
        assert peer.read_frame() == (8, b"\x0f\xa1enough")
        assert peer.at_end()


@pytest.mark.parametrize("breach", [text("x", masked=False), frame(1, length=2**33)])
def test_a_peer_that_breaks_the_protocol_is_told_why(breach: bytes) -> None:
    record = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        record(environ["wsgi.websocket"].receive())
        return []

    with plain_server(app) as connect:
        peer = connect(upgrade())
        peer.read_head()
        peer.send(breach)
        assert peer.read_close() == (1009 if breach[1] & 0x7F == 127 else 1002)
        wait_for(lambda: record.seen == [None])


def test_an_application_learns_that_its_client_is_gone() -> None:
    ended = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ws = environ["wsgi.websocket"]
        try:
            while ws.receive() is not None:
                gevent.sleep(0)
        finally:
            ended("ended", ws.closed)
        return []

    with plain_server(app) as connect:
        peer = connect(upgrade())
        peer.read_head()
        peer.close()
        wait_for(lambda: ended.seen == [("ended", True)])


def test_a_request_that_asks_for_no_upgrade_reaches_the_application() -> None:
    with plain_server(echo) as connect:
        peer = connect(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert peer.read_head().startswith("HTTP/1.1 200 OK\r\n")
        assert peer.read(12) == b"no websocket"


# -- the handshake ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", GOOD)
def test_a_good_handshake_is_accepted_without_subprotocol_and_extensions(case: str) -> None:
    with plain_server(echo) as connect:
        peer = connect(upgrade(**GOOD[case]))
        assert peer.read_head() == (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        )
        peer.send(text("x"))
        assert peer.read_text() == "x"


@pytest.mark.parametrize("case", [name for name in BAD if name not in NO_UPGRADE])
def test_a_bad_handshake_is_answered_and_never_reaches_the_application(case: str) -> None:
    reached = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        reached(environ.get("wsgi.websocket"))
        start_response("200 OK", [("Connection", "close")])
        return []

    with plain_server(app) as connect:
        head = connect(upgrade(**BAD[case])).read_head()
        assert not head.startswith("HTTP/1.1 101")
        # Another method, or HTTP/1.0, is no upgrade: the application may answer it as it likes.
        if case not in ("POST", "HEAD", "PUT", "HTTP/1.0"):
            assert head.startswith(("HTTP/1.1 400 ", "HTTP/1.1 426 ")), head
            assert reached.seen == []
        assert reached.seen in ([], [None])


@pytest.mark.parametrize("case", ["no version", "version '12'", "version '14'"])
def test_a_refused_version_is_told_the_one_there_is(case: str) -> None:
    with plain_server(echo) as connect:
        head = connect(upgrade(**BAD[case])).read_head()
        assert "\r\nSec-WebSocket-Version: 13" in head


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}, True),
        ({"HTTP_CONNECTION": "upgrade", "HTTP_UPGRADE": "WebSocket"}, True),
        ({"HTTP_CONNECTION": "keep-alive,Upgrade", "HTTP_UPGRADE": "websocket"}, True),
        ({"HTTP_CONNECTION": "keep-alive , UPGRADE , x", "HTTP_UPGRADE": "WEBSOCKET"}, True),
        ({"HTTP_CONNECTION": "Upgrade"}, False),
        ({"HTTP_UPGRADE": "websocket"}, False),
        ({"HTTP_CONNECTION": "notupgraded", "HTTP_UPGRADE": "websocket"}, False),
        ({"HTTP_CONNECTION": "up grade", "HTTP_UPGRADE": "websocket"}, False),
        ({"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websockets"}, False),
        ({"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "h2c"}, False),
        ({"HTTP_CONNECTION": "", "HTTP_UPGRADE": ""}, False),
    ],
)
def test_a_request_asks_for_a_websocket_or_it_does_not(
    environ: dict[str, str], expected: bool
) -> None:
    assert is_upgrade(environ) is expected


# -- what came with the request --------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 100, 8192, 20_000])
def test_early_bytes_are_taken_without_waiting_and_the_buffer_is_given_up(size: int) -> None:
    ours, theirs = gsocket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        rfile = ours.makefile("rb", -1)
        wsgi_input = SimpleNamespace(rfile=rfile)
        environ = {"wsgi.input": wsgi_input}
        handler = SimpleNamespace(rfile=rfile, socket=ours, environ=environ, wsgi_input=wsgi_input)
        sent = b"line\n" + bytes(number % 251 for number in range(size))
        theirs.sendall(sent)
        assert rfile.readline() == b"line\n"
        early = take_early_bytes(handler)
        ours.settimeout(10)
        while len(early) < size:
            early += ours.recv(65536)
        assert early == sent[5:]
        assert rfile.closed
        assert handler.rfile.read() == b""
        assert isinstance(handler.rfile, io.BytesIO)
        assert environ["wsgi.input"] is handler.rfile
        assert wsgi_input.rfile is handler.rfile


def test_taking_early_bytes_leaves_the_socket_as_it_was() -> None:
    ours, theirs = gsocket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        ours.settimeout(7.5)
        rfile = ours.makefile("rb", -1)
        wsgi_input = SimpleNamespace(rfile=rfile)
        handler = SimpleNamespace(rfile=rfile, socket=ours, environ={}, wsgi_input=wsgi_input)
        assert take_early_bytes(handler) == b""
        assert ours.gettimeout() == 7.5
        theirs.sendall(b"later")
        assert ours.recv(10) == b"later"


def test_early_bytes_of_a_client_that_is_gone_are_none() -> None:
    ours, theirs = gsocket.socketpair()
    with contextlib.closing(ours):
        theirs.close()
        rfile = ours.makefile("rb", -1)
        wsgi_input = SimpleNamespace(rfile=rfile)
        handler = SimpleNamespace(rfile=rfile, socket=ours, environ={}, wsgi_input=wsgi_input)
        assert take_early_bytes(handler) == b""


def test_it_is_one_of_gevent_websockets_handlers() -> None:
    assert issubclass(WebSocketHandler, OriginalHandler)


def test_what_an_application_writes_to_the_connection_itself_comes_behind_the_101() -> None:
    def raw(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        environ["wsgi.websocket"].handler.socket.sendall(b"raw")
        return []

    with plain_server(raw) as connect:
        peer = connect(upgrade())
        assert " 101 " in peer.read_head()
        assert peer.read(3) == b"raw"
