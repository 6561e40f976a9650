"""Users of the applications: clients on one endpoint, who emit, ask and wait for events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from tests.client import PollingClient, fetch, serving, wait_for
from tests.streams import ALL_CLIENTS

TRANSPORTS = ("websocket", "xhr-polling")


class Person:
    """A client on an endpoint."""

    def __init__(self, server: Any, endpoint: str = "", transport: str = "websocket") -> None:
        self.client = ALL_CLIENTS[transport](server).open()
        self.endpoint = endpoint
        self._server = server
        self._asked = 0
        self._came: list[tuple[str, list[Any]]] = []
        if endpoint:
            self.client.send(f"1::{endpoint}")
            while self.client.recv() != f"1::{endpoint}":
                pass

    @property
    def socket(self) -> Any:
        """The server's side of the session."""
        return self._server.sockets[self.client.sessid]

    def emit(self, name: str, *args: Any) -> None:
        """Emit an event."""
        self._send("", name, args)

    def ask(self, name: str, *args: Any) -> list[Any]:
        """Emit an event; returns the arguments of its acknowledgement."""
        self._asked += 1
        self._send(f"{self._asked}+", name, args)
        answer = f"6::{self.endpoint}:{self._asked}"
        while not (text := self._recv()).startswith((f"{answer}+", answer)):
            pass
        args_text = text[len(answer) + 1 :]
        return list(json.loads(args_text)) if args_text else []

    def next(self, name: str) -> list[Any]:
        """Wait for the next event of a name; returns its arguments."""
        while True:
            for number, (came, args) in enumerate(self._came):
                if came == name:
                    del self._came[: number + 1]
                    return args
            self._recv()

    def came(self, name: str) -> int:
        """Return how many events of a name are here already and were not waited for."""
        return sum(came == name for came, _ in self._came)

    def send_text(self, text: str) -> None:
        """Send a packet as it stands."""
        self.client.send(text)

    def recv_text(self) -> str:
        """Return the next packet as it stands."""
        text: str = self.client.recv()
        return text

    def leave(self) -> None:
        """Go away for good, as clients of the transport do."""
        if isinstance(self.client, PollingClient):
            path = f"/{self._server.resource}/1/xhr-polling/{self.client.sessid}/?disconnect=1"
            assert fetch(self._server, "GET", path).status == 200
        else:
            self.client.send("0::")
        self.client.close()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()

    def _send(self, msgid: str, name: str, args: Any) -> None:
        data = json.dumps({"name": name, "args": list(args)})
        self.client.send(f"5:{msgid}:{self.endpoint}:{data}")

    def _recv(self) -> str:
        text: str = self.client.recv()
        head = f"5::{self.endpoint}:"
        if text.startswith(head):
            packet = json.loads(text[len(head) :])
            self._came.append((packet["name"], packet.get("args", [])))
        return text


@contextlib.contextmanager
def people(
    app: Any, *endpoints: str, transport: str = "websocket", **settings: Any
) -> Iterator[Any]:
    """Serve an application and bring a client to each endpoint; yields server and clients."""
    with serving(app, **settings) as server:
        come = [Person(server, endpoint, transport) for endpoint in endpoints]
        try:
            yield server, *come
        finally:
            for person in come:
                person.client.close()


def over(socket: Any) -> None:
    """Wait until a session has ended, and all its namespaces with it."""
    wait_for(lambda: socket.state == "DISCONNECTED" and not socket.active_ns)
