"""A crowd of WebSockets that stays for a while: it answers heartbeats whatever else it does.

One loop over all connections; frames are built once and answers are counted by a mark in their
bytes, as :mod:`benchmarks.client` does it for shorter runs.
"""

from __future__ import annotations

import itertools
import random
import select
import socket
import time
from collections import deque
from collections.abc import Iterator

from benchmarks.client import PATIENCE, Counter
from benchmarks.errors import BenchError
from benchmarks.wire import V09, Dialect, connect, frame, read_text

__all__ = ["Crowd", "Echoes"]

#: So many are connected before those that are there are listened to.
_PORTION = 500
_READ_SIZE = 65536
_ACK = 1
_SEED = 20120601
#: The heartbeat as it comes, and the answer: 0.9 repeats it, Engine.IO 4 has a pong.
_BEATS_09 = (b"\x81\x032::", frame("2::"))
_BEATS_4 = (b"\x81\x012", frame("3"))


class _Line:
    """One connection and what is expected of it."""

    __slots__ = ("beats", "counter", "recv", "send", "sock", "waiting")

    def __init__(self, sock: socket.socket, beat: bytes) -> None:
        self.sock = sock
        self.recv, self.send = sock.recv, sock.send
        self.beats = Counter(beat)
        self.counter = Counter(b"?")
        self.waiting: deque[float] = deque()


class Crowd:
    """``number`` WebSockets to one server, as a context manager.

    Attributes:
        beats: How many heartbeats were answered so far.
    """

    def __init__(self, dialect: Dialect, port: int, number: int) -> None:
        self.dialect = dialect
        self.beats = 0
        self._beat, self._reply = _BEATS_09 if isinstance(dialect, V09) else _BEATS_4
        self._poll = select.epoll()
        self._lines: dict[int, _Line] = {}
        while len(self._lines) < number:
            for sock in connect(dialect, port, min(_PORTION, number - len(self._lines))):
                self._take(sock)
            self.rest(0)
        self.lines = list(self._lines.values())

    def _take(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._lines[sock.fileno()] = _Line(sock, self._beat)
        self._poll.register(sock.fileno(), select.EPOLLIN)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_error: object) -> None:
        for line in self._lines.values():
            line.sock.close()
        self._poll.close()

    def __len__(self) -> int:
        return len(self._lines)

    def read(self, timeout: float) -> Iterator[tuple[_Line, int]]:
        """Read whatever has come; yields each line with how many expected marks it brought."""
        for fileno, _ in self._poll.poll(timeout):
            line = self._lines[fileno]
            data = line.recv(_READ_SIZE)
            if not data:
                raise BenchError("the server closed a connection")
            for _ in range(line.beats.feed(data)):
                line.send(self._reply)
                self.beats += 1
            yield line, line.counter.feed(data)

    def expect(self, mark: bytes) -> None:
        """Count ``mark`` from now on."""
        for line in self._lines.values():
            line.counter = Counter(mark)

    def rest(self, seconds: float) -> None:
        """Do nothing but answer heartbeats."""
        end = time.perf_counter() + seconds
        while True:
            left = end - time.perf_counter()
            for _ in self.read(max(0.0, left)):
                pass
            if left <= 0:
                return

    def enter(self, room: str, members: int) -> None:
        """Have the first ``members`` connections enter a room."""
        request = self.dialect.event("enter", room, _ACK)
        for line in self.lines[:members]:
            line.sock.settimeout(PATIENCE)
            line.send(request)
            text = read_text(line.sock)
            if self.dialect.parse_ack(text, _ACK) != [room]:
                raise BenchError(f"not in the room but {text[:80]!r}")
            line.sock.setblocking(False)

    def emit(self, event: str, payload: str, copies: int, seconds: float) -> int:
        """Have the server send out one event after the other; returns how many those were.

        The first connection asks for the next one when all ``copies`` of the last have come:
        copies of two events never share a write.
        """
        request = self.dialect.event(event, payload)
        self.expect(b'"cast"')
        end, emits = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            self.lines[0].send(request)
            emits += 1
            self._await(copies)
        return emits

    def _await(self, marks: int) -> None:
        seen, patience = 0, time.perf_counter() + PATIENCE
        while seen < marks:
            seen += sum(found for _, found in self.read(PATIENCE))
            if time.perf_counter() > patience:
                raise BenchError(f"{seen} of {marks} answers came")
        if seen > marks:
            raise BenchError(f"{seen} answers, not {marks}")

    def saturate(self, payload: str, in_flight: int, seconds: float) -> float:
        """Keep so many echoes under way; returns how many a second come back.

        For each answer the next request comes from another connection, whichever has its turn in a
        shuffled row: a few that are busy all the time would be easier work than many.
        """
        request = self.dialect.event("echo", payload, _ACK)
        self.expect(self.dialect.ack_mark(_ACK))
        row = random.Random(_SEED).sample(self.lines, len(self.lines))
        turn = itertools.cycle(row)
        for _ in range(in_flight):
            next(turn).send(request)
        begun, answers = time.perf_counter(), 0
        while time.perf_counter() < begun + seconds:
            found = sum(found for _, found in self.read(PATIENCE))
            for _ in range(found):
                next(turn).send(request)
            answers += found
        rate = answers / (time.perf_counter() - begun)
        self._await(in_flight)
        return rate


class Echoes:
    """Echoes at moments that were fixed before, whether the server keeps up or not.

    Each answer's time counts from the moment its request was due: a server, or a load, that stalls
    is charged for all that should have been sent meanwhile.

    Args:
        crowd: Who sends, each time another one by chance.
        payload: What is echoed.
        rate: Requests a second, at random moments.
        seconds: How long.

    Attributes:
        samples: For each answer the moment its request was due, and its latency, in seconds.
        late: How late each request left, in seconds.
    """

    def __init__(self, crowd: Crowd, payload: str, rate: float, seconds: float) -> None:
        self._crowd, self._rate = crowd, rate
        self._request = crowd.dialect.event("echo", payload, _ACK)
        crowd.expect(crowd.dialect.ack_mark(_ACK))
        self._chance = random.Random(_SEED)
        self.samples: list[tuple[float, float]] = []
        self.late: list[float] = []
        self._due = time.perf_counter()
        self._end = self._due + seconds

    @property
    def under_way(self) -> int:
        """How many answers are still to come."""
        return len(self.late) - len(self.samples)

    def run(self) -> None:
        """Send all and wait for the last answer. Keeps a core busy, so as not to oversleep."""
        while self._due < self._end or self.under_way:
            self.tick()
            if time.perf_counter() > self._end + PATIENCE:
                raise BenchError(f"{self.under_way} echoes were never answered")

    def tick(self) -> None:
        """Send what is due, take what has come; never waits."""
        now = time.perf_counter()
        while self._due <= now and self._due < self._end:
            line = self._chance.choice(self._crowd.lines)
            line.waiting.append(self._due)
            line.send(self._request)
            now = time.perf_counter()
            self.late.append(now - self._due)
            self._due += self._chance.expovariate(self._rate)
        for line, found in self._crowd.read(0):
            now = time.perf_counter()
            for _ in range(found):
                if not line.waiting:
                    raise BenchError("more answers than requests")
                due = line.waiting.popleft()
                self.samples.append((due, now - due))
