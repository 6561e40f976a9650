"""What the tests of the concepts pages share: their tables, and a session that is ended."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent.event import Event

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import ManualClock, TestClient
from tests.client import Recorder, event, handshake, make_app, serving
from tests.streams import ALL_CLIENTS, POLLING
from tests.subprograms import TOP

__all__ = ["KINDS", "SAMPLES", "Stage", "Wire", "plain", "rows", "stage"]

SAMPLES = TOP / "docs" / "samples" / "concepts"

KINDS = {
    "websocket": ("websocket", "flashsocket"),
    "stream": ("htmlfile", "xhr-multipart"),
    "polls": POLLING,
}
"""The columns of the tables, and the transports they stand for."""


def plain(cell: str) -> str:
    """Return the words of a cell without their markup."""
    return cell.replace("``", "").replace("\\", "").strip()


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table that a page includes, by the names of its columns."""
    with (SAMPLES / name).open(newline="") as lines:
        return [
            {plain(column): plain(cell) for column, cell in row.items()}
            for row in csv.DictReader(lines)
        ]


class Told(BaseNamespace):
    """Notes what happens to it; ``stage`` is set by :func:`stage`."""

    stage: Stage

    def recv_disconnect(self) -> None:
        self.stage.greenlets.append(gevent.getcurrent())
        self.stage.record("told")
        self.disconnect(silent=True)

    def recv_message(self, data: str) -> None:
        self.stage.record("message", data)

    def on_hold(self) -> None:
        self.stage.record("held")
        try:
            self.stage.gate.wait()
        except gevent.GreenletExit:
            self.stage.record("interrupted")
            raise
        if self.stage.deed is not None:
            self.stage.deed(self)
        self.stage.record("finished")


@dataclass
class Stage:
    """A server, one client in ``/chat``, and what is noted about them."""

    transport: str
    server: SocketIOServer
    clock: ManualClock
    record: Recorder = field(default_factory=Recorder)
    gate: Event = field(default_factory=Event)
    greenlets: list[Any] = field(default_factory=list)
    deed: Callable[[Told], object] | None = None
    """What the handler that holds does when its gate opens."""
    how: str = ""
    """In which way a connection ends."""
    client: Any = None
    socket: Any = None
    caller: Any = None
    """The greenlet that has ended the session, if it is none of the session's own."""

    def enter(self, *, namespace: bool = True) -> None:
        """Connect the client, mostly to its namespace too."""
        sessid = handshake(self.server)
        self.socket = self.server.sockets[sessid]  # it may be over when the client has come
        self.client = ALL_CLIENTS[self.transport](self.server, sessid).open()
        if namespace:
            self.client.send("1::/chat")
            assert self.client.recv() == "1::/chat"

    def hold(self) -> None:
        """Have a handler wait for the gate, and a message behind it."""
        self.client.send(event("hold", endpoint="/chat"))
        self.client.send("3::/chat:behind")


@contextlib.contextmanager
def stage(transport: str, app: Any = None, **settings: Any) -> Iterator[Stage]:
    """Give a server with a client that is not connected yet."""
    clock = ManualClock()
    ns = type("ToldHere", (Told,), {})
    with serving(app or make_app({"/chat": ns}), clock=clock, **settings) as server:
        made = Stage(transport, server, clock)
        ns.stage = made
        try:
            yield made
        finally:
            made.gate.set()
            if made.client is not None:
                made.client.close()


class Wire:
    """All that a client of a test is sent, as text."""

    def __init__(self, client: TestClient) -> None:
        self.texts: list[str] = []
        self._client = client
        self._take = client._connection.take
        client._connection.take = self._hear

    def _hear(self, text: str) -> None:
        self.texts.append(text)
        self._take(text)

    def ask(self, text: str) -> tuple[str, str]:
        """Send a packet; returns its answer, and what else it brings, in words."""
        self.texts.clear()
        self._client.send_raw(text)
        return self.answer(), self.besides()

    def answer(self) -> str:
        found = [text.split(":", 3)[3] for text in self.texts if text.startswith("6:")]
        assert len(found) <= 1
        if not found:
            return "none"
        return found[0].partition("+")[2] or "[]"

    def besides(self) -> str:
        for text in self.texts:
            if text.startswith("7:"):
                return "connect_failed" if text.endswith(":2") else text
            if text.startswith("5:") and '"name":"error"' in text:
                return str(json.loads(text.split(":", 3)[3])["args"][0])
        return ""
