"""F41, F43, F44 and F45: several requests of one session, none of which may lose anything."""

from __future__ import annotations

import math
import random
import socket as stdsocket
import struct
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.pool import Pool

from tests.client import Connection, PollingClient, event, wait_for
from tests.streams import ALL_CLIENTS, EVERY, POLLING
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_APP = "tests.trust.apps_life:namespaces"
_NUMBERS = 100
# Seconds; nothing is waited for meanwhile.
_AT_ONCE = 1


def together(jobs: list[Callable[[], Any]], at_once: int = 20) -> list[Any]:
    """Return what the calls return, made side by side."""
    pool = Pool(at_once)
    running = [pool.spawn(job) for job in jobs]
    return [job.get() for job in running]


def entered(place: Any, transport: str) -> Any:
    """Return a client in /chat."""
    client = ALL_CLIENTS[transport](place).open()
    client.send("1::/chat")
    assert client.recv() == "1::/chat"
    return client


def numbers_of(texts: list[str]) -> list[int]:
    """Return the numbers that the application emitted, of packets that came."""
    head, tail = '5::/chat:{"args":[', '],"name":"n"}'
    found = [text for text in texts if text not in ("8::", "2::")]
    assert all(text.startswith(head) and text.endswith(tail) for text in found), found[:3]
    return [int(text[len(head) : -len(tail)]) for text in found]


def part(client: Any) -> None:
    """End the session of ``client``, whatever carries it now."""
    client.send("0::")
    client.close()


# -- a client that vanishes in its poll ------------------------------------------------------------


def vanish(client: PollingClient, how: str) -> None:
    """End a poll that has begun, in one of the ways that connections end."""
    sock = client._poll.sock
    if how == "part":
        sock.recv(random.randint(1, 60))
    if how == "rst":
        sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def lost_in_a_poll(place: Place, transport: str, how: str) -> bool:
    """Vanish in a poll, have numbers emitted; tell whether the next polls bring all, in order."""
    client = entered(place, transport)
    client.start_poll()
    soon = how in ("race", "part")
    client.send(event("count_later", _NUMBERS, 0 if soon else 0.02, endpoint="/chat"))
    if soon:
        gevent.sleep(random.uniform(0, 0.002))
    else:
        wait_for(lambda: client.sessid in place.facts()["held"], "the poll is held")
    vanish(client, how)
    got: list[int] = []
    patience = 5  # polls that bring nothing
    while patience and (not got or got[-1] < _NUMBERS - 1):
        found = numbers_of(polled_anew(client))
        got += found
        patience -= not found
    part(client)
    return got == list(range(_NUMBERS))


def polled_anew(client: PollingClient) -> list[str]:
    """Poll on a new connection; what a poll that breaks off had comes with another."""
    client._poll = Connection(client.server)
    try:
        return client.poll()
    except (OSError, EOFError):  # the server read the one that vanished behind it
        return []
    finally:
        client._poll.close()


@row(
    "F41",
    "the client vanishes in its poll (FIN, RST, amid the answer, at the moment of the emit), 100 "
    "numbered events, it polls again",
    passes="100 of 100 in order with the next polls, 0 lost and 0 twice",
    original="the next batch was written to the dead connection and gone",
)
def vanished_in_a_poll(stage: Stage) -> Figure:
    place = stage.serve(_APP, polling_duration=2)
    cases = [(transport, how) for transport in POLLING for how in ("fin", "rst", "race", "part")]
    each = stage.number(125)
    jobs = [lambda given=case: lost_in_a_poll(place, *given) for _ in range(each) for case in cases]
    good = together(jobs)
    ended = place.stats()["disconnects"].get("peer_left", 0)
    return Figure(
        all(good) and len(good) == ended == each * len(cases),
        f"{sum(good):,} of {len(good):,} trials with {_NUMBERS} of {_NUMBERS} in order, "
        f"{len(good) - sum(good)} with a loss",
    )


# -- two polls at once -----------------------------------------------------------------------------


def two_polls(place: Place, transport: str) -> tuple[bool, float]:
    """Poll twice at once; tell whether all came in order, and how long the older waited."""
    client = entered(place, transport)
    second = ALL_CLIENTS[transport](place, client.sessid)
    client.start_poll()
    begin = time.monotonic()
    second.start_poll()
    answers: list[list[str]] = []  # as they come: the older one's is the first
    readers = [gevent.spawn(lambda c=c: answers.append(c.end_poll())) for c in (client, second)]
    gevent.joinall(readers, count=1, raise_error=True)
    took = time.monotonic() - begin if answers == [["8::"]] else math.inf
    client.send(event("count", _NUMBERS, 0, endpoint="/chat"))
    gevent.joinall(readers, raise_error=True)
    got = [number for texts in answers for number in numbers_of(texts)]
    while not got or got[-1] < _NUMBERS - 1:
        got += numbers_of(client.poll())
    second.close()
    part(client)
    return got == list(range(_NUMBERS)), took


@row(
    "F43",
    "two polls of one session at once, 100 numbered events meanwhile",
    passes="the older is answered at once with a noop, the newer takes all: 0 lost, 0 reordered",
    original="both took from one queue, the second waited a whole interval",
)
def polls_in_pairs(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    each = stage.number(100)
    jobs = [
        lambda over=transport: two_polls(place, over) for _ in range(each) for transport in POLLING
    ]
    results = together(jobs)
    whole = sum(in_order for in_order, _ in results)
    noops = sum(took <= _AT_ONCE for _, took in results)
    return Figure(
        whole == noops == len(results) == each * len(POLLING),
        f"{whole} of {len(results)} pairs whole and in order, {noops} times a noop for the older "
        f"at once (worst {max(took for _, took in results) * 1000:.0f} ms)",
    )


# -- many posts at once ----------------------------------------------------------------------------

_CONNECTIONS = 10


def post_numbers(place: Place, transport: str, sessid: str, connection: int, count: int) -> None:
    """Post numbers over a connection of its own, two in a post."""
    client = ALL_CLIENTS[transport](place, sessid)
    for number in range(0, count, 2):
        client.send(
            event("number", connection, number, endpoint="/chat"),
            event("number", connection, number + 1, endpoint="/chat"),
        )
    client.close()


def parallel_posts(place: Place, transport: str, count: int) -> str:
    """Post over ten connections while nobody polls; returns the id of the session."""
    client = entered(place, transport)
    jobs = [
        lambda n=n: post_numbers(place, transport, client.sessid, n, count)
        for n in range(_CONNECTIONS)
    ]
    together(jobs)
    client.send(event("echo", endpoint="/chat", msgid="1+"))
    assert client.recv().startswith("6:")  # the handlers have had everything before it
    part(client)
    return str(client.sessid)


@row(
    "F44",
    "posts over ten connections at once while nobody polls",
    passes="each accepted packet handled once, the order of each connection kept",
)
def posts_in_parallel(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    count, sessions = stage.number(100, least=10), stage.number(5)
    sessids = [
        parallel_posts(place, transport, count) for _ in range(sessions) for transport in POLLING
    ]
    numbers = place.facts()["numbers"]
    handled = sum(len(numbers[sessid]) for sessid in sessids)
    whole = sum(
        [n for c, n in numbers[sessid] if c == connection] == list(range(count))
        for sessid in sessids
        for connection in range(_CONNECTIONS)
    )
    posted = len(sessids) * _CONNECTIONS * count
    return Figure(
        handled == posted and whole == len(sessids) * _CONNECTIONS,
        f"{handled:,} of {posted:,} events handled, {whole} of {len(sessids) * _CONNECTIONS} "
        f"connections whole and in order",
    )


# -- another transport in the middle ---------------------------------------------------------------


class Older:
    """Reads what the first link of a session brings until it is taken over."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.superseded = False
        self.polls = 0
        self._texts: list[str] = []
        if isinstance(client, PollingClient):
            self._start_poll()
            self._job = gevent.spawn(self._poll)
        else:
            self._job = gevent.spawn(self._read)

    def _poll(self) -> None:
        while True:
            self._texts += self.client.end_poll()
            if self.superseded:
                return
            self._start_poll()

    def _start_poll(self) -> None:
        self.polls += 1
        self.client.start_poll()

    def _read(self) -> None:
        try:
            while True:
                self._texts.append(self.client.recv())
        except EOFError:
            self.client.close()  # as browsers do when the server has closed

    def all_read(self) -> list[str]:
        self._job.get()
        self.client.close()
        return self._texts


def taken_over(place: Place, older: str, newer: str) -> bool:
    """Change the transport amid numbered events; tell whether each came once, in order."""
    client = entered(place, older)
    client.send(event("stream", _NUMBERS, endpoint="/chat"))
    before = place.hits(client.sessid)
    first = Older(client)
    gevent.sleep(random.uniform(0, 0.1))  # somewhere amid them
    first.superseded = True
    # Two connections have no order: the poll that is on its way has to come in first.
    wait_for(lambda: place.hits(client.sessid) >= before + first.polls)
    second = ALL_CLIENTS[newer](place, client.sessid)
    if hasattr(second, "connect"):
        second.connect()
    got: list[str] = []
    while not got or numbers_of(got[-1:]) != [_NUMBERS - 1]:
        got.append(second.recv())
    numbers = numbers_of(first.all_read() + got)
    part(second)
    return numbers == list(range(_NUMBERS))


@row(
    "F45",
    "the transport is changed amid 100 numbered events, all 36 pairs",
    passes="the newer takes over at once, never both: 0 split, lost or reordered",
    original="messages were split between two links",
)
def changes_of_transport(stage: Stage) -> Figure:
    place = stage.serve(_APP)
    each = stage.number(17)
    pairs = [(older, newer) for older in EVERY for newer in EVERY]
    jobs = [lambda given=pair: taken_over(place, *given) for _ in range(each) for pair in pairs]
    good = together(jobs, 15)
    ended = place.stats()["disconnects"].get("peer_left", 0)
    return Figure(
        all(good) and len(good) == ended == each * len(pairs),
        f"{sum(good)} of {len(good)} changes with {_NUMBERS} of {_NUMBERS} in order",
    )
