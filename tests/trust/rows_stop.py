"""F39 and F49: a server stops and starts again, its clients come back."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.client import wait_for
from tests.returning import Returning
from tests.trust.rows import Figure, row
from tests.trust.stage import Fault, Place, Stage

_APP = "tests.trust.apps_life:namespaces"
TIMEOUT = 5
GRACE = 0.5


@contextmanager
def clients_of(
    server: Any, transports: Sequence[str], number: int, *, remember: bool = True
) -> Iterator[list[Returning]]:
    """Give so many clients that are connected, over each transport in turn."""
    clients = [
        Returning(server, transports[turn % len(transports)], remember=remember)
        for turn in range(number)
    ]
    try:
        wait_for(lambda: all(client.sessids for client in clients), "all are connected")
        yield clients
    finally:
        for client in clients:
            client.end()


def all_back(clients: list[Returning]) -> int:
    """Wait until each client has a second session; return how many have."""
    wait_for(lambda: all(len(client.sessids) > 1 for client in clients), "all are back")
    return len(clients)


def stop(place: Place, timeout: float) -> tuple[float, dict[str, int]]:
    """Stop the server; return the seconds it took and what its process still held then."""
    begin = time.monotonic()
    place.child.say(f"stop {timeout}")
    held = json.loads(place.child.read_line())
    return time.monotonic() - begin, held


def start(place: Place) -> None:
    """Start the server again; it must be on its port."""
    place.child.say("start")
    port = int(place.child.read_line())
    if port != place.server_port:
        raise Fault(f"started again on port {port}, not on {place.server_port}")


def left_over(held: dict[str, int], quiet: dict[str, int]) -> str:
    """Return what a stopped server has not given back; "" is good.

    Args:
        held: What its process holds.
        quiet: What it held when nobody was connected: its listener and the request for these
            numbers were among that.
    """
    descriptors = held["descriptors"] - (quiet["descriptors"] - 2)
    greenlets = held["greenlets"] - (quiet["greenlets"] - 1)
    return (
        f"left: {greenlets} greenlets, {descriptors} descriptors"
        if greenlets or descriptors
        else ""
    )


def told_once(facts: dict[str, Any], sessids: list[str]) -> int:
    """Count the sessions that were told exactly once, and why."""
    return sum(
        [end[1] for end in facts["ends"].get(sessid, [])] == ["server_stopping"]
        for sessid in sessids
    )


def leave_room(connections: int) -> None:
    """Allow this process, and those it starts, so many connections more than by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 1024
    if hard not in (resource.RLIM_INFINITY, -1):
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@row(
    "F39",
    "1,000 clients, half over websocket and half over xhr-polling, when their server restarts",
    passes="1,000 of 1,000 are back within 30 s",
)
def storm(stage: Stage) -> Figure:
    number = stage.number(1_000)
    leave_room(4 * number)
    place = stage.serve(_APP)
    place.send_canary_home()
    with clients_of(place, ["websocket", "xhr-polling"], number, remember=False) as clients:
        seconds, _held = stop(place, TIMEOUT)
        refused = sum(client.refused for client in clients)
        begin = time.monotonic()
        start(place)
        back = all_back(clients)
        took = time.monotonic() - begin
        refused = sum(client.refused for client in clients) - refused
        alive = place.stats()["sessions"]["total"]
    return Figure(
        back == alive == number and took <= 30,
        f"{alive:,} of {number:,} back after {took:.1f} s, {refused} attempts failed meanwhile "
        f"(the stop took {seconds:.1f} s)",
    )


@row(
    "F49",
    "stop(5) with 100 WebSockets and 100 polls",
    passes="returns within 5.5 s, recv_disconnect 200 of 200, no greenlet or connection left, the "
    "same server starts again on its port",
    original="5 of 5 greenlets of a session survived stop()",
)
def stopped(stage: Stage) -> Figure:
    number = stage.number(200, least=4)
    place = stage.serve(_APP)
    place.send_canary_home()
    quiet = place.settled()
    with clients_of(place, ["websocket", "xhr-polling"], number) as clients:
        sessids = [client.sessids[0] for client in clients]
        seconds, held = stop(place, TIMEOUT)
        start(place)
        back = all_back(clients)
        told = told_once(place.facts(), sessids)
    left = left_over(held, quiet)
    return Figure(
        told == back == number and seconds <= TIMEOUT + GRACE and not left,
        f"stop({TIMEOUT}) took {seconds:.2f} s, {told} of {number} told once, "
        f"{left or '0 greenlets and descriptors left'}, {back} of {number} back at the same server "
        f"on its port",
    )
