"""What all transports share: how they are made, and the answer they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PLAIN_TEXT", "BaseTransport", "Response", "error_response"]

PLAIN_TEXT = ("Content-Type", "text/plain; charset=UTF-8")


@dataclass(slots=True)
class Response:
    """A small HTTP answer; the handler adds length, date and access-control headers.

    ``done`` is called once, with True when all of it was handed to the network. ``close`` ends
    the connection behind it, unread rest of the request included.
    """

    status: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    done: Callable[[bool], None] | None = None
    close: bool = False


def error_response(status: str, text: str, *, close: bool = False) -> Response:
    """Return an answer that tells in one line what was wrong."""
    return Response(status, [PLAIN_TEXT], text.encode(), close=close)


class BaseTransport:
    """One request of one transport; made by the handler for each.

    Args:
        handler: The :class:`~socketio.handler.SocketIOHandler` of the request.
        config: The settings of the server.
    """

    name = ""
    """The transport's id in URLs and in the handshake."""
    upgrades = False
    """Whether its requests become WebSockets."""
    has_origin = True
    """Whether browsers send an Origin with its requests where they are for another site.

    Without one the page that asks is known by its Referer alone.
    """

    def __init__(self, handler: Any, config: Any) -> None:
        self.handler = handler
        self.config = config

    def do_exchange(self, socket: Any, request_method: str) -> Response | None:
        """Carry packets between the request and the session ``socket``.

        Called in the greenlet of the connection; may block as long as the transport does.

        Returns:
            The answer; None when the transport wrote it itself.
        """
        raise NotImplementedError

    def refuse_session(self, request_method: str) -> Response | None:  # noqa: ARG002 - for overrides
        """Answer a request whose session is unknown or over, so that the client makes a new one.

        Called in the greenlet of the connection. This one answers 400, which the 0.9 client takes
        for a lost connection; transports override it whose clients see no status (section 17).

        Returns:
            The answer; None when the transport wrote it itself.
        """
        return error_response("400 Bad Request", "session unknown or over", close=True)
