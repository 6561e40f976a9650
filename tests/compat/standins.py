"""What the tests of old applications put in the place of a server, and short ways to a session."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import serving, wait_for
from tests.streams import ALL_CLIENTS

Make = Callable[..., Any]


class StandInServer:
    """Has ``sockets`` and ``get_socket()`` and nothing else, as those tests had it."""

    def __init__(self) -> None:
        self.sockets: dict[str, Any] = {}

    def get_socket(self, sessid: str = "") -> Any:
        return self.sockets.get(sessid)


def connected_socket(server: StandInServer, cls: type[Socket] = Socket) -> Any:
    """Return a socket in the table of ``server`` that counts as connected."""
    socket = cls(server, {})
    socket.state = "CONNECTED"
    socket._set_environ({"socketio": socket})
    server.sockets[socket.sessid] = socket
    return socket


def put_in(socket: Any, cls: Make, name: str) -> Any:
    """Return a namespace of class ``cls`` that is active on ``socket``."""
    ns = cls(socket.environ or {"socketio": socket}, name)
    socket.active_ns[name] = ns
    return ns


def refusing(cls: Make, name: str = "/woot") -> tuple[Any, Any]:
    """Return a namespace whose socket records the errors, and the server to keep it alive."""
    server = StandInServer()
    socket = Socket(server, {})
    socket.error = MagicMock()  # type: ignore[method-assign]
    return cls({"socketio": socket}, name), server


def queued(socket: Any) -> list[str]:
    """Take and return everything that waits for the client, end markers left out."""
    texts = [socket.client_queue.get_nowait() for _ in range(socket.client_queue.qsize())]
    return [text for text in texts if text is not None]


class Session:
    """A session without a network: packets go in by :meth:`tell`, its answers come back."""

    def __init__(self, namespaces: dict[str, Any], cls: type[Socket], **given: Any) -> None:
        self.server = StandInServer()
        self.socket = connected_socket(self.server, cls)
        self.socket._set_namespaces(namespaces)
        for name, value in given.items():
            getattr(self.socket, f"_set_{name}")(value)
        self.job = self.socket._spawn_receiver_loop()

    def tell(self, *packets: str) -> list[str]:
        """Have the packets handled; returns what the session has to say to its client."""
        # Packets are handled in order: when the heartbeat was counted, those before it are done.
        before = self.socket.heartbeats
        for text in (*packets, "2::"):
            self.socket.put_server_msg(text)
        wait_for(lambda: self.socket.heartbeats > before or self.job.dead)
        return queued(self.socket)


@contextlib.contextmanager
def session(namespaces: Any, cls: type[Socket] = Socket, **given: Any) -> Iterator[Session]:
    """Run a session for a mapping of namespaces, or for one class as the namespace ``/chat``."""
    if not isinstance(namespaces, dict):
        namespaces = {"/chat": namespaces}
    on = Session(namespaces, cls, **given)
    try:
        yield on
    finally:
        on.socket.kill()
        on.job.join(timeout=5)
        assert on.job.dead


@contextlib.contextmanager
def running(server: SocketIOServer) -> Iterator[SocketIOServer]:
    """Run a server of the application's own making, and stop it."""
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=2)


@contextlib.contextmanager
def client_of(server: Any, transport: str = "websocket") -> Iterator[Any]:
    """Connect a client, and close it."""
    client = ALL_CLIENTS[transport](server).open()
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def online(app: Any, transport: str = "websocket", **kw: Any) -> Iterator[Any]:
    """Serve ``app`` and connect a client to it; its ``socket`` is the server's side."""
    with serving(app, **kw) as server, client_of(server, transport) as client:
        client.socket = server.sockets[client.sessid]
        yield client


def listen_nowhere(app: Any = None, cls: type[SocketIOServer] = SocketIOServer, **kw: Any) -> Any:
    """Return a server on a port of its own choice that was not started."""
    kw = {"log": None, "error_log": None, **kw}
    return cls(("127.0.0.1", 0), app, **kw)
