"""Many clients on all transports for a long time, faults at random, and a model of what is right.

Every session numbers what goes either way. While it lives both sides see 1, 2, 3... without a gap,
a repetition or a change of order; a session that ends is reported once, and what the server saw of
it is a beginning of what the client sent, all of it where the client had its acknowledgement.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from typing import Any

import gevent

from tests.client import PollingClient, fetch, wait_for
from tests.streams import ALL_CLIENTS, EVERY, STREAMING
from tests.trust.stage import Place
from tests.trust.vandals import vandal

__all__ = ["Soak"]

_DOWN = re.compile(r'5::/n:\{"args":\[(\d+),')
_ACK = re.compile(r"6::/n:(\d+)\+")
_MUCH = 20_000
# Seconds after which a server has filled what it fills once, so that its memory says something.
_WARM = 120


class Broken(Exception):
    """The order was broken; never caught by a client that goes on."""


class Client:
    """One after the other: sessions that say and hear numbers until they end in some way."""

    def __init__(self, soak: Soak, seed: int) -> None:
        self._soak = soak
        self._random = random.Random(seed)
        self._said = self._heard = self._expected = self._acked = 0
        self._client: Any = None

    def run(self) -> None:
        """Live one session after the other until the soak is over."""
        try:
            while not self._soak.over:
                self._open()
                ending = self._live()
                self._soak.endings[ending] += 1
                self._soak.report(self._client.sessid, self._said, self._acked, ending)
        finally:
            self._client.close()

    def _open(self) -> None:
        self._said = self._heard = self._expected = self._acked = 0
        transport = self._random.choice(EVERY)
        self._soak.transports[transport] += 1
        self._client = ALL_CLIENTS[transport](self._soak.place)
        self._client.open()
        self._client.send("1::/n")
        while self._client.recv() != "1::/n":
            pass

    def _live(self) -> str:
        """Talk until the session ends; returns how it did."""
        while True:
            self._talk()
            if self._soak.over:
                return self._say_goodbye()
            if self._random.random() < self._soak.fault_rate:
                fault = self._random.choice(_TROUBLE)
                self._soak.faults[fault.__name__.strip("_")] += 1
                ending = fault(self)
                if ending:
                    return str(ending)
            gevent.sleep(self._random.random() * 0.05)

    def _talk(self, *, count: int = 1, size: int = 0, pause: float = 0) -> None:
        """Say up to three numbers, and hear what the server says to them."""
        for _ in range(self._random.randrange(1, 4)):
            self._said += 1
            self._expected += count
            event = {"name": "up", "args": [self._said, count, size]}
            self._client.send(f"5:{self._said}+:/n:{json.dumps(event)}")
        if pause:
            gevent.sleep(pause)
        while self._heard < self._expected or self._acked < self._said:
            self._hear(self._client.recv())

    def _hear(self, text: str) -> None:
        if match := _DOWN.match(text):
            number = int(match[1])
            if number != self._heard + 1:
                raise Broken(f"{type(self._client).__name__}: {number} after {self._heard}")
            self._heard = number
            self._soak.heard += 1
        elif match := _ACK.match(text):
            number = int(match[1])
            if number != self._acked + 1:
                raise Broken(f"{type(self._client).__name__}: ack {number} after {self._acked}")
            self._acked = number
        elif text == "2::":
            self._client.send("2::")

    # -- what happens to it; returns the way it ended, or None if it goes on -----------------------

    def _say_goodbye(self) -> str:
        self._client.send("0::")
        self._client.close()
        return "goodbye"

    def _vanish(self) -> str:
        self._client.close()
        return "vanished"

    def _vanish_in_the_middle(self) -> str:
        self._said += 1
        event = {"name": "up", "args": [self._said, 50, 1000]}
        self._client.send(f"5::/n:{json.dumps(event)}")
        self._client.close()
        return "vanished in the middle"

    def _be_kicked(self) -> str:
        self._client.send('5::/n:{"name":"kick","args":[]}')
        try:
            while (text := self._client.recv()) != "0::":
                self._hear(text)
        except (EOFError, AssertionError):  # the farewell and the end of the connection race
            pass
        self._client.close()
        return "kicked"

    def _ask_to_end(self) -> str:
        sessid = self._client.sessid
        fetch(self._soak.place, "GET", f"/socket.io/1/xhr-polling/{sessid}?disconnect=1")
        self._client.close()
        return "disconnect URL"

    def _send_nonsense(self) -> None:
        self._client.send(self._random.choice(["x", "5:::{", "9:::", "6::/n:77+[1]", "5::/n:[]"]))

    def _send_a_bad_payload(self) -> None:
        url = f"/socket.io/1/xhr-polling/{self._client.sessid}"
        answer = fetch(self._soak.place, "POST", url, "\ufffd-4\ufffd".encode())
        if answer.status != 400:
            raise Broken(f"a bad payload was answered {answer.status}")

    def _read_slowly(self) -> None:
        self._talk(count=50, size=_MUCH // 50, pause=self._random.random())

    def _tear_a_poll(self) -> None:
        if isinstance(self._client, PollingClient):
            self._client.start_poll()
            torn, sessid = self._client, self._client.sessid
            gevent.sleep(self._random.random() * 0.01)
            torn.close()
            self._client = type(torn)(self._soak.place, sessid)

    def _hop(self) -> None:
        """Go on over another transport, which takes the session over."""
        if not isinstance(self._client, PollingClient):
            return
        old, name = self._client, self._random.choice(STREAMING)
        self._client = ALL_CLIENTS[name](self._soak.place, old.sessid)
        if hasattr(self._client, "connect"):
            self._client.connect()
        old.close()
        self._soak.transports[name] += 1


_TROUBLE = [
    *[Client._say_goodbye, Client._vanish, Client._vanish_in_the_middle, Client._be_kicked],
    *[Client._ask_to_end, Client._send_nonsense, Client._send_a_bad_payload],
    *[Client._read_slowly, Client._read_slowly, Client._tear_a_poll, Client._tear_a_poll],
    *[Client._hop, Client._hop],
]


class Soak:
    """The clients, the vandals, and what is known of all of them.

    Args:
        place: A server with the application :mod:`tests.trust.apps_soak`.
        seconds: How long.
        clients: How many clients at once.
        seed: Of all that is random.
        fault_rate: How often something happens to a client.
    """

    def __init__(
        self, place: Place, *, seconds: float, clients: int, seed: int, fault_rate: float = 0.03
    ) -> None:
        self.place = place
        self.fault_rate = fault_rate
        self.heard = 0
        self.endings: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.transports: Counter[str] = Counter()
        self.samples: list[dict[str, float]] = []
        self.violations: list[str] = []
        self._begin = time.monotonic()
        self._until = self._begin + seconds
        self._clients = clients
        self._seed = seed
        self._reported: dict[str, tuple[int, int, str]] = {}
        self._ended: dict[str, list[Any]] = {}

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._until

    def report(self, sessid: str, said: int, acked: int, ending: str) -> None:
        """Note how far a session came that has ended for its client."""
        self._reported[sessid] = (said, acked, ending)

    def run(self) -> None:
        """Run until the time is up and everything is compared; raises what a client raised."""
        jobs = [
            gevent.spawn(Client(self, self._seed + number).run) for number in range(self._clients)
        ]
        jobs += [gevent.spawn(vandal, self, self._seed + number) for number in range(5)]
        while not self.over:
            self._sample()
            gevent.joinall(jobs, timeout=min(5, max(0.1, self._until - time.monotonic())))
            failed = [job for job in jobs if job.ready() and not job.successful()]
            if failed:
                gevent.killall(jobs)
                failed[0].get()
        gevent.joinall(jobs, raise_error=True, timeout=120)
        wait_for(self._all_ended, "every session is reported")
        self._compare()

    def _collect(self) -> dict[str, Any]:
        facts = self.place.facts()
        self._ended.update(facts["ended"])
        return facts

    def _all_ended(self) -> bool:
        self._collect()
        return set(self._reported) <= set(self._ended)

    def _sample(self) -> None:
        stats = self.place.stats()
        self._collect()
        self.samples.append(
            {
                "seconds": round(time.monotonic() - self._begin, 1),
                "rss": stats["process"]["rss"],
                "sessions": stats["sessions"]["total"],
                "greenlets": stats["process"]["greenlets"],
                "heard": self.heard,
            }
        )

    def _compare(self) -> None:
        self.violations += self._collect()["violations"]
        for sessid, (said, acked, ending) in self._reported.items():
            times, last_up, reason = self._ended[sessid]
            if times != 1:
                self.violations.append(f"{ending}: the end was reported {times} times")
            if not acked <= last_up <= said:
                self.violations.append(f"{ending}: {last_up} of {acked}..{said} ({reason})")

    @property
    def sessions(self) -> int:
        return len(self._reported)

    def growth(self) -> tuple[float, float]:
        """Return how much the server's memory grew, in percent, and its slope in MB an hour.

        From a third of the time on: before, caches fill.
        """
        samples = self.samples[len(self.samples) // 3 :]
        if len(samples) < 2:
            return 0.0, 0.0
        seconds = [sample["seconds"] for sample in samples]
        memory = [sample["rss"] / 1e6 for sample in samples]
        mean_x, mean_y = sum(seconds) / len(seconds), sum(memory) / len(memory)
        spread = sum((x - mean_x) ** 2 for x in seconds)
        slope = sum(
            (x - mean_x) * (y - mean_y) for x, y in zip(seconds, memory, strict=True)
        ) / max(spread, 1e-9)
        return (memory[-1] / memory[0] - 1) * 100, slope * 3600

    def summary(self) -> str:
        """Return the result in a few words."""
        faults = sum(self.faults.values())
        text = (
            f"{len(self.violations)} violations in {self.heard:,} numbers down, "
            f"{self.sessions:,} sessions, {faults:,} faults of {len(self.faults)} kinds"
        )
        if self._until - self._begin < _WARM:
            return text
        percent, slope = self.growth()
        return f"{text}; memory {percent:+.1f} % ({slope:+.1f} MB/h)"
