"""From bytes to the texts that the wire can hold."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def text_of(data: bytes) -> str:
    """Return ``data`` as text, any bytes: what is no UTF-8 becomes U+FFFD, the payload marker.

    Three bytes may stand for a lone surrogate, two of which make the character that they mean.
    """
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def has_surrogates(text: str) -> bool:
    """Tell whether ``text`` holds a lone surrogate, raw or escaped as in JSON."""
    return bool(_SURROGATE.search(text)) or "\\ud" in text.lower()


def check_complaint(error: Exception) -> None:
    """Check that what an error says can stand in a log: one short line."""
    line = str(error)
    assert 0 < len(line) < 250, line
    assert line.isprintable(), line
