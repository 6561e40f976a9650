"""``decode_payload`` on any body: all of its packets, or the documented error."""

from __future__ import annotations

from socketio.errors import PayloadError
from socketio.wire.payload import MARKER, decode_payload, encode_payload
from tests.fuzz.texts import check_complaint, text_of


def fuzz(data: bytes) -> None:
    body = text_of(data)
    messages = read(body)
    limit = 1 + len(data) % 5
    limited = read(body, limit)
    if messages is None or len(messages) > limit:
        assert limited is None
    else:
        assert limited == messages
    if messages is None:
        return
    assert messages
    assert sum(map(len, messages)) <= len(body)
    if len(messages) > 1 or (messages[0] and not messages[0].startswith(MARKER)):
        assert decode_payload(encode_payload(messages)) == messages
    if body.startswith(MARKER):
        # Every character belongs to a packet or its length: with one more or less nothing fits.
        assert read(body + "x") is None
        assert read(body[:-1]) is None
    else:
        assert messages == [body]


def read(body: str, limit: int | None = None) -> list[str] | None:
    """Return the packets, None for the documented error."""
    try:
        return decode_payload(body, limit)
    except PayloadError as error:
        check_complaint(error)
        return None
