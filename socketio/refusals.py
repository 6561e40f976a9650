"""What is refused: an answer that says what to do, and a note in the server's journal."""

from __future__ import annotations

from typing import Any

from socketio.handshake import BAD_ORIGIN, refuse_handshake
from socketio.transports.base import Response, error_response
from socketio.wire.routes import Exchange, Handshake, NewerClient, Route, WrongVersion

__all__ = ["let_origin_read", "refuse_origin", "refuse_transport", "refuse_version"]


def refuse_origin(handler: Any, route: Route) -> Response:
    """Return the answer to a page of an origin that is not allowed, in the dress of ``route``."""
    environ = handler.environ
    origin = environ.get("HTTP_ORIGIN") or environ.get("HTTP_REFERER") or "unknown"
    handler.server.journal.refused(
        "origin", "refused the origin %.100r: allow it with origins=[...]", origin
    )
    why = ": this server allows its own origin and those in its setting 'origins'"
    if isinstance(route, Handshake):
        return refuse_handshake(route, "403 Forbidden", BAD_ORIGIN, why)
    return error_response("403 Forbidden", BAD_ORIGIN + why, close=isinstance(route, Exchange))


def refuse_version(handler: Any, route: WrongVersion | NewerClient, speaks: str) -> Response:
    """Return the answer to a client of another protocol, readable by a page of ours."""
    if isinstance(route, WrongVersion):
        kind, text = "protocol version", "Protocol version not supported. This server speaks "
        text += f"{speaks}."
    else:
        kind, text = "client of Engine.IO", f"This server speaks {speaks}; a client of "
        text += "Socket.IO 1 or later cannot connect to it. Use socket.io-client 0.9."
    handler.server.journal.refused(
        "version", "refused a %s %.20r: this server speaks %s", kind, route.version, speaks
    )
    response = error_response("400 Bad Request", text, close=True)
    if handler.server.origin_policy.allows(handler.environ):
        let_origin_read(handler, response)
    return response


def refuse_transport(handler: Any, route: Exchange) -> Response:
    """Return the answer to a request for a transport that is unknown or switched off."""
    offered = ", ".join(handler.server.transports)
    handler.server.journal.refused(
        "transport", "refused the transport %.50r: offered are %s", route.transport, offered
    )
    return error_response(
        "400 Bad Request", f"transport not available here: use {offered}", close=True
    )


def let_origin_read(handler: Any, response: Response) -> None:
    """Add the headers without which a page of an allowed origin may not read the answer."""
    headers = handler.server.origin_policy.headers(handler.environ)
    if headers and not any(name == "Access-Control-Allow-Origin" for name, _ in response.headers):
        response.headers += headers
