"""What jsonp-polling and the JSONP handshake put around a text, and take off one. Pure.

The answer is a script that runs in somebody's page: nothing goes into it but a number we have
checked and a JSON string literal.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from socketio.errors import PayloadError
from socketio.wire.payload import MARKER

__all__ = ["form_text", "jsonp_error", "jsonp_script"]

# What stands between packets of a payload. Clients that are no browsers look for it before they
# read the literal; to a browser it makes no difference.
_MARKER = "\ufffd"
# The one field that counts, and room for those that an old browser or a proxy may add.
_MAX_FIELDS = 100


def jsonp_script(index: str, text: str) -> str:
    """Return the script that hands ``text`` to callback ``index`` of the page (section 9).

    ASCII-only JSON but for U+FFFD: U+2028 and U+2029 raw would end the literal in old engines.

    Args:
        index: Digits, from :func:`socketio.wire.routes.jsonp_index`; nothing else may ever go in.
        text: Any text; a lone surrogate stays one.
    """
    return f"io.j[{index}]({_literal(text)});"


def jsonp_error(index: str, text: str) -> str:
    """Return the script that reports a failed handshake to callback ``index`` (section 2.4)."""
    return f"io.j[{index}](new Error({_literal(text)}));"


def form_text(body: bytes) -> str:
    """Return the packet or payload in the form of a jsonp-polling POST (section 9).

    It is the field ``d``, and in that a JSON string: browsers change the line ends of a form.

    Raises:
        PayloadError: No such field or more than one, broken UTF-8, or no JSON string in it.
    """
    try:
        fields = parse_qs(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise PayloadError("no form, or not in UTF-8") from None
    values = fields.get("d", [])
    if len(values) != 1:
        raise PayloadError("a form needs the field 'd', once")
    try:
        text = json.loads(values[0])
    except (ValueError, RecursionError):
        raise PayloadError("the field 'd' is not JSON") from None
    if not isinstance(text, str):
        raise PayloadError("the field 'd' is no JSON string")
    return text


def _literal(text: str) -> str:
    # U+FFFD stays raw: socketIO-client, in Python, looks for it before it reads the literal.
    return f'"{MARKER.join([json.dumps(part)[1:-1] for part in text.split(MARKER)])}"'
