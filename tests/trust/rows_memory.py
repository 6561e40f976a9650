"""G13: how much memory one client can pin with the defaults."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import gevent

from tests.client import Connection, PollingClient, WebSocketClient, event, wait_for
from tests.trust.gauges import Counted, rss
from tests.trust.rows import Figure, row
from tests.trust.rows_sizes import masked
from tests.trust.stage import Place, Stage
from tests.unit.websocket.frames import CONT, TEXT

_APP = "tests.trust.apps_packets:namespaces"
_MB = 1 << 20
_SIZE = 999_000
_OUTBOUND = 4_000_000
# So many do the same at once: what the allocator keeps after the first belongs to none of them.
_TOGETHER = 4
_ASLEEP = 9


def put(client: WebSocketClient, data: bytes, times: int) -> None:
    """Send until the server takes no more."""
    client.sock.settimeout(1)
    with contextlib.suppress(OSError):
        for _ in range(times):
            client.sock.sendall(data)


def message(text: str) -> bytes:
    data = text.encode()
    return masked(TEXT, len(data), data)


def unread(place: Place, filling: str) -> WebSocketClient:
    """Have the server echo what we do not read, until one more would be too much."""
    client, counted, waiting, step = WebSocketClient(place).open(), Counted(place), 0, 0
    data, base = message("3:::echo " + filling), int(place.stats()["queues"]["outbound_size"])
    for number in range(1, 30):
        put(client, data, 1)
        wait_for(lambda number=number: counted.calls(" message") == number, "it is handled")
        before, waiting = waiting, int(place.stats()["queues"]["outbound_size"]) - base
        step = max(step, waiting - before)
        if waiting + step > _OUTBOUND:
            break
    assert waiting > _OUTBOUND / 4, waiting
    return client


def asleep(place: Place, filling: str) -> WebSocketClient:
    """Fill the inbound queue behind a handler that sleeps."""
    client = WebSocketClient(place).open()
    client.send(event("sleep", _ASLEEP))
    put(client, message("3:::" + filling), 12)
    return client


def both(place: Place, filling: str) -> WebSocketClient:
    """Fill the outbound queue, then the inbound one behind a handler that sleeps."""
    client = unread(place, filling)
    client.send(event("sleep", _ASLEEP))
    put(client, message("3:::" + filling), 12)
    return client


def small_and_many(place: Place) -> WebSocketClient:
    """Fill both queues with packets as short as they may be, by their number."""
    client = WebSocketClient(place).open()
    client.send(event("flood", 9_990, 0), event("sleep", _ASLEEP))
    put(client, b"".join([message("3:::x")] * 2_000), 5)
    return client


def unfinished(place: Place) -> WebSocketClient:
    """Send a message in fragments, all but the last."""
    client = WebSocketClient(place).open()
    client.sock.sendall(masked(TEXT, 1_000, b"3:::", fin=False))
    for _ in range(998):
        client.sock.sendall(masked(CONT, 1_000, fin=False))
    return client


class Body:
    """A POST without its last byte."""

    def __init__(self, place: Place) -> None:
        self._client = PollingClient(place).open()
        self._connection = Connection(place)
        head = f"POST {self._client.url} HTTP/1.1\r\nHost: x\r\nContent-Length: {_SIZE}\r\n\r\n"
        self._connection.send_raw(head.encode() + b"x" * (_SIZE - 1))

    def close(self) -> None:
        self._connection.close()
        self._client.send("0::")
        self._client.close()


ASCII, ASTRAL = "x" * (_SIZE - 100), "\U0001f600" + "x" * (_SIZE - 100)
# A text with one emoji has four bytes for each of its characters.
WAYS: dict[str, Callable[[Place], WebSocketClient | Body]] = {
    "answers not read": lambda place: unread(place, ASCII),
    "answers not read, one emoji in each": lambda place: unread(place, ASTRAL),
    "a handler asleep": lambda place: asleep(place, ASCII),
    "a handler asleep, one emoji in each": lambda place: asleep(place, ASTRAL),
    "both": lambda place: both(place, ASCII),
    "both, one emoji in each": lambda place: both(place, ASTRAL),
    "both queues full of short packets": small_and_many,
    "a message without its last fragment": unfinished,
    "a body without its last byte": Body,
}


def pinned(place: Place, way: Callable[[Place], WebSocketClient | Body]) -> int:
    """Return by how much the memory grows and stays for each of several clients, in bytes."""
    before = rss(place)
    clients = [way(place) for _ in range(_TOGETHER)]
    place.stats(collect=True)
    samples = []
    for _ in range(5):
        gevent.sleep(0.02)
        samples.append(rss(place))
    for client in clients:
        client.close()
    return (min(samples) - before) // _TOGETHER


@row(
    "G13",
    "memory that a session can pin with the defaults, four of them at once",
    passes="at most 16 MB each, whatever they do",
    original="without bound: +76 MB from 20 MB, +164 MB from a POST of 20 MB",
    short=False,
)
def pinned_memory(stage: Stage) -> Figure:
    found: dict[str, float] = {}
    for name, way in WAYS.items():
        place = stage.serve(_APP)
        found[name] = pinned(place, way) / _MB
    worst = max(found, key=lambda name: found[name])
    told = ", ".join(f"{name} {size:.1f}" for name, size in found.items())
    return Figure(found[worst] <= 16 and len(found) == len(WAYS), f"MB: {told}")
