"""htmlfile: one endless page in a hidden frame, for the Internet Explorers before 10."""

from __future__ import annotations

from typing import Any

from socketio.transports.base import Response
from socketio.transports.streaming import StreamingTransport
from socketio.wire.streams import HTMLFILE_HEAD, htmlfile_script

__all__ = ["HTMLFileTransport"]


class HTMLFileTransport(StreamingTransport):
    """Section 10 of the protocol text."""

    name = "htmlfile"
    has_origin = False
    content_type = "text/html; charset=UTF-8"

    def head(self, _socket: Any) -> bytes:
        """Return the beginning of the page."""
        return HTMLFILE_HEAD

    def frame(self, text: str) -> bytes:
        """Return the script element that hands ``text`` to the page."""
        return htmlfile_script(text)

    def refuse_session(self, request_method: str) -> Response | None:
        """Answer a GET with a page, for a frame sees no status of one."""
        if request_method != "GET":
            return super().refuse_session(request_method)
        body = self.head(None) + self.frame(self.handler.dialect.unknown_session)
        return Response("200 OK", self.response_headers(), body)
