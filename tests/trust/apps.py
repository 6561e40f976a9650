"""The application that most rows use: it echoes, fails and counts on demand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import gevent

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace

calls: Counter[str] = Counter()
"""How often each callback of the application ran, as ``/endpoint name``."""
numbers: dict[str, list[int]] = {}
"""Session id -> what the handler of ``number`` was given, in order."""


def facts() -> dict[str, Any]:
    """Return what the rows may ask for."""
    return {"calls": dict(calls), "numbers": numbers}


class Counted(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Counts its calls."""

    def note(self, what: str) -> None:
        calls[f"{self.ns_name} {what}"] += 1

    def initialize(self) -> None:
        self.note("initialize")

    def recv_connect(self) -> None:
        self.note("connect")

    def recv_disconnect(self) -> None:
        self.note("disconnect")
        super().recv_disconnect()

    def recv_message(self, data: str) -> str:
        self.note("message")
        return data

    def recv_json(self, data: Any) -> Any:
        self.note("json")
        return data

    def on_echo(self, *args: Any) -> Any:
        self.note("echo")
        return args

    def on_say(self, *args: Any) -> None:
        self.note("say")
        self.emit("said", *args)

    def on_number(self, number: int) -> None:
        numbers.setdefault(self.socket.sessid, []).append(number)

    def on_sleep(self, seconds: float) -> str:
        gevent.sleep(seconds)
        return "slept"

    def on_flood(self, count: int, size: int) -> None:
        for number in range(count):
            self.emit("flood", number, "x" * size)

    def on_join(self, room: str) -> None:
        self.join(room)

    def on_shout(self, *args: Any) -> None:
        self.broadcast_event("shouted", *args)

    def on_shout_in(self, room: str, *args: Any) -> None:
        self.emit_to_room(room, "shouted", *args)

    def on_kick(self) -> None:
        self.socket.disconnect()


namespaces: dict[str, Any] = {"": Counted, "/chat": Counted, "/news": Counted}
