"""The upgrade from HTTP to WebSocket: the default ``ws_handler_class`` of the server."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from typing import Any

import geventwebsocket.handler
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol

from socketio.config import Settings
from socketio.websocket.connection import WebSocket

__all__ = ["WebSocketHandler", "is_upgrade", "take_early_bytes"]

log = logging.getLogger("socketio.transport")

# The drafts 7 and 8 have the frames and the handshake of version 13; only the origin's header
# has another name there.
_SAME_AS_13 = ("7", "8")
_HEADERS = {
    "HTTP_CONNECTION": "Connection",
    "HTTP_UPGRADE": "Upgrade",
    "HTTP_SEC_WEBSOCKET_KEY": "Sec-WebSocket-Key",
    "HTTP_SEC_WEBSOCKET_VERSION": "Sec-WebSocket-Version",
}


class WebSocketHandler(geventwebsocket.handler.WebSocketHandler):  # type: ignore[misc]  # no annotations
    """gevent-websocket's handler with a strict handshake and our :class:`WebSocket`.

    As there, ``prevent_wsgi_call = True`` before ``run_application()`` upgrades the connection
    without calling the application, and ``environ['wsgi.websocket']`` tells whether it worked.

    .. versionadded:: 1.0
    """

    def run_websocket(self) -> None:
        """Call the application with the WebSocket, and end the connection properly after it."""
        websocket = self.websocket
        try:
            super().run_websocket()
        finally:
            if not getattr(self, "prevent_wsgi_call", False):
                websocket.finish()

    def upgrade_websocket(self) -> list[bytes] | None:
        """Answer the handshake; None when the connection is upgraded, else the body of a refusal.

        Called by ``run_application()`` in the greenlet of the connection.
        """
        if self.environ["REQUEST_METHOD"] != "GET" or not is_upgrade(self.environ):
            return None  # an ordinary request: the application answers it
        response = _handshake(self.environ)
        if response.status_code != 101:
            body = bytes(response.body or b"")
            headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
            if response.status_code in (400, 426):
                headers.append(("Sec-WebSocket-Version", "13"))
            self.start_response(f"{response.status_code} {response.reason_phrase}", headers)
            return [body]
        settings = Settings.read(getattr(self.server, "config", {}))
        self.websocket = WebSocket(
            self.environ,
            self.socket,
            self,
            early=take_early_bytes(self),
            max_size=settings.max_message_size,
            write_timeout=settings.write_timeout,
        )
        self.environ["wsgi.websocket"] = self.websocket
        self.environ["wsgi.websocket_version"] = self.environ["HTTP_SEC_WEBSOCKET_VERSION"]
        wanted = ("Upgrade", "Connection", "Sec-WebSocket-Accept")
        self.start_response(
            "101 Switching Protocols", [(name, response.headers[name]) for name in wanted]
        )
        return None

    @property
    def logger(self) -> logging.Logger:
        """Where the base class logs; it would otherwise attach a handler of its own."""
        return log


def is_upgrade(environ: Mapping[str, Any]) -> bool:
    """Tell whether the request asks for a WebSocket at all."""
    return "upgrade" in _tokens(environ, "HTTP_CONNECTION") and "websocket" in _tokens(
        environ, "HTTP_UPGRADE"
    )


def _tokens(environ: Mapping[str, Any], key: str) -> list[str]:
    return [token.strip().lower() for token in environ.get(key, "").split(",")]


def _handshake(environ: Mapping[str, Any]) -> Any:
    core = ServerProtocol(logger=log)
    if environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return core.reject(400, "A WebSocket needs HTTP/1.1.\n")
    if environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ:
        return core.reject(400, "A WebSocket handshake has no body.\n")
    headers = Headers()
    for key, name in _HEADERS.items():
        if key in environ:
            headers[name] = environ[key]
    if headers.get("Sec-WebSocket-Version") in _SAME_AS_13:
        del headers["Sec-WebSocket-Version"]
        headers["Sec-WebSocket-Version"] = "13"
    return core.accept(Request(environ.get("PATH_INFO", "/"), headers))


def take_early_bytes(handler: Any) -> bytes:
    """Return what the client sent behind its request, and free the buffer that held it.

    Never blocks. Afterwards ``handler.rfile`` is empty and the connection is ours alone.
    """
    rfile, sock = handler.rfile, handler.socket
    timeout = sock.gettimeout()
    sock.settimeout(0.0)
    try:
        # peek() hands out the whole buffer, and reads only when that is empty.
        early = bytes(rfile.peek())
    except (BlockingIOError, OSError):
        early = b""
    finally:
        sock.settimeout(timeout)
    rfile.close()
    handler.rfile = handler.environ["wsgi.input"] = io.BytesIO()
    # pywsgi keeps the request's input for a last look at the end; that would keep the buffer too.
    handler.wsgi_input.rfile = handler.rfile
    return early
