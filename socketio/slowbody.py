"""The body of a request of the application's: as long as it may be, but not as slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

__all__ = ["BodyTimeout", "SlowBody"]

_CHUNK = 65536
# How much is read before others have their turn: what is there already is read without waiting.
_TURN = 1 << 18


class BodyTimeout(TimeoutError):  # noqa: N818 - as in the standard library
    """The client pauses too long in the middle of the body of its request.

    Raised out of ``environ["wsgi.input"]``. An application may let it pass: the client is answered
    408 then.

    .. versionadded:: 1.0
    """


class SlowBody:
    """Reads from a connection, and waits for each piece only so long.

    Stands between pywsgi's input and the connection, in the greenlet of the request.

    Args:
        rfile: The buffered reader of the connection.
        seconds: How long nothing may come.
        on_late: Called once, before that is raised.
    """

    def __init__(self, rfile: Any, seconds: float, on_late: Callable[[], None]) -> None:
        self._rfile = rfile
        self._seconds = seconds
        self._on_late = on_late
        self._turn = 0
        self.late: BodyTimeout | None = None
        """What was raised, once it was."""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer at the end of the connection. Blocks."""
        parts: list[bytes] = []
        while size > 0 and (data := self._wait(self._rfile.read1, min(size, _CHUNK))):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        """Return a line, or what there is of it up to ``size``. Blocks."""
        parts: list[bytes] = []
        while size != 0 and (waiting := self._wait(self._rfile.peek, 1)):
            end = waiting.find(b"\n") + 1 or len(waiting)
            piece = self._rfile.read(end if size < 0 else min(end, size))
            parts.append(piece)
            size -= len(piece) if size > 0 else 0
            if piece.endswith(b"\n"):
                break
        return b"".join(parts)

    def _wait(self, read: Any, size: int) -> bytes:
        if self.late is not None:
            raise self.late
        late = BodyTimeout("the client did not send its body in time")
        try:
            with gevent.Timeout(self._seconds, late):
                data: bytes = read(size)
        except BodyTimeout as exc:
            if exc is late:
                self.late = late
                self._on_late()
            raise
        self._turn += len(data) + 1024  # a byte costs as much as that
        if self._turn > _TURN:
            self._turn = 0
            gevent.sleep(0)
        return data
