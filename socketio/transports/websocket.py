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
from socketio.session.outbox import Inbox
from socketio.transports.base import BaseTransport, Response
from socketio.transports.streaming import StreamLink, carry
from socketio.virtsocket import PUT_SERVER_MSG
from socketio.websocket.connection import WebSocket
from socketio.websocket.hubreader import HubReader
from socketio.wire.message import WireMessage

log = logging.getLogger("socketio.transport")

__all__ = ["ForeignLink", "WebSocketLink", "WebsocketTransport"]


class WebSocketLink(StreamLink):
    """Our WebSocket as a link."""

    __slots__ = ("_most", "_size", "_ws")

    def __init__(self, socket: Any, ws: WebSocket, name: str) -> None:
        super().__init__(socket, ws.writer, name)
        self._ws = ws

    def frame(self, message: WireMessage) -> bytes:
        """Return the packet as a text frame; all receivers of a broadcast share it."""
        return message.frame

    def join_frames(self, messages: list[str]) -> bytes:
        """Return the frames of all ``messages``."""
        # Suppressed below: nearly always they are messages with a frame, which a plain str lacks.
        try:
            if len(messages) == 1:
                return messages[0].frame  # type: ignore[attr-defined,no-any-return]
            return b"".join([text.frame for text in messages])  # type: ignore[attr-defined]
        except AttributeError:  # one was put into the queue by hand
            return super().join_frames(messages)

    def say_goodbye(self) -> None:
        """Send a close frame that tells whether the server is stopping."""
        self._ws.close(_close_code(self._socket))

    def pump(self) -> None:
        """Hand what the client sends to the session until the connection ends. Blocks."""
        socket, ws = self._socket, self._ws
        try:
            self._pump_in_hub()
            while batch := ws.receive_batch():
                self._count_received()
                # Binary frames mean nothing in 0.9.
                socket._take_in([text for text in batch if isinstance(text, str)])
                batch.clear()  # or these would be kept until the next ones come
        finally:
            self._count_received()
            self._note_failure()
            self.note_stall()
            socket._detach(self)
        ws.writer.wait_until_written()  # the answer to the client's close frame

    def _may_read_in_hub(self) -> bool:
        # An override, or a queue, of the application's may block; it may come at any time.
        socket = self._socket
        return (
            self._writer.writes_in_hub
            and getattr(socket.put_server_msg, "__func__", None) is PUT_SERVER_MSG
            and type(socket.server_queue) is Inbox
        )

    def _pump_in_hub(self) -> None:
        """Have the hub read, as long as nothing but plain frames comes."""
        limits = self._socket.settings
        self._most, self._size = limits.max_inbound_packets, limits.max_inbound_size
        reader = HubReader(self._ws, self._deliver)
        while self._ws.reads_plainly and self._may_read_in_hub():
            if texts := self._ws.take_received():  # early ones, or there was no room
                self._socket._take_in(texts)
            else:
                reader.run()

    def _deliver(self, texts: list[str]) -> bool:
        """Hand ``texts`` to the receiver and have it work on them at once; False: no room."""
        socket, writer = self._socket, self._writer
        inbox = socket.server_queue
        if not socket._state.live:
            return True
        ours = getattr(socket.put_server_msg, "__func__", None) is PUT_SERVER_MSG
        if not (ours and type(inbox) is Inbox and inbox.put_if_room(texts, self._most, self._size)):
            return False
        socket._last_seen = socket.clock.now()
        journal, ws = socket.journal, self._ws
        journal.packets_received += len(texts)
        journal.bytes_received += ws.payload_bytes
        ws.payload_bytes = 0
        writer.cork()
        try:
            inbox.switch_to_getter()
        finally:
            writer.flush_now()
        return True

    def _count_received(self) -> None:
        ws = self._ws
        self._socket.journal.bytes_received += ws.payload_bytes
        ws.payload_bytes = 0

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
        self._socket.clock.cancel(self._giving_up)
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
            link.flush()  # the upgrade's own answer may still be there
            link.cut()
        return None

    def _link(self, socket: Any, ws: Any) -> WebSocketLink | ForeignLink:
        if not isinstance(ws, WebSocket):
            return ForeignLink(socket, ws, self.name, self.handler.shutdown_connection)
        return WebSocketLink(socket, ws, self.name)
