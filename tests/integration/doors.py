"""A namespace that refuses, and a client in front of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Recorder, event, serving
from tests.integration.hooks import SECRET
from tests.streams import ALL_CLIENTS

REFUSED = "7::/ns:2"


class Door(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Refuses everybody until ``verdict`` is None; notes whatever is called."""

    record: Recorder
    verdict: BaseException | None = UnauthorizedError(SECRET)

    def recv_connect(self) -> None:
        self.record("connect")
        self.decide()

    def decide(self) -> None:
        verdict = type(self).verdict
        if verdict is not None:
            raise verdict

    def recv_disconnect(self) -> None:
        self.record("disconnect")
        self.disconnect(silent=True)

    def recv_message(self, data: str) -> None:
        self.record("message", data)

    def recv_json(self, data: Any) -> None:
        self.record("json", data)

    def recv_error(self, packet: Any) -> None:
        self.record("error")

    def on_hello(self, *args: Any) -> str:
        self.record("hello")
        return "hello"


class Open(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_echo(self, value: Any) -> Any:
        return value


class Place:
    """A server with ``/ns``, of which a test says what it does, and ``/open``; and a client."""

    def __init__(self, server: SocketIOServer, transport: str, record: Recorder) -> None:
        self.server = server
        self.record = record
        self.door: Any = None
        self.client = ALL_CLIENTS[transport](server).open()
        self.socket = server.sockets[self.client.sessid]
        self._count = 0

    def heard(self) -> list[str]:
        """Return all that the client was sent up to now."""
        self._count += 1
        self.client.send(event("echo", "mark", endpoint="/open", msgid=f"{self._count}+"))
        found: list[str] = []
        while (text := self.client.recv()) != f'6::/open:{self._count}+["mark"]':
            found.append(text)
        return found


@contextlib.contextmanager
def place(transport: str, door: type[Door], **kw: Any) -> Iterator[Place]:
    record = Recorder()
    ns = type("DoorHere", (door,), {"record": record})
    with serving({"": BaseNamespace, "/ns": ns, "/open": Open}, **kw) as server:
        here = Place(server, transport, record)
        here.door = ns
        try:
            yield here
        finally:
            here.client.close()
