"""The body of a request, in chunks that nobody can read in another way.

Of the line before a chunk, and of trailers, pywsgi checks little: an extension may hold a line
feed, the trailers a Content-Length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.pywsgi import Input, _InvalidClientInput  # type: ignore[attr-defined]  # private, and not in its stubs

from socketio.wire.httpcheck import find_trailer_fault, read_chunk_size

__all__ = ["StrictInput"]

_MAX_LINE = 8192
_MAX_TRAILERS = 65536
# How many bytes of size lines a body may have beyond as many as it has content, and how many bytes
# are read before others have their turn: what is there already is read without waiting.
_MAX_FRAMING = 65536
_TURN = 16384


class StrictInput(Input):
    """What an application reads the body from; what is wrong with it becomes a 400.

    .. versionadded:: 1.0
    """

    # Of the class, for most bodies have no chunks.
    _content = _framing = _turn = 0

    def read(self, length: int | None = None) -> bytes:
        """Return ``length`` bytes of the body, or all of it. Blocks."""
        return _without_early_end(super().read, length)

    def readline(self, size: int | None = None) -> bytes:
        """Return a line of the body, or ``size`` bytes of it. Blocks."""
        return _without_early_end(super().readline, size)

    def _Input__read_chunk_length(self, rfile: Any) -> int:  # noqa: N802 - pywsgi's own name
        line = rfile.readline(_MAX_LINE)
        size = read_chunk_size(line)
        if size is None:
            raise self._broken("malformed chunk")
        self._framing += len(line) + 2
        if self._framing > _MAX_FRAMING + self._content:
            raise self._broken("more size lines than content")
        self._content += size
        self._turn += len(line) + 64  # a short line costs as much as that
        if self._turn > _TURN:
            self._turn = 0
            gevent.sleep(0)
        if size == 0:
            self._skip_trailers(rfile)
        return size

    def _skip_trailers(self, rfile: Any) -> None:
        left = _MAX_TRAILERS
        while (line := rfile.readline(_MAX_LINE)) != b"\r\n":
            left -= len(line)
            fault = find_trailer_fault(line) if left >= 0 else "trailers too large"
            if fault is not None:
                raise self._broken(fault)

    def _broken(self, fault: str) -> OSError:
        self._chunked_input_error = True
        error: OSError = _InvalidClientInput(fault)
        return error


def _without_early_end(read: Callable[[int | None], bytes], size: int | None) -> bytes:
    try:
        return read(size)
    except OSError as exc:
        # pywsgi says so, and with no errno, that the client ended the body before its length. That
        # is no failure of the application, which would be a 500 and a traceback.
        if type(exc) is not OSError or exc.errno is not None:
            raise
        raise _InvalidClientInput(str(exc)) from None
