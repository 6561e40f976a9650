"""``decode`` on any text: the documented error, or a packet that can be sent and read again."""

from __future__ import annotations

import math
import sys
from typing import Any

from socketio.errors import DecodeError
from socketio.packet import MSG_TYPES, decode, encode
from tests.fuzz.texts import check_complaint, has_surrogates, text_of

# Bytes of memory for a character of text: "{}" makes an object of 64, '{"":' one of 232.
MOST_BYTES_A_CHARACTER = 100
_TOO_LARGE = 10**32


def fuzz(data: bytes) -> None:
    text = text_of(data)
    try:
        packet = decode(text)
    except DecodeError as error:
        check_complaint(error)
        return
    assert packet["type"] in MSG_TYPES
    assert ":" not in packet["endpoint"]
    assert ("id" in packet) == ("ack" in packet)
    assert ("id" in packet) == (text.split(":")[1] not in ("", "+"))
    assert (packet.get("ack") == "data") == ("id" in packet and text.split(":")[1][-1] == "+")
    assert all(packet.get(key, 0) < _TOO_LARGE for key in ("id", "ackId"))
    assert memory_of(packet) <= MOST_BYTES_A_CHARACTER * len(text) + 2000
    _check_that_it_travels(text, dict(packet))


def memory_of(value: Any) -> int:
    """Return the memory that ``value`` takes with all in it, where every number is finite."""
    total, left = 0, [value]
    while left:
        item = left.pop()
        total += sys.getsizeof(item)
        if isinstance(item, dict):
            left += [*item, *item.values()]
        elif isinstance(item, list):
            left += item
        elif isinstance(item, float):
            assert math.isfinite(item)
    return total


def _check_that_it_travels(text: str, packet: dict[str, Any]) -> None:
    if packet["type"] == "event" and "name" not in packet:
        return  # handed over for the dispatcher to refuse
    if packet["type"] not in ("message", "json", "event"):
        packet.pop("id", None)  # it means nothing there, and is not written
        packet.pop("ack", None)
    if packet["type"] == "error" and not (packet["reason"] or packet["advice"]):
        packet["endpoint"] = ""  # the original's form has no place for it
    try:
        wire = encode(packet)
    except RecursionError:  # nested almost as deep as the reader could go
        assert text.count("[") + text.count("{") > 500
        return
    again = decode(wire)
    assert encode(again) == wire
    # JSON cannot tell two lone surrogates from the pair that they make.
    assert has_surrogates(text) or again == packet
