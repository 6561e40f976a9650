"""The application of the rows about ends: who came, who was told of the end, when, and why.

``python -m tests.trust.apps_life JSON`` serves it with ``serve()``, the JSON being its keywords,
until a signal comes, and then prints what it noted and what the process still holds.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import gevent

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve

calls: Counter[str] = Counter()
"""How often each callback ran, as ``/endpoint name``."""
reasons: Counter[str] = Counter()
"""How many namespaces were told of an end for each reason."""
ends: dict[str, list[list[Any]]] = {}
"""Session id -> endpoint, reason and time of each ``recv_disconnect``; for who asked for it."""
numbers: dict[str, list[list[int]]] = {}
"""Session id -> what the handler of ``number`` was given, in order."""
held: list[str] = []
"""Sessions whose poll is held and that will have numbers."""


def facts() -> dict[str, Any]:
    """Return what the rows may ask for."""
    return {
        "calls": dict(calls),
        "reasons": dict(reasons),
        "ends": ends,
        "numbers": numbers,
        "held": held,
    }


class Life(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Counts its beginnings and ends; holds a job, a room and a pending ack while it lives."""

    def note(self, what: str) -> None:
        calls[f"{self.ns_name} {what}"] += 1

    def recv_connect(self) -> None:
        self.join("everyone")
        self.spawn(gevent.sleep, 3600)
        self.note("connect")

    def recv_disconnect(self) -> None:
        # The clock of all processes of the machine: the rows compare it with theirs.
        now = time.monotonic()
        self.note("disconnect")
        reasons[str(self.socket.disconnect_reason)] += 1
        if self.socket.sessid in ends:
            reason = str(self.socket.disconnect_reason)
            ends[self.socket.sessid].append([self.ns_name, reason, now])
        super().recv_disconnect()

    def on_remember(self) -> str:
        """Have the ends of this session written down."""
        ends.setdefault(self.socket.sessid, [])
        return "remembered"

    def on_echo(self, *args: Any) -> Any:
        return args

    def on_number(self, connection: int, number: int) -> None:
        numbers.setdefault(self.socket.sessid, []).append([connection, number])

    def on_count(self, count: int, pause: float = 0) -> None:
        """Emit so many numbers, letting others run between them."""
        for number in range(count):
            self.emit("n", number)
            gevent.sleep(pause)

    def on_stream(self, count: int) -> None:
        """Emit so many numbers while other packets are handled."""
        self.spawn(self.on_count, count, 0.001)

    def on_count_later(self, count: int, seconds: float) -> None:
        """Emit so many numbers at once, in a while after a poll is held."""
        self.spawn(self._count_later, count, seconds)

    def _count_later(self, count: int, seconds: float) -> None:
        while self.socket.transport is None:
            gevent.sleep(0.001)
        held.append(self.socket.sessid)
        gevent.sleep(seconds)
        for number in range(count):
            self.emit("n", number)

    def on_kick(self) -> None:
        self.socket.disconnect()


class Leaver(Life):
    """Ends its own session in every place where code of the application runs."""

    def recv_connect(self) -> None:
        super().recv_connect()
        self.on_remember()
        if self.ns_name == "/connect":
            self.socket.disconnect()
        self.note("connected to the end")

    def recv_disconnect(self) -> None:
        if self.ns_name == "/disconnect":
            self.socket.disconnect()
        gevent.sleep(0.01)
        self.note("told to the end")
        super().recv_disconnect()

    def on_end(self, how: str) -> None:
        if how == "greenlet":
            gevent.spawn(self.socket.disconnect)
            gevent.sleep(0.01)
        elif how == "emit":
            gevent.spawn(self.socket.disconnect)
            self.on_count(100)
        for _ in range({"once": 1, "twice": 2}.get(how, 0)):
            self.socket.disconnect()
        self.note("handled to the end")


namespaces: dict[str, Any] = {
    **dict.fromkeys(("", "/chat"), Life),
    **dict.fromkeys(("/handler", "/connect", "/disconnect"), Leaver),
}


def main() -> None:
    from tests.trust.place import Application, process_stats

    settings: dict[str, Any] = json.loads(sys.argv[1])
    serve(Application(namespaces, sys.modules[__name__]), log=None, **settings)
    sys.stdout.write(json.dumps({**facts(), "process": process_stats(collect=True)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
