"""Our WebSocket in front of any bytes in any pieces, compared with a reader of the whole stream.

The first byte says how the rest is cut: the low three bits how many of the next bytes are lengths
of pieces, used in turn; 8, whether the first piece came with the upgrade; 16, whether the peer
takes our answers in small bites.
"""

from __future__ import annotations

from typing import Any

import pytest
from geventwebsocket.exceptions import WebSocketError

from socketio.websocket.connection import WebSocket
from tests.fuzz.rfc6455 import CLOSE, PONG, Reader, Reading, frames_of_server

MAX_SIZE = 300
MAX_FRAGMENTS = 1000
# Frames that may wait for a peer, and the one that is written.
MOST_WAITING = 65


class Wire:
    """The socket: pieces to read, and what was written."""

    def __init__(self, pieces: list[bytes], bite: int) -> None:
        self.pieces = pieces
        self.bite = bite
        self.sent = b""
        self.read: list[bytes] = []
        self.ended = False
        self.reader: Any = None

    def recv(self, _size: int) -> bytes:
        assert not self.ended
        assert self.reader.writer.backlog <= MOST_WAITING
        self.ended = not self.pieces
        piece = self.pieces.pop(0) if self.pieces else b""
        self.read.append(piece)
        return piece

    def send(self, data: Any, _flags: int = 0, timeout: float | None = None) -> int:
        bite = bytes(data[: self.bite])
        self.sent += bite
        return len(bite)

    def shutdown(self, _how: int) -> None:
        pass

    def fileno(self) -> int:
        raise OSError("there is none")


def fuzz(data: bytes) -> None:
    how = data[0] if data else 0
    sizes, stream = data[1 : 1 + how % 8], data[1 + how % 8 :]
    reading = Reader(stream, MAX_SIZE, MAX_FRAGMENTS).read()
    bite = 5 if how & 16 else len(stream) + 1000
    for pieces in (cut(stream, sizes), [stream] if stream else []):
        early = pieces.pop(0) if pieces and how & 8 else b""
        check(Wire(pieces, bite), early, reading)


def cut(stream: bytes, sizes: bytes) -> list[bytes]:
    """Return ``stream`` in pieces of the given sizes, over and over; without any, whole."""
    pieces: list[bytes] = []
    at = 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)] + 1 if sizes else len(stream)
        pieces.append(stream[at : at + size])
        at += size
    return pieces


def check(wire: Wire, early: bytes, reading: Reading) -> None:
    """Check what our WebSocket makes of the bytes on ``wire``."""
    ws: Any = WebSocket({}, wire, None, early=early, max_size=MAX_SIZE)
    wire.reader = ws
    got = []
    while (message := ws.receive()) is not None:
        got.append(message)
    ws.writer.wait_until_written()
    assert got == reading.messages
    assert ws.failed == (reading.breach is not None)
    assert ws.closed
    with pytest.raises(WebSocketError):
        ws.receive()
    with pytest.raises(WebSocketError):
        ws.send("late")
    # What comes behind the end is left unread.
    assert len(early) + sum(map(len, wire.read[:-1])) <= max(reading.needed, len(early))
    check_answers(wire.sent, reading)


def check_answers(sent: bytes, reading: Reading) -> None:
    """Check that we sent pongs and, where the peer ended it, one close frame behind them."""
    answers = frames_of_server(sent)
    ends = [frame for frame in answers if frame.opcode == CLOSE]
    assert len(ends) == (reading.breach is not None or reading.goodbye is not None)
    if ends:
        assert answers[-1] is ends[0]
        expected = reading.breach.to_bytes(2, "big") if reading.breach else reading.goodbye
        assert ends[0].payload[: 2 if reading.breach else None] == expected
    pongs = [frame.payload for frame in answers if frame.opcode != CLOSE]
    assert all(frame.opcode == PONG for frame in answers if frame.opcode != CLOSE)
    pings = iter(reading.pings)
    assert all(payload in pings for payload in pongs)
