"""What strangers do to a server while others use it; nobody of them has a session of anybody."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import gevent

from tests.client import Connection, WebSocketClient, fetch, handshake

__all__ = ["FAULTS", "vandal"]


def _garbage(place: Any, rng: random.Random) -> None:
    connection = Connection(place)
    connection.send_raw(rng.randbytes(rng.randrange(1, 2000)) + b"\r\n\r\n")
    connection.read_to_end()
    connection.close()


def _half_a_request(place: Any, rng: random.Random) -> None:
    connection = Connection(place)
    request = (
        b"POST /socket.io/1/xhr-polling/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"
    )
    connection.send_raw(request[: rng.randrange(1, len(request))])
    gevent.sleep(rng.random() * 0.2)
    connection.close()


def _ghost(place: Any, rng: random.Random) -> None:
    handshake(place)


def _foreign_origin(place: Any, rng: random.Random) -> None:
    answer = fetch(place, "GET", "/socket.io/1/", Origin="http://evil.example")
    assert answer.status == 403, answer


def _guess(place: Any, rng: random.Random) -> None:
    answer = fetch(place, "GET", f"/socket.io/1/xhr-polling/{rng.randrange(10**40):040d}")
    assert answer.status == 400, answer


def _too_large(place: Any, rng: random.Random) -> None:
    connection = Connection(place)
    url = f"/socket.io/1/xhr-polling/{handshake(place)}"
    connection.send_raw(
        f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n".encode()
    )
    assert connection.read_answer().status == 413
    connection.close()


def _bad_frames(place: Any, rng: random.Random) -> None:
    client = WebSocketClient(place).open()
    client.sock.sendall(rng.randbytes(rng.randrange(1, 500)))
    gevent.sleep(rng.random() * 0.05)
    client.close()


def _deaf(place: Any, rng: random.Random) -> None:
    client = WebSocketClient(place).open()
    client.send("1::/n", '5::/n:{"name":"up","args":[1,300,10000]}')
    gevent.sleep(rng.random())
    client.close()


FAULTS = [
    *[_garbage, _half_a_request, _ghost, _foreign_origin, _guess, _too_large, _bad_frames, _deaf]
]


def vandal(soak: Any, seed: int) -> None:
    """Do one bad thing after the other until the soak is over."""
    rng = random.Random(-seed)
    while not soak.over:
        fault = rng.choice(FAULTS)
        soak.faults[f"vandal: {fault.__name__.strip('_')}"] += 1
        with contextlib.suppress(OSError, EOFError):
            fault(soak.place, rng)
        gevent.sleep(rng.random() * 0.1)
