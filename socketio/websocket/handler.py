"""The upgrade from HTTP to WebSocket: the default ``ws_handler_class`` of the server."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

import geventwebsocket.handler
from gevent.socket import SO_ERROR, SOL_SOCKET
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
# How clients ask that we know of; what else is sound, the library decides.
_VERSIONS = ("13", *_SAME_AS_13)
_CONNECTIONS = ("upgrade", "keep-alive, upgrade")
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SWITCHING = "101 Switching Protocols"
_UPGRADED = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
_HEAD = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)
# How an answer goes through the base class. A subclass that has one of these its own sees ours too.
_WRITERS = ("start_response", "write", "finalize_headers", "_write_with_headers")
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

    _travels_light = True
    _writes_at_once = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # As in SocketIOHandler: each class has to say it for itself.
        cls._travels_light = vars(cls).get("_travels_light", False)
        base = geventwebsocket.handler.WebSocketHandler
        cls._writes_at_once = all(getattr(cls, name) is getattr(base, name) for name in _WRITERS)

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
        accept = _accept_plainly(self.environ)
        if accept is None:
            response = _handshake(self.environ)
            if response.status_code != 101:
                return self._refuse_upgrade(response)
            accept = response.headers["Sec-WebSocket-Accept"]
        settings = Settings.read(getattr(self.server, "config", {}))
        early = take_early_bytes(self)
        self.websocket = WebSocket(
            self.environ,
            self.socket,
            self,
            early=early,
            max_size=settings.max_message_size,
            write_timeout=settings.write_timeout,
        )
        self.environ["wsgi.websocket"] = self.websocket
        self.environ["wsgi.websocket_version"] = self.environ["HTTP_SEC_WEBSOCKET_VERSION"]
        self._switch_protocols(accept, early)
        return None

    def _switch_protocols(self, accept: str, early: bytes) -> None:
        headers = [*_UPGRADED, ("Sec-WebSocket-Accept", accept)]
        if not self._writes_at_once:
            self.start_response(_SWITCHING, headers)
            return
        # As the base class would by start_response() and write(), in half of 40 us.
        self.status, self._orig_status, self.code = _SWITCHING.encode(), _SWITCHING, 101
        self.response_headers = [(name.encode(), value.encode()) for name, value in headers]
        self.headers_sent = self.connection_upgraded = self.close_connection = True
        head = _HEAD % accept.encode()
        # An answer to what came early may stand in the lane, and who is no transport of ours may
        # write to the connection itself.
        if early or not getattr(self, "prevent_wsgi_call", False):
            self._sendall(head)
            return
        # In one write with the greeting of a session: two take 20 us more. But not for nobody:
        # a client that is gone by now may still come back to its session another way.
        failure = self.socket.getsockopt(SOL_SOCKET, SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))
        self.response_length += len(head)
        self.websocket.writer.write_frame(head)

    def _refuse_upgrade(self, response: Any) -> list[bytes]:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        if response.status_code in (400, 426):
            headers.append(("Sec-WebSocket-Version", "13"))
        self.start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [bytes(response.body or b"")]

    @property
    def logger(self) -> logging.Logger:
        """Where the base class logs; it would otherwise attach a handler of its own."""
        return log


def is_upgrade(environ: Mapping[str, Any]) -> bool:
    """Tell whether the request asks for a WebSocket at all."""
    return _has_token(environ, "HTTP_CONNECTION", "upgrade") and _has_token(
        environ, "HTTP_UPGRADE", "websocket"
    )


def _has_token(environ: Mapping[str, Any], key: str, token: str) -> bool:
    value = environ.get(key, "").lower()
    return value == token or token in [part.strip() for part in value.split(",")]


def _accept_plainly(environ: Mapping[str, Any]) -> str | None:
    """Return the answer to the key of a handshake as it should be, None for any other.

    The library takes 60 us longer to find out that nothing is wrong.
    """
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
    if (
        environ.get("SERVER_PROTOCOL") != "HTTP/1.1"
        or environ.get("HTTP_SEC_WEBSOCKET_VERSION") not in _VERSIONS
        or environ.get("HTTP_UPGRADE", "").lower() != "websocket"
        or environ.get("HTTP_CONNECTION", "").lower() not in _CONNECTIONS
        or "CONTENT_LENGTH" in environ
        or "HTTP_TRANSFER_ENCODING" in environ
        or _KEY.fullmatch(key) is None
    ):
        return None
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


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
    rfile = handler.rfile
    # Behind a header that came alone the buffer is known to be empty; to find that out takes 12 us.
    early = b"" if getattr(handler, "behind", -1) == 0 else _peek_now(rfile, handler.socket)
    rfile.close()
    handler.rfile = handler.environ["wsgi.input"] = io.BytesIO()
    # pywsgi keeps the request's input for a last look at the end; that would keep the buffer too.
    handler.wsgi_input.rfile = handler.rfile
    return early


def _peek_now(rfile: Any, sock: Any) -> bytes:
    timeout = sock.gettimeout()
    sock.settimeout(0.0)
    try:
        # peek() hands out the whole buffer, and reads only when that is empty.
        return bytes(rfile.peek())
    except (BlockingIOError, OSError):
        return b""
    finally:
        sock.settimeout(timeout)
