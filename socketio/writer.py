"""The only one who writes to a connection that stays open.

At rest it is a few attributes, no greenlet. When something is queued, one callback of the hub
takes all of it and tries one non-blocking ``send()``. Only when the kernel's buffer is full, or
over TLS, a drainer greenlet goes on; there is at most one, and it ends when nothing is left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

import gevent
import gevent.socket
from gevent.socket import SHUT_RDWR, SHUT_WR

from socketio.tcp import unacknowledged

__all__ = ["Flusher", "NeedsGreenlet", "Writer"]

log = logging.getLogger("socketio.transport")


# Seconds of writing after which other callbacks of the hub have their turn.
_TURN = 0.005


class NeedsGreenlet(Exception):  # noqa: N818 - no error
    """Raised by a source that may block, or runs foreign code, when it is asked in the hub."""


class Flusher:
    """Has the hub write for all writers that have something, with one callback for all of them.

    A callback for each would be a third of what a delivery of a broadcast costs without its
    ``send()``. One per server, made in the thread of its hub; holds no more than the server has
    connections.
    """

    __slots__ = ("_hub", "_waiting")

    def __init__(self) -> None:
        self._hub = gevent.get_hub()
        # Always the same list: another thread may be adding to it.
        self._waiting: list[Writer] = []

    def add(self, writer: Writer) -> None:
        """Have ``writer`` write soon; from anywhere, also another thread, never blocks."""
        self._waiting.append(writer)
        if gevent.get_hub() is not self._hub:
            self._hub.loop.run_callback_threadsafe(self._run)
        elif len(self._waiting) == 1:
            self._hub.loop.run_callback(self._run)

    def _run(self) -> None:
        waiting = self._waiting[:]
        del self._waiting[: len(waiting)]
        until, place = monotonic() + _TURN, 0
        try:
            while place < len(waiting) and (place == 0 or monotonic() < until):
                place += 1
                waiting[place - 1].flush_now()
        finally:  # a KeyboardInterrupt must not leave the others unwritten either
            if place < len(waiting):
                # In front of those that came meanwhile, whose callback is there already.
                alone = not self._waiting
                self._waiting[:0] = waiting[place:]
                if alone:
                    self._hub.loop.run_callback(self._run)


class Writer:
    """Serialises all writes of one connection: control frames first, then what its source has.

    Args:
        sock: The connected gevent socket.
        write_timeout: Seconds the peer may take to accept more; then the connection is cut.
        flusher: What has the hub write for several connections; None makes one for this alone.
    """

    __slots__ = (
        "_bare",
        "_both_closed",
        "_closing",
        "_drainer",
        "_flusher",
        "_flushing",
        "_half_closed",
        "_in_hub",
        "_lane",
        "_last",
        "_rest",
        "_scheduled",
        "_sock",
        "_source",
        "_tls",
        "_write_timeout",
        "dry",
        "lost",
        "on_over",
        "over",
        "stalled",
    )

    def __init__(self, sock: Any, *, write_timeout: float, flusher: Flusher | None = None) -> None:
        self._sock = sock
        self._flusher = flusher if flusher is not None else Flusher()
        self._write_timeout = write_timeout
        # Other attributes that it lacks, gevent's looks for at length.
        self._tls = type(sock) is not gevent.socket.socket and hasattr(sock, "do_handshake")
        self._in_hub = not self._tls
        # The one below gevent's, whose send() would wait where the kernel takes nothing.
        self._bare = getattr(sock, "_sock", sock)
        self._source: Callable[[], bytes] | None = None
        self._lane: list[bytes] = []
        self._rest = b""
        self._scheduled = False
        self._drainer: gevent.Greenlet[..., None] | None = None
        self._closing = False
        self._half_closed = self._both_closed = False
        self._flushing = False
        self._last = b""
        self.on_over: Callable[[], None] | None = None
        """Called once everything, the close included, was written. Must not block."""
        self.dry = False
        """Set by a source that has just given all it has; it need not be asked again."""
        self.over = False
        """Nothing more can be written; closed and half-closed, or cut."""
        self.stalled = False
        """It was cut because the peer accepted nothing for ``write_timeout`` seconds."""
        self.lost = False
        """Something that was taken from the source cannot have reached the peer, or may not."""

    def read_from(self, source: Callable[[], bytes] | None) -> None:
        """Set where the data comes from: a callable that returns the next bytes, b"" for none."""
        self._source = source

    def leave_hub(self) -> None:
        """Write from a greenlet only, for a source that may block or runs foreign code."""
        self._in_hub = False
        if self._scheduled:  # what was queued before goes the same way
            self._scheduled = False
            self.wake()

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self._tls

    @property
    def writes_in_hub(self) -> bool:
        """Whether the hub may write what there is."""
        return self._in_hub

    def cork(self) -> None:
        """Have :meth:`wake` do nothing until :meth:`flush_now`. Called in the hub."""
        self._scheduled = True

    @property
    def backlog(self) -> int:
        """How many frames wait in the lane ahead of the source."""
        return len(self._lane)

    @property
    def drainer(self) -> Any:
        """The greenlet that goes on where the hub may not; None at rest."""
        return self._drainer

    @property
    def busy(self) -> bool:
        """Whether something of the source was taken and is not written yet."""
        return bool(self._rest) or self._drainer is not None

    def write_frame(self, frame: bytes) -> None:
        """Queue ``frame`` ahead of the source's data; from any greenlet, never blocks."""
        if not self._closing:
            self._lane.append(frame)
            self.wake()

    def close(self, frame: bytes = b"") -> None:
        """Write what is queued, then ``frame``, then half-close; repeatable, never blocks."""
        if self._closing:
            return
        self._closing = True
        self._last = frame
        self.wake()

    def cut(self) -> None:
        """Stop writing and shut the connection down, which wakes its reader; never blocks."""
        if not self._both_closed:
            if self.busy or self._unconfirmed():
                self.lost = True
            self._shutdown(SHUT_RDWR)
            self._both_closed = True
        self.over = True
        self._closing = True
        self._lane.clear()
        self._rest = self._last = b""
        self._source = None

    def note_end(self, *, reset: bool) -> None:
        """Tell that the peer ended the connection; called by its reader, never blocks.

        Args:
            reset: Whether it was broken off, so that the peer may not have read everything.
        """
        self.lost = self.lost or reset or self._unconfirmed()
        # Then nothing is left to be asked of the system, or to be shut down.
        self._both_closed = self._both_closed or (self._half_closed and not self.lost)

    def _unconfirmed(self) -> bool:
        return unacknowledged(self._sock, half_closed=self._half_closed) > 0

    def wake(self) -> None:
        """Tell that there is something to write; from any greenlet and the hub, never blocks."""
        if self._scheduled or self._drainer is not None or self.over:
            return
        if self._in_hub:
            self._scheduled = True
            self._flusher.add(self)
        else:
            self._drainer = gevent.spawn(self._drain)

    def flush(self) -> None:
        """Write at once what the kernel takes; never blocks. Over TLS it is left to the drainer."""
        if self._in_hub:
            self.flush_now()
        else:
            self.wake()

    def wait_until_written(self) -> None:
        """Block the calling greenlet until what is queued was written, or the connection cut."""
        if self._scheduled:  # the flusher may have much to do before
            self.flush_now()
        if self._drainer is not None:
            self._drainer.join()

    def _next(self) -> bytes:
        while True:
            self.dry = False
            if self._rest:
                data, self._rest = self._rest, b""
                return data
            if self._lane:
                data = b"".join(self._lane)
                self._lane.clear()
                return data
            data = self._source() if self._source is not None else b""
            if data or not self._lane:  # else it has queued a frame, which goes first
                return self._with_last(data) if self._closing else data

    def _with_last(self, data: bytes) -> bytes:
        """Return ``data``, and behind the last of it what the connection closes with."""
        if self._lane or (data and not self.dry):
            return data
        last, self._last, self._source = self._last, b"", None
        return data + last

    def flush_now(self) -> None:
        """Write without blocking; runs in the hub, or in whoever has too much queued."""
        self._scheduled = False
        if not self._in_hub:  # left since it was put down for a turn there
            self.wake()
            return
        # Not in itself: a source may queue something and so come back here. All of it in one
        # function, for each call is a thirtieth of what a delivery takes.
        if self._drainer is not None or self.over or self._flushing:
            return
        self._flushing = True
        try:
            while True:
                if self._rest or self._lane or self._closing or self._source is None:
                    data = self._next()
                else:  # nearly always, and without the call
                    self.dry = False
                    data = self._source()
                    if self._closing:  # the source has asked for it just now
                        data = self._with_last(data)
                if not data:
                    if self._lane:
                        continue
                    break
                try:
                    sent = self._bare.send(data)
                except BlockingIOError:
                    sent = 0
                if sent < len(data):
                    self._rest = data[sent:]
                    self._drainer = gevent.spawn(self._drain)
                    return
                if self.dry and not (self._lane or self._closing):
                    return
            if self._closing:
                self._end()
        except NeedsGreenlet:
            self._in_hub = False
            self._drainer = gevent.spawn(self._drain)
        except OSError:
            self._fail()
        except Exception:
            log.exception("writing to a connection failed")
            self._fail()
        finally:
            self._flushing = False

    def _fail(self) -> None:
        self.lost = True
        self.cut()

    def _drain(self) -> None:
        """Write with blocking; runs in the drainer greenlet."""
        try:
            while data := self._next():
                view = memoryview(data)
                while view:
                    with gevent.Timeout(self._write_timeout):
                        view = view[self._sock.send(view) :]
                    if self.over:
                        return
            self._drainer = None
            if self._closing:
                self._end()
        except gevent.Timeout:
            self.stalled = True
            self._fail()
        except (OSError, ValueError):  # ValueError: TLS socket already shut down
            self._fail()
        except Exception:
            log.exception("writing to a connection failed")
            self._fail()
        finally:
            self._drainer = None

    def _end(self) -> None:
        if self.over:
            return
        self.over = True
        # A TLS socket cannot be half-closed: its peer ends the connection, or our deadline.
        if not self._tls:
            self._shutdown(SHUT_WR)
            self._half_closed = True
        if self.on_over is not None:
            self.on_over()

    def _shutdown(self, how: int) -> None:
        try:
            self._sock.shutdown(how)
        except (OSError, ValueError, AttributeError):
            log.debug("the connection was gone before it was shut down")
