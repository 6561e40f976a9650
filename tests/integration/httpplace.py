"""An application over HTTP, and what its tests send and read."""

from __future__ import annotations

import contextlib
import socket as stdsocket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gevent.event import Event

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import (
    Answer,
    Connection,
    PollingClient,
    Recorder,
    WebSocketClient,
    event,
    fetch,
    handshake,
    serving,
)

BOTH = ["websocket", "xhr-polling"]


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Site:
    """The application: sessions that record what they get, and a page everywhere else."""

    record: Recorder = field(default_factory=Recorder)
    visits: Recorder = field(default_factory=Recorder)
    """Method and path of every request that is not ours."""
    gate: Event = field(default_factory=Event)
    """What the handler of the event ``hold`` waits for."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if "socketio" in environ:
            root = type("RootHere", (Root,), {"record": self.record, "gate": self.gate})
            socketio_manage(environ, {"": root, "/chat": root})
            return []
        body = environ["wsgi.input"].read()
        self.visits(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"the page of ", environ["PATH_INFO"].encode("latin-1"), b" got ", body]


class Root(BaseNamespace):
    record: Recorder
    gate: Event

    def on_hold(self) -> None:
        self.record("held")
        self.gate.wait()

    def recv_message(self, data: str) -> None:
        self.record(data)

    def on_echo(self, value: Any) -> Any:
        return value

    def recv_connect(self) -> None:
        self.record("connect")

    def recv_disconnect(self) -> None:
        self.record("disconnect")


@dataclass
class Place:
    """A server and its site."""

    server: SocketIOServer
    site: Site
    clients: list[Any] = field(default_factory=list)
    """Closed at the end."""

    def polling(self, sessid: str | None = None) -> PollingClient:
        """Return a client that polls, for a new session or one there is."""
        self.clients.append(PollingClient(self.server, sessid))
        return self.clients[-1]

    def websocket(self, sessid: str | None = None, **headers: str) -> WebSocketClient:
        """Return a client that has read the greeting."""
        self.clients.append(WebSocketClient(self.server, sessid, **headers))
        return self.clients[-1].open()

    def new_session(self) -> tuple[str, Any]:
        """Return a fresh session's poll URL and the session."""
        sessid = handshake(self.server)
        return f"/{self.server.resource}/1/xhr-polling/{sessid}", self.server.sockets[sessid]

    def fetch(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        return fetch(self.server, method, target, body, **headers)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


@contextlib.contextmanager
def place(app: Any = None, **kw: Any) -> Iterator[Place]:
    site = Site()
    with serving(app or site, **kw) as server:
        on = Place(server, site)
        try:
            yield on
        finally:
            for client in on.clients:
                client.close()


@contextlib.contextmanager
def connected(on: Place) -> Iterator[Connection]:
    connection = Connection(on.server)
    try:
        yield connection
    finally:
        connection.close()


def raw(on: Place, data: bytes) -> bytes:
    """Send ``data`` on a connection of its own and return all that comes until its end."""
    with connected(on) as connection:
        connection.send_raw(data)
        return read_to_end(connection)


def read_to_end(connection: Connection) -> bytes:
    """Return all that comes until the server ends the connection, which it does without a reset."""
    data = b""
    while piece := connection.sock.recv(65536):
        data += piece
    return data


def header_lines(on: Place, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"Host: {on.host}", *lines, "")).encode()


def is_alive(on: Place, url: str) -> bool:
    """Tell whether a session that polled before still takes and answers packets."""
    taken = on.fetch("POST", url, event("echo", 1, msgid="99+").encode())
    answer = on.fetch("GET", url)
    while answer.text == "8::":
        answer = on.fetch("GET", url)
    return (taken.status, taken.text, answer.text) == (200, "1", "6:::99+[1]")


def open_session(on: Place) -> tuple[str, Any]:
    url, socket = on.new_session()
    assert on.fetch("GET", url).text == "1::"
    return url, socket


def send_chunked(on: Place, connection: Connection, url: str, chunks: list[bytes]) -> None:
    """Begin a chunked POST; the last chunk is the caller's to send."""
    connection.send_raw(
        f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, "Transfer-Encoding: chunked")
    )
    for chunk in chunks:
        if chunk:
            connection.send_raw(b"%x\r\n%b\r\n" % (len(chunk), chunk))


def reset_on_close(connection: Connection) -> None:
    linger = struct.pack("ii", 1, 0)
    connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
