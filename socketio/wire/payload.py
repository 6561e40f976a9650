r"""Several packets in one HTTP body: ``\ufffd`` length ``\ufffd`` packet, again and again.

Lengths count UTF-16 code units, for the peer is JavaScript (section 6 of the protocol text). One
packet alone travels bare. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from socketio.errors import PayloadError

__all__ = ["MARKER", "decode_payload", "encode_payload", "utf16_length"]

MARKER = "\ufffd"
"""What stands around each length; a body is a payload exactly if it begins with it."""

_HEADER = re.compile("\ufffd([0-9]{1,10})\ufffd", re.ASCII)
_HEADER_UTF16 = re.compile(b"\xfd\xff((?:[0-9]\\x00){1,10})\xfd\xff")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def utf16_length(text: str) -> int:
    """Return the length of ``text`` as JavaScript counts it, in UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def encode_payload(messages: Sequence[str]) -> str:
    """Return the body that carries ``messages``: nothing, the one bare, or all of them framed."""
    if len(messages) == 1:
        return messages[0]
    return "".join([f"{MARKER}{utf16_length(text)}{MARKER}{text}" for text in messages])


def decode_payload(body: str, max_packets: int | None = None) -> list[str]:
    """Return the packets in ``body``, at least one; linear in its length.

    Args:
        body: The decoded body of a request.
        max_packets: The most packets a body may carry; ``None`` means no limit.

    Raises:
        PayloadError: Empty, malformed or over the limit. No part of such a body may be used.
    """
    if not body:
        raise PayloadError("empty body")
    if not body.startswith(MARKER):
        return [body]
    if _ASTRAL.search(body) is None:
        return _cut(body, max_packets)
    return _cut_utf16(body.encode("utf-16-le", "surrogatepass"), max_packets)


def _cut(body: str, max_packets: int | None) -> list[str]:
    """Cut a text in which every character is one UTF-16 unit."""
    messages: list[str] = []
    position = 0
    while position < len(body):
        start, position = _next_message(_HEADER.match(body, position), len(body), 1)
        messages.append(body[start:position])
        _check_count(messages, max_packets)
    return messages


def _cut_utf16(body: bytes, max_packets: int | None) -> list[str]:
    """Cut a text encoded as UTF-16, the only form in which lengths and positions agree."""
    messages: list[str] = []
    position = 0
    while position < len(body):
        start, position = _next_message(_HEADER_UTF16.match(body, position), len(body), 2)
        messages.append(body[start:position].decode("utf-16-le", "surrogatepass"))
        _check_count(messages, max_packets)
    return messages


def _next_message(
    header: re.Match[str] | re.Match[bytes] | None, end: int, width: int
) -> tuple[int, int]:
    """Return where the message behind ``header`` starts and ends; a unit is ``width`` items."""
    if header is None:
        raise PayloadError("a packet is not preceded by its length")
    digits = header[1] if isinstance(header[1], str) else header[1].decode("utf-16-le")
    stop = header.end() + int(digits) * width
    if stop > end:
        raise PayloadError("a length runs past the end of the body")
    return header.end(), stop


def _check_count(messages: list[str], max_packets: int | None) -> None:
    if max_packets is not None and len(messages) > max_packets:
        raise PayloadError(
            f"more than {max_packets} packets in one body", limit="max_payload_packets"
        )
