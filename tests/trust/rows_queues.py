"""F33 and F64: clients that do not take what they are sent, and clients that are gone."""

from __future__ import annotations

import json

from gevent import socket as gsocket

from tests.client import PollingClient, WebSocketClient, event, wait_for
from tests.trust.gauges import Counted, peak_rss, reset_peak
from tests.trust.rows import Figure, row
from tests.trust.rows_packets import still_answers
from tests.trust.stage import Place, Stage
from tests.unit.websocket.frames import Peer

_APP = "tests.trust.apps_packets:namespaces"
_MB = 1 << 20
_OUTBOUND = 8_000_000


def join(client: PollingClient | WebSocketClient) -> None:
    client.send("1::/chat")
    assert client.recv() == "1::/chat"


def slow_websocket(place: Place) -> WebSocketClient:
    """Return a member of /chat that reads nothing from now on."""
    client = WebSocketClient(place).open()
    join(client)
    client.sock.setsockopt(gsocket.SOL_SOCKET, gsocket.SO_RCVBUF, 1024)
    return client


def slow_poller(place: Place) -> PollingClient:
    client = PollingClient(place).open()
    join(client)
    return client


@row(
    "F33",
    "ten members that read nothing, over WebSocket and polling, in a broadcast of 20 MB",
    passes="each ended once as slow_peer, memory within 20 % of what may wait, a reader gets all",
    original="+76 MB from 20 MB, no limit reached",
)
def slow_consumers(stage: Stage) -> Figure:
    place, slow = stage.serve(_APP), 5
    clients = [make(place) for make in (slow_websocket, slow_poller) for _ in range(slow)]
    reader = WebSocketClient(place).open()
    join(reader)
    counted, number = Counted(place), 2000
    reset_peak(place)
    before = peak_rss(place)
    reader.send(event("storm", number, 10_000, endpoint="/chat"))
    got = [json.loads(reader.recv().split(":", 3)[3])["args"][0] for _ in range(number)]
    wait_for(lambda: counted.rise("disconnects", "slow_peer") == len(clients), "the slow ones end")
    told, grown = counted.calls("/chat disconnect"), peak_rss(place) - before
    alive = still_answers(reader)
    for client in [*clients, reader]:
        client.close()
    most = 1.2 * _OUTBOUND * len(clients)
    ended = counted.rise("disconnects", "slow_peer")
    in_order = got == list(range(number))
    return Figure(
        ended == told == len(clients) and grown <= most and in_order and alive,
        f"{ended} of {len(clients)} ended as slow_peer, {told} times told; memory at its peak "
        f"{grown / _MB:+.1f} MB, limit {most / _MB:.0f}; the reader got {len(got):,} of {number:,} "
        f"{'in' if in_order else 'out of'} order",
    )


@row(
    "F64",
    "emits to the dead and the unknown, of 1 MB and 9 MB, and from a thread",
    passes="nothing raised; who reads gets them, twice 9 MB for nobody end as slow_peer",
)
def emits_to_nobody(stage: Stage) -> Figure:
    place, count = stage.serve(_APP), stage.number(500, least=20)
    counted, dying, alive = Counted(place), WebSocketClient(place).open(), 0
    for _ in range(3):
        dying.send(event("die"))
        while dying.recv() != "0::":
            pass
        dying.close()
        dying = WebSocketClient(place).open()
    client = WebSocketClient(place).open()
    join(client)
    client.send(event("speak_to_the_dead"), event("speak_to_nobody"))
    alive += still_answers(client)
    client.send(event("flood", 1, 1_000_000))
    arrived = len(client.recv())
    client.send(event("speak_from_a_thread", count))
    heard = [json.loads(client.recv().split(":", 3)[3])["args"][0] for _ in range(count)]
    alive += still_answers(client)
    client.send(event("flood", 1, 9_000_000))
    arrived += len(Peer(client.sock).read_frame()[1])  # more than our own client takes
    poller = PollingClient(place).open()
    poller.send(event("flood", 2, 9_000_000))  # one alone would wait for the next poll
    wait_for(lambda: counted.rise("disconnects", "slow_peer") == 1, "too much for a queue")
    for one in (poller, dying, client):
        one.close()
    outcomes, expected = place.facts()["outcomes"], dict.fromkeys(("namespace", "message"), 3)
    expected |= {"socket": 3, "kick": 3, "unknown None": 1, "room": 1, "endpoint": 1}
    ok = outcomes == {**expected, "thread": count} and heard == list(range(count))
    return Figure(
        ok and alive == 2 and arrived > 10_000_000,
        f"{sum(outcomes.values())} sends to nobody and from a thread, as documented: "
        f"{'yes' if ok else outcomes}; {len(heard)} of {count} from the thread heard; 1 and 9 MB "
        f"arrived ({arrived:,} characters), twice 9 MB between two polls ended that session",
    )
