"""What transports share that keep one connection open: websocket, htmlfile, xhr-multipart."""

from __future__ import annotations

import logging
from typing import Any

from gevent.queue import Empty

from socketio.session.deadlines import Deadline
from socketio.session.lifecycle import State
from socketio.session.outbox import Outbox
from socketio.transports.base import Response
from socketio.transports.polling import XHRPollingTransport
from socketio.turn import Turn
from socketio.virtsocket import GET_CLIENT_MSG
from socketio.websocket.handler import take_early_bytes
from socketio.wire.message import WireMessage
from socketio.writer import NeedsGreenlet, Writer

__all__ = ["HTTPStreamLink", "StreamLink", "StreamingTransport", "carry"]

log = logging.getLogger("socketio.transport")

_CHUNK = 65536
# What one write takes from the queue at most: enough to fill the kernel's buffer, little enough
# that what waits is still counted by the queue's limit.
_BATCH = 262144
# How long a peer may take to end the connection when we have closed it.
_CLOSE_SECONDS = 2


class StreamLink:
    """An open connection as a :class:`~socketio.session.links.Link`; at rest without a greenlet.

    The connection's own greenlet runs :meth:`pump`; writing is the writer's.

    Args:
        socket: The session.
        writer: The writer of the connection.
        name: Id of the transport.
    """

    __slots__ = ("_ended", "_giving_up", "_socket", "_writer", "name", "wake")

    streaming = True

    def __init__(self, socket: Any, writer: Writer, name: str) -> None:
        self.name = name
        self._socket = socket
        self._writer = writer
        self.wake = writer.wake
        """Have the writer look at the queue."""
        self._ended = False
        self._giving_up: Deadline | None = None
        if getattr(socket.get_client_msg, "__func__", None) is not GET_CLIENT_MSG:
            writer.leave_hub()  # foreign code may block, which the hub may not

    def frame(self, message: WireMessage) -> bytes:
        """Return the bytes that carry one packet."""
        raise NotImplementedError

    def say_goodbye(self) -> None:
        """Have the writer end the connection properly behind what it has. Must not block."""
        raise NotImplementedError

    def pump(self) -> None:
        """Read until the connection ends. Blocks."""
        raise NotImplementedError

    def greet(self, greeting: WireMessage) -> None:
        """Send the first message of the session, ahead of everything that is queued."""
        frame = self.frame(greeting)
        self._socket.journal.packets_sent += 1
        self._socket.journal.bytes_sent += len(frame)
        self._writer.write_frame(frame)

    def start(self) -> None:
        """Begin to write what is queued."""
        self._writer.on_over = self._all_written
        self._writer.read_from(self._next_bytes)
        self._writer.wake()

    def _all_written(self) -> None:
        """The session needs this connection no more; the peer may still end it properly."""
        if not self._socket.state.live:
            # Where the client closed, what it had sent before is to be read first.
            self._socket._detach(self)
        self._give_up_later()

    def note_stall(self) -> None:
        """Count it if the connection was cut because the peer did not read."""
        if self._writer.stalled:
            self._writer.stalled = False
            self._socket.journal.limited(
                "write_timeout",
                log,
                "session %s: the client does not read from its connection",
                self._socket.short_id,
            )

    def _give_up_later(self) -> None:
        if self._giving_up is None:
            self._giving_up = self._socket.clock.call_later(_CLOSE_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self.cut()
        self._socket._detach(self)

    def _next_bytes(self) -> bytes:
        """Return the bytes of what is queued, up to a batch; b"" when there is nothing."""
        socket = self._socket
        queue = socket.client_queue
        if self._ended:
            self.say_goodbye()
            return b""
        alone = socket._link is self and not socket._older and socket._delivery is None
        if not alone and not socket._may_take(self):
            return b""
        ours = getattr(socket.get_client_msg, "__func__", None) is GET_CLIENT_MSG
        if ours and type(queue) is Outbox:
            messages = queue.take(_BATCH)
            self._writer.dry = not queue.queue
        elif self._writer.writes_in_hub:  # put in its place since the connection began
            raise NeedsGreenlet
        else:
            messages = self._take_one_by_one(queue)
            self._writer.dry = not queue.qsize()
        if not messages:
            return b""
        if messages[-1] is None:
            self._ended = True
            messages.pop()
            self.say_goodbye()
        data = self.join_frames(messages)
        journal = socket.journal
        journal.packets_sent += len(messages)
        journal.bytes_sent += len(data)
        return data

    def join_frames(self, messages: list[str]) -> bytes:
        """Return the bytes that carry ``messages``."""
        return b"".join(
            [
                self.frame(text if isinstance(text, WireMessage) else WireMessage(text))
                for text in messages
            ]
        )

    def _take_one_by_one(self, queue: Any) -> list[Any]:
        """Take what the application's own ``get_client_msg()``, or its own queue, gives."""
        messages: list[Any] = []
        size = 0
        while size < _BATCH and queue.qsize():
            try:
                messages.append(self._socket.get_client_msg(block=False))
            except Empty:  # an override that keeps something back
                break
            if messages[-1] is None:
                break
            size += len(messages[-1])
        return messages

    @property
    def dead(self) -> bool:
        """Whether the connection is closed or cut."""
        return self._writer.over

    @property
    def worker(self) -> Any:
        """The greenlet that writes to a slow client; None while nobody has to wait."""
        return self._writer.drainer

    @property
    def lost(self) -> bool:
        """Whether the connection ended before the peer had all that was taken for it."""
        return self._writer.lost or self._writer.busy

    def flush(self) -> None:
        """Write what the kernel takes at once."""
        self._writer.flush()

    def supersede(self) -> None:
        """Close this connection; what is queued belongs to the next."""
        self._writer.read_from(None)
        self.say_goodbye()
        self._give_up_later()

    def cut(self) -> None:
        """End the connection at once."""
        self._socket.clock.cancel(self._giving_up)
        self._writer.cut()


class HTTPStreamLink(StreamLink):
    """An endless HTTP response.

    Args:
        socket: The session.
        transport: What makes bytes of a packet.
        chunked: Whether the response has a chunk for each packet; False for HTTP/1.0.
    """

    def __init__(self, socket: Any, transport: StreamingTransport, *, chunked: bool) -> None:
        self._sock = transport.handler.socket
        writer = Writer(
            self._sock,
            write_timeout=socket.settings.write_timeout,
            flusher=getattr(transport.handler.server, "flusher", None),
        )
        super().__init__(socket, writer, transport.name)
        self._transport = transport
        self._chunked = chunked

    def frame(self, message: WireMessage) -> bytes:
        """Return the packet in the dress of the transport, as one chunk."""
        data = self._transport.frame(message)
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def say_goodbye(self) -> None:
        """End the response."""
        self._writer.close(b"0\r\n\r\n" if self._chunked else b"")

    def pump(self) -> None:
        """Wait for the client to end the connection; what it sends on it means nothing. Blocks."""
        turn = Turn()
        try:
            turn.begin()
            while self._sock.recv(_CHUNK):
                turn.end()
                turn.begin()
            self._writer.note_end(reset=False)
        except (OSError, ValueError, AttributeError):  # reset, or shut down under us
            self._writer.note_end(reset=True)
        finally:
            self.note_stall()
            self._socket._detach(self)
        self._writer.wait_until_written()


class StreamingTransport(XHRPollingTransport):
    """A GET whose response does not end, and POSTs as in polling."""

    content_type = ""

    def head(self, socket: Any) -> bytes:
        """Return what the response begins with, before any packet."""
        raise NotImplementedError

    def frame(self, text: str) -> bytes:
        """Return ``text``, a packet, as it goes into the response."""
        raise NotImplementedError

    def get(self, socket: Any) -> Response | None:
        """Carry the session until the connection ends; the first one also runs the application.

        Blocks for the life of the connection, in its greenlet.
        """
        handler = self.handler
        if not socket.state.live:
            return self.refuse_session("GET")
        handler.ignore_body()
        handler.close_connection = True
        policy = handler.server.origin_policy
        handler.start_response(
            "200 OK", [*self.response_headers(), *policy.headers(handler.environ)]
        )
        handler.write(self.head(socket))
        handler.result = None
        take_early_bytes(handler)
        link = HTTPStreamLink(socket, self, chunked=handler.response_use_chunked)
        try:
            carry(handler, socket, link)
        finally:
            link.cut()
        return None

    def response_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the stream; the last one keeps nginx from collecting it."""
        return [
            ("Content-Type", self.content_type),
            ("Connection", "keep-alive"),
            ("X-Accel-Buffering", "no"),
        ]


def carry(handler: Any, socket: Any, link: Any) -> None:
    """Have ``link`` carry the session until it ends; the first one also runs the application.

    Called in the greenlet of the connection, which is then the one of the application's view.
    Blocks for the life of the connection.
    """
    socket._attach(link)
    try:
        if socket.state is State.DISCONNECTED:  # while the answer to the request was written
            return
        if not socket._establish():
            link.start()
            link.pump()
            return
        link.greet(socket.dialect.greeting)
        link.start()
        socket._pump = link.pump
        handler.run_session_application(socket)
        pump, socket._pump = socket._pump, None
        if pump is not None:  # the view left without a word: the rest still goes out
            pump()
    finally:
        socket._detach(link)
