"""What the suite talks to: an application that echoes, and nothing of Socket.IO."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gevent.pywsgi import WSGIServer
from geventwebsocket.exceptions import WebSocketError

from socketio.websocket.handler import WebSocketHandler


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Send every message back, text as text and binary as binary."""
    ws = environ.get("wsgi.websocket")
    if ws is None:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"no websocket"]
    with contextlib.suppress(WebSocketError):  # the peer went while its echo was under way
        while (message := ws.receive()) is not None:
            ws.send(message)
    return []


@contextlib.contextmanager
def echoing() -> Iterator[WSGIServer]:
    """Run gevent's own server with our handler, for :func:`echo`, on a port of its own."""
    address = ("127.0.0.1", 0)
    server = WSGIServer(address, echo, handler_class=WebSocketHandler, log=None, error_log=None)
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=2)
