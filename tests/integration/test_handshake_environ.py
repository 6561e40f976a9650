"""What is kept of the request of the handshake."""

from __future__ import annotations

from typing import Any

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import Connection, PollingClient, fetch, handshake, make_app, serving
from tests.integration.hooks import HANDSHAKE, answering, running


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
