"""The load by xhr-polling, for servers of the 0.9 protocol: a GET that waits, and POSTs beside it.

Connections are kept alive where the server allows it. One that closes after its answers gets a new
connection for each request, as from a browser.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

from benchmarks.errors import BenchError
from benchmarks.wire import V09, dial, expect, handshake

__all__ = ["PollingLoad", "take_answer"]

#: Seconds without any answer after which the server counts as stuck.
PATIENCE = 10.0
#: Seconds within which a server that does not keep a connection has closed it.
CLOSES_WITHIN = 0.1

HEADERS = "Host: 127.0.0.1\r\n"


def take_answer(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Return the body of the first HTTP answer in ``buffer`` and what follows; None if unfinished.

    Raises BenchError for an answer that is not a 200 with a Content-Length.
    """
    head, found, rest = buffer.partition(b"\r\n\r\n")
    if not found:
        return None
    if not head.startswith(b"HTTP/1.1 200 "):
        raise BenchError(f"not the expected answer: {head[:80]!r}")
    size = -1
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            size = int(line[15:])
    if size < 0:
        raise BenchError(f"an answer without Content-Length: {head[:200]!r}")
    return (rest[:size], rest[size:]) if len(rest) >= size else None


class Line:
    """One HTTP connection, made anew when the server has closed it.

    Attributes:
        keeps: Whether the server keeps it open after an answer.
        waiting: Whether a request has not been answered yet.
        dials: How many connections it took so far.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = b""
        self._sock: socket.socket | None = None
        self.keeps = True
        self.waiting = False
        self.dials = 0

    def fileno(self) -> int | None:
        """Return the file number of the connection, None if there is none."""
        return None if self._sock is None else self._sock.fileno()

    def request(self, data: bytes) -> int | None:
        """Send a request; returns the file number of a new connection, None if it is the old one.

        The answer to the request before has to be there.
        """
        fresh = None
        if self._sock is None:
            self._sock = dial(self._port)
            self.dials += 1
            fresh = self.fileno()
        if self._sock.send(data) != len(data):
            raise BenchError("the server does not read")
        self.waiting = True
        return fresh

    def read(self) -> bytes | None:
        """Read once; returns the body of the answer if it is whole now."""
        assert self._sock is not None
        data = self._sock.recv(65536)
        if not data:
            if self.waiting:
                raise BenchError("the server closed the connection instead of answering")
            self.close()
            return None
        self._buffer += data
        answer = take_answer(self._buffer)
        if answer is None:
            return None
        body, self._buffer = answer
        if self._buffer or not self.waiting:
            raise BenchError(f"more than one answer: {self._buffer[:80]!r}")
        self.waiting = False
        if not self.keeps:
            self.close()
        return body

    def ask(self, data: bytes) -> bytes:
        """Return the body of the answer to one request, waiting for it."""
        self.request(data)
        return self.wait()

    def wait(self) -> bytes:
        """Return the body of the answer that is still due, waiting for it."""
        assert self._sock is not None
        self._sock.settimeout(PATIENCE)
        body = None
        while body is None:
            body = self.read()
        return body

    def unblock(self) -> None:
        """Make reading and writing return at once, for a loop that knows when to read."""
        assert self._sock is not None
        self._sock.setblocking(False)

    def find_out(self) -> None:
        """Set ``keeps`` after an answer: a server that closes does so at once."""
        if self._sock is not None and select.select([self._sock], [], [], CLOSES_WITHIN)[0]:
            self.keeps = False
            self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._sock is not None:
            self._sock.close()
        self._sock = None


class _Client:
    """One session: a line for the polls, one for the posts, and where the two have got to."""

    def __init__(self, port: int, sessid: str) -> None:
        self.path = f"/socket.io/1/xhr-polling/{sessid}"
        self.poll_request = f"GET {self.path} HTTP/1.1\r\n{HEADERS}\r\n".encode()
        self.poll, self.post = Line(port), Line(port)
        self.due = 0
        expect(self.poll.ask(self.poll_request).decode(), "1::")

    def post_request(self, packet: str) -> bytes:
        """Return the request that sends one packet."""
        body = packet.encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\n{HEADERS}"
            f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def close(self) -> None:
        """Close both lines."""
        self.poll.close()
        self.post.close()


class PollingLoad:
    """``number`` sessions by xhr-polling to one server."""

    def __init__(self, port: int, number: int) -> None:
        self.dialect = V09()
        self.clients = [_Client(port, sessid) for sessid in handshake(port, number)]

    @property
    def dials(self) -> int:
        """How many connections all sessions took so far; two each if they are kept alive."""
        return sum(client.poll.dials + client.post.dials for client in self.clients)

    def close(self) -> None:
        """Close all connections."""
        for client in self.clients:
            client.close()

    def find_out(self) -> None:
        """Find out whether the server keeps connections; the first session speaks for all."""
        first = self.clients[0]
        first.poll.find_out()
        for client in self.clients:
            client.poll.keeps = first.poll.keeps
            if not client.poll.keeps:
                client.poll.close()
        self._check_echo(first, "found out")
        first.post.find_out()
        for client in self.clients:
            client.post.keeps = first.post.keeps

    def check_echo(self, payload: str) -> None:
        """Raise BenchError unless each session gets one echo, and nothing else, as it should."""
        for client in self.clients:
            self._check_echo(client, payload)

    def _check_echo(self, client: _Client, payload: str) -> None:
        packet = self.dialect.event_text("echo", payload, 7)
        client.poll.request(client.poll_request)
        expect(client.post.ask(client.post_request(packet)).decode(), "1")
        answer = self.dialect.parse_ack(client.poll.wait().decode(), 7)
        if answer != [payload]:
            raise BenchError(f"another echo than expected: {str(answer)[:120]}")

    def echo(self, payload: str, seconds: float) -> int:
        """Let each session post one echo after the other; returns how many came back.

        All that were posted have been answered when this returns.
        """
        packet = self.dialect.event_text("echo", payload, 1)
        exchange = _Exchange(self.clients, packet, self.dialect.ack_mark(1))
        return exchange.run(time.perf_counter() + seconds)


class _Exchange:
    """One stretch of load: each client posts again when its echo and the answer to its post came.

    A poll is sent before the post, as a browser has one waiting all the time.
    """

    def __init__(self, clients: list[_Client], packet: str, mark: bytes) -> None:
        self._posts = [(client, client.post_request(packet)) for client in clients]
        self._mark = mark
        self._lines: dict[int, tuple[_Client, bytes, Line]] = {}
        self._epoll = select.epoll()

    def run(self, end: float) -> int:
        with self._epoll:
            for client, post in self._posts:
                for line in (client.poll, client.post):
                    self._watch(client, post, line, line.fileno())
                self._start(client, post)
            pending, done = len(self._posts), 0
            while pending:
                running = time.perf_counter() < end
                for client, post in self._turn():
                    done += 1
                    if running:
                        self._start(client, post)
                    else:
                        pending -= 1
        return done

    def _turn(self) -> Iterator[tuple[_Client, bytes]]:
        """Read what there is; yields the clients that have finished their exchange."""
        ready = self._epoll.poll(PATIENCE)
        if not ready:
            raise BenchError("the server stopped answering")
        for fileno, _ in ready:
            client, post, line = self._lines[fileno]
            body = line.read()
            if body is None:
                continue
            if line is client.poll:
                client.due -= body.count(self._mark)
                if client.due > 0:  # a packet that says nothing, as at the end of an idle poll
                    self._request(client, post, line, client.poll_request)
            elif body != b"1":
                raise BenchError(f"an unknown answer to a post: {body[:80]!r}")
            if client.due < 0:
                raise BenchError("more answers than requests")
            if not client.due and not client.poll.waiting and not client.post.waiting:
                yield client, post

    def _start(self, client: _Client, post: bytes) -> None:
        client.due = 1
        self._request(client, post, client.poll, client.poll_request)
        self._request(client, post, client.post, post)

    def _request(self, client: _Client, post: bytes, line: Line, data: bytes) -> None:
        self._watch(client, post, line, line.request(data))

    def _watch(self, client: _Client, post: bytes, line: Line, fileno: int | None) -> None:
        if fileno is not None:
            line.unblock()
            self._lines[fileno] = client, post, line
            self._epoll.register(fileno, select.EPOLLIN)
