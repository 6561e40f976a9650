"""xhr-multipart: one endless response of many parts, for the Firefoxes of before WebSocket."""

from __future__ import annotations

from typing import Any

from socketio.transports.streaming import StreamingTransport
from socketio.wire.streams import MULTIPART_TYPE, multipart_head, multipart_part

__all__ = ["XHRMultipartTransport"]


class XHRMultipartTransport(StreamingTransport):
    """Section 11 of the protocol text."""

    name = "xhr-multipart"
    content_type = MULTIPART_TYPE

    def head(self, socket: Any) -> bytes:
        """Return the first boundary, and the session id as the first part."""
        return multipart_head(socket.sessid)

    def frame(self, text: str) -> bytes:
        """Return ``text`` as a part, with the boundary that lets the browser hand it out."""
        return multipart_part(text)
