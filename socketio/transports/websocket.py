"""websocket: one text frame, one packet, both ways."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Empty
from geventwebsocket.exceptions import WebSocketError

from socketio.session.deadlines import Deadline
from socketio.session.lifecycle import DisconnectReason
from socketio.transports.base import BaseTransport, Response
from socketio.virtsocket import Socket
from socketio.websocket.connection import WebSocket
from socketio.wire.message import WireMessage

log = logging.getLogger("socketio.transport")

__all__ = ["ForeignLink", "WebSocketLink", "WebsocketTransport"]

# What one write takes from the queue at most: enough to fill the kernel's buffer, little enough
# that what waits is still counted by the queue's limit.
_BATCH = 262144
# How long a peer may take to end the connection when we have closed it.
_CLOSE_SECONDS = 2


class WebSocketLink:
    """Our WebSocket as a :class:`~socketio.session.core.Link`; at rest it has no greenlet.

    The connection's own greenlet runs :meth:`pump`; writing is the writer's.
    """

    streaming = True

    def __init__(self, socket: Any, ws: WebSocket, name: str) -> None:
        self.name = name
        self._socket = socket
        self._ws = ws
        self._ended = False
        self._cut: Deadline | None = None

    def greet(self, greeting: WireMessage) -> None:
        """Send the first message of the session, ahead of everything that is queued."""
        self._ws.writer.write_frame(greeting.frame)

    def start(self) -> None:
        """Begin to write what is queued."""
        self._ws.writer.on_over = self._all_written
        self._ws.writer.read_from(self._next_bytes)
        self._ws.writer.wake()

    def _all_written(self) -> None:
        """The session needs this connection no more; the peer may still end it properly."""
        if not self._socket.state.live:
            # Where the client closed, what it had sent before is to be read first.
            self._socket._detach(self)
        self._cut = self._socket.clock.call_later(_CLOSE_SECONDS, self._ws.cut)

    def pump(self) -> None:
        """Hand what the client sends to the session until the connection ends. Blocks."""
        socket, ws = self._socket, self._ws
        limits = socket.settings
        most, size = limits.max_inbound_packets, limits.max_inbound_size
        try:
            while batch := ws.receive_batch():
                for message in batch:
                    if isinstance(message, str):  # binary frames mean nothing in 0.9
                        # A session with too much to do stops reading: TCP holds the client back.
                        socket.server_queue.wait_for_room(most, size)
                        socket.put_server_msg(message)
        finally:
            socket._detach(self)
        ws.writer.wait_until_written()  # the answer to the client's close frame

    def _next_bytes(self) -> bytes:
        """Return the frames of what is queued, up to a batch; b"" when there is nothing."""
        frames: list[bytes] = []
        size = 0
        while size < _BATCH and not self._ended and self._socket.client_queue.qsize():
            try:
                message = self._socket.get_client_msg(block=False)
            except Empty:  # an override that keeps something back
                break
            if message is None:
                self._ended = True
                break
            if not isinstance(message, WireMessage):
                message = WireMessage(message)
            frames.append(message.frame)
            size += len(frames[-1])
        if self._ended and not frames:
            self._ws.close(_close_code(self._socket))
        return b"".join(frames)

    @property
    def dead(self) -> bool:
        """Whether the connection is closed or cut."""
        return self._ws.writer.over

    def flush(self) -> None:
        """Write what the kernel takes at once."""
        self._ws.writer.flush()

    def wake(self) -> None:
        """Have the writer look at the queue."""
        self._ws.writer.wake()

    def supersede(self) -> None:
        """Close this connection; what is queued belongs to the next."""
        self._ws.writer.read_from(None)
        self._ws.close(1000)

    def cut(self) -> None:
        """End the connection at once."""
        self._socket.clock.cancel(self._cut)
        self._ws.cut()


class ForeignLink:
    """The WebSocket of an application's own ``ws_handler_class``, used through send and receive.

    Owns one greenlet, which writes; it ends with the session or the connection.
    """

    streaming = True

    def __init__(self, socket: Any, ws: Any, name: str, shutdown: Callable[[], None]) -> None:
        self.name = name
        self._socket = socket
        self._ws = ws
        self._shutdown = shutdown
        self._news = Event()
        self._over = False
        self._sender: Any = None

    def greet(self, greeting: WireMessage) -> None:
        """Send the first message of the session. Blocks while the peer is slow."""
        try:
            self._ws.send(str(greeting))
        except (WebSocketError, OSError):
            self.cut()

    def start(self) -> None:
        """Begin to write what is queued."""
        self._sender = gevent.spawn(self._send_all)
        self._news.set()

    def pump(self) -> None:
        """Hand what the client sends to the session until the connection ends. Blocks."""
        limits = self._socket.settings
        try:
            while (message := self._ws.receive()) is not None:
                if isinstance(message, str):
                    self._socket.server_queue.wait_for_room(
                        limits.max_inbound_packets, limits.max_inbound_size
                    )
                    self._socket.put_server_msg(message)
        except WebSocketError:
            pass  # closed while we waited
        finally:
            self.supersede()
            self._socket._detach(self)

    def _send_all(self) -> None:
        while not self._over:
            self._news.wait()
            self._news.clear()
            try:
                self._send_queued()
            except Empty:  # an override that keeps something back
                continue
            except (WebSocketError, OSError):
                self.cut()
            except Exception:
                log.exception("writing to a WebSocket failed")
                self.cut()

    def _send_queued(self) -> None:
        while not self._over and self._socket.client_queue.qsize():
            message = self._socket.get_client_msg(block=False)
            if message is None:
                self._over = True
                self._ws.close(_close_code(self._socket))
                self._shutdown()
            else:
                self._ws.send(str(message))

    @property
    def dead(self) -> bool:
        """Whether the connection is closed."""
        return self._over

    def flush(self) -> None:
        """Do nothing: this WebSocket knows no write that does not block."""

    def wake(self) -> None:
        """Have the sender look at the queue."""
        self._news.set()

    def supersede(self) -> None:
        """Take nothing more from the queue."""
        self._over = True
        self._news.set()
        self._shutdown()

    def cut(self) -> None:
        """End the connection at once."""
        self.supersede()


def _close_code(socket: Any) -> int:
    return 1001 if socket.disconnect_reason is DisconnectReason.SERVER_STOPPING else 1000


class WebsocketTransport(BaseTransport):
    """Section 12 of the protocol text. The handler has upgraded the connection already."""

    name = "websocket"

    def do_exchange(self, socket: Any, request_method: str) -> Response | None:  # noqa: ARG002
        """Carry the session until the connection ends; the first one also runs the application.

        Blocks for the life of the connection, in its greenlet: that is what the application's
        view runs in.
        """
        ws = self.handler.environ["wsgi.websocket"]
        link = self._link(socket, ws)
        socket._attach(link)
        try:
            if not socket._establish():
                link.start()
                link.pump()
            else:
                link.greet(socket.dialect.greeting)
                link.start()
                socket._pump = link.pump
                self.handler.run_session_application(socket)
                pump, socket._pump = socket._pump, None
                if pump is not None:  # the view left without a word: the rest still goes out
                    pump()
        finally:
            socket._detach(link)
            if getattr(ws, "failed", False):
                ws.finish()  # the peer may read the close code that tells it why
            link.cut()
        return None

    def _link(self, socket: Any, ws: Any) -> WebSocketLink | ForeignLink:
        if not isinstance(ws, WebSocket):
            return ForeignLink(socket, ws, self.name, self.handler.shutdown_connection)
        if type(socket).get_client_msg is not Socket.get_client_msg:
            ws.writer.leave_hub()  # foreign code may block, which the hub may not
        return WebSocketLink(socket, ws, self.name)
