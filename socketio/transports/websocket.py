"""websocket: one text frame, one packet, both ways."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Empty
from geventwebsocket.exceptions import WebSocketError
from websockets.frames import CloseCode

from socketio.session.lifecycle import DisconnectReason
from socketio.transports.base import BaseTransport, Response
from socketio.transports.streaming import StreamLink, carry
from socketio.websocket.connection import WebSocket
from socketio.wire.message import WireMessage

log = logging.getLogger("socketio.transport")

__all__ = ["ForeignLink", "WebSocketLink", "WebsocketTransport"]


class WebSocketLink(StreamLink):
    """Our WebSocket as a link."""

    def __init__(self, socket: Any, ws: WebSocket, name: str) -> None:
        super().__init__(socket, ws.writer, name)
        self._ws = ws

    def frame(self, message: WireMessage) -> bytes:
        """Return the packet as a text frame; all receivers of a broadcast share it."""
        return message.frame

    def say_goodbye(self) -> None:
        """Send a close frame that tells whether the server is stopping."""
        self._ws.close(_close_code(self._socket))

    def pump(self) -> None:
        """Hand what the client sends to the session until the connection ends. Blocks."""
        socket, ws = self._socket, self._ws
        limits, journal = socket.settings, socket.journal
        most, size = limits.max_inbound_packets, limits.max_inbound_size
        try:
            while batch := ws.receive_batch():
                for message in batch:
                    if isinstance(message, str):  # binary frames mean nothing in 0.9
                        journal.bytes_received += _bytes_in(message)
                        # A session with too much to do stops reading: TCP holds the client back.
                        socket.server_queue.wait_for_room(most, size)
                        socket.put_server_msg(message)
                batch.clear()  # or these would be kept until the next ones come
                message = ""
        finally:
            self._note_failure()
            self.note_stall()
            socket._detach(self)
        ws.writer.wait_until_written()  # the answer to the client's close frame

    def _note_failure(self) -> None:
        """Count what the peer did wrong, if it was that which ended the connection."""
        code = self._ws.failed_with
        journal, name = self._socket.journal, self._socket.short_id
        if code == CloseCode.MESSAGE_TOO_BIG:
            journal.limited("max_message_size", log, "session %s: a message is too large", name)
        elif code is not None:
            journal.failed("websocket_protocol", log, "session %s: WebSocket error %d", name, code)

    def cut(self) -> None:
        """End the connection at once."""
        super().cut()
        self._ws.cut()


class ForeignLink:
    """The WebSocket of an application's own ``ws_handler_class``, used through send and receive.

    Owns one greenlet, which writes; it ends with the session or the connection.
    """

    streaming = True
    lost = False

    def __init__(self, socket: Any, ws: Any, name: str, shutdown: Callable[[], None]) -> None:
        self.name = name
        self._socket = socket
        self._ws = ws
        self._shutdown = shutdown
        self._news = Event()
        self._over = False
        self._sending = False
        self._sender: Any = None

    def greet(self, greeting: WireMessage) -> None:
        """Send the first message of the session. Blocks while the peer is slow."""
        try:
            self._ws.send(str(greeting))
            self._count_sent(greeting)
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
                    self._socket.journal.bytes_received += _bytes_in(message)
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
            except Exception:  # noqa: BLE001 - foreign code
                self._socket.journal.failed(
                    "write_failed",
                    log,
                    "writing to a WebSocket failed",
                    level=logging.ERROR,
                    exc_info=True,
                )
                self.cut()

    def _send_queued(self) -> None:
        while not self._over and self._socket._may_take(self):
            if not self._socket.client_queue.qsize():
                return
            message = self._socket.get_client_msg(block=False)
            if message is None:
                self._over = True
                self._ws.close(_close_code(self._socket))
                self._shutdown()
            else:
                self._sending = True
                self._ws.send(str(message))
                self._sending = False
                self._count_sent(message)

    def _count_sent(self, message: str) -> None:
        self._socket.journal.packets_sent += 1
        self._socket.journal.bytes_sent += _bytes_in(message)

    @property
    def worker(self) -> Any:
        """The greenlet that writes."""
        return self._sender

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
        self.lost = self.lost or self._sending
        self._over = True
        self._news.set()
        self._shutdown()

    def cut(self) -> None:
        """End the connection at once."""
        self.supersede()


def _bytes_in(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _close_code(socket: Any) -> int:
    return 1001 if socket.disconnect_reason is DisconnectReason.SERVER_STOPPING else 1000


class WebsocketTransport(BaseTransport):
    """Section 12 of the protocol text. The handler has upgraded the connection already."""

    name = "websocket"
    upgrades = True

    def do_exchange(self, socket: Any, request_method: str) -> Response | None:  # noqa: ARG002 - always GET
        """Carry the session until the connection ends; the first one also runs the application.

        Blocks for the life of the connection, in its greenlet: that is what the application's
        view runs in.
        """
        ws = self.handler.environ["wsgi.websocket"]
        link = self._link(socket, ws)
        try:
            carry(self.handler, socket, link)
        finally:
            if getattr(ws, "failed", False):
                ws.finish()  # the peer may read the close code that tells it why
            link.cut()
        return None

    def _link(self, socket: Any, ws: Any) -> WebSocketLink | ForeignLink:
        if not isinstance(ws, WebSocket):
            return ForeignLink(socket, ws, self.name, self.handler.shutdown_connection)
        return WebSocketLink(socket, ws, self.name)
