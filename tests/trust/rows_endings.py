"""F40, F46, F47 and G10: whatever ends a session, it ends once, at once, and is told."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.pool import Pool

from tests.client import event, wait_for
from tests.integration.endings import tcp_fin, tcp_rst, websocket_close_frame
from tests.streams import ALL_CLIENTS, EVERY, STREAMING, WEBSOCKETS
from tests.trust.freezer import Freezer
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_APP = "tests.trust.apps_life:namespaces"
_AT_ONCE_MS = 100.0
# Each look at a place costs it some hundredths of a second.
_LOOK = 0.05
_CUTS: dict[str, tuple[Callable[[Any], None], tuple[str, ...]]] = {
    "close frame": (websocket_close_frame, WEBSOCKETS),
    "FIN": (tcp_fin, STREAMING),
    "RST": (tcp_rst, STREAMING),
}


@dataclass
class Guest:
    """What the ways to end of :mod:`tests.integration.endings` want."""

    client: Any


def given_back(place: Place) -> bool:
    """Tell whether the place holds no more than before the row."""
    counts = place.counts()
    return all(counts[name] <= place.baseline[name] for name in counts)


def remembered(server: Any, transport: str, endpoint: str = "/chat") -> Any:
    """Return a client in a namespace that will write down its ends."""
    client = ALL_CLIENTS[transport](server).open()
    client.send(f"1::{endpoint}", event("remember", endpoint=endpoint, msgid="1+"))
    heard = ""
    while not heard.startswith("6:"):
        heard = client.recv()
    return client


def hear_the_end(client: Any) -> None:
    with contextlib.suppress(EOFError, OSError):
        while client.recv() != "0::":
            pass


def ended(place: Place, sessids: list[str]) -> list[list[list[Any]]]:
    """Wait until each of the sessions was told of its end, and how often and when it was."""

    def all_over() -> bool:
        ends = place.facts()["ends"]
        over = all(ends[sessid] for sessid in sessids)
        return (over and place.stats()["sessions"]["total"] == 1) or bool(gevent.sleep(_LOOK))

    wait_for(all_over, "the sessions are over")
    ends = place.facts()["ends"]
    return [ends[sessid] for sessid in sessids]


def cut_all(place: Place, name: str, clients: list[Any]) -> tuple[int, float]:
    """Cut the clients one by one; return how many were not told once, and the longest wait."""
    begins = []
    for client in clients:
        begins.append(time.monotonic())
        _CUTS[name][0](Guest(client))  # type: ignore[arg-type]
        gevent.sleep(0.002)  # the server is never behind
    wrong, worst = 0, 0.0
    for begin, told in zip(begins, ended(place, [c.sessid for c in clients]), strict=True):
        wrong += [end[:2] for end in told] != [["/chat", "transport_lost"]]
        worst = max(worst, told[0][2] - begin)
    for client in clients:
        client.close()
    return wrong, worst * 1000


def in_groups(number: int, size: int = 50) -> list[int]:
    """Return sizes of groups that are ``number`` together."""
    return [min(size, number - start) for start in range(0, number, size)]


def gather(job: Callable[[], Any], number: int) -> list[Any]:
    """Return what so many calls return that are made side by side."""
    pool = Pool(20)
    jobs = [pool.spawn(job) for _ in range(number)]
    return [job.get() for job in jobs]


@row(
    "G10",
    "close frame, FIN or RST of a WebSocket",
    passes="recv_disconnect exactly once, within 100 ms",
    original="only at the heartbeat timeout, 60 s later",
)
def told_at_once(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    number, worst, wrong, done = stage.number(300), 0.0, 0, 0
    for name in _CUTS:
        for size in in_groups(number):
            clients = gather(lambda: remembered(place, "websocket"), size)
            bad, longest = cut_all(place, name, clients)
            done, wrong, worst = done + len(clients), wrong + bad, max(worst, longest)
    wanted = number * len(_CUTS)
    return Figure(
        wrong == 0 and done == wanted and worst <= _AT_ONCE_MS,
        f"{done} of {wanted} sessions ended, {wrong} not told exactly once, worst {worst:.1f} ms",
    )


def busy(place: Place, transport: str) -> Any:
    """Return a client that hears something all the time, and has just said something."""
    client = remembered(place, transport)
    client.send(event("stream", 500, endpoint="/chat"), event("echo", endpoint="/chat"))
    client.recv()
    return client


@row(
    "F46",
    "close frame, FIN or RST of every streaming transport amid traffic",
    passes="recv_disconnect exactly once, at once (100 ms), no traceback",
    original="only at the heartbeat timeout, with a traceback of the writer",
)
def cut_amid_traffic(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    number, worst, wrong, done = stage.number(100), 0.0, 0, 0
    pairs = [(name, transport) for name, (_, where) in _CUTS.items() for transport in where]
    for name, transport in pairs:
        for size in in_groups(number, 10):
            clients = gather(lambda over=transport: busy(place, over), size)
            bad, longest = cut_all(place, name, clients)
            done, wrong, worst = done + len(clients), wrong + bad, max(worst, longest)
    traces = place.log().count("Traceback")
    wanted = number * len(pairs)
    return Figure(
        wrong == traces == 0 and done == wanted and worst <= _AT_ONCE_MS,
        f"{done:,} of {wanted:,} sessions over {len(STREAMING)} transports, {wrong} not told "
        f"exactly once, worst {worst:.1f} ms, {traces} tracebacks",
    )


# -- the peer is gone and nobody says so -----------------------------------------------------------

_INTERVAL, _TIMEOUT = 0.2, 1.0
_BRIEF = {
    "heartbeat_interval": _INTERVAL,
    "heartbeat_timeout": _TIMEOUT,
    "close_timeout": _TIMEOUT,
    "keepalive_timeout": 0.5,
}


def live_on(client: Any) -> None:
    """Answer heartbeats and poll, as clients do, for ever."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            text = client.recv()
            if text == "2::":
                client.send("2::")


@row(
    "F40",
    "half-open TCP: a proxy stops forwarding, the connections stay",
    passes="told once, timeout +- 1 interval + 1 s after (polls: their poll is held one interval "
    "more), sessions, greenlets and descriptors gone while the connections are still open",
)
def half_open(stage: Stage) -> Figure:
    place = stage.serve(_APP, **_BRIEF)
    freezer = Freezer(place.server_port, place.resource)
    clients, lives = [], []

    def come(transport: str) -> None:
        clients.append(remembered(freezer, transport))
        lives.append(gevent.spawn(live_on, clients[-1]))

    for transport in EVERY:
        gather(lambda over=transport: come(over), stage.number(25))
    alive = place.stats()["sessions"]["total"] - 1
    freezer.freeze()
    begin = time.monotonic()
    told = ended(place, [client.sessid for client in clients])
    wait_for(lambda: given_back(place), "all is given back")
    gevent.killall(lives)
    freezer.end()
    for client in clients:
        client.close()
    waits = [ends[0][2] - begin for ends in told]
    wrong = sum(len(ends) != 1 or not ends[0][1].endswith("_timeout") for ends in told)
    # The last sign of life is up to an interval and its way older than the freeze.
    in_time = min(waits) >= _TIMEOUT - 1.5 * _INTERVAL and max(waits) <= _TIMEOUT + _INTERVAL + 1
    return Figure(
        in_time and wrong == 0 and alive == len(clients) == len(told),
        f"{len(told)} of {len(clients)} sessions over {len(EVERY)} transports found after "
        f"{min(waits):.2f} to {max(waits):.2f} s (timeout {_TIMEOUT}), {wrong} not told once",
    )


# -- code of the application that ends its own session ---------------------------------------------

_WAYS = ("once", "twice", "greenlet", "emit", "connect", "disconnect")


def end_from_inside(place: Place, transport: str, way: str) -> str:
    """Have the application end a session; return its id when the client has heard it."""
    client = ALL_CLIENTS[transport](place).open()
    endpoint = f"/{way}" if way in ("connect", "disconnect") else "/handler"
    client.send(f"1::{endpoint}")
    if way == "disconnect":
        client.send(f"0::{endpoint}")
    elif way != "connect":
        client.send(event("end", way, endpoint=endpoint))
    hear_the_end(client)
    client.close()
    return str(client.sessid)


@row(
    "F47",
    "disconnect() in a handler, in recv_connect, in recv_disconnect, from another greenlet, twice, "
    "amid emits",
    passes="recv_disconnect once and not cut off, no job left",
    original="killed itself amid its clean-up, recv_disconnect could be cut off",
)
def ends_from_inside(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    each, sessids = stage.number(20), []
    pairs = [(transport, way) for transport in EVERY for way in _WAYS]
    for pair in pairs:
        sessids += gather(lambda given=pair: end_from_inside(place, *given), each)
    told = ended(place, sessids)
    wrong = sum(len(ends) != 1 for ends in told)
    calls = place.facts()["calls"]
    whole = sum(count for name, count in calls.items() if name.endswith(" told to the end"))
    wanted = len(pairs) * each
    return Figure(
        wrong == 0 and whole == len(told) == wanted and given_back(place),
        f"{len(told)} of {wanted} sessions, {len(_WAYS)} ways over {len(EVERY)} transports, "
        f"{wrong} not told exactly once, {whole} told to the end",
    )
