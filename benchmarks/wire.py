"""WebSocket clients of the two protocols, as plain sockets: Socket.IO 0.9 and Engine.IO 4.

What is here is for opening connections and for looking at single answers. It reads exactly one
frame at a time and leaves nothing behind in a buffer, so that :mod:`benchmarks.client` can go on
with the bare socket.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, Protocol

from benchmarks.errors import BenchError

__all__ = ["V09", "V4", "Dialect", "connect", "dial", "frame", "handshake", "read_text"]

#: Any mask will do, and the same one every time lets frames be built once.
MASK = bytes((0x37, 0xFA, 0x21, 0x3D))
#: So many connections are opened side by side: less than any server's queue of new connections.
BATCH = 50
#: Seconds to wait for one answer while connecting.
PATIENCE = 20.0

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Dialect(Protocol):
    """What differs between the protocols."""

    def open(self, port: int, number: int) -> list[socket.socket]:
        """Return ``number`` sockets with the WebSocket open and the root namespace joined."""

    def event(self, name: str, argument: str, ack: int | None = None) -> bytes:
        """Return the masked frame of an event; with ``ack`` it asks for that acknowledgement."""

    def ack_mark(self, ack: int) -> bytes:
        """Return the bytes with which the acknowledgement number ``ack`` begins."""

    def parse_ack(self, text: str, ack: int) -> list[Any]:
        """Return the arguments of the acknowledgement; raises BenchError if it is not that one."""

    def parse_event(self, text: str) -> tuple[str, list[Any]]:
        """Return name and arguments of an event; raises BenchError if it is none."""


def frame(text: str) -> bytes:
    """Return ``text`` as one masked text frame."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    mask = MASK * (size // 4 + 1)
    return head + MASK + bytes(a ^ b for a, b in zip(payload, mask, strict=False))


def dial(port: int) -> socket.socket:
    """Return a new TCP connection to the server."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read_exactly(sock: socket.socket, size: int) -> bytes:
    """Return the next ``size`` bytes."""
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise BenchError("the server closed the connection")
        data += more
    return data


def read_text(sock: socket.socket) -> str:
    """Return the content of the next frame, which has to be a text frame, and nothing beyond it."""
    first, size = read_exactly(sock, 2)
    if size == 126:
        (size,) = struct.unpack("!H", read_exactly(sock, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", read_exactly(sock, 8))
    data = read_exactly(sock, size)
    if first != 0x81:
        raise BenchError(f"a frame of another kind: {first:#x} {data[:80]!r}")
    return data.decode()


def read_head(sock: socket.socket) -> bytes:
    """Return the head of an HTTP answer; what follows it stays in the socket."""
    head = b""
    while b"\r\n\r\n" not in head:
        seen = sock.recv(4096, socket.MSG_PEEK)
        if not seen:
            raise BenchError(f"no whole HTTP answer but {head!r}")
        # The end of the head may lie across two looks: judge both together.
        end = (head + seen).find(b"\r\n\r\n")
        head += read_exactly(sock, len(seen) if end < 0 else end + 4 - len(head))
    return head


def expect(text: str, begins: str) -> None:
    """Raise BenchError unless ``text`` begins as it should."""
    if not text.startswith(begins):
        raise BenchError(f"expected {begins!r}, got {text[:120]!r}")


def upgrade(port: int, paths: list[str]) -> list[socket.socket]:
    """Return one open WebSocket for each path."""
    socks = []
    for path in paths:
        socks.append(dial(port))
        socks[-1].sendall(UPGRADE.format(path=path, port=port).encode())
    for sock in socks:
        expect(read_head(sock).decode("latin-1"), "HTTP/1.1 101 ")
    return socks


def handshake(port: int, number: int) -> list[str]:
    """Return ``number`` fresh session ids of the 0.9 protocol, each over a connection of its own.

    So do browsers: the WebSocket never uses the connection of the handshake.
    """
    request = f"GET /socket.io/1/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    socks = [dial(port) for _ in range(number)]
    for sock in socks:
        sock.sendall(request.encode())
    found = []
    for sock in socks:
        with sock, sock.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
        # Node sends the body in chunks: the line with the session id is the one with the colons.
        lines = [line for line in body.decode().splitlines() if line.count(":") == 3]
        if not head.startswith(b"HTTP/1.1 200 ") or len(lines) != 1:
            raise BenchError(f"no handshake but {head[:80]!r} {body[:80]!r}")
        found.append(lines[0].partition(":")[0])
    return found


class V09:
    """Socket.IO 0.9."""

    def open(self, port: int, number: int) -> list[socket.socket]:
        """See :class:`Dialect`."""
        sessids = handshake(port, number)
        socks = upgrade(port, [f"/socket.io/1/websocket/{sessid}" for sessid in sessids])
        for sock in socks:
            expect(read_text(sock), "1::")
        return socks

    def event(self, name: str, argument: str, ack: int | None = None) -> bytes:
        """See :class:`Dialect`."""
        return frame(self.event_text(name, argument, ack))

    def event_text(self, name: str, argument: str, ack: int | None = None) -> str:
        """Return the packet of an event, without a frame around it."""
        data = json.dumps({"name": name, "args": [argument]}, separators=(",", ":"))
        return f"5:{'' if ack is None else f'{ack}+'}::{data}"

    def ack_mark(self, ack: int) -> bytes:
        """See :class:`Dialect`."""
        return f"6:::{ack}+".encode()

    def parse_ack(self, text: str, ack: int) -> list[Any]:
        """See :class:`Dialect`."""
        expect(text, f"6:::{ack}+[")
        found: list[Any] = json.loads(text.partition("+")[2])
        return found

    def parse_event(self, text: str) -> tuple[str, list[Any]]:
        """See :class:`Dialect`."""
        expect(text, "5:::{")
        found = json.loads(text[4:])
        return found["name"], found["args"]


class V4:
    """Socket.IO 3 to 4, which is Engine.IO 4; it goes straight to the WebSocket."""

    def open(self, port: int, number: int) -> list[socket.socket]:
        """See :class:`Dialect`."""
        socks = upgrade(port, ["/socket.io/?EIO=4&transport=websocket"] * number)
        for sock in socks:
            expect(read_text(sock), "0{")
            sock.sendall(frame("40"))
        for sock in socks:
            expect(read_text(sock), "40{")
        return socks

    def event(self, name: str, argument: str, ack: int | None = None) -> bytes:
        """See :class:`Dialect`."""
        data = json.dumps([name, argument], separators=(",", ":"))
        return frame(f"42{'' if ack is None else ack}{data}")

    def ack_mark(self, ack: int) -> bytes:
        """See :class:`Dialect`."""
        return f"43{ack}[".encode()

    def parse_ack(self, text: str, ack: int) -> list[Any]:
        """See :class:`Dialect`."""
        expect(text, f"43{ack}[")
        found: list[Any] = json.loads(text[len(f"43{ack}") :])
        return found

    def parse_event(self, text: str) -> tuple[str, list[Any]]:
        """See :class:`Dialect`."""
        expect(text, "42[")
        name, *args = json.loads(text[2:])
        return name, args


def connect(dialect: Dialect, port: int, number: int) -> list[socket.socket]:
    """Return ``number`` open WebSockets, opened a batch at a time."""
    socks: list[socket.socket] = []
    while len(socks) < number:
        socks += dialect.open(port, min(BATCH, number - len(socks)))
    return socks
