"""F29: broadcasts and rooms, against a model of who is where."""

from __future__ import annotations

import json
import random
from typing import Any

import gevent

from tests.client import event, fetch, handshake
from tests.streams import ALL_CLIENTS
from tests.trust.measured import MEASURED, Count
from tests.trust.rows import Figure, row
from tests.trust.stage import Stage

ENDPOINTS = ["", "/a", "/a_b", "/a_b_c", "/b"]
# With a namespace in front several of them would be the same text: /a + _ + b_c, /a_b + _ + c.
ROOMS = ["c", "b_c", "b_b_c", "b", "", "_", "c_c", "é", "a room", "__proto__"]
_OFTEN = ROOMS + ROOMS[:3] * 3
PEOPLE = [*["websocket"] * 12, *["xhr-polling"] * 4, "jsonp-polling", "htmlfile", "xhr-multipart"]
PEOPLE += ["flashsocket"]
_GHOSTS = 5
_AT_FIRST = 150
_CHANGES = 15
_WORDS = 120


class Person:
    """A client, and where the model says that it is."""

    def __init__(self, place: Any, transport: str) -> None:
        self._place, self.transport = place, transport
        self.enter()

    def enter(self) -> None:
        """Connect as somebody new."""
        self.client = ALL_CLIENTS[self.transport](self._place).open()
        self.inside = {""}
        # They belong to the session (docs/stopping.rst): who comes back to a namespace is in them.
        self.rooms: dict[str, set[str]] = {endpoint: set() for endpoint in ENDPOINTS}
        self.expected: set[tuple[str, int]] = set()
        self.received: list[tuple[str, int]] = []
        self.say()

    def say(self, *packets: str) -> None:
        """Send packets and wait until they are handled; notes what arrives meanwhile."""
        self.client.send(*packets, event("echo", 1, msgid="9+"))
        while (text := self.client.recv()) != "6:::9+[1]":
            if text.startswith("5:"):
                _, _, endpoint, data = text.split(":", 3)
                self.received.append((endpoint, json.loads(data)["args"][0]))

    def change(self, rng: random.Random) -> None:
        """Go somewhere else, or leave."""
        endpoint, room = rng.choice(ENDPOINTS), rng.choice(_OFTEN)
        what = rng.choice(["join", "join", "join", "leave", "connect", "disconnect"])
        if what == "disconnect" and endpoint:
            self.say(f"0::{endpoint}")
            self.inside.discard(endpoint)
        elif what == "connect" or endpoint not in self.inside:
            self.say(f"1::{endpoint}" if endpoint else "3:::x")
            self.inside.add(endpoint)
        elif what in ("join", "leave"):
            self.say(event(what, room, endpoint=endpoint))
            rooms = self.rooms[endpoint]
            (rooms.add if what == "join" else rooms.discard)(room)

    def leave(self) -> None:
        self.client.send("0::")
        self.client.close()


class Town:
    """All people, and the words that are said."""

    def __init__(self, place: Any, rng: random.Random) -> None:
        self.people = [Person(place, transport) for transport in PEOPLE]
        self._rng, self._number = rng, 0
        self.foreign, self.missing, self.twice, self.arrived = 0, 0, 0, 0
        for _ in range(_AT_FIRST):
            rng.choice(self.people).change(rng)

    def hears(self, person: Person, endpoint: str, room: str | None) -> bool:
        """Tell whether the model has ``person`` where something is said."""
        return endpoint in person.inside and (room is None or room in person.rooms[endpoint])

    def speak(self, speaker: Person) -> str:
        """Return the packet that has ``speaker`` say something, and note who is to hear it."""
        self._number += 1
        endpoint = self._rng.choice(sorted(speaker.inside))
        what = self._rng.choice(["everyone", "others", "room", "room", "all_in", "all_in"])
        room = self._rng.choice(_OFTEN) if what in ("room", "all_in") else None
        for person in self.people:
            myself = person is speaker and what in ("others", "room")
            if self.hears(person, endpoint, room) and not myself:
                person.expected.add((endpoint, self._number))
        where = [] if room is None else [room]
        return event(what, *where, self._number, endpoint=endpoint)

    def round(self) -> None:
        """Some people move, many speak; then everybody reads and is compared with the model."""
        for _ in range(_CHANGES):
            self._rng.choice(self.people).change(self._rng)
        words: dict[Person, list[str]] = {}
        for speaker in self._rng.choices(self.people, k=_WORDS):
            words.setdefault(speaker, []).append(self.speak(speaker))
        gevent.joinall([gevent.spawn(p.say, *said) for p, said in words.items()], raise_error=True)
        gevent.joinall([gevent.spawn(person.say) for person in self.people], raise_error=True)
        for person in self.people:
            self.compare(person)
        if self._rng.random() < 0.3:  # somebody is lost, somebody new comes
            person = self._rng.choice(self.people)
            person.leave()
            person.enter()

    def compare(self, person: Person) -> None:
        got = set(person.received)
        self.foreign += len(got - person.expected)
        self.missing += len(person.expected - got)
        self.twice += len(person.received) - len(got)
        self.arrived += len(person.received)
        person.expected, person.received = set(), []


@row(
    "F29",
    "20 clients in 5 namespaces and 10 rooms with names that could be confused, and ghosts",
    passes="0 deliveries outside of the namespace or room, 0 missing, 0 twice; rooms belong to the "
    "session: who comes back to a namespace is in its rooms again (docs)",
    original="broadcasts went to every socket, /a with room b_c was /a_b with room c",
)
def foreign_deliveries(stage: Stage) -> Figure:
    place: Any = stage.serve("tests.trust.apps_access:rooms", handshake_timeout=600)
    rng = random.Random(29)
    ghosts = [handshake(place) for _ in range(_GHOSTS)]
    town, wanted = Town(place, rng), stage.number(100_000)
    while town.arrived + town.missing < wanted:
        town.round()
    waiting = place.stats()["queues"]["outbound_packets"]
    for person in town.people:
        person.leave()
    for ghost in ghosts:
        fetch(place, "GET", f"/socket.io/1//{ghost}/?disconnect")
    MEASURED["F29"] = Count(town.foreign, town.arrived)
    text = (
        f"{town.foreign} of {town.arrived:,} deliveries foreign, {town.missing} missing, "
        f"{town.twice} twice; {waiting} packets queued for {_GHOSTS} ghosts"
    )
    return Figure(not (town.foreign or town.missing or town.twice or waiting), text)
