"""What an application brings along: a WebSocketHandler, a class of sessions."""

from __future__ import annotations

import socket as stdsocket
import struct
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.queue import Empty
from geventwebsocket.handler import WebSocketHandler as PlainHandler
from geventwebsocket.websocket import WebSocket as PlainWebSocket

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import Recorder, WebSocketClient, event, fetch, handshake, wait_for
from tests.integration.wsstage import Stage, has_ended, stage, works
from tests.unit.websocket.frames import PING, frame, text
from tests.unit.websocket.handshakes import BAD, upgrade


@pytest.fixture(params=["ours", "plain"])
def handler_class(request: pytest.FixtureRequest) -> Any:
    """Our WebSocketHandler, and one that an application brings along."""
    return PlainHandler if request.param == "plain" else None


# -- an application's own WebSocketHandler ---------------------------------------------------------


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_an_upgrade_or_a_frame_cut_off_at_any_byte_leaves_nothing_behind(
    how: str, handler_class: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with stage(ws_handler_class=handler_class) as on:
        bystander, other = on.connect()
        sample = upgrade(target=on.url("0" * 40)) + text("3:::\u2603") + frame(PING, b"ping")
        for length in range(len(sample)):
            sessid = handshake(on.server)
            peer = on.dial(sample.replace(b"0" * 40, sessid.encode())[:length])
            if how == "RST":
                gevent.sleep(0)
                linger = struct.pack("ii", 1, 0)
                peer.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
            peer.close()
        wait_for(lambda: len(on.server._connections) == 1, "all but the bystander are gone")
        wait_for(lambda: all(s is other or s.state == "NEW" for s in on.server.sockets.values()))
        assert set(on.record.seen) <= {"\u2603", "disconnect"}
        assert works(bystander)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_both_handlers_carry_a_session(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        client = on.client()
        client.send("3:::early", "1::/chat", event("echo", "\u2603\U0001f600", msgid="1+"))
        assert client.recv() == "1::/chat"
        assert client.recv() == '6:::1+["\\u2603\\ud83d\\ude00"]'
        socket = on.server.sockets[client.sessid]
        for number in range(500):
            socket["/chat"].emit("n", number)
        for number in range(500):
            assert client.recv() == f'5::/chat:{{"args":[{number}],"name":"n"}}'
        socket[""].send("\u2603" * 70_000)
        assert client.recv() == "3:::" + "\u2603" * 70_000
        assert on.record.seen == ["early", "connect"]
        client.send("0::")
        assert client.recv() == "0::"
        assert has_ended(socket, "peer_left")
        assert on.record.seen == ["early", "connect", "disconnect", "disconnect"]


def client_closes(on: Stage, client: WebSocketClient) -> None:
    client.core.send_close(1000)
    client._flush()


def client_vanishes(on: Stage, client: WebSocketClient) -> None:
    client.close()


def client_asks_for_disconnect(on: Stage, client: WebSocketClient) -> None:
    assert fetch(on.server, "GET", f"/socket.io/1//{client.sessid}/?disconnect=1").status == 200
    assert client.recv() == "0::"


def server_kicks(on: Stage, client: WebSocketClient) -> None:
    on.server.sockets[client.sessid].disconnect()
    assert client.recv() == "0::"


def server_kills(on: Stage, client: WebSocketClient) -> None:
    on.server.sockets[client.sessid].kill()


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (client_closes, "transport_lost"),
        (client_vanishes, "transport_lost"),
        (client_asks_for_disconnect, "peer_left"),
        (server_kicks, "kicked"),
        (server_kills, "killed"),
    ],
)
def test_both_handlers_end_a_session_once(
    handler_class: Any, end: Callable[[Stage, WebSocketClient], None], reason: str
) -> None:
    with stage(ws_handler_class=handler_class) as on:
        client = on.client()
        client.send("1::/chat")
        assert client.recv() == "1::/chat"
        socket = on.server.sockets[client.sessid]
        end(on, client)
        assert has_ended(socket, reason)
        assert on.record.seen == ["connect", "disconnect"]
        if end is not client_vanishes:
            with pytest.raises(EOFError):
                client.recv()
        wait_for(lambda: not on.server._connections)


def test_both_handlers_close_their_connections_when_the_server_stops(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        client = on.client()
        socket = on.server.sockets[client.sessid]
        on.server.stop(timeout=5)
        assert socket.disconnect_reason == "server_stopping"
        with pytest.raises(EOFError):
            client.recv()


def test_the_handler_of_the_application_makes_its_own_websockets() -> None:
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.websocket"])
        socketio_manage(environ, {"": BaseNamespace})
        return []

    with stage(app, ws_handler_class=PlainHandler) as on:
        on.client()
        wait_for(lambda: seen)
        assert type(seen[0]) is PlainWebSocket


@pytest.mark.parametrize("case", ["no key", "a short key", "version '12'", "no version"])
def test_what_the_handler_of_the_application_refuses_is_refused(case: str) -> None:
    with stage(ws_handler_class=PlainHandler) as on:
        url = on.url()
        head = on.dial(upgrade(target=url, **BAD[case])).read_head()
        assert head.startswith(("HTTP/1.1 400 ", "HTTP/1.1 426 ")), head
        assert on.server.sockets[url.split("/")[-1]].state == "NEW"


# -- what applications override --------------------------------------------------------------------


class Shouting(Socket):
    """Changes what goes out, and takes its time; drops what it was told to."""

    def get_client_msg(self, **kwargs: Any) -> Any:
        message = super().get_client_msg(**kwargs)
        gevent.sleep(0.001)
        return message.upper() if message is not None else None


def with_sockets(server: SocketIOServer, cls: type[Socket]) -> None:
    """Replace the server's way to make sessions, as applications do."""
    original = server.get_socket

    def get_socket(sessid: str = "") -> Socket | None:
        if sessid:
            return original(sessid)
        socket = cls(server, server.config)
        server.sockets[socket.sessid] = socket
        return socket

    server.get_socket = get_socket  # type: ignore[assignment,method-assign]


def test_an_overridden_get_client_msg_sees_everything_that_goes_out(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        with_sockets(on.server, Shouting)
        client = on.client()
        socket = on.server.sockets[client.sessid]
        assert type(socket) is Shouting
        for number in range(50):
            socket.put_client_msg(f"3:::hello {number}")
        for number in range(50):
            assert client.recv() == f"3:::HELLO {number}"
        client.send(event("echo", "quiet", msgid="1+"))
        assert client.recv() == '6:::1+["QUIET"]'
        client.send("0::")
        assert client.recv() == "0::"
        assert has_ended(socket, "peer_left")


class Hesitating(Socket):
    """Keeps every message back once before it hands it out."""

    hesitated = False

    def get_client_msg(self, **kwargs: Any) -> Any:
        self.hesitated = not self.hesitated
        if self.hesitated:
            gevent.spawn(self._link.wake)
            raise Empty
        return super().get_client_msg(**kwargs)


def test_an_overridden_get_client_msg_may_keep_something_back(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        with_sockets(on.server, Hesitating)
        client = on.client()
        socket = on.server.sockets[client.sessid]
        for number in range(10):
            socket.put_client_msg(f"3:::{number}")
        for number in range(10):
            assert client.recv() == f"3:::{number}"


@pytest.mark.parametrize("on_class", [False, True])
def test_a_get_client_msg_that_comes_later_may_block(on_class: bool) -> None:
    class Late(Socket):
        """A session of the application's own class."""

    ran_in = list[Any]()

    def slow(self: Any, *args: Any, **kw: Any) -> Any:
        ran_in.append(gevent.getcurrent())
        gevent.sleep(0.001)
        return Socket.get_client_msg(self, *args, **kw)

    with stage() as on:
        peer, socket = on.connect()
        socket.__class__ = Late
        if on_class:
            Late.get_client_msg = slow  # type: ignore[method-assign]
        else:
            socket.get_client_msg = slow.__get__(socket)
        assert works(peer)
        assert works(peer)
        assert len(ran_in) == 2
        assert gevent.get_hub() not in ran_in


def test_an_overridden_get_client_msg_sees_what_a_poll_takes() -> None:
    with stage() as on:
        with_sockets(on.server, Shouting)
        client = on.polling().open()
        socket = on.server.sockets[client.sessid]
        socket.put_client_msg("3:::one")
        socket.put_client_msg("3:::two")
        assert client.poll() == ["3:::ONE", "3:::TWO"]


def test_overridden_put_methods_see_every_packet_both_ways() -> None:
    seen: list[tuple[str, str]] = []

    class Watching(Socket):
        def put_client_msg(self, msg: str | None) -> None:
            seen.append(("out", str(msg)))
            super().put_client_msg(msg)

        def put_server_msg(self, msg: str | None) -> None:
            seen.append(("in", str(msg)))
            super().put_server_msg(msg)

    with stage() as on:
        with_sockets(on.server, Watching)
        client = on.client()
        client.send("1::/chat", event("echo", 1, endpoint="/chat", msgid="1+"))
        assert [client.recv(), client.recv()] == ["1::/chat", "6::/chat:1+[1]"]
        assert [text for way, text in seen if way == "out"] == ["1::/chat", "6::/chat:1+[1]"]
        assert next(text for way, text in seen if way == "in") == "1::/chat"


def test_the_view_of_a_session_has_a_websocket_in_its_environ() -> None:
    record = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ws = environ["wsgi.websocket"]
        record(ws.closed, callable(ws.send), callable(ws.receive), callable(ws.close))
        record("HTTP_UPGRADE" in environ)
        ws.send("3:::straight from the view")
        socketio_manage(environ, {"": BaseNamespace})
        record(ws.closed)
        return []

    with stage(app) as on:
        client = on.client()
        assert client.recv() == "3:::straight from the view"
        client.send("0::")
        assert client.recv() == "0::"
        client.close()
        wait_for(lambda: len(record.seen) == 3)
        assert record.seen == [(False, True, True, True), False, True]
