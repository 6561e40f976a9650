"""The client's end of a WebSocket, byte for byte, for frames that no good client sends."""

from __future__ import annotations

from typing import Any

from tests.client import DEADLINE

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x12\x34\x56\x78"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """Return one frame; ``length`` is what its header says, if that is to be a lie."""
    length = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if length < 126:
        size = bytes([bit | length])
    elif length < 65536:
        size = bytes([bit | 126]) + length.to_bytes(2, "big")
    else:
        size = bytes([bit | 127]) + length.to_bytes(8, "big")
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if not masked:
        return first + size + payload
    whole, rest = divmod(len(payload), 4)
    key = MASK * whole + MASK[:rest]
    body = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return first + size + MASK + body.to_bytes(len(payload), "big")


def text(message: str, **how: Any) -> bytes:
    """Return a text frame."""
    return frame(TEXT, message.encode(), **how)


def close_frame(code: int | None = None, reason: bytes = b"") -> bytes:
    """Return a close frame; without a code it is empty."""
    return frame(CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason)


def fragments(opcode: int, parts: list[bytes]) -> list[bytes]:
    """Return one message as a frame a part."""
    last = len(parts) - 1
    return [
        frame(opcode if at == 0 else CONT, part, fin=at == last) for at, part in enumerate(parts)
    ]


class Peer:
    """Reads frames from a socket."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.sock.settimeout(DEADLINE)
        self._buffer = b""

    def send(self, *frames: bytes) -> None:
        self.sock.sendall(b"".join(frames))

    def read(self, count: int) -> bytes:
        """Return ``count`` bytes; EOFError when the connection ends before."""
        while len(self._buffer) < count:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the server closed the connection after {self._buffer!r}")
            self._buffer += data
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_head(self) -> str:
        """Return an HTTP header, up to and including the empty line."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        return head.decode("latin-1")

    def read_frame(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame, which must be final and unmasked."""
        first, second = self.read(2)
        assert first & 0xF0 == 0x80, "a final frame without reserved bits"
        assert not second & 0x80, "a frame of a server is not masked"
        length = second
        if second == 126:
            length = int.from_bytes(self.read(2), "big")
            assert length > 125
        elif second == 127:
            length = int.from_bytes(self.read(8), "big")
            assert length > 65535
        return first & 0x0F, self.read(length)

    def read_text(self) -> str:
        """Return the next text message."""
        opcode, payload = self.read_frame()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    def read_close(self) -> int | None:
        """Read up to the close frame, which must be the last; return its code."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == CLOSE:
                break
        assert self.at_end()
        return int.from_bytes(payload[:2], "big") if payload else None

    def at_end(self) -> bool:
        """Tell whether the server ended the connection, without a reset and another byte."""
        return not self._buffer and self.sock.recv(1) == b""

    def close(self) -> None:
        self.sock.close()
