"""A well-behaved client in a process of its own: echoes all the time, knows its worst round trip.

``python -m tests.trust.canary PORT``: prints a line when it is connected; for each line on its
standard input it prints the worst round trip since the last one, in milliseconds, and the number
of round trips.
"""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import sys
import time

# Plain blocking code: it needs a tenth of a second to start, and nothing else runs beside it.
PAUSE = 0.05
PATIENCE = 30


class Canary:
    """One session over a WebSocket."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        self._address = ("127.0.0.1", port)
        self._buffer = b""
        sessid = self._handshake()
        self._sock = socket.create_connection(self._address, PATIENCE)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self._sock.sendall(
            f"GET /socket.io/1/websocket/{sessid} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        self._buffer = self._buffer.split(b"\r\n\r\n", 1)[1]
        assert self._next() == "1::"
        self._count = 0
        self._send("1::/canary")
        while self._next() != "1::/canary":
            pass

    def _handshake(self) -> str:
        with socket.create_connection(self._address, PATIENCE) as sock:
            request = (
                f"GET /socket.io/1/ HTTP/1.1\r\nHost: {self._host}\r\nConnection: close\r\n\r\n"
            )
            sock.sendall(request.encode())
            answer = b""
            while data := sock.recv(65536):
                answer += data
        return answer.split(b"\r\n\r\n", 1)[1].split(b":")[0].decode()

    def _more(self) -> None:
        data = self._sock.recv(65536)
        if not data:
            raise EOFError("the server closed the canary's connection")
        self._buffer += data

    def _next(self) -> str:
        """Return the text of the next frame; they are short, whole and unmasked."""
        while len(self._buffer) < 2 or len(self._buffer) < 2 + self._buffer[1]:
            self._more()
        size = self._buffer[1]
        assert self._buffer[0] == 0x81, self._buffer[:16]
        assert size < 126, size
        text, self._buffer = self._buffer[2 : 2 + size].decode(), self._buffer[2 + size :]
        return text

    def _send(self, text: str) -> None:
        mask, data = os.urandom(4), text.encode()
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self._sock.sendall(bytes([0x81, 0x80 | len(data)]) + mask + masked)

    def round_trip(self) -> float:
        """Return the seconds an event took there and back; other packets are answered or left."""
        self._count += 1
        begin = time.monotonic()
        self._send("5:1+:/canary:" + json.dumps({"name": "echo", "args": [self._count]}))
        while (text := self._next()) != f"6::/canary:1+[{self._count}]":
            if text == "2::":
                self._send(text)
        return time.monotonic() - begin


def main() -> None:
    canary = Canary(int(sys.argv[1]))
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    worst, count = 0.0, 0
    while True:
        try:
            worst, count = max(worst, canary.round_trip()), count + 1
        except TimeoutError:
            worst = float("inf")
        if select.select([sys.stdin], [], [], PAUSE)[0]:
            if not sys.stdin.readline():
                return
            sys.stdout.write(f"{worst * 1000:.1f} {count}\n")
            sys.stdout.flush()
            worst, count = 0.0, 0


if __name__ == "__main__":
    main()
