"""Sends a case to a real server, cut in several ways, and tells what came of it."""

from __future__ import annotations

import contextlib
import socket as stdsocket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent

from socketio.server import SocketIOServer
from tests.client import Connection, serving
from tests.corpora.cases import Request, Verdict

CANARY = b"GET /canary HTTP/1.1\r\nHost: corpus.example\r\n\r\n"

CUTS: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": lambda data: [data],
    "by lines": lambda data: data.splitlines(keepends=True),
    "by bytes": lambda data: [data[at : at + 1] for at in range(len(data))],
}


@dataclass
class Outcome:
    """What came of the bytes of one connection."""

    statuses: list[int] = field(default_factory=list)
    served: list[Request] = field(default_factory=list)
    """What the application was called with and got the whole body of."""

    @property
    def answer(self) -> str:
        """The status codes, or ``closed``."""
        return " ".join(map(str, self.statuses)) or "closed"

    @property
    def verdict(self) -> Verdict:
        """Whether all of it was served, or the last was refused; or something else."""
        count = len(self.served)
        behind = self.statuses[count:]
        if self.statuses[:count] != [200] * count:
            return Verdict.WRONG
        if not behind:
            return Verdict.SERVED if count else Verdict.WRONG
        return Verdict.REFUSED if len(behind) == 1 and behind[0] >= 400 else Verdict.WRONG


class Stage:
    """A server whose application writes down what reaches it."""

    def __init__(self, server: SocketIOServer) -> None:
        self.server = server
        self.outcome = Outcome()

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        target = environ["PATH_INFO"]
        if environ["QUERY_STRING"]:
            target += "?" + environ["QUERY_STRING"]
        body = environ["wsgi.input"].read()
        self.outcome.served.append(Request(environ["REQUEST_METHOD"], target, body))
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    def send(self, data: bytes, cut: str) -> Outcome:
        """Send ``data`` and then the end of our side; returns when the server has closed too."""
        self.outcome = Outcome()
        connection = Connection(self.server)
        try:
            connection.sock.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):  # it may have answered and gone before the end
                for piece in CUTS[cut](data):
                    connection.send_raw(piece)
                    gevent.idle()  # nothing left to do but to go on: the server has read this piece
                connection.sock.shutdown(stdsocket.SHUT_WR)
            with contextlib.suppress(EOFError, ConnectionResetError):
                while True:
                    self.outcome.statuses.append(connection.read_answer().status)
        finally:
            connection.close()
        return self.outcome


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Run a server with the settings it has by default."""
    made: list[Stage] = []
    with serving(lambda *args: made[0].application(*args)) as server:
        made.append(Stage(server))
        yield made[0]
