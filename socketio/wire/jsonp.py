"""What jsonp-polling and the JSONP handshake put around a text, and take off one. Pure.

The answer is a script that runs in somebody's page: nothing goes into it but a number we have
checked and a string literal of ASCII characters.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from socketio.errors import PayloadError

__all__ = ["form_text", "jsonp_error", "jsonp_script"]

# The one field that counts, and room for those that an old browser or a proxy may add.
_MAX_FIELDS = 100


def jsonp_script(index: str, text: str) -> str:
    """Return the script that hands ``text`` to callback ``index`` of the page (section 9).

    ASCII-only JSON: U+2028 and U+2029 raw would end the literal in old engines.

    Args:
        index: Digits, from :func:`socketio.wire.routes.jsonp_index`; nothing else may ever go in.
        text: Any text; a lone surrogate stays one.
    """
    return f"io.j[{index}]({json.dumps(text)});"


def jsonp_error(index: str, text: str) -> str:
    """Return the script that reports a failed handshake to callback ``index`` (section 2.4)."""
    return f"io.j[{index}](new Error({json.dumps(text)}));"


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
