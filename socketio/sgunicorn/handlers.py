"""One HTTP request under gunicorn: counted, and written to gunicorn's access log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from socketio.accesslog import loggable
from socketio.handler import SocketIOHandler
from socketio.sgunicorn.ggevent import PyWSGIHandler
from socketio.websocket.handler import WebSocketHandler

__all__ = ["GunicornWSGIHandler", "GunicornWebSocketWSGIHandler"]


class GunicornWSGIHandler(PyWSGIHandler, SocketIOHandler):  # type: ignore[misc]  # no annotations
    """:class:`~socketio.handler.SocketIOHandler` as gunicorn wants it.

    Its applications find ``RAW_URI`` and ``gunicorn.sock`` in the environ, its access log gets a
    line for each request and for each WebSocket, when that ends.
    """

    server: Any
    environ: Any
    _travels_light = True

    def get_environ(self) -> dict[str, Any]:
        """Return the WSGI environment. The request counts for ``--max-requests``."""
        self.server.worker.count_request()
        environ: dict[str, Any] = super().get_environ()
        return environ

    def log_request(self) -> None:
        """Hand the request to gunicorn's access log, whichever that is.

        What the client sent is escaped and cut, session ids are shortened.
        """
        seconds = max(0.0, self.time_finish - self.time_start) if self._was_read() else 0.0
        self.server.log.access(
            _Answer(self), _Question(self), _LoggedEnviron(self), timedelta(seconds=seconds)
        )

    def _was_read(self) -> bool:
        """Tell whether there was a request; otherwise all that is here is of the one before."""
        return self.environ is not None and self._orig_status is not None


class GunicornWebSocketWSGIHandler(WebSocketHandler):
    """Upgrades connections; the name that old applications derive from."""

    _travels_light = True


# gunicorn asks for these only when there is an access log: what is not asked for costs nothing.


class _Answer:
    """The answer as gunicorn's log wants to see it."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self.sent: int = handler.response_length

    @property
    def status(self) -> str:
        """The status line, without the version."""
        status = self._handler._orig_status or self._handler.status or "000"
        return status.decode("latin-1") if isinstance(status, bytes) else str(status)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What was sent, as text; pywsgi has bytes, of which gunicorn finds none by name."""
        if not self._handler._was_read():
            return []
        pairs = self._handler.response_headers or ()
        return [(_text(name), loggable(_text(value))) for name, value in pairs]


class _Question:
    """The request likewise."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What came."""
        if not self._handler._was_read():
            return []
        # Not the header that was read: a WebSocket may have forgotten it.
        return [
            (name.removeprefix("HTTP_").replace("_", "-"), loggable(value))
            for name, value in self._handler.environ.items()
            if name.startswith(("HTTP_", "CONTENT_")) and isinstance(value, str)
        ]


class _LoggedEnviron(Mapping[str, Any]):
    """The environ of a request, as a log may have it."""

    def __init__(self, handler: Any) -> None:
        self._environ = handler.environ if handler._was_read() else _malformed(handler)

    def __getitem__(self, name: str) -> Any:
        value = self._environ[name]
        return loggable(value) if isinstance(value, str) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def _malformed(handler: Any) -> dict[str, str]:
    """Return what can be told of something that is no request."""
    line = (handler.requestline or "").rstrip("\r\n")
    method, target, version = [*line.split(" ", 2), "", ""][:3]
    address = handler.client_address
    environ = {"REQUEST_METHOD": method, "RAW_URI": target, "SERVER_PROTOCOL": version}
    environ.update(PATH_INFO="-", QUERY_STRING="")
    if isinstance(address, tuple):
        environ["REMOTE_ADDR"] = str(address[0])
    return environ


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
