"""A second reader of WebSocket frames, for comparison: a whole stream in, what it says out.

It is as strict as RFC 6455 but for two liberties of the core below our WebSocket, which it shares:
a length need not be written in the shortest form, and the payload of a control frame inside a
message counts against what is left of that message's limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


class Breach(Exception):
    """The stream breaks the rules; ``code`` is what it is to be closed with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Reading:
    """What a stream says, up to its end, its close frame or its first breach."""

    messages: list[str | bytes] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    breach: int | None = None
    goodbye: bytes | None = None
    """The payload of the peer's close frame."""
    needed: int = 0
    """How many bytes had to be read to know all this."""


@dataclass(frozen=True)
class Frame:
    fin: bool
    opcode: int
    payload: bytes


class Reader:
    """Reads one stream."""

    def __init__(self, data: bytes, max_size: int, max_fragments: int) -> None:
        self._data = data
        self._at = 0
        self._max_size = max_size
        self._max_fragments = max_fragments
        self._opcode = 0
        self._parts: list[bytes] = []
        self.reading = Reading()

    def read(self) -> Reading:
        try:
            for frame in self._frames():
                self._take(frame)
                if self.reading.goodbye is not None:
                    break
        except Breach as breach:
            self.reading.breach = breach.code
        except EOFError:
            self._at = len(self._data)
        self.reading.needed = self._at
        return self.reading

    def _bytes(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise EOFError
        self._at += count
        return self._data[self._at - count : self._at]

    def _frames(self) -> Iterator[Frame]:
        while True:
            first, second = self._bytes(2)
            opcode = first & 15
            if opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG) or not second & 128:
                raise Breach(1002)
            length = second & 127
            if length > 125:
                length = int.from_bytes(self._bytes(2 if length == 126 else 8), "big")
            if length > self._max_size - sum(map(len, self._parts)):
                raise Breach(1009)
            mask = self._bytes(4)
            body = self._bytes(length)
            if first & 0x70 or (opcode >= CLOSE and (length > 125 or not first & 128)):
                raise Breach(1002)
            yield Frame(bool(first & 128), opcode, _unmasked(body, mask))

    def _take(self, frame: Frame) -> None:
        if frame.opcode == CLOSE:
            _check_goodbye(frame.payload)
            if self._parts:
                raise Breach(1002)
            self.reading.goodbye = frame.payload
        elif frame.opcode == PING:
            self.reading.pings.append(frame.payload)
        elif frame.opcode != PONG:
            self._take_data(frame)

    def _take_data(self, frame: Frame) -> None:
        if (frame.opcode == 0) != bool(self._parts):
            raise Breach(1002)
        self._opcode = frame.opcode or self._opcode
        self._parts.append(frame.payload)
        if frame.fin:
            data = b"".join(self._parts)
            self._parts.clear()
            self.reading.messages.append(data if self._opcode == BINARY else _decoded(data))
        elif len(self._parts) >= self._max_fragments:
            raise Breach(1008)


def _unmasked(body: bytes, mask: bytes) -> bytes:
    key = (mask * (len(body) // 4 + 1))[: len(body)]
    number = int.from_bytes(body, "big") ^ int.from_bytes(key, "big")
    return number.to_bytes(len(body), "big")


def _check_goodbye(payload: bytes) -> None:
    if len(payload) == 1:
        raise Breach(1002)
    _decoded(payload[2:])
    if payload and int.from_bytes(payload[:2], "big") not in _CODES:
        raise Breach(1002)


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Breach(1007) from None


def frames_of_server(data: bytes) -> list[Frame]:
    """Return the frames a server sent, each whole, final, unmasked and as short as can be."""
    found = []
    while data:
        first, length = data[0], data[1]
        assert first & 0xF0 == 0x80
        assert length < 126  # of what is sent here nothing is longer
        assert len(data) >= 2 + length
        found.append(Frame(True, first & 15, data[2 : 2 + length]))
        data = data[2 + length :]
    return found
