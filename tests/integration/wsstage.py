"""A server, and raw WebSocket clients that send what no good client sends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gevent import socket as gsocket

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import (
    Connection,
    PollingClient,
    Recorder,
    WebSocketClient,
    event,
    handshake,
    serving,
    wait_for,
)
from tests.unit.websocket.frames import Peer, text
from tests.unit.websocket.handshakes import upgrade

GREETING = b"\x81\x031::"


class Root(BaseNamespace, BroadcastMixin):
    """Echoes events, records messages."""

    record: Recorder

    def on_echo(self, value: Any) -> Any:
        return value

    def recv_message(self, data: str) -> None:
        self.record(data)

    def recv_connect(self) -> None:
        self.record("connect")

    def recv_disconnect(self) -> None:
        self.record("disconnect")


class Stage:
    """A server, what its handlers saw, and the raw clients of a test."""

    def __init__(self, server: SocketIOServer, record: Recorder) -> None:
        self.server = server
        self.record = record
        self._clients: list[Any] = []

    def dial(self, *data: bytes) -> Peer:
        """Open a TCP connection and send ``data``."""
        peer = Peer(gsocket.create_connection(("127.0.0.1", self.server.server_port)))
        self._clients.append(peer)
        peer.send(*data)
        return peer

    def url(self, sessid: str | None = None) -> str:
        return f"/socket.io/1/websocket/{sessid or handshake(self.server)}"

    def connect(self, sessid: str | None = None) -> tuple[Peer, Any]:
        """Upgrade and read the greeting; return the raw client and its session."""
        sessid = sessid or handshake(self.server)
        peer = self.dial(upgrade(target=self.url(sessid)))
        assert " 101 " in peer.read_head()
        assert peer.read(5) == GREETING
        return peer, self.server.sockets[sessid]

    def client(self) -> WebSocketClient:
        """Return a good client that has read the greeting."""
        client = WebSocketClient(self.server)
        self._clients.append(client)
        return client.open()

    def polling(self, sessid: str | None = None) -> PollingClient:
        """Return a client that polls, for a new session or one there is."""
        client = PollingClient(self.server, sessid)
        self._clients.append(client)
        return client

    def connection(self) -> Connection:
        """Return a connection for HTTP requests."""
        self._clients.append(Connection(self.server))
        return self._clients[-1]

    def hang_up(self) -> None:
        for client in self._clients:
            client.close()


@contextlib.contextmanager
def stage(app: Any = None, **kw: Any) -> Iterator[Stage]:
    record = Recorder()
    root = type("RootHere", (Root,), {"record": record})
    with serving(app or {"": root, "/chat": root}, **kw) as server:
        on = Stage(server, record)
        try:
            yield on
        finally:
            on.hang_up()


def works(peer: Peer) -> bool:
    """Tell whether the session still answers."""
    peer.send(text(event("echo", "still here", msgid="7+")))
    return peer.read_text() == '6:::7+["still here"]'


def has_ended(socket: Any, reason: str) -> bool:
    wait_for(lambda: socket.state == "DISCONNECTED", socket)
    return socket.disconnect_reason == reason
