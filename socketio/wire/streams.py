"""What htmlfile and xhr-multipart put around a packet (sections 10 and 11). Pure.

Both carry the packets of many people inside a markup of their own, so that what ends a script
element, or a part, must never come out of a packet.
"""

from __future__ import annotations

import json
import re

from socketio.wire.message import to_utf8

__all__ = ["HTMLFILE_HEAD", "MULTIPART_TYPE", "htmlfile_script", "multipart_head", "multipart_part"]

_HTMLFILE = b"<html><body><script>var _ = function (msg) { parent.s._(msg, document); };</script>"
HTMLFILE_HEAD = _HTMLFILE.ljust(256)
"""The first chunk. Old engines run nothing of a page before they have this much of it."""

# "<!--" and "<script" switch an HTML parser to states in which the end tag of our own element
# would not count. No other "<" is touched: recorded conversations show them raw.
_OPENS_MARKUP = re.compile(r"<(?=!|script)", re.IGNORECASE)

_BOUNDARY = "--socketio"
MULTIPART_TYPE = 'multipart/x-mixed-replace;boundary="socketio"'
"""Content type of an xhr-multipart stream."""

_PART_HEAD = b"Content-Type: text/plain; charset=UTF-8\r\n\r\n"
_PART_END = b"\r\n--socketio\r\n"
_HYPHENS = "-\u2060-"


def htmlfile_script(text: str) -> bytes:
    """Return the element that hands ``text`` to the page: one chunk of the endless document."""
    literal = _OPENS_MARKUP.sub("\\\\u003c", json.dumps(text)).replace("/", "\\/")
    return f"<script>_({literal});</script>".encode()


def multipart_head(sessid: str) -> bytes:
    """Return how an xhr-multipart stream begins: a boundary, and the session id as first part."""
    return _BOUNDARY.encode() + b"\r\n" + multipart_part(sessid)


def multipart_part(text: str) -> bytes:
    """Return ``text`` as one part with the boundary behind it.

    Browsers look for the boundary anywhere, so a packet must not contain it, or one user could
    write the packets of another. In JSON it is escaped, which changes nothing; a plain message,
    or an endpoint, gets an invisible character (U+2060) between its hyphens.
    """
    if _BOUNDARY in text:
        head, colon, data = _split_data(text)
        hyphens = "-\\u002d" if text[:1] in ("4", "5", "6") else _HYPHENS
        head = head.replace(_BOUNDARY, f"{_HYPHENS}socketio")
        text = head + colon + data.replace(_BOUNDARY, f"{hyphens}socketio")
    return _PART_HEAD + to_utf8(text) + _PART_END


def _split_data(text: str) -> tuple[str, str, str]:
    """Cut a packet in front of its data, which stands behind the third colon."""
    fields = text.split(":", 3)
    return ":".join(fields[:3]), ":" if len(fields) > 3 else "", "".join(fields[3:])
