"""F32, F53 and F60: handlers that do not return, clocks that jump, memory that ends."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from websockets.exceptions import InvalidState

from tests.client import WebSocketClient, event, handshake, wait_for
from tests.streams import ALL_CLIENTS
from tests.trust.rows import Figure, row
from tests.trust.stage import CANARY_LIMIT_MS, Place, Stage

_APP = "tests.trust.apps_strained:namespaces"
_DAY = 86_400.0


def round_trip(client: Any, number: int) -> float:
    """Return the milliseconds an event takes there and back."""
    begin = time.monotonic()
    client.send(event("echo", number, msgid="5+"))
    while client.recv() != f"6:::5+[{number}]":
        pass
    return (time.monotonic() - begin) * 1000


def sleep_for_ever(place: Any, flood: int) -> tuple[bool, str]:
    """Have a handler sleep, flood its session, and leave it; return whether all was well."""
    stuck, other = WebSocketClient(place).open(), WebSocketClient(place).open()
    stuck.send(event("forever"))
    wait_for(lambda: place.facts()["calls"].get("slept"), "the handler sleeps")
    numbers = [event("number", number) for number in range(flood)]
    flooding = gevent.spawn(lambda: list(map(stuck.send, numbers)))
    trips = [round_trip(other, number) for number in range(30)]
    beats = 0
    while beats < 2:  # its client hears the server all the time
        beats += stuck.recv() == "2::"
    trips += [round_trip(other, number) for number in range(30)]
    longest = place.stats()["queues"]["inbound_longest"]
    flooding.kill()
    begin = time.monotonic()
    stuck.close()
    wait_for(lambda: place.facts()["calls"].get("disconnected"), "the session ends")
    seconds = time.monotonic() - begin
    calls = place.facts()["calls"]
    other.close()
    once = calls["disconnected"] == calls["interrupted"] == 1
    ok = once and max(trips) < 250 and 0 < longest <= 1000 and seconds < 3.2
    return ok, (
        f"asleep: others at most {max(trips):.0f} ms, {beats} heartbeats, {longest} of {flood:,} "
        f"packets waiting, interrupted {calls['interrupted']} time {seconds:.1f} s after its "
        "client left"
    )


def spin(place: Any, limit: float) -> tuple[bool, str]:
    """Have a handler keep the processor busy; return whether the log said so in time."""
    client = WebSocketClient(place).open()
    round_trip(client, 0)
    before, begin = len(place.log()), time.monotonic()
    client.send(event("spin", limit + 0.7))
    with gevent.Timeout(30, False):  # type: ignore[arg-type]  # gevent's own word for silence
        while "nothing else has run" not in place.log()[before:]:
            gevent.sleep(0.01)
    seconds = time.monotonic() - begin
    round_trip(client, 1)
    busy = time.monotonic() - begin
    client.close()
    named = "in on_spin" in place.log()[before:]
    warnings = place.stats()["limits"].get("block_warning", 0)
    ok = seconds < 2 and seconds < busy and named and warnings >= 1
    return ok, (
        f"busy for {busy:.1f} s: named in the log after {seconds:.1f} s "
        f"{'with' if named else 'WITHOUT'} the handler"
    )


@row(
    "F32",
    "handlers that never return: asleep, and in a loop",
    passes="asleep: others below 250 ms, heartbeats go on, at most 1,000 packets wait, interrupted "
    "once, at the latest a heartbeat timeout after the client left; a loop stops the process "
    "(documented), and with block_warning=1 a line within 2 s says where",
    original="a handler that blocked could not be ended",
)
def endless_handlers(stage: Stage) -> Figure:
    limit = 1.0 if stage.scale >= 1 else 0.2
    timings = {"heartbeat_interval": 0.2, "heartbeat_timeout": limit + 1.2, "close_timeout": 0.3}
    place = stage.serve(_APP, **timings, block_warning=limit)
    asleep, said = sleep_for_ever(place, stage.number(5_000, least=2_000))
    worst = place.lap()
    # Nobody is served while the process is busy, which is what the log is to say.
    place.send_canary_home()
    named, more = spin(place, limit)
    return Figure(
        asleep and named and worst < CANARY_LIMIT_MS,
        f"{said}; {more}; canary {worst:.0f} ms while asleep",
    )


class Keeper:
    """A client that answers heartbeats and polls until it is told to fall silent."""

    def __init__(self, place: Any, transport: str) -> None:
        self.client = ALL_CLIENTS[transport](place).open()
        self.echoed = 0
        self._posting = BoundedSemaphore()  # heartbeats and echoes share a connection
        self._keeping = gevent.spawn(self._keep)

    def _keep(self) -> None:
        with contextlib.suppress(OSError, EOFError, AssertionError, InvalidState):
            while True:
                text = self.client.recv()
                if text == "2::":
                    self.send("2::")
                elif text.startswith("6:::"):
                    self.echoed += 1

    def send(self, packet: str) -> None:
        with self._posting:
            self.client.send(packet)

    def echoes(self) -> bool:
        """Tell whether the session answers."""
        before = self.echoed
        try:
            self.send(event("echo", 1, msgid="5+"))
            wait_for(lambda: self.echoed > before or self._keeping.dead)
        except (OSError, EOFError, AssertionError, InvalidState):
            return False
        return self.echoed > before

    def fall_silent(self) -> None:
        self._keeping.kill()


def end(keepers: list[Keeper]) -> None:
    for keeper in keepers:
        keeper.fall_silent()
        keeper.client.close()


def live_through_shifts(place: Any, keepers: list[Keeper], seconds: float) -> tuple[int, int]:
    """Change the time again and again; return the changes, and the sessions lost by them."""
    control, shifts, lost = keepers[0], 0, 0
    for packet in (
        *(event("shift", _DAY), event("shift", -_DAY), event("shift", 365 * _DAY)),
        *(event("freeze"), event("shift", -1e9)),
    ):
        if lost:
            break
        before = place.facts()["time"]
        control.send(packet)
        while "freeze" not in packet and abs(place.facts()["time"] - before) < _DAY / 2:
            gevent.sleep(0.002)
        shifts += 1
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            gevent.sleep(0.05)
        lost += sum(not keeper.echoes() for keeper in keepers)
    return shifts, lost


@row(
    "F53",
    "the clock jumps by days and years, both ways, and stands still",
    passes="0 sessions ended by that, 0 handshakes lost, and silent clients still time out",
    short=False,
)
def jumping_clock(stage: Stage) -> Figure:
    place: Any = stage.serve(
        _APP,
        heartbeat_interval=0.3,
        heartbeat_timeout=1.5,
        close_timeout=1.5,
        handshake_timeout=30,
    )
    keepers = [Keeper(place, transport) for transport in ALL_CLIENTS for _ in range(4)]
    waiting = handshake(place)
    shifts, lost = live_through_shifts(place, keepers, 0.6)
    disconnects = place.stats()["disconnects"]
    false = sum(disconnects.values())
    if false or lost:
        end(keepers)
        return Figure(False, f"{lost} sessions lost after {shifts} changes: {disconnects}")
    late = WebSocketClient(place, waiting).open()
    late.close()
    wait_for(lambda: place.stats()["disconnects"].get("transport_lost"))
    begin = time.monotonic()
    for keeper in keepers:
        keeper.fall_silent()
    over = ("heartbeat_timeout", "close_timeout")
    ended = lambda: sum(place.stats()["disconnects"].get(reason, 0) for reason in over)  # noqa: E731
    wait_for(lambda: ended() == len(keepers), "silent clients time out")
    seconds = time.monotonic() - begin
    end(keepers)
    text = (
        f"{false} false timeouts, {lost} unanswered echoes of {len(keepers)} sessions over "
        f"{len(ALL_CLIENTS)} transports after {shifts} changes, the handshake from before was "
        f"taken; {len(keepers)} silent clients were gone after {seconds:.1f} s (timeout 1.5)"
    )
    return Figure(shifts == 5 and seconds < 1.5 + 1, text)


STRAINS = {
    "a handler asks for too much": event("grab", msgid="7+"),
    "a handler takes all there is": event("hoard", msgid="7+"),
    "an answer is too large": event("answer", msgid="7+"),
    "JSON of an event": '5:7+::{"name":"echo","args":["hungry"]}',
    "JSON of a message": '4:7+::{"a":"hungry"}',
    "JSON of an ack": '6:::1+["hungry"]',
}


def strain(place: Place, transport: str, packet: str) -> tuple[bool, bool]:
    """Send a packet for which the memory does not suffice.

    Return whether its session lives, and whether others are served.
    """
    client = ALL_CLIENTS[transport](place).open()
    lives = True
    try:
        round_trip(client, 0)  # the application has its own JSON parser from here
        client.send(packet)
        round_trip(client, 1)
    except (OSError, EOFError, AssertionError):
        lives = False
    else:
        client.send("0::")  # a polling session would wait for its next poll
    client.close()
    other: Any = WebSocketClient(place).open()  # type: ignore[arg-type]
    served = round_trip(other, 2) > 0
    other.close()
    return lives, served


@row(
    "F60",
    "no memory left in a handler, in its answer and in the JSON parser",
    passes="the process lives and serves others each time; at worst the one session ends",
)
def no_memory(stage: Stage) -> Figure:
    place = stage.serve(_APP, _megabytes=64)
    transports = list(ALL_CLIENTS) if stage.scale >= 1 else ["websocket"]
    tried, ended, unserved = 0, [], 0
    for transport in transports:
        for what, packet in STRAINS.items():
            lives, served = strain(place, transport, packet)
            tried += 1
            ended += [] if lives else [what]
            unserved += not served
    calls = place.facts()["calls"]
    strained = sum(calls.get(name, 0) for name in ("grabbed", "hoarded", "answered", "decoded"))
    text = (
        f"{tried - unserved} of {tried} times the process served others afterwards, {len(ended)} "
        f"sessions ended, {strained} times the application ran out of memory"
    )
    ok = not unserved and strained == tried
    return Figure(ok, text + (f": {sorted(set(ended))}" if ended else ""))
