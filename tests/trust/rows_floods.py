"""F34, F35 and F61: one client sends as fast as it can."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import gevent
from gevent.event import Event

from socketio.wire.payload import encode_payload
from tests.client import PollingClient, WebSocketClient, event, wait_for
from tests.trust.gauges import Counted, rss
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage
from tests.unit.websocket.frames import PING, frame, text

_MB = 1 << 20
_APP = "tests.trust.apps_packets:namespaces"
_CHUNK = 200_000


class Flooder:
    """A WebSocket session that writes frames by the thousand, and reads what comes meanwhile."""

    def __init__(self, place: Place) -> None:
        self._client = WebSocketClient(place).open()
        self.sessid = self._client.sessid
        self.said = 0
        """Bytes that came back."""
        self.alive = True
        self._rounds = 0
        self._mark = b"6:::99+[0]"
        self._answered = Event()
        self._reader = gevent.spawn(self._read)

    def _read(self) -> None:
        tail = b""
        with contextlib.suppress(OSError):
            while data := self._client.sock.recv(1 << 20):
                self.said += len(data)
                tail = tail[-30:] + data
                if self._mark in tail:
                    self._answered.set()
        self.alive = False
        self._answered.set()

    def send(self, data: bytes, times: int = 1) -> None:
        """Send ``data`` again and again."""
        at_once = max(1, _CHUNK // len(data))
        while times > 0:
            self._client.sock.sendall(data * min(at_once, times))
            times -= at_once
            gevent.sleep(0)

    def finish(self) -> bool:
        """Wait until everything was handled; tell whether the session still answers."""
        self._rounds += 1
        self._mark = f"6:::99+[{self._rounds}]".encode()
        self._answered.clear()
        self.send(text(event("echo", self._rounds, msgid="99+")))
        return bool(self._answered.wait(60)) and self.alive

    def close(self) -> None:
        self._reader.kill()
        self._client.close()


@contextlib.contextmanager
def watching(place: Place) -> Iterator[dict[str, int]]:
    """Note the most there was of some things meanwhile."""
    most = {"greenlets": 0, "inbound": 0, "rss": 0}

    def watch() -> None:
        while True:
            stats = place.stats()
            most["greenlets"] = max(most["greenlets"], stats["process"]["greenlets"])
            most["inbound"] = max(most["inbound"], stats["queues"]["inbound_longest"])
            most["rss"] = max(most["rss"], rss(place))
            gevent.sleep(0.05)

    watcher = gevent.spawn(watch)
    try:
        yield most
    finally:
        watcher.kill()


def post_flood(place: Place, payloads: int) -> tuple[int, int, int, str]:
    """POST numbered events behind a handler that sleeps; return accepted, refused, the longest
    queue and the session id."""
    client = PollingClient(place).open()
    client.send(event("sleep", 0.5))
    number = refused = longest = 0
    for _ in range(payloads):
        packets = [event("ordered", number + at) for at in range(500)]
        status = client._post.request("POST", client.url, encode_payload(packets).encode()).status
        assert status in (200, 503), status
        number += 500 * (status == 200)
        refused += status == 503
        longest = max(longest, place.stats()["queues"]["inbound_longest"])
    sessid = client.sessid
    wait_for(lambda: place.facts()["order"].get(sessid, {}).get("count", 0) >= number, "handled")
    client.send("0::")
    client.close()
    return number, refused, longest, sessid


@row(
    "F34",
    "100,000 events of 100 bytes and 5,000 heavy ones from one client; POSTs; a handler asleep",
    passes="at most 1,000 wait, all handled in order, memory + < 8 MB; POSTs get 503",
    original="20,000 messages waited, nothing bounded them",
)
def flood_of_events(stage: Stage) -> Figure:
    place = stage.serve(_APP, body_timeout=0.2)
    flooder, number = Flooder(place), stage.number(100_000)
    before = rss(place)
    # All made before: to make a frame takes us longer than the server to handle it.
    padding = "x" * 60
    light = [text(event("ordered", at, padding)) for at in range(number)]
    # The longest of work for a byte: nothing else waits while one of them is parsed.
    heavy = [text("5:::" + "[" * 2000), text(event("echo", [{"a": [1, "x"]}] * 200, msgid="1+"))]
    with watching(place) as most:
        flooder.send(text(event("sleep", 0.3)))
        for start in range(0, number, 1000):
            flooder.send(b"".join(light[start : start + 1000]))
        flooder.send(b"".join(heavy), number // 40)
        alive = flooder.finish()
    got = place.facts()["order"][flooder.sessid]
    grown, sessid = max(most["rss"], rss(place)) - before, flooder.sessid
    flooder.close()
    taken, refused, longest, poller = post_flood(place, 4)
    posted = place.facts()["order"][poller]
    in_order = got["jumps"] + posted["jumps"] == 0
    ok = alive and got["count"] == number and posted["count"] == taken and in_order and bool(sessid)
    ok = ok and refused > 0 and taken > 0 and 0 < most["inbound"] <= 1000 and longest <= 1500
    return Figure(
        ok and grown < 8 * _MB,
        f"{got['count']:,} of {number:,} handled, {got['jumps'] + posted['jumps']} out of order, "
        f"at most {most['inbound']:,} waited, memory {grown / _MB:+.1f} MB; of 4 POSTs {refused} "
        f"got 503, {posted['count']:,} of {taken:,} events handled, at most {longest:,} waited",
    )


KINDS = {
    "heartbeats": (text("2::"), 1),
    "noops": (text("8::"), 1),
    "pings": (frame(PING, b"x" * 10), 1),
    "connects": (text("1::"), 1),
    "connects to a namespace": (text("1::/chat"), 1),
    "joins and leaves": (text("1::/chat") + text("0::/chat"), 2),
    "leaves of what was not joined": (text("0::/news"), 1),
    "errors": (text("7:::1+0"), 1),
}


@row(
    "F35",
    "floods of heartbeats, pings, noops, connects, leaves, errors: 100,000 packets",
    passes="no greenlet more, the session answers, memory + < 8 MB",
)
def flood_of_control_packets(stage: Stage) -> Figure:
    place = stage.serve()
    flooder, number = Flooder(place), stage.number(100_000 // len(KINDS))
    flooder.send(text(event("say", 1)))
    alive = int(flooder.finish())
    flooder.send(KINDS["connects"][0], 100)
    counted, before = Counted(place), rss(place)
    usual = place.stats()["process"]["greenlets"]
    with watching(place) as most:
        for data, packets in KINDS.values():
            flooder.send(data, number // packets)
            alive += flooder.finish()
    taken = counted.rise("traffic", "packets_received")
    pairs = counted.calls("/chat connect"), counted.calls("/chat disconnect")
    flooder.close()
    more, grown = most["greenlets"] - usual, max(most["rss"], rss(place)) - before
    sent = sum(number // packets * packets for _, packets in KINDS.values())
    # Pings are no packets; each question of the watcher has a greenlet of its own.
    ok = alive == len(KINDS) + 1 and taken >= sent - number and more <= 2 and grown < 8 * _MB
    ok = ok and most["greenlets"] > 0 and pairs[0] == pairs[1] >= number // 2
    return Figure(
        ok,
        f"{taken:,} packets and {number:,} pings of {sent:,}, greenlets {more:+d}, memory "
        f"{grown / _MB:+.1f} MB; {pairs[0]:,} joins and {pairs[1]:,} leaves told; the session "
        f"answers {alive} of {len(KINDS) + 1} times",
    )


BAD = {
    "invalid_packet": "x",
    "no_such_namespace": '5::/nowhere:{"name":"x"}',
    "no_such_method": '5:::{"name":"nothing"}',
    "unallowed_event_name": '5:::{"name":"\\n"}',
    "invalid_args": '5:::{"name":"join"}',
}


@row(
    "F61",
    "100,000 bad packets of five kinds, from ten clients",
    passes="at most 100 lines in the log, every packet counted",
    original="a traceback each",
)
def log_storm(stage: Stage) -> Figure:
    place = stage.serve()
    counted, before = Counted(place), place.log().count("\n")
    each = stage.number(100_000) // (10 * len(BAD))
    data = b"".join(text(packet) for packet in BAD.values())
    alive = 0
    for _ in range(10):
        flooder = Flooder(place)
        flooder.send(data, each)
        alive += flooder.finish()
        flooder.close()
    lines = place.log().count("\n") - before
    counts = {name: counted.rise("errors", name) for name in BAD}
    expected = dict.fromkeys(BAD, 10 * each)
    total = sum(counts.values())
    return Figure(
        counts == expected and 0 < lines <= 100 and alive == 10,
        f"{lines} lines for {10 * each * len(BAD):,} bad packets, {total:,} counted, "
        f"{alive} of 10 sessions answer",
    )
