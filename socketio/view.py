"""The application's view of a session: one call, and an answer that nobody reads."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import gevent

from socketio.session.lifecycle import DisconnectReason, Event

__all__ = ["run_view", "session_environ"]

log = logging.getLogger("socketio.handler")


def session_environ(request: dict[str, Any], socket: Any) -> dict[str, Any]:
    """Return what the application sees: the request, without what belongs to the connection."""
    environ: dict[str, Any] = {**request, "socketio": socket}
    environ["wsgi.input"] = io.BytesIO()
    environ["wsgi.input_terminated"] = True
    # Werkzeug answers any request that asks for an upgrade with 400 before the view runs.
    environ.pop("HTTP_UPGRADE", None)
    tokens = environ.get("HTTP_CONNECTION", "").split(",")
    kept = [token.strip() for token in tokens if token.strip().lower() != "upgrade"]
    environ["HTTP_CONNECTION"] = ", ".join(kept)
    return environ


class _StartResponse:
    """Notes the status of the answer.

    A view keeps it for the life of its session: a function and its list take 200 bytes more.
    """

    __slots__ = ("status",)

    def __init__(self) -> None:
        self.status = ""

    def __call__(self, line: str, _headers: Any, _exc_info: Any = None) -> Callable[[bytes], None]:
        self.status = line
        return _drop


def _drop(_data: bytes) -> None:
    """Take the place of the ``write()`` of WSGI."""


def run_view(application: Callable[..., Any], environ: dict[str, Any], socket: Any) -> None:
    """Call the application for a session and throw its answer away; ends a session it left alone.

    What the application raises is logged here: there is no request it could become the answer to.
    """
    start_response = _StartResponse()
    failed = False
    try:
        result = application(environ, start_response)
        try:
            for _ in result or ():  # a view that serves a session often returns nothing
                pass
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
    except (Exception, gevent.Timeout):  # noqa: BLE001 - foreign code
        failed = True
        socket.journal.failed(
            "view_failed",
            log,
            "session %s: the application failed",
            socket.short_id,
            level=logging.ERROR,
            exc_info=True,
        )
    if not socket.is_unmanaged():
        return
    if not failed:
        socket.journal.failed(
            "view_unmanaged",
            log,
            "session %s: the application answered %r for its Socket.IO URL instead of calling "
            "socketio_manage()",
            socket.short_id,
            start_response.status or "nothing",
        )
    # A view that failed may do better next time; one that returned does not want the client. What
    # raises in a framework's view comes out as an answer.
    unwanted = not (failed or start_response.status.startswith("5"))
    socket._signal(Event.APP_ENDED, DisconnectReason.APP_ENDED, farewell=unwanted)
