"""Fifty sessions that switch and overlap their transports at random: exactly once, in order.

Each session numbers what goes either way. Its client opens requests of all transports, one over
the other, reads them or breaks them off. In the end the server has seen 1, 2, 3... of the client
and the client 1, 2, 3... of the server, or the disconnect of that session was reported and nothing
before it came twice or out of order.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import Any

import gevent
import pytest

from socketio.namespace import BaseNamespace
from tests.client import PollingClient, Recorder, serving, wait_for
from tests.streams import ALL_CLIENTS, EVERY

SESSIONS = 50
STEPS = 25
MUCH = 900_000


class Numbered(BaseNamespace):
    """Keeps what the client said; ``record`` is set by the test."""

    record: Recorder

    def on_number(self, number: int) -> None:
        self.session.setdefault("numbers", []).append(number)

    def recv_disconnect(self) -> None:
        self.record(self.socket.sessid)


class Hop:
    """One request of a session: what it brought, in the order it came."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.heard: list[int] = []
        self.greetings = 0
        self._reader = gevent.spawn(self._read)

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError, AssertionError):
            while True:
                if isinstance(self.client, PollingClient):
                    self._note(self.client.end_poll())
                    return
                self._note([self.client.recv()])
        self.client.close()  # as browsers do when the server has closed

    def _note(self, packets: list[str]) -> None:
        for text in packets:
            if text.startswith("3::/n:"):
                self.heard.append(int(text[6:].split(":")[0]))
            self.greetings += text == "1::"

    def finish(self) -> None:
        """Read to the end of the request, which another one has replaced."""
        self._reader.join()
        self.client.close()

    def break_off(self) -> None:
        """Close the connection, whatever is on the way."""
        self._reader.kill()
        self.client.close()


class Hopper:
    """One session and its client."""

    def __init__(self, server: Any, seed: int) -> None:
        self.random = random.Random(seed)
        self.server = server
        self.first = ALL_CLIENTS[self.random.choice(EVERY)](server)
        self.sessid = self.first.sessid
        self.socket = server.sockets[self.sessid]
        self.hops: list[Hop] = []
        self.used: list[str] = []
        self.sent = self.said = 0

    def run(self) -> None:
        """Open, and do ``STEPS`` random things."""
        self.first.open()
        self.poster = PollingClient(self.server, self.sessid)
        self.poster.send("1::/n")
        wait_for(lambda: "/n" in self.socket.active_ns)
        if isinstance(self.first, PollingClient):
            self.first.close()
        else:
            self.hops.append(Hop(self.first))
        for _ in range(STEPS):
            if not self.socket.connected:
                break
            self.random.choice([self.emit, self.emit, self.say, self.hop, self.hop, self.tear])()
            gevent.sleep(self.random.choice([0, 0, 0.001]))
        self.settle()

    def emit(self) -> None:
        """Have the server send a few numbers, small or large."""
        for _ in range(self.random.randrange(1, 6)):
            self.sent += 1
            # Some are more than the network takes at once: their writing is interrupted.
            padding = "x" * (MUCH if self.random.random() < 0.05 else 0)
            self.socket["/n"].send(f"{self.sent}:{padding}")

    def say(self) -> None:
        """Send the server a number; one at a time, for two connections have no order."""
        answer = self.poster.post(f'5::/n:{{"name":"number","args":[{self.said + 1}]}}')
        if answer.status == 200:
            self.said += 1

    def hop(self) -> None:
        """Open another request over the one that is open."""
        hits = self.socket.hits
        name = self.random.choice(EVERY)
        with contextlib.suppress(EOFError, OSError, AssertionError):
            client = ALL_CLIENTS[name](self.server, self.sessid)
            if isinstance(client, PollingClient):
                client.start_poll()
            elif hasattr(client, "connect"):
                client.connect()
            self.hops.append(Hop(client))
            self.used.append(name)
        self.wait_for_attach(hits)

    def wait_for_attach(self, hits: int) -> None:
        """Wait until the server has the request: the next one has to come after it there too."""
        wait_for(lambda: self.socket.hits > hits or not self.socket.connected)

    def tear(self) -> None:
        """Break off what is open: a poll is nothing lost, a stream is the end."""
        if self.hops and (self.random.random() < 0.15 or self.is_polling(self.hops[-1])):
            self.hops[-1].break_off()
            wait_for(lambda: self.socket._link is None or not self.socket.connected)

    def is_polling(self, hop: Hop) -> bool:
        return isinstance(hop.client, PollingClient)

    def settle(self) -> None:
        """Poll until the client has everything, or the session is over."""
        done = False  # a last poll in any case: it ends a stream that is still open
        while self.socket.connected and not done:
            hits = self.socket.hits
            client = PollingClient(self.server, self.sessid)
            client.start_poll()
            self.wait_for_attach(hits)
            hop = Hop(client)
            self.hops.append(hop)
            hop.finish()
            done = self.heard()[-1:] == [self.sent] or not self.sent
        for hop in self.hops:
            hop.finish() if self.socket.connected else hop.break_off()
        self.poster.close()

    def heard(self) -> list[int]:
        """Return the numbers of the server in the order of the requests that brought them."""
        return [number for hop in self.hops for number in hop.heard]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sessions_that_hop_at_random_lose_nothing_and_hear_nothing_twice(seed: int) -> None:
    record = Recorder()
    numbered = type("NumberedHere", (Numbered,), {"record": record})
    with serving({"/n": numbered}, polling_duration=0.3) as server:
        hoppers = [Hopper(server, seed * 1000 + number) for number in range(SESSIONS)]
        jobs = [gevent.spawn(hopper.run) for hopper in hoppers]
        gevent.joinall(jobs, raise_error=True)
        for hopper in hoppers:
            check(hopper, record)
        alive = [hopper for hopper in hoppers if hopper.socket.connected]
        assert len(alive) >= SESSIONS // 4, "most sessions were torn: the test shows too little"
        used = Counter(name for hopper in hoppers for name in hopper.used)
        assert set(used) == set(EVERY)


def check(hopper: Hopper, record: Recorder) -> None:
    heard = hopper.heard()
    said = hopper.socket.session.get("numbers", [])
    assert sum(hop.greetings for hop in hopper.hops) == 0
    if hopper.socket.connected:
        assert heard == list(range(1, hopper.sent + 1)), hopper.used
        wait_for(lambda: len(hopper.socket.session.get("numbers", [])) == hopper.said)
        assert hopper.socket.session.get("numbers", []) == list(range(1, hopper.said + 1))
        return
    wait_for(lambda: record.count(hopper.sessid))
    assert record.count(hopper.sessid) == 1
    assert heard == sorted(set(heard)), hopper.used
    assert said == list(range(1, len(said) + 1))
