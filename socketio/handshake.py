"""The first request of a client: who may have a session, and the session it gets."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from socketio.errors import UnauthorizedError
from socketio.transports.base import Response, error_response
from socketio.wire.jsonp import jsonp_error, jsonp_script
from socketio.wire.routes import Handshake

__all__ = ["BAD_ORIGIN", "answer_handshake", "refuse_handshake", "script_response"]

log = logging.getLogger("socketio.handler")

# These three texts are part of the protocol (section 2.4): clients show them, and look for them.
BAD_ORIGIN = "handshake bad origin"
_UNAUTHORIZED = "handshake unauthorized"
_ERROR = "handshake error"

# A cookie may have 4 KiB; nothing longer of a handshake is worth keeping for the session's life.
_MAX_KEPT_VALUE = 4096
_MAX_KEPT = 16384
# What all handshakes nobody came for yet may keep together, and the share that one may take of what
# is left of it.
_MAX_KEPT_BY_ALL = 2_000_000
_SHARE = 64


def answer_handshake(handler: Any, route: Handshake) -> Response:
    """Make a session and return the answer that names it, or the refusal.

    Called in the greenlet of the connection; blocks as long as the application's ``authorize``.
    """
    server, environ = handler.server, handler.environ
    if server.stopping or _is_full(server):
        return _try_later()
    try:
        granted = server.authorize(environ)
        if isinstance(granted, Mapping):
            granted = dict(granted)
    except UnauthorizedError as exc:
        server.journal.refused(
            "authorize", "refused a handshake: %.200s", str(exc) or "unauthorized"
        )
        return refuse_handshake(route, "403 Forbidden", _UNAUTHORIZED)
    except BaseException as exc:
        if isinstance(exc, KeyboardInterrupt) or server.stopping:
            raise
        server.journal.failed(
            "authorize_failed", log, "authorize() failed", level=logging.ERROR, exc_info=True
        )
        return refuse_handshake(route, "500 Internal Server Error", _ERROR)
    if granted is False:
        server.journal.refused("authorize", "refused a handshake: authorize() returned False")
        return refuse_handshake(route, "403 Forbidden", _UNAUTHORIZED)
    if not (granted is None or granted is True or isinstance(granted, dict)):
        server.journal.failed(
            "authorize_failed",
            log,
            "authorize() returned %.100r: return True or a dictionary to let a client in, False "
            "to refuse it",
            granted,
            where="verdict",
            level=logging.ERROR,
        )
        return refuse_handshake(route, "500 Internal Server Error", _ERROR)
    if server.stopping or _is_full(server):  # authorize() may have taken its time
        return _try_later()
    return _welcome(handler, route, granted if isinstance(granted, dict) else {})


def _is_full(server: Any) -> bool:
    limit = server.full_limit()
    if limit is not None:
        server.journal.limited(limit, log, "refused a handshake: %s is reached", limit)
    return limit is not None


def _welcome(handler: Any, route: Handshake, granted: Mapping[str, Any]) -> Response:
    server, environ = handler.server, handler.environ
    socket = server.get_socket()
    socket.handshake_environ = _worth_keeping(environ, server.pending_size)
    socket.session.update(granted)
    server.expect_client(socket)
    server.journal.sessions_opened += 1
    environ["socketio"] = socket
    body = socket.dialect.handshake(socket.sessid, socket.settings, server.transports)
    if route.jsonp is not None:
        return script_response(jsonp_script(route.jsonp, body))
    headers = [("Content-Type", "text/plain")]
    if "HTTP_ORIGIN" in environ:
        headers += server.origin_policy.preflight_headers(environ)
    return Response("200 OK", headers, body.encode())


def _worth_keeping(environ: Mapping[str, Any], kept_by_all: int) -> dict[str, str]:
    kept: dict[str, str] = {}
    room = min(_MAX_KEPT, (_MAX_KEPT_BY_ALL - kept_by_all) // _SHARE)
    for key, value in environ.items():
        if isinstance(value, str):
            size = len(value)
            if size <= room and size <= _MAX_KEPT_VALUE:
                kept[key] = value
                room -= size
    return kept


def _try_later() -> Response:
    response = error_response("503 Service Unavailable", "too many sessions")
    response.headers.append(("Retry-After", "5"))
    return response


def refuse_handshake(route: Handshake, status: str, text: str, explanation: str = "") -> Response:
    """Return the refusal of a handshake, as a script where only a script is seen.

    Args:
        route: What was asked.
        status: The status line where one can be seen.
        text: The text of the protocol.
        explanation: What to add to it for people; clients without a status get only ``text``.
    """
    if route.jsonp is not None:
        return script_response(jsonp_error(route.jsonp, text))
    return error_response(status, text + explanation)


def script_response(script: str) -> Response:
    """Return the answer to a request that a script element made."""
    headers = [("Content-Type", "application/javascript"), ("X-Content-Type-Options", "nosniff")]
    return Response("200 OK", headers, script.encode())
