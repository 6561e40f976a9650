"""Real socket.io-client 0.9 clients in node, driven step by step from a test.

For servers in processes of their own: nothing here is cooperative.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.integration.jsclients import JS, find_node, install_packages

__all__ = ["RemoteClient", "RemoteClients", "RemoteError"]

DEADLINE = 45.0
"""Seconds after which a client is given up."""


class RemoteError(AssertionError):
    """A client could not do what it was told; the text is its own."""


class RemoteClients:
    """A node process with any number of clients, all of one transport.

    Args:
        transport: The only transport they try; None leaves the choice to them.
        ca: Path of the certificate, in PEM, of who signed the server's; None trusts the usual.
        headers: Sent with every request, the upgrade of a WebSocket included.
    """

    def __init__(
        self,
        transport: str | None = "websocket",
        ca: str | Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        install_packages(JS)
        command = [find_node(), str(JS / "remote.js"), "--headers", json.dumps(dict(headers or {}))]
        if transport is not None:
            command += ["--transport", transport]
        more = {} if ca is None else {"NODE_EXTRA_CA_CERTS": str(ca)}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, **more},
        )
        self._ids = itertools.count(1)
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> RemoteClients:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()  # type: ignore[union-attr]

    def _read(self) -> None:
        for line in self._process.stdout or ():
            answer = json.loads(line)
            self._answers[answer["id"]].put(answer)

    def order(self, what: str, **details: Any) -> Any:
        """Have the process do something; returns its result.

        Raises:
            RemoteError: It failed, or took too long.
        """
        number = next(self._ids)
        box = self._answers[number] = queue.SimpleQueue()
        # ASCII only: node takes U+2028 for the end of a line.
        line = json.dumps({"id": number, "do": what, **details})
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        try:
            answer = box.get(timeout=DEADLINE)
        except queue.Empty:
            raise RemoteError(f"nothing came of {line}") from None
        finally:
            del self._answers[number]
        if "error" in answer:
            raise RemoteError(answer["error"].splitlines()[0])
        return answer["result"]

    def connect(
        self, url: str, endpoint: str = "", options: Mapping[str, Any] | None = None
    ) -> RemoteClient:
        """Return a client that is connected to an endpoint.

        Raises:
            RemoteError: It was refused, or no transport connects; the text says what it was told.
        """
        name = f"client {next(self._ids)}"
        self.order("connect", name=name, url=url, endpoint=endpoint, options=dict(options or {}))
        return RemoteClient(self, name)


class RemoteClient:
    """One client, on one endpoint."""

    def __init__(self, clients: RemoteClients, name: str) -> None:
        self._clients = clients
        self._name = name

    def _order(self, what: str, **details: Any) -> Any:
        return self._clients.order(what, name=self._name, **details)

    def emit(self, event: str, *args: Any) -> None:
        """Emit an event."""
        self._order("emit", event=event, args=args)

    def ask(self, event: str, *args: Any) -> list[Any]:
        """Emit an event; returns the arguments of its acknowledgement."""
        answer: list[Any] = self._order("ask", event=event, args=args)
        return answer

    def send(self, data: Any, *, json: bool = False) -> None:
        """Send a message."""
        self._order("send", data=data, json=json)

    def next(self, event: str) -> list[Any]:
        """Wait for the next event of that name, of the client's life too; returns its arguments.

        Raises:
            RemoteError: It does not come; the text has what came instead.
        """
        try:
            args: list[Any] = self._order("next", event=event)
        except RemoteError as exc:
            raise RemoteError(f"{exc}; so far came {self.log()}") from None
        return args

    def log(self) -> list[list[Any]]:
        """Return all that happened to the client: names, each with its arguments."""
        events: list[list[Any]] = self._order("log")
        return events

    def transport_name(self) -> str | None:
        """Return the name of the transport in use."""
        name: str | None = self._order("transport")
        return name

    def sessid(self) -> str:
        """Return the id of the session."""
        found: str = self._order("sessid")
        return found

    def disconnect(self) -> None:
        """Leave the server for good."""
        self._order("disconnect")
