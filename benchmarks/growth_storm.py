"""Many clients that come within a second, and what those who are there feel of it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Generator
from dataclasses import dataclass

from benchmarks.client import PATIENCE
from benchmarks.errors import BenchError
from benchmarks.growth_load import Crowd, Echoes
from benchmarks.wire import UPGRADE, V09, Dialect, frame

__all__ = ["Storm", "run_storm"]

#: Seconds of quiet before, and how long the echoes go on after the first newcomer.
LEAD, TAIL = 1.0, 4.0
_ECHOES_PER_SECOND = 400.0
_PAYLOAD = "x" * 32


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request of a newcomer, and the bytes that end its answer; None means the end of file."""

    request: bytes
    until: bytes | None
    fresh: bool = True
    """Whether it takes a new connection."""


_Script = Generator[_Ask, bytes, None]


def _join_09(port: int) -> _Script:
    head = f"GET /socket.io/1/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    answer = (yield _Ask(head.encode(), None)).decode("latin-1")
    lines = [line for line in answer.splitlines() if line.count(":") == 3 and "," in line]
    if not lines:
        raise BenchError(f"no handshake but {answer[:80]!r}")
    sessid = lines[-1].partition(":")[0]
    path = f"/socket.io/1/websocket/{sessid}"
    yield _Ask(UPGRADE.format(path=path, port=port).encode(), b"1::")


def _join_4(port: int) -> _Script:
    path = "/socket.io/?EIO=4&transport=websocket"
    yield _Ask(UPGRADE.format(path=path, port=port).encode(), b"0{")
    yield _Ask(frame("40"), b"40{", fresh=False)


class _Newcomer:
    """One client on its way in, driven by readiness of its sockets."""

    def __init__(self, dialect: Dialect, port: int, poll: select.epoll) -> None:
        self._script = (_join_09 if isinstance(dialect, V09) else _join_4)(port)
        self._port, self._poll = port, poll
        self.sock: socket.socket | None = None
        self._ask = next(self._script)
        self._answer = b""
        self.inside = False

    def begin(self) -> socket.socket:
        """Start what is to be asked next; returns the socket to watch."""
        if self._ask.fresh:
            if self.sock is not None:
                self.sock.close()
            self.sock = socket.socket()
            self.sock.setblocking(False)
            self.sock.connect_ex(("127.0.0.1", self._port))
            self._poll.register(self.sock, select.EPOLLOUT)
        assert self.sock is not None
        if not self._ask.fresh:
            self.sock.send(self._ask.request)
        return self.sock

    def go_on(self, events: int) -> bool:
        """Do what the socket is ready for; True when the next request has to begin."""
        assert self.sock is not None
        if events == select.EPOLLOUT:
            self.sock.send(self._ask.request)
            self._poll.modify(self.sock, select.EPOLLIN)
            return False
        data = self.sock.recv(65536)
        self._answer += data
        wanted = self._ask.until
        if wanted is None and data:
            return False
        if wanted is not None and wanted not in self._answer:
            if not data:
                raise BenchError(f"a newcomer was sent away: {self._answer[:80]!r}")
            return False
        return self._next()

    def _next(self) -> bool:
        answer, self._answer = self._answer, b""
        try:
            self._ask = self._script.send(answer)
        except StopIteration:
            self.inside = True
        return not self.inside


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of it; all moments count from the first newcomer, in seconds.

    Attributes:
        newcomers: How many came within one second, evenly.
        all_inside: When the last of them was connected.
        samples: For each echo of the others the moment it was due and its latency.
    """

    newcomers: int
    all_inside: float
    samples: list[tuple[float, float]]


def run_storm(crowd: Crowd, port: int, newcomers: int) -> Storm:
    """Have ``newcomers`` connect within one second while the crowd goes on with its echoes."""
    echoes = Echoes(crowd, _PAYLOAD, _ECHOES_PER_SECOND, LEAD + TAIL)
    begun = time.perf_counter() + LEAD
    with select.epoll() as poll:
        gate = _Gate(crowd.dialect, port, poll, newcomers)
        try:
            while gate.last is None or time.perf_counter() < begun + TAIL or echoes.under_way:
                gate.tick((time.perf_counter() - begun) * newcomers)
                echoes.tick()
                if time.perf_counter() > begun + TAIL + 2 * PATIENCE:
                    raise BenchError(f"{gate.inside} of {newcomers} were let in")
        finally:
            gate.close()
    assert gate.last is not None
    samples = [(due - begun, latency) for due, latency in echoes.samples]
    return Storm(newcomers, gate.last - begun, samples)


class _Gate:
    """All newcomers; ``last`` is the moment the last one was inside."""

    def __init__(self, dialect: Dialect, port: int, poll: select.epoll, number: int) -> None:
        self._dialect, self._port, self._poll = dialect, port, poll
        self._number = number
        self._all: list[_Newcomer] = []
        self._by_fileno: dict[int, _Newcomer] = {}
        self.inside = 0
        self.last: float | None = None

    def tick(self, due: float) -> None:
        """Start those that are due, and go on with the others; never waits."""
        while len(self._all) < min(due, self._number):
            newcomer = _Newcomer(self._dialect, self._port, self._poll)
            self._all.append(newcomer)
            self._by_fileno[newcomer.begin().fileno()] = newcomer
        for fileno, events in self._poll.poll(0):
            newcomer = self._by_fileno[fileno]
            if newcomer.inside:  # heartbeats come much later
                continue
            if newcomer.go_on(events):
                self._by_fileno[newcomer.begin().fileno()] = newcomer
            elif newcomer.inside:
                self.inside += 1
                if self.inside == self._number:
                    self.last = time.perf_counter()

    def close(self) -> None:
        """Close all connections."""
        for newcomer in self._all:
            if newcomer.sock is not None:
                newcomer.sock.close()
