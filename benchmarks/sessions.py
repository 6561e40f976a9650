"""The load by short sessions, for servers of the 0.9 protocol: come, join a namespace, go."""

from __future__ import annotations

import socket
import time

from benchmarks.errors import BenchError
from benchmarks.wire import expect, frame, handshake, read_text, upgrade

__all__ = ["run_sessions"]

#: So many sessions are under way side by side.
BATCH = 20

JOIN, LEAVE = frame("1::/chat"), frame("0::")


def run_sessions(port: int, seconds: float) -> int:
    """Have sessions for some seconds, a batch at a time; returns how many there were.

    Each shakes hands, opens a WebSocket, joins ``/chat``, says good-bye and closes. All are over
    when this returns: the server has closed its side too.
    """
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        sessids = handshake(port, BATCH)
        socks = upgrade(port, [f"/socket.io/1/websocket/{sessid}" for sessid in sessids])
        try:
            for sock in socks:
                expect(read_text(sock), "1::")
                sock.sendall(JOIN)
            for sock in socks:
                expect(read_text(sock), "1::/chat")
                sock.sendall(LEAVE)
                # The original leaves it to the client to close the connection.
                sock.shutdown(socket.SHUT_WR)
            for sock in socks:
                _read_to_end(sock)
        finally:
            for sock in socks:
                sock.close()
        done += len(socks)
    return done


def _read_to_end(sock: socket.socket) -> None:
    """Read what the server still says, its own good-bye at most, until it closes."""
    try:
        rest = b""
        while data := sock.recv(4096):
            rest += data
    except ConnectionResetError:
        return
    except TimeoutError:
        raise BenchError("the server does not end the session") from None
    if len(rest) > 64:
        raise BenchError(f"much more than a good-bye: {rest[:80]!r}")
