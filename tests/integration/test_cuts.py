"""The client closes at every byte of a request, an answer, a frame: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from websockets.frames import Frame, Opcode

from socketio.namespace import BaseNamespace
from tests.client import Connection, Recorder, handshake, serving, wait_for
from tests.streams import ALL_CLIENTS, POLLING, STREAMING, WEBSOCKETS

SIZE = 200


class Listening(BaseNamespace):
    """Keeps what it hears; ``record`` is set by :func:`place`."""

    record: Recorder

    def recv_message(self, data: str) -> None:
        self.record(data)

    def recv_disconnect(self) -> None:
        self.record("disconnect")


@dataclass
class Place:
    server: Any
    record: Recorder


@pytest.fixture
def place() -> Iterator[Place]:
    record = Recorder()
    namespaces = {"/n": type("ListeningHere", (Listening,), {"record": record})}
    with serving(namespaces) as server:
        yield Place(server, record)


def entered(place: Place, transport: str) -> tuple[Any, Any]:
    """Return a client that is in /n, and its session."""
    client = ALL_CLIENTS[transport](place.server).open()
    client.send("1::/n")
    assert client.recv() == "1::/n"
    return client, place.server.sockets[client.sessid]


def padded(head: str, body: bytes = b"") -> bytes:
    """Return a request of exactly SIZE bytes."""
    head += f"Content-Length: {len(body)}\r\n" if body else ""
    room = SIZE - len(head) - len("X: \r\n\r\n") - len(body)
    assert room > 0
    return f"{head}X: {'x' * room}\r\n\r\n".encode() + body


@contextmanager
def cut(place: Place, data: bytes) -> Iterator[Connection]:
    """Send ``data`` on a new connection and close it; on the way, whoever wants may read."""
    busy = len(place.server._connections)
    connection = Connection(place.server)
    connection.send_raw(data)
    yield connection
    connection.close()
    # Until the server has noticed.
    wait_for(lambda: len(place.server._connections) <= busy)


@pytest.mark.parametrize("transport", POLLING)
def test_a_poll_cut_at_any_byte_takes_nothing(place: Place, transport: str) -> None:
    client, socket = entered(place, transport)
    request = padded(f"GET {client.url} HTTP/1.1\r\nHost: h\r\n")
    for offset in range(SIZE + 1):
        socket["/n"].send(str(offset))
        with cut(place, request[:offset]):
            pass
        assert client.poll() == [f"3::/n:{offset}"]
    client.close()


@pytest.mark.parametrize("transport", POLLING)
def test_an_answer_cut_at_any_byte_comes_again_and_a_whole_one_does_not(
    place: Place, transport: str
) -> None:
    client, socket = entered(place, transport)
    socket["/n"].send("measure me")
    connection = client.start_poll()
    wait_for(lambda: connection.sock.recv(1, 2) and True)  # MSG_PEEK: it is all there
    whole = len(connection.sock.recv(65536))
    request = f"GET {client.url} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    socket["/n"].send("between")
    assert client.poll() == ["3::/n:between"]
    for offset in range(1, whole + 1):
        socket["/n"].send("measure me")
        with cut(place, request) as connection:
            read_exactly(connection, offset)
        socket["/n"].send(f"behind {offset}")
        expected = [f"3::/n:behind {offset}"]
        assert client.poll() == (expected if offset == whole else ["3::/n:measure me", *expected])
    client.close()


def read_exactly(connection: Connection, count: int) -> None:
    while count:
        count -= len(connection.sock.recv(count))


def form(text: str) -> bytes:
    return f"d={quote(chr(34) + text + chr(34), safe='')}".encode()


@pytest.mark.parametrize("transport", sorted(ALL_CLIENTS.keys() - set(WEBSOCKETS)))
def test_a_post_cut_at_any_byte_is_applied_whole_or_not_at_all(
    place: Place, transport: str
) -> None:
    client, socket = entered(place, transport)
    whole = SIZE
    for offset in range(SIZE + 1):
        text = f"3::/n:number {offset:03}"
        body = form(text) if transport == "jsonp-polling" else text.encode()
        request = padded(f"POST {client.url} HTTP/1.1\r\nHost: h\r\n", body)
        with cut(place, request[:offset]):
            pass
    wait_for(lambda: not socket.server_queue.qsize())
    client.send("3::/n:last")
    wait_for(lambda: "last" in place.record.seen)
    assert place.record.seen == [f"number {whole}", "last"]
    client.close()


@pytest.mark.parametrize("transport", WEBSOCKETS)
def test_a_frame_cut_at_any_byte_is_applied_whole_or_not_at_all(
    place: Place, transport: str
) -> None:
    data = b"3::/n:" + b"x" * (SIZE - 6 - 8)
    frame = Frame(Opcode.TEXT, data).serialize(mask=True)
    assert len(frame) == SIZE
    for offset in range(SIZE + 1):
        place.record.seen.clear()
        client, socket = entered(place, transport)
        client.sock.sendall(frame[:offset])
        client.close()
        wait_for(lambda s=socket: s.state == "DISCONNECTED")
        heard = [data[6:].decode()] if offset == SIZE else []
        assert place.record.seen == [*heard, "disconnect"]
        assert socket.disconnect_reason == "transport_lost"


@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_cut_at_any_byte_of_what_the_server_says_is_reported_at_once(
    place: Place, transport: str
) -> None:
    for offset in range(SIZE):
        place.record.seen.clear()
        client, socket = entered(place, transport)
        socket["/n"].send("x" * SIZE)
        if offset:
            read_exactly(client.stream if hasattr(client, "stream") else client, offset)
        client.close()
        wait_for(lambda s=socket: s.state == "DISCONNECTED")
        assert place.record.seen == ["disconnect"]
        assert socket.disconnect_reason == "transport_lost"


def upgrade(sessid: str) -> str:
    return (
        f"GET /socket.io/1/websocket/{sessid} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )


@pytest.mark.parametrize(
    "opening",
    [
        upgrade,
        lambda sessid: f"GET /socket.io/1/xhr-polling/{sessid} HTTP/1.1\r\nHost: h\r\n\r\n",
        lambda sessid: f"GET /socket.io/1/htmlfile/{sessid} HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    ids=["websocket", "xhr-polling", "htmlfile"],
)
def test_a_first_request_cut_at_any_byte_leaves_the_session_to_the_next(
    place: Place, opening: Callable[[str], str]
) -> None:
    sessid = handshake(place.server)
    request = opening(sessid).encode()
    for offset in range(len(request)):
        with cut(place, request[:offset]):
            pass
        assert place.server.sockets[sessid].state == "NEW"
    ALL_CLIENTS["xhr-polling"](place.server, sessid).open().close()


def test_a_handshake_cut_at_any_byte_makes_no_session(place: Place) -> None:
    request = padded("GET /socket.io/1/?t=1 HTTP/1.1\r\nHost: h\r\n")
    for offset in range(SIZE):
        with cut(place, request[:offset]):
            pass
    assert place.server.sockets == {}
