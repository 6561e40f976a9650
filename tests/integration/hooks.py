"""What the tests of the ``authorize`` hook share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

from socketio.server import SocketIOServer
from tests.client import fetch

HANDSHAKE = "/socket.io/1/?t=1"


UNAUTHORIZED = "handshake unauthorized"


ERROR = "handshake error"


@contextlib.contextmanager
def running(server: SocketIOServer) -> Iterator[SocketIOServer]:
    """Run a server of the application's own class."""
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=2)


def answering(what: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a hook that returns ``what``, or raises it."""

    def authorize(environ: dict[str, Any]) -> Any:
        if isinstance(what, BaseException):
            raise what
        return what

    return authorize


SECRET = "the password of ann is 1234"


def plain(server: SocketIOServer, **headers: str) -> tuple[int, str]:
    answer = fetch(server, "GET", HANDSHAKE, **headers)
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.status, answer.text


def ask(port: int, target: str = HANDSHAKE, method: str = "GET") -> tuple[int, str]:
    """Ask a server in another process; blocks."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, headers={"Connection": "close"})
        with connection.getresponse() as response:
            return response.status, response.read().decode()
    finally:
        connection.close()
