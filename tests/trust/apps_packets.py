"""The application of the rows about packets, queues and floods: it notes, asks, tells and waits."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import gevent

from tests.trust import apps

__all__ = ["facts", "namespaces"]

answers: list[list[Any]] = []
"""Endpoint and arguments of every ack callback that ran."""
order: dict[str, dict[str, int]] = {}
"""Session id -> how many numbers came, the last one, and how many were not one more than before."""
outcomes: Counter[str] = Counter()
"""How the attempts to send to the dead ended."""
_dead: list[Any] = []
_servers: list[Any] = []


def facts() -> dict[str, Any]:
    """Return what the rows may ask for; cheaper than all of the statistics."""
    own = {"answers": answers, "order": order, "outcomes": dict(outcomes)}
    return {**apps.facts(), **own, "pending": sum(each.pending_handshakes for each in _servers)}


class Packets(apps.Counted):
    """Does what the packets say."""

    def initialize(self) -> None:
        self.notes: list[tuple[str, str]] = []
        if not _servers:
            _servers.append(self.socket.server)

    def recv_message(self, data: str) -> None:
        self.note("message")
        if data.startswith("echo "):
            self.send(data)
        else:
            self.notes.append(("message", data))

    def on_say(self, *args: Any) -> None:
        self.note("say")
        self.notes.append(("said", args[0]))

    def on_play_back(self) -> None:
        notes, self.notes = self.notes, []
        for kind, text in notes:
            if kind == "message":
                self.send(text)
            else:
                self.emit("said", text)

    def on_tell(self, text: str) -> None:
        self.send(text)

    def on_repeat(self, text: str) -> None:
        self.emit("repeated", text)

    def on_announce(self, room: str, text: str) -> None:
        self.socket.server.emit("announced", text, room=room)

    def on_call(self, name: str) -> None:
        self.emit(name)

    def on_ask(self, count: int) -> None:
        for _ in range(count):
            self.emit("question", callback=self._answered)

    def _answered(self, *args: Any) -> None:
        answers.append([self.ns_name, *args])

    def on_ordered(self, number: int, _padding: str = "") -> None:
        seen = order.setdefault(self.socket.sessid, {"count": 0, "last": -1, "jumps": 0})
        seen["count"] += 1
        seen["jumps"] += number != seen["last"] + 1
        seen["last"] = number

    def on_number_of_no_kind(self, kind: str) -> None:
        self.emit("number", float(kind))

    def on_storm(self, count: int, size: int) -> None:
        """Broadcast numbered events; the clients that read get a turn."""
        for number in range(count):
            self.broadcast_event("storm", number, "x" * size)
            if number % 10 == 0:
                gevent.sleep(0)

    def on_dismiss(self, transport: str) -> None:
        for socket in self.socket.server.sockets.values():
            if socket.transport == transport:
                socket.disconnect()

    def on_die(self) -> None:
        _dead.append(self)
        self.socket.disconnect()

    def on_speak_to_the_dead(self) -> None:
        while _dead:
            _attempt("namespace", _dead[0].emit, "news", 1)
            _attempt("message", _dead[0].send, "news")
            _attempt("socket", _dead[0].socket.send_packet, {"type": "event", "name": "news"})
            _attempt("kick", _dead.pop(0).socket.disconnect)

    def on_speak_to_nobody(self) -> None:
        outcomes[f"unknown {self.socket.server.get_socket('0' * 40)}"] += 1
        _attempt("room", self.socket.server.emit, "news", room="nobody is here")
        _attempt("endpoint", self.socket.server.emit, "news", namespace="/nowhere")

    def on_speak_from_a_thread(self, count: int) -> None:
        server = self.socket.server

        def speak() -> None:
            for number in range(count):
                _attempt("thread", server.emit, "heard", number, namespace="/chat")

        thread = threading.Thread(target=speak)
        thread.start()
        while thread.is_alive():
            gevent.sleep(0.001)
        thread.join()


def _attempt(what: str, call: Any, *args: Any, **kwargs: Any) -> None:
    try:
        call(*args, **kwargs)
    except Exception as exc:
        outcomes[f"{what} {type(exc).__name__}"] += 1
    else:
        outcomes[what] += 1


namespaces: dict[str, Any] = {"": Packets, "/chat": Packets}
