"""F36, F37, F59 and G9: handshakes nobody comes for, and the cap on sessions."""

from __future__ import annotations

import time

import gevent

from tests.client import Connection, WebSocketClient, event, wait_for
from tests.trust.gauges import rss
from tests.trust.rows import Figure, row
from tests.trust.rows_packets import still_answers
from tests.trust.stage import Place, Stage

_MB = 1 << 20
_APP = "tests.trust.apps_packets:namespaces"
_AT_ONCE = 50


def shake(place: Place, number: int) -> list[tuple[int, bool]]:
    """Do ``number`` handshakes, in pipelines; return status and whether "Retry-After" came."""
    connection, answers = Connection(place), []
    request = f"GET /socket.io/1/?t=1 HTTP/1.1\r\nHost: 127.0.0.1:{place.server_port}\r\n\r\n"
    for start in range(0, number, _AT_ONCE):
        count = min(_AT_ONCE, number - start)
        connection.send_raw(request.encode() * count)
        for _ in range(count):
            answer = connection.read_answer()
            answers.append((answer.status, "retry-after" in answer.headers))
    connection.close()
    return answers


def pending(place: Place) -> int:
    """Return how many handshakes wait for their clients."""
    return int(place.facts()["pending"])


def wait_until_gone(place: Place) -> float:
    """Return the seconds until no handshake waits for its client any more."""
    begin = time.monotonic()
    while pending(place):
        gevent.sleep(0.05)
    return time.monotonic() - begin


@row(
    "G9",
    "10,000 handshakes nobody comes for, with a handshake timeout of 5 s",
    passes="gone in time, at most 4 kB each, no greenlet",
    original="2,000 stayed for ever, 6.3 kB each",
)
def handshakes_nobody_comes_for(stage: Stage) -> Figure:
    patience = 5 if stage.scale == 1 else 1
    place, number = stage.serve(_APP, handshake_timeout=patience), stage.number(10_000)
    client = WebSocketClient(place).open()
    alive = still_answers(client)
    before, greenlets = rss(place), place.stats()["process"]["greenlets"]
    answers = shake(place, number)
    waiting, grown = pending(place), rss(place) - before
    more = place.stats()["process"]["greenlets"] - greenlets
    took = wait_until_gone(place)
    alive = alive and still_answers(client)
    client.close()
    granted = sum(status == 200 for status, _ in answers)
    ok = alive and granted == number == waiting and took <= patience + 1 and not more
    # A few hundred say nothing: memory comes by the page.
    ok = ok and (grown <= 4096 * number or stage.scale < 1)
    return Figure(
        ok,
        f"{granted:,} of {number:,} granted, {waiting:,} wait, {grown / number / 1000:.1f} kB "
        f"each, greenlets {more:+d}; all gone after {took:.1f} s, limit {patience} s",
    )


@row(
    "F36",
    "a flood of handshakes over max_handshakes",
    passes="503 with Retry-After over the limit, sessions there go on, all are welcome again later",
    original="no limit, none was ever reaped",
)
def flood_of_handshakes(stage: Stage) -> Figure:
    limit = 500
    place = stage.serve(_APP, max_handshakes=limit, handshake_timeout=1)
    client = WebSocketClient(place).open()
    answers = shake(place, 2 * limit)
    granted = sum(status == 200 for status, _ in answers)
    refused = answers.count((503, True))
    alive = still_answers(client)
    took = wait_until_gone(place)
    client.close()
    client = WebSocketClient(place).open()
    again = still_answers(client)
    client.close()
    counted = place.stats()["limits"].get("max_handshakes", 0)
    # Those who wait too long make room while the flood goes on.
    ok = refused > 0 and granted + refused == 2 * limit and counted == refused
    return Figure(
        ok and alive and again and took <= 2 and granted >= limit,
        f"{granted} of {2 * limit} granted, {refused} times 503 with Retry-After, {counted} "
        f"counted; gone after {took:.1f} s, limit 1 s, then the next is "
        f"{'welcome' if again else 'refused'}",
    )


@row(
    "F37",
    "100 broadcasts of 1 kB while 2,000 handshakes wait for their clients",
    passes="nothing is queued for them, memory + < 2 MB",
    original="+144 MB with 20 broadcasts",
)
def broadcasts_to_ghosts(stage: Stage) -> Figure:
    patience = 4 if stage.scale == 1 else 1
    place, number = stage.serve(_APP, handshake_timeout=patience), stage.number(2_000)
    client = WebSocketClient(place).open()
    client.send("1::/chat")
    assert client.recv() == "1::/chat"
    shake(place, number)
    ghosts, before = pending(place), rss(place)
    client.send(event("storm", 100, 1000, endpoint="/chat"))
    got = sum('"storm"' in client.recv() for _ in range(100))
    queued = int(place.stats()["queues"]["outbound_size"])
    grown, left = rss(place) - before, pending(place)
    client.close()
    ok = got == 100 and left == ghosts == number and not queued and grown < 2 * _MB
    return Figure(
        ok,
        f"{left:,} ghosts, {got} of 100 broadcasts reached who is there, {queued} characters "
        f"queued for ghosts, memory {grown / _MB:+.1f} MB",
    )


@row(
    "F59",
    "more sessions than max_sessions=50",
    passes="50 live, the 51st gets 503 with Retry-After, the others go on",
)
def cap_on_sessions(stage: Stage) -> Figure:
    place = stage.serve(max_sessions=50)
    clients = [WebSocketClient(place).open() for _ in range(49)]  # the canary is one too
    refused = shake(place, 10).count((503, True))
    alive = sum(still_answers(client) for client in clients)
    total = place.stats()["sessions"]["total"]
    clients.pop().close()
    wait_for(lambda: place.stats()["sessions"]["total"] == 49, "one has left")
    clients.append(WebSocketClient(place).open())
    for client in clients:
        client.close()
    return Figure(
        refused == 10 and alive == 49 and total == 50,
        f"{total} live, {refused} of 10 more get 503 with Retry-After, {alive} of 49 answer; where "
        "one left another came",
    )
