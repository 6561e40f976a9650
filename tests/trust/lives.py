"""Short lives of clients, written by hand: as many as possible in a second, and each way to end.

``python -m tests.trust.lives '[PORT, TRANSPORT, ENDING, NUMBER]'`` lives some in another process
and prints how many came to their end.
"""

from __future__ import annotations

import contextlib
import json
import socket as stdsocket
import struct
import sys
from collections.abc import Callable
from urllib.parse import quote

import gevent
from gevent import socket as gsocket
from gevent.lock import BoundedSemaphore
from gevent.pool import Pool

from tests.streams import EVERY, POLLING, STREAMING, WEBSOCKETS

__all__ = ["COMBINATIONS", "REASONS", "live"]

_AT_ONCE = 50
_PATIENCE = 60
# How long a client that polls is silent before another comes in its place.
_SILENCE = 2
_KICK = '5::/chat:{"name":"kick"}'


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._host = f"127.0.0.1:{port}"
        self.sock = gsocket.create_connection(("127.0.0.1", port), _PATIENCE)
        self.sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
        self._buffer = b""

    def ask(self, head: str, body: str = "", more: str = "") -> None:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        text = f"{head} HTTP/1.1\r\nHost: {self._host}\r\n{length}{more}\r\n{body}"
        self.sock.sendall(text.encode())

    def until(self, mark: bytes) -> bytes:
        """Return what comes up to ``mark``; EOFError if the connection ends before."""
        while mark not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the connection ended before {mark!r}: {self._buffer!r:.200}")
            self._buffer += data
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def answer(self) -> str:
        """Return the body of an answer, which must be a good one."""
        head = self.until(b"\r\n\r\n")
        assert b" 200 " in head, head
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(self._buffer) < length:
            self._buffer += self.sock.recv(65536) or self.until(b"more")
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body.decode()

    def drain(self) -> None:
        """Read until the server has closed the connection."""
        with contextlib.suppress(ConnectionResetError):
            while self.sock.recv(65536):
                pass


class Client:
    """A client that has its greeting and is in /chat."""

    def __init__(self, port: int, transport: str) -> None:
        self.transport = transport
        self._port = port
        self._wires: list[Wire] = []
        self.main = self._wire()
        self.main.ask("GET /socket.io/1/?t=1")
        self.sessid = self.main.answer().split(":")[0]
        self.url = f"/socket.io/1/{transport}/{self.sessid}?t=2"
        self._posts = self.main
        if transport in WEBSOCKETS:
            self._open_websocket()
        elif transport in POLLING:
            self.poll_until("1::")
        else:
            self._open_stream()
        self.send("1::/chat")
        if transport in POLLING:
            self.poll_until("1::/chat")
        else:
            self.main.until(b"1::/chat" if transport != "htmlfile" else rb"1::\/chat")

    def _wire(self) -> Wire:
        self._wires.append(Wire(self._port))
        return self._wires[-1]

    def _open_websocket(self) -> None:
        more = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        self.main.ask(f"GET {self.url}", more=more + key)
        self.main.until(b"1::")

    def _open_stream(self) -> None:
        self.main = self._wire()
        self.main.ask(f"GET {self.url}")
        self.main.until(b"1::")

    def send(self, text: str) -> None:
        if self.transport in WEBSOCKETS:
            data = text.encode()
            self.main.sock.sendall(bytes([0x81, 0x80 | len(data)]) + b"\0\0\0\0" + data)
            return
        more = ""
        if self.transport == "jsonp-polling":
            text = "d=" + quote('"' + text.replace('"', '\\"') + '"')
            more = "Content-Type: application/x-www-form-urlencoded\r\n"
        self._posts.ask(f"POST {self.url}", text, more)
        assert self._posts.answer() == "1"

    def poll_until(self, text: str) -> None:
        """Poll until that packet comes."""
        url = self.url + ("&i=0" if self.transport == "jsonp-polling" else "")
        answer = ""
        while text not in answer:
            self.main.ask(f"GET {url}")
            answer = self.main.answer()

    def hear_the_end(self, farewell: str = "") -> None:
        """Read until the server ends the connection, or the poll says what the last one says."""
        if self.transport in WEBSOCKETS:
            self.main.drain()
        elif self.transport in STREAMING:
            with contextlib.suppress(EOFError, ConnectionResetError):
                self.main.until(b"0\r\n\r\n")
        elif farewell:
            self.poll_until(farewell)

    def fetch(self, path: str) -> None:
        self._posts = self._wire()
        self._posts.ask(f"GET {path}")
        self._posts.answer()

    def close(self) -> None:
        for wire in self._wires:
            wire.sock.close()


def says_goodbye(client: Client) -> None:
    client.send("0::")
    client.hear_the_end()


def disconnect_url(client: Client) -> None:
    client.fetch(f"/socket.io/1//{client.sessid}/?disconnect=1")


def close_frame(client: Client) -> None:
    client.main.sock.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
    client.hear_the_end()


def fin(client: Client) -> None:
    client.main.sock.shutdown(stdsocket.SHUT_WR)
    client.hear_the_end()


def rst(client: Client) -> None:
    linger = struct.pack("ii", 1, 0)
    client.main.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
    client.main.sock.close()


def silence(client: Client) -> None:
    if client.transport in POLLING:
        gevent.sleep(_SILENCE)  # nothing tells it when its session is over
    client.hear_the_end()


def kick(client: Client) -> None:
    client.send(_KICK)
    client.hear_the_end("0::")


ENDINGS: dict[str, tuple[Callable[[Client], None], tuple[str, ...]]] = {
    "0::": (says_goodbye, EVERY),
    "?disconnect": (disconnect_url, EVERY),
    "close frame": (close_frame, WEBSOCKETS),
    "FIN": (fin, STREAMING),
    "RST": (rst, STREAMING),
    "kick": (kick, EVERY),
    "silence": (silence, EVERY),
}
COMBINATIONS = [(transport, name) for name, (_, where) in ENDINGS.items() for transport in where]
"""Transport and way to end."""
REASONS = {
    "0::": "peer_left",
    "?disconnect": "peer_left",
    "close frame": "transport_lost",
    "FIN": "transport_lost",
    "RST": "transport_lost",
    "kick": "kicked",
    "silence": "heartbeat_timeout",
}
"""Way to end -> reason that is recorded; a silent polling client is a ``close_timeout``."""


# Of all that live at once, those that come at once.
_opening = BoundedSemaphore(_AT_ONCE // 5)


def live_once(port: int, transport: str, ending: str) -> None:
    with _opening:
        client = Client(port, transport)
    try:
        ENDINGS[ending][0](client)
    finally:
        client.close()


def live(port: int, transport: str, ending: str, number: int) -> int:
    """Live so many lives, many at once; returns how many came to their end. Raises what failed."""
    # Who is silent needs nothing but time.
    pool = Pool(_AT_ONCE * 4 if ending == "silence" else _AT_ONCE)
    jobs = [pool.spawn(live_once, port, transport, ending) for _ in range(number)]
    for job in jobs:
        job.get()
    return len(jobs)


if __name__ == "__main__":
    sys.stdout.write(f"{live(*json.loads(sys.argv[1]))}\n")
