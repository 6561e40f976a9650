"""What stands for the network: a request without a connection, and the link it becomes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from gevent import get_hub
from gevent.queue import Empty, SimpleQueue

from socketio.handler import SocketIOHandler
from socketio.hub import call_soon
from socketio.transports.base import BaseTransport, Response
from socketio.transports.streaming import carry
from socketio.wire.message import WireMessage
from socketio.wire.routes import Route

__all__ = ["Link", "Peer", "Visitor", "request"]


@dataclass(frozen=True)
class Visitor:
    """What a client says about itself in each of its requests."""

    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] | str = ""
    query: Mapping[str, Any] | str = ""
    environ: Mapping[str, Any] = field(default_factory=dict)

    def environ_of(self, server: Any, below: str) -> dict[str, Any]:
        """Return the WSGI environment of its request for ``below``, a path in the resource."""
        cookies, query = self.cookies, self.query
        if not isinstance(cookies, str):
            cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if not isinstance(query, str):
            query = urlencode(query, doseq=True)
        made = {
            **server.get_environ(),
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/{server.resource}/1/{below}",
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_PORT": "1",
            "HTTP_HOST": "testserver",
            "wsgi.input": io.BytesIO(),
            "wsgi.input_terminated": True,
        }
        if cookies:
            made["HTTP_COOKIE"] = cookies
        for name, value in self.headers.items():
            made["HTTP_" + name.upper().replace("-", "_")] = value
        return {**made, **self.environ}


class Peer(Protocol):
    """The client behind a link."""

    reading: bool
    """Whether it takes what is sent to it."""

    def take(self, text: str) -> None:
        """A packet has come. Called in the hub, mostly; must not block."""

    def connection_ended(self) -> None:
        """The server has ended the connection. Called in the hub, mostly; must not block."""


class Link:
    """A connection that stays open, as :class:`socketio.session.links.Link` wants it."""

    name = "websocket"
    streaming = True
    lost = False
    worker = None

    def __init__(self, socket: Any, peer: Peer) -> None:
        self._socket = socket
        self._peer = peer
        self._hub = get_hub()
        self._due = False
        self.dead = False
        self.from_peer: Any = SimpleQueue()
        """Packets of the client, and None at its end."""

    # -- as carry() wants it -------------------------------------------------------------------

    def greet(self, greeting: WireMessage) -> None:
        """Hand over the first message of the session."""
        self._hand_over(greeting)

    def start(self) -> None:
        """Begin to hand over what is queued."""
        self.wake()

    def pump(self) -> None:
        """Hand what the client sends to the session until the connection ends. Blocks."""
        try:
            while (text := self.from_peer.get()) is not None:
                self._socket.journal.bytes_received += len(text.encode("utf-8", "replace"))
                self._socket._take_in([text])
        finally:
            self.dead = True
            self._socket._detach(self)

    # -- as a session wants it -----------------------------------------------------------------

    def wake(self) -> None:
        """Have the hub hand over what is queued."""
        if not self._due:
            self._due = True
            call_soon(self._hub, self._look)

    def _look(self) -> None:
        self._due = False
        self.flush()

    def flush(self) -> None:
        """Hand over what is queued."""
        socket = self._socket
        while self._peer.reading and not self.dead and socket._may_take(self):
            try:
                text = socket.get_client_msg(block=False)
            except Empty:  # also of an override that keeps something back
                return
            if text is None:
                self.cut()
            else:
                self._hand_over(text)

    def _hand_over(self, text: str) -> None:
        journal = self._socket.journal
        journal.packets_sent += 1
        journal.bytes_sent += len(text.encode("utf-8", "replace"))
        self._peer.take(str(text))

    def supersede(self) -> None:
        """End: another connection of the client carries the session."""
        self.cut()

    def cut(self) -> None:
        """End the connection from the server's side; any number of times."""
        if not self.dead:
            self.hang_up()
            self._peer.connection_ended()

    def hang_up(self) -> None:
        """End the connection from the client's side: nothing more is handed over."""
        self.dead = True
        self.from_peer.put(None)


class _Transport(BaseTransport):
    """The transport of the requests that :func:`request` makes."""

    name = Link.name

    def do_exchange(self, socket: Any, request_method: str) -> Response | None:  # noqa: ARG002 - always GET
        """Carry the session until the connection ends. Blocks."""
        if not socket.state.live:
            return self.refuse_session("GET")
        link = Link(socket, self.handler.peer)
        self.handler.peer.link = link
        try:
            carry(self.handler, socket, link)
        finally:
            link.cut()
        return None


class _Request(SocketIOHandler):
    """A request that came over no connection: everything of it is in its WSGI environment."""

    def __init__(self, server: Any, environ: dict[str, Any], peer: Any) -> None:
        # Not super(): there is nothing to read from, and nothing to write to.
        self.server = server
        self.config = server.config
        self.dialect = server.dialects[0]
        self.application = server.application
        if server.trusted_proxies is not None:
            server.trusted_proxies.apply(environ)
        self.environ = environ
        self.command = environ["REQUEST_METHOD"]
        self.content_length = None
        self.close_connection = False
        self.peer = peer

    def _transport(self, route: Route) -> Any:  # noqa: ARG002 - one for all
        return _Transport(self, self.config)

    def serve(self) -> Response | None:
        """Serve the request as :meth:`run_application` does; returns the answer."""
        route = self._claim()
        return None if route is None else self._respond(route)


def request(server: Any, visitor: Visitor, below: str, peer: Peer | None = None) -> Response | None:
    """Make a request of ``server``; one for a session blocks until its connection ends.

    Args:
        server: The :class:`~socketio.server.SocketIOServer`.
        visitor: Who asks.
        below: What is asked for: the part of the URL behind the protocol version.
        peer: Who gets the packets of a session; None for a handshake.

    Returns:
        The answer; None behind a session that went through.
    """
    # What an application has made of the class is kept.
    made = type("Request", (_Request, server.handler_class), {})
    answer: Response | None = made(server, visitor.environ_of(server, below), peer).serve()
    return answer
