"""jsonp-polling: polls as scripts, posts as forms, for pages that may use nothing better."""

from __future__ import annotations

from typing import Any

from socketio.transports.base import Response
from socketio.transports.polling import XHRPollingTransport
from socketio.wire.jsonp import form_text, jsonp_script
from socketio.wire.message import to_utf8
from socketio.wire.payload import encode_payload
from socketio.wire.routes import jsonp_index

__all__ = ["JSONPolling"]


class JSONPolling(XHRPollingTransport):
    """Section 9 of the protocol text."""

    name = "jsonp-polling"
    has_origin = False

    def __init__(self, handler: Any, config: Any) -> None:
        super().__init__(handler, config)
        self.index = jsonp_index(handler.environ.get("QUERY_STRING", ""), "i") or "0"

    def encode_payload(self, messages: list[str]) -> bytes:
        """Return the payload; a lone surrogate stays one, for a script can express it."""
        return encode_payload(messages).encode("utf-8", "surrogatepass")

    def dress(self, payload: bytes) -> bytes:
        """Return the script that hands ``payload`` to the callback of the page."""
        return jsonp_script(self.index, payload.decode("utf-8", "surrogatepass")).encode()

    def response_headers(self) -> list[tuple[str, str]]:
        """Return the headers of a script that no browser may take for anything else."""
        return [
            ("Content-Type", "text/javascript; charset=UTF-8"),
            ("Connection", "Keep-Alive"),
            ("X-XSS-Protection", "0"),
            ("X-Content-Type-Options", "nosniff"),
        ]

    def undress(self, body: bytes) -> bytes | str:
        """Return the payload in the form of a POST.

        Raises:
            PayloadError: No such form, or no text in it.
        """
        return form_text(body)

    def refuse_session(self, request_method: str) -> Response | None:
        """Answer a poll with a script, for a page sees no status of one."""
        if request_method != "GET":
            return super().refuse_session(request_method)
        body = self.dress(to_utf8(self.handler.dialect.unknown_session))
        return Response("200 OK", self.response_headers(), body)
