"""The load: many WebSockets in one loop that does next to nothing for each answer.

Frames are built once, answers are counted by a mark in their bytes instead of being parsed, and
whatever answers one read brings are made up for by one write of as many requests. All servers get
the same treatment. Before the load one answer is read properly, after it a last request shows that
nothing was left over.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.errors import BenchError
from benchmarks.wire import Dialect, connect, read_text

__all__ = ["Counter", "Load", "Tally", "measure"]

#: Seconds without any answer after which the server counts as stuck.
PATIENCE = 10.0
#: Bytes for one read. Room for all answers that may be under way, but a small block: one large
#: enough to be asked of the system for each read doubles what an answer costs the load.
READ_SIZE = 32_768


class Counter:
    """Counts a mark in a stream that arrives in pieces, also where the mark lies across two.

    Attributes:
        seen: How often the mark has come.
    """

    __slots__ = ("_keep", "_mark", "_rest", "seen")

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._keep = len(mark) - 1
        self._rest = b""
        self.seen = 0

    def feed(self, data: bytes) -> int:
        """Return how often the mark was completed by ``data``."""
        # The rest is shorter than the mark: nothing is counted twice.
        data = self._rest + data
        found = data.count(self._mark)
        self._rest = data[-self._keep :] if self._keep else b""
        self.seen += found
        return found


@dataclass(frozen=True, slots=True)
class Tally:
    """What one stretch of load came to.

    Attributes:
        answers: How many answers came.
        wall: Seconds it took.
        server_cpu: Seconds of CPU time the server used.
        load_cpu: Seconds of CPU time this process used.
    """

    answers: int
    wall: float
    server_cpu: float
    load_cpu: float

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.answers + other.answers,
            self.wall + other.wall,
            self.server_cpu + other.server_cpu,
            self.load_cpu + other.load_cpu,
        )

    @property
    def rate(self) -> float:
        """Answers for each second of the server's CPU time."""
        return self.answers / self.server_cpu

    @property
    def server_share(self) -> float:
        """How much of a core the server had, 1.0 is all of it."""
        return self.server_cpu / self.wall

    @property
    def load_share(self) -> float:
        """How much of a core the load had."""
        return self.load_cpu / self.wall


def measure(work: Callable[[], int], server_cpu: Callable[[], float]) -> Tally:
    """Return what ``work`` came to, which does its work and returns the number of answers."""
    wall, mine, theirs = time.perf_counter(), time.process_time(), server_cpu()
    answers = work()
    return Tally(
        answers,
        wall=time.perf_counter() - wall,
        server_cpu=server_cpu() - theirs,
        load_cpu=time.process_time() - mine,
    )


class Load:
    """``number`` WebSockets to one server, all in the root namespace.

    Attributes:
        socks: The sockets, in the order they were opened.
    """

    def __init__(self, dialect: Dialect, port: int, number: int) -> None:
        self.dialect = dialect
        self.socks = connect(dialect, port, number)

    def close(self) -> None:
        """Close the connections."""
        for sock in self.socks:
            sock.close()
        self.socks.clear()

    def check_echo(self, payload: str, which: int = 0) -> None:
        """Raise BenchError unless one echo comes back as it should."""
        sock = self.socks[which]
        sock.settimeout(PATIENCE)
        sock.sendall(self.dialect.event("echo", payload, 7))
        answer = self.dialect.parse_ack(read_text(sock), 7)
        if answer != [payload]:
            raise BenchError(f"another echo than expected: {str(answer)[:120]}")

    def check_silent(self) -> None:
        """Raise BenchError if any connection brings more than the answer to one last request."""
        for which in range(len(self.socks)):
            self.check_echo("the end", which)

    def check_cast(self, payload: str) -> None:
        """Raise BenchError unless all connections get what the first one has broadcast."""
        for sock in self.socks:
            sock.settimeout(PATIENCE)
        self.socks[0].sendall(self.dialect.event("cast", payload))
        for sock in self.socks:
            event = self.dialect.parse_event(read_text(sock))
            if event != ("cast", [payload]):
                raise BenchError(f"another broadcast than expected: {str(event)[:120]}")

    def echo(self, payload: str, in_flight: int, seconds: float) -> int:
        """Keep ``in_flight`` echoes under way on each connection; returns how many came back.

        All that were sent have been answered when this returns.
        """
        request = self.dialect.event("echo", payload, 1)
        return _Echoes(self.socks, request, self.dialect.ack_mark(1), in_flight).run(seconds)

    def broadcast(self, payload: str, in_flight: int, seconds: float) -> int:
        """Keep ``in_flight`` broadcasts under way; returns how many copies were received.

        The first connection sends, and sends the next one for each own copy that comes back. All
        connections have all copies when this returns.
        """
        request = self.dialect.event("cast", payload)
        return _Casts(self.socks, request, b'"cast"', in_flight).run(seconds)


class _Echoes:
    def __init__(
        self, socks: list[socket.socket], request: bytes, mark: bytes, in_flight: int
    ) -> None:
        self._requests = [request * count for count in range(in_flight + 1)]
        self._in_flight = in_flight
        self._lines = {sock.fileno(): (sock.recv, sock.send, Counter(mark)) for sock in socks}
        for sock in socks:
            sock.setblocking(False)

    def run(self, seconds: float) -> int:
        sent = 0
        with select.epoll() as poll:
            for fileno, (_, send, _) in self._lines.items():
                poll.register(fileno, select.EPOLLIN)
                sent += _send(send, self._requests[self._in_flight], self._in_flight)
            sent += self._refill(poll.poll, time.perf_counter() + seconds)
            self._drain(poll.poll, sent)
        return sent

    def _refill(self, poll: Callable[[float], list[tuple[int, int]]], end: float) -> int:
        """Send one more for each answer until ``end``; returns how many that were."""
        lines, requests, in_flight = self._lines, self._requests, self._in_flight
        clock, sent = time.perf_counter, 0
        while clock() < end:
            ready = poll(PATIENCE)
            if not ready:
                raise BenchError("the server stopped answering")
            for fileno, _ in ready:
                recv, send, counter = lines[fileno]
                found = counter.feed(_read(recv))
                if found > in_flight:
                    raise BenchError("more answers than requests")
                if found:
                    sent += _send(send, requests[found], found)
        return sent

    def _drain(self, poll: Callable[[float], list[tuple[int, int]]], sent: int) -> None:
        answered = sum(counter.seen for _, _, counter in self._lines.values())
        while answered < sent:
            ready = poll(PATIENCE)
            if not ready:
                raise BenchError(f"{sent - answered} of {sent} requests were never answered")
            for fileno, _ in ready:
                recv, _, counter = self._lines[fileno]
                answered += counter.feed(_read(recv))
        if answered != sent:
            raise BenchError(f"{answered} answers to {sent} requests")


class _Casts:
    #: The others are read only so often: a read for each copy would make the load the bottleneck.
    SWEEP = 16

    def __init__(
        self, socks: list[socket.socket], request: bytes, mark: bytes, in_flight: int
    ) -> None:
        self._requests = [request * count for count in range(in_flight + 1)]
        self._in_flight = in_flight
        self._socks = socks
        self._counters = [Counter(mark) for _ in socks]

    def run(self, seconds: float) -> int:
        for sock in self._socks:
            sock.setblocking(False)
        sender = self._socks[0]
        sender.settimeout(PATIENCE)
        sent = _send(sender.send, self._requests[self._in_flight], self._in_flight)
        sent += self._refill(sender, time.perf_counter() + seconds)
        for sock, counter in zip(self._socks, self._counters, strict=True):
            sock.settimeout(PATIENCE)
            while counter.seen < sent:
                counter.feed(_read(sock.recv))
            if counter.seen != sent:
                raise BenchError(f"{counter.seen} copies of {sent} broadcasts")
        return sent * len(self._socks)

    def _refill(self, sender: socket.socket, end: float) -> int:
        counter, requests = self._counters[0], self._requests
        sent, swept = 0, 0
        while time.perf_counter() < end:
            found = counter.feed(_read(sender.recv))
            if found > self._in_flight:
                raise BenchError("more copies than broadcasts")
            sent += _send(sender.send, requests[found], found)
            if sent - swept >= self.SWEEP:
                swept = sent
                self._sweep()
        return sent

    def _sweep(self) -> None:
        for sock, counter in zip(self._socks[1:], self._counters[1:], strict=True):
            try:
                counter.feed(_read(sock.recv))
            except BlockingIOError:
                pass


def _read(recv: Callable[[int], bytes]) -> bytes:
    try:
        data = recv(READ_SIZE)
    except TimeoutError:
        raise BenchError("the server stopped answering") from None
    if not data:
        raise BenchError("the server closed the connection")
    return data


def _send(send: Callable[[bytes], int], data: bytes, count: int) -> int:
    if send(data) != len(data):  # never with so little under way, unless nobody reads
        raise BenchError("the server does not read")
    return count
