"""A WebSocket with gevent-websocket's interface and the sans-I/O core of ``websockets`` below.

gevent-websocket takes frames of any length, unmasks them byte by byte in Python and never sends a
close code; its classes are kept because applications build on their interface.
"""

from __future__ import annotations

import functools
import logging
import struct
from collections.abc import MutableMapping, Sequence
from typing import Any

import gevent
import geventwebsocket.websocket
from geventwebsocket.exceptions import WebSocketError
from websockets.exceptions import ProtocolError
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from socketio.turn import Turn
from socketio.websocket.frames import read_texts
from socketio.wire.message import text_frame, to_utf8
from socketio.writer import Writer

__all__ = ["WebSocket"]

# Of the shortest frames these are five milliseconds of work: for us, and for the core.
_CHUNK = 32768
_CORE_CHUNK = 16384
# No message of a real client has more; each fragment costs an object, however small it is.
_MAX_FRAGMENTS = 1000
# Frames that may wait ahead of the session's own; a peer that pings without reading gets no more.
_MAX_LANE = 64
_CLOSE_BYTE = 0x80 | Opcode.CLOSE
# How long, and how much, we still listen to a peer to which we have said goodbye: a connection
# closed with unread data is reset, and our close frame lost.
_PARTING_SECONDS = 1
_PARTING_BYTES = 1 << 20
_MAX_REASON = 123


class _Demoted(logging.LoggerAdapter):  # type: ignore[type-arg]  # not generic before 3.11
    """The core reports each connection at INFO; here that is the session's to say."""

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        super().log(logging.DEBUG if level == logging.INFO else level, msg, *args, **kwargs)


log = logging.getLogger("socketio.transport")
_core_log = _Demoted(logging.getLogger("socketio.transport"), {})


class WebSocket(geventwebsocket.websocket.WebSocket):  # type: ignore[misc]  # has no annotations
    """One upgraded connection.

    Args:
        environ: The WSGI environment of the upgrade request; it is ``environ['wsgi.websocket']``.
        sock: The gevent socket of the connection.
        handler: The handler that upgraded it, for ``handler.server`` and the access log.
        early: Bytes the client sent behind its request, before our answer.
        max_size: Most bytes in a message; more closes the connection with code 1009.
        write_timeout: Seconds the peer may take to accept data.

    ``receive()`` may only be called by one greenlet at a time; ``send()`` and ``close()`` by any.

    .. versionadded:: 1.0
    """

    # Of a client that sends nothing but plain text frames, and may send half of one.
    _half: bytearray | None
    _needed = 0
    # Of one that has sent anything else, from there on; nearly all come without it to their close.
    _core: Protocol | None = None
    _fragments: list[bytes]
    _opcode = Opcode.TEXT
    _refused: CloseCode | None = None
    _refusal: Sequence[bytes] = ()

    def __init__(
        self,
        environ: MutableMapping[str, Any],
        sock: Any,
        handler: Any,
        *,
        early: bytes = b"",
        max_size: int = 1_000_000,
        write_timeout: float = 30,
    ) -> None:
        self.environ = environ
        self.handler = handler
        self.stream = None
        self.closed = False
        # A server of the application's own has none.
        flusher = getattr(getattr(handler, "server", None), "flusher", None)
        self.writer = writer = Writer(sock, write_timeout=write_timeout, flusher=flusher)
        self.payload_bytes = 0
        """Bytes of the texts that were read, without framing."""
        self._sock = sock
        # The one below gevent's, whose recv() would wait where there is nothing. A TLS socket has
        # more than one layer that may wait.
        self._bare: Any = None if writer.uses_tls else getattr(sock, "_sock", None)
        self._max_size = max_size
        self._received: list[str | bytes] = []
        self._half = None
        self._late: Any = None
        self._end_was_told = False
        self._at_end = False
        self._turn = Turn()
        if early:
            self._feed(early)

    def __del__(self) -> None:
        """Do nothing: the base class writes to the network here, in whatever greenlet collects."""

    @property
    def close_code(self) -> int | None:
        """Code of the peer's close frame; 1005 without one in it, None before it came."""
        told = self._core.close_rcvd if self._core is not None else None
        return told.code if told else None

    @property
    def failed(self) -> bool:
        """Whether the peer broke the WebSocket protocol."""
        exc = self._core.parser_exc if self._core is not None else None
        return self._refused is not None or (exc is not None and not isinstance(exc, EOFError))

    @property
    def failed_with(self) -> int | None:
        """The close code by which we told the peer that it broke the protocol; None if it did not.

        1009 means a message over the limit.
        """
        if self._refused is not None or not self.failed:
            return self._refused
        told = self._core.close_sent if self._core is not None else None
        return told.code if told else CloseCode.PROTOCOL_ERROR

    # -- receiving -----------------------------------------------------------------------------

    def receive(self) -> str | bytes | None:
        """Return the next message, text as str and binary as bytes; None when no more will come.

        Blocks. Raises ``WebSocketError`` when called again after that, as the base class does.
        """
        if self._end_was_told and not self._received:
            raise WebSocketError(geventwebsocket.websocket.MSG_ALREADY_CLOSED)
        while not self._received and self._read():
            pass
        if self._received:
            return self._received.pop(0)
        self.closed = self._end_was_told = True
        return None

    def receive_batch(self) -> list[str | bytes]:
        """Return all messages that are there, at least one; none when no more come. Blocks."""
        while not self._received and self._read():
            pass
        return self.take_received()

    def _read(self) -> bool:
        """Read once from the connection; False when it is over, for us at least."""
        if self._late is not None:
            self._answer_late()
        core = self._core
        if self._at_end or (core is not None and core.eof_sent):  # closed, or protocol broken
            return False
        self._turn.end()
        try:
            data = self._sock.recv(_CHUNK if core is None else _CORE_CHUNK)
        except (OSError, ValueError, AttributeError):  # reset, or shut down under us
            self.writer.note_end(reset=True)
            data = b""
        self._turn.begin()
        if data:
            self._feed(data)
            return True
        self._take_end()
        return False

    def _take_end(self) -> None:
        self.writer.note_end(reset=False)
        self._at_end = True
        if self._core is not None:
            self._core.receive_eof()

    # -- receiving in the hub ------------------------------------------------------------------

    @property
    def reads_plainly(self) -> bool:
        """Whether nothing but plain text frames came so far, over a connection without TLS."""
        return self._core is None and not self._at_end and self.read_watcher is not None

    @property
    def read_watcher(self) -> Any:
        """What tells the hub that there is something to read; None where that does not work."""
        return getattr(self._sock, "_read_event", None) if self._bare is not None else None

    def read_now(self) -> list[str | bytes] | None:
        """Read once without waiting; None when :meth:`receive_batch` has to go on from here.

        Only while :attr:`reads_plainly`. Runs in the hub.
        """
        try:
            data = self._bare.recv(_CHUNK)
        except BlockingIOError:
            return []
        except (OSError, ValueError, AttributeError):  # reset, or shut down under us
            self.writer.note_end(reset=True)
            data = b""
        if not data:
            self._take_end()
            return None
        rest = self._read_plain(data)
        if rest:
            self._read_with_core(rest)
            return None
        messages, self._received = self._received, []
        return messages

    def take_received(self) -> list[str | bytes]:
        """Take the messages that were read; none is no end."""
        messages, self._received = self._received, []
        return messages

    def give_back(self, messages: list[str | bytes]) -> None:
        """Put back, in front, what was taken."""
        self._received[:0] = messages

    def _feed(self, data: bytes) -> None:
        rest = self._read_plain(data) if self._core is None else data
        if rest:
            self._read_with_core(rest)

    def _read_with_core(self, data: bytes) -> None:
        if self._core is None:
            self._core = Protocol(Side.SERVER, max_size=self._max_size, logger=_core_log)
            self._fragments = []
        self._core.receive_data(data)
        for frame in self._core.events_received():
            if isinstance(frame, Frame) and self._refused is None:
                self._take_frame(frame)
        if self.failed and self._received:
            # What came in front of the breach may be answered first, but not for ever.
            self._late = gevent.get_hub().loop.timer(_PARTING_SECONDS)
            self._late.start(self._answer_late)
        else:
            self._write_core()

    def _read_plain(self, data: bytes) -> bytes:
        """Read what consists of plain text frames; returns the rest if it is for the core."""
        if self._half is not None:
            self._half += data
            if len(self._half) < self._needed:
                return b""
            data, self._half = bytes(self._half), None
        total, position, needed = read_texts(data, self._max_size, self._received)
        self.payload_bytes += total
        if position == len(data):  # nearly always
            return b""
        if needed < 0:
            return data[position:]
        self._half, self._needed = bytearray(data[position:]), needed
        return b""

    def _answer_late(self) -> None:
        """Tell the peer what it broke, now that what it had sent before was received."""
        timer, self._late = self._late, None
        if timer is not None:
            timer.stop()
            timer.close()
            self._write_core()

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            if len(self._fragments) >= _MAX_FRAGMENTS:
                self._refuse(CloseCode.POLICY_VIOLATION, "too many fragments")
            return
        data = b"".join(self._fragments)
        self._fragments.clear()
        if self._opcode is Opcode.BINARY:
            self._received.append(data)
            return
        try:
            self._received.append(data.decode())
            self.payload_bytes += len(data)
        except UnicodeDecodeError:
            self._refuse(CloseCode.INVALID_DATA, "invalid UTF-8")

    def _refuse(self, code: CloseCode, reason: str) -> None:
        self._refused = code
        if self._core is not None:
            self._core.fail(code, reason)
        # Not what the core has by now: it answered what stood behind this in the same piece.
        self._refusal = [_close_frame(code, reason), b""]

    # -- sending -------------------------------------------------------------------------------

    def send(self, message: str | bytes, binary: bool | None = None) -> None:
        """Send one message; waits when the peer is slow to take it.

        Args:
            message: Text, or bytes.
            binary: Force a binary or a text frame; None decides by the type of ``message``.

        Raises:
            WebSocketError: The connection is closed.
        """
        if self.closed or self.writer.over:
            raise WebSocketError(geventwebsocket.websocket.MSG_SOCKET_DEAD)
        is_text = isinstance(message, str) if binary is None else not binary
        data = to_utf8(message) if isinstance(message, str) else bytes(message)
        self.writer.write_frame(
            text_frame(data) if is_text else Frame(Opcode.BINARY, data).serialize(mask=False)
        )
        self.writer.wait_until_written()

    def send_frame(self, message: str | bytes, opcode: int) -> None:
        """Send one frame of any kind, as the base class does."""
        if self.closed or self.writer.over:
            raise WebSocketError(geventwebsocket.websocket.MSG_SOCKET_DEAD)
        data = to_utf8(message) if isinstance(message, str) else bytes(message)
        self.writer.write_frame(Frame(Opcode(opcode), data).serialize(mask=False))

    def close(self, code: int = 1000, message: str | bytes = b"") -> None:
        """Write what is queued, then a close frame; may be called again, from any greenlet.

        Never blocks. The connection itself is ended by the peer, or by whoever owns it.
        """
        self._answer_late()
        if self.closed:
            return
        self.closed = self._end_was_told = True
        frame = b""
        core = self._core
        if core is None or (core.state is State.OPEN and core.close_sent is None):
            frame = _close_frame(code, message if isinstance(message, str) else bytes(message))
        self.writer.close(frame)

    def finish(self) -> None:
        """Let the peer read our last words before its connection goes; blocks, bounded."""
        self._answer_late()
        self.writer.wait_until_written()
        try:
            with gevent.Timeout(_PARTING_SECONDS, False):  # type: ignore[arg-type]  # stubs: False is allowed
                left = _PARTING_BYTES
                while left > 0 and (data := self._sock.recv(_CHUNK)):
                    left -= len(data)
        except (OSError, ValueError, AttributeError):
            log.debug("the peer did not wait for the end")
        self.cut()

    def cut(self) -> None:
        """End the connection without another word; its reader wakes. Never blocks."""
        self.closed = True
        if self._late is not None:
            self._late.stop()
            self._late.close()
            self._late = None
        self.writer.cut()

    def _write_core(self) -> None:
        """Write what the core answers by itself: pongs, and the close frame of a failure."""
        answers = self._core.data_to_send() if self._core is not None else []
        for data in self._refusal or answers:
            if not data:  # its mark for "now half-close"; what the session has left is not wanted
                self.closed = True
                self.writer.read_from(None)
                self.writer.close()
            elif data[0] == _CLOSE_BYTE or self.writer.backlog < _MAX_LANE:
                self.writer.write_frame(data)


@functools.lru_cache(maxsize=16)  # nearly all are one of two, and made in 5 us
def _close_frame(code: int, message: str | bytes) -> bytes:
    """Return a close frame, without a payload where the code may not be sent."""
    data = to_utf8(message) if isinstance(message, str) else message
    reason = data[:_MAX_REASON].decode("utf-8", "ignore")
    try:
        payload = Close(code, reason).serialize()
    except (ProtocolError, struct.error):
        payload = b""
    return Frame(Opcode.CLOSE, payload).serialize(mask=False)
