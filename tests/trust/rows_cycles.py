"""F38, G7 and G8: sessions come and go, many of them, each way there is, and leave nothing.

The complete form of G7 takes long: ``TRUST_CYCLES=10000 python -m tests.trust G7`` lives 10,000
lives for every transport and way to end; ``TRUST_TRANSPORTS=websocket,xhr-polling`` keeps to some
transports.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter

import gevent

from tests.client import wait_for
from tests.streams import EVERY, POLLING
from tests.trust.lives import COMBINATIONS, REASONS, live
from tests.trust.rows import Figure, row
from tests.trust.stage import Child, Stage

_APP = "tests.trust.apps_living:namespaces"
# Long enough for a client whose turn comes late on a busy machine.
_BRIEF = {"heartbeat_timeout": 2, "close_timeout": 2}
_TOLD = ("connect", "disconnect")
LOUD = [pair for pair in COMBINATIONS if pair[1] != "silence"]
SILENT = [pair for pair in COMBINATIONS if pair[1] == "silence"]
_MOST = 1.05
# Each look at a place costs it some hundredths of a second.
_LOOK = 0.2
# In the form that is not complete, how many lives there are of the two ways that clients use most.
_SHARE = [("websocket", "close frame"), ("xhr-polling", "?disconnect")]
_SHARE_CYCLES = 1_500


class Tally:
    """What a place held when the count began, and what came since."""

    def __init__(self, stage: Stage, **settings: float) -> None:
        self.place = stage.serve(_APP, **settings)
        self.rss: list[int] = []
        self._expected: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._held: Counter[str] = Counter()

    def begin(self) -> None:
        """Count from here on; what is made once has been made."""
        self.measure()
        self.rss.clear()
        self._before, self._held = self._counted(), self._holds()
        self._expected.clear()

    def _holds(self) -> Counter[str]:
        """Count what sessions are made of, by class, and what the process holds."""
        facts = self.place.facts()
        held = Counter({"uncollectable": facts["garbage"], **facts["living"]})
        held.update(self.place.counts())
        del held["Deadline"]  # cancelled ones go when they are the half of all
        return held

    def _counted(self) -> Counter[str]:
        calls = self.place.facts()["calls"]
        counted = Counter({name: calls.get(f"/chat {name}", 0) for name in _TOLD})
        counted.update(self.place.stats()["disconnects"])
        return counted

    def live(self, transport: str, ending: str, number: int) -> None:
        """Have so many come and end that way; half of them in another process if they are many."""
        helper = None
        if number >= 1_000:
            number -= number // 2
            share = json.dumps([self.place.server_port, transport, ending, number])
            helper = Child("tests.trust.lives", share)
        done = live(self.place.server_port, transport, ending, number)
        if helper is not None:
            done += int(helper.read_line())
            helper.end()
        reason = REASONS[ending]
        if ending == "silence" and transport in POLLING:
            reason = "close_timeout"
        self._expected.update({reason: done, **dict.fromkeys(_TOLD, done)})

    @property
    def lives(self) -> int:
        return self._expected["connect"]

    def measure(self) -> None:
        """Wait until all that came have gone, and note the memory."""
        wait_for(lambda: not self._missing() or gevent.sleep(_LOOK), "everyone has gone")
        self.rss.append(self.place.stats(collect=True)["process"]["rss"])

    def _missing(self) -> Counter[str]:
        return self._expected - (self._counted() - self._before)

    def faults(self) -> str:
        """Return what was told too often or is left over; "" is good."""
        more = self._counted()
        more.subtract(self._before + self._expected)
        told = {name: count for name, count in more.items() if count}
        left: Counter[str] = Counter()
        end = time.monotonic() + 10
        while (left := self._holds() - self._held) and time.monotonic() < end:
            gevent.sleep(_LOOK)
        return f"{f'told wrong: {told} ' if told else ''}{f'left: {dict(left)}' if left else ''}"

    def growth(self) -> float:
        """Return how many times the memory of the first measurement the last one is."""
        return self.rss[-1] / self.rss[0]


def tallies(stage: Stage) -> dict[bool, Tally]:
    """Return a place for lives that end in silence, and one for the others."""
    return {True: Tally(stage, **_BRIEF), False: Tally(stage)}


@row(
    "F38",
    "sessions come and go, six transports and seven ways to end, 50 at once",
    passes="each told once, the reason right, nothing left, memory at most +5 % after a fifth",
    original="2,000 handshakes stayed as 2,000 sessions for ever",
    short=False,
)
def cycles(stage: Stage) -> Figure:
    both = tallies(stage)
    rounds = 5
    each = stage.number(20)
    for turn in range(rounds + 1):
        number = each if turn else 1
        silent = [gevent.spawn(both[True].live, *pair, number) for pair in SILENT]
        for pair in LOUD:
            both[False].live(*pair, number)
        gevent.joinall(silent, raise_error=True)
        for tally in both.values():
            tally.measure() if turn else tally.begin()
    faults = "".join(tally.faults() for tally in both.values())
    lives = sum(tally.lives for tally in both.values())
    grown = [tally.growth() for tally in both.values()]
    wanted = rounds * each * len(COMBINATIONS)
    return Figure(
        not faults and lives == wanted and max(grown) <= _MOST,
        f"{lives:,} of {wanted:,} lives, {len(COMBINATIONS)} combinations, {faults or '+0/+0/+0'}, "
        f"memory {' and '.join(f'{factor - 1:+.1%}' for factor in grown)}",
    )


def chosen() -> tuple[list[tuple[str, str]], int]:
    """Return which combinations G7 lives, and how many lives each has."""
    if "TRUST_CYCLES" not in os.environ:
        return _SHARE, _SHARE_CYCLES
    transports = os.environ.get("TRUST_TRANSPORTS", ",".join(EVERY)).split(",")
    wanted = [pair for pair in COMBINATIONS if pair[0] in transports]
    return wanted, int(os.environ["TRUST_CYCLES"])


@row(
    "G7",
    "many lives of each transport and way to end; 10,000 in the complete form (with G8)",
    passes="sessions, greenlets, descriptors +0/+0/+0, memory at most +5 % after a fifth",
    original="6.3 kB for each handshake that nobody continued, for ever",
    short=False,
)
def many_lives(stage: Stage) -> Figure:
    combinations, number = chosen()
    both = tallies(stage)
    texts, lives, faults, worst = [], 0, "", 0.0
    for transport, ending in combinations:
        tally = both[ending == "silence"]
        tally.live(transport, ending, 20)
        tally.begin()
        for _ in range(5):
            tally.live(transport, ending, number // 5)
            tally.measure()
        lives += tally.lives
        worst = max(worst, tally.growth())
        faults += tally.faults()
        texts.append(f"{transport}, {ending}: {tally.growth() - 1:+.1%}")
    wanted = number // 5 * 5 * len(combinations)
    return Figure(
        not faults and lives == wanted > 0 and worst <= _MOST,
        f"{lives:,} of {wanted:,} lives, {faults or '+0/+0/+0'}, memory: {'; '.join(texts)}",
    )
