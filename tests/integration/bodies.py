"""Applications that read the body of a request, and clients that send one bit by bit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from socketio.server import SocketIOServer
from tests.client import Connection, Recorder, wait_for

SHORT = {"body_timeout": 0.1}
Read = Callable[[Any], bytes]

READERS: dict[str, Read] = {
    "read": lambda body: body.read(),
    "read a lot": lambda body: body.read(10_000_000),
    "read in pieces": lambda body: b"".join(iter(lambda: body.read(3), b"")),
    "readline": lambda body: b"".join(iter(body.readline, b"")),
    "readlines": lambda body: b"".join(body.readlines()),
    "iterate": lambda body: b"".join(body),
}


def reading(read: Read) -> Any:
    """Return an application that answers with the body of its request."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        data = read(environ["wsgi.input"])
        start_response("200 OK", [("Content-Length", str(len(data)))])
        return [data]

    return app


def watch_tracebacks(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Return a recorder of the kinds of the exceptions that gevent would print."""
    record = Recorder()
    monkeypatch.setattr(
        gevent.get_hub(), "print_exception", lambda _context, kind, *_more: record(kind)
    )
    return record


@contextlib.contextmanager
def posting(server: SocketIOServer, *lines: str, body: bytes = b"") -> Iterator[Connection]:
    """Send the header of a POST and the beginning of its body."""
    connection = Connection(server)
    header = [f"POST /page HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}", *lines, "", ""]
    connection.send_raw("\r\n".join(header).encode() + body)
    try:
        yield connection
    finally:
        connection.close()


def refused(connection: Connection) -> bool:
    """Tell whether the answer is a 408 behind which the connection ends."""
    answer = connection.read_answer()
    assert answer.headers["connection"] == "close"
    assert connection.read_to_end() == b""
    return (answer.status, answer.body) == (408, b"")


def counted(server: SocketIOServer, times: int = 1) -> bool:
    """Tell whether everything is given back and the pause was counted."""
    wait_for(lambda: not server._connections)
    return server.stats()["limits"] == {"body_timeout": times}
