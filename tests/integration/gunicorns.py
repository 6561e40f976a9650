"""gunicorn with our worker, in a process of its own, and clients of it."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.remote import RemoteClient, RemoteClients
from tests.subprograms import DEADLINE, Subprogram, running
from tests.tools import missing

__all__ = [
    "FOR_EVER",
    "TRANSPORTS",
    "Gunicorn",
    "argv",
    "come_back",
    "gunicorn",
    "two_clients",
    "until",
    "where",
]

WORKERS = "socketio.sgunicorn."
APPLICATION = "tests.integration.gunicornapp"
TRANSPORTS = ("websocket", "xhr-polling")
# Far more than a test may take: a worker that waits for it would be seen.
FOR_EVER = ("--graceful-timeout", "600")


class Gunicorn:
    """A gunicorn that listens."""

    def __init__(self, program: Subprogram, port: int, scheme: str) -> None:
        self.program = program
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"


def argv(*arguments: str, worker: str = "GeventSocketIOWorker", bind: str = "") -> list[str]:
    """Return the command line of a gunicorn that mixes up no bytes with text."""
    if importlib.util.find_spec("gunicorn") is None:
        missing("gunicorn")
    where = f"{APPLICATION}." if worker.startswith(("Old", "Mistaken", "Broken")) else WORKERS
    command = [sys.executable, "-bb", "-m", "gunicorn", "-k", where + worker]
    if importlib.util.find_spec("gunicorn.ctl") is not None:  # since 26, in the home directory
        command.append("--no-control-socket")
    return [*command, *arguments, "-b", bind or "127.0.0.1:0", f"{APPLICATION}:application"]


@contextlib.contextmanager
def gunicorn(
    *arguments: str,
    worker: str = "GeventSocketIOWorker",
    port: int = 0,
    env: Mapping[str, str] | None = None,
) -> Iterator[Gunicorn]:
    """Run gunicorn until the end of the block."""
    with running(argv(*arguments, worker=worker, bind=f"127.0.0.1:{port}"), env=env) as program:
        found = program.wait_for_line(r"Listening at: (https?)://127\.0\.0\.1:(\d+)")
        yield Gunicorn(program, int(found[2]), found[1])


def where(client: RemoteClient) -> dict[str, Any]:
    """Ask the server where the client is."""
    (answer,) = client.ask("where")
    found: dict[str, Any] = answer
    return found


@contextlib.contextmanager
def two_clients(server: Gunicorn) -> Iterator[list[RemoteClient]]:
    """Connect a client of each kind of transport."""
    with RemoteClients("websocket") as one, RemoteClients("xhr-polling") as other:
        connected = [clients.connect(server.url) for clients in (one, other)]
        for client in connected:  # a namespace is there from the first packet on
            where(client)
        yield connected


def come_back(client: RemoteClient, before: int) -> int:
    """Wait until the client talks to another worker; returns the worker's process id."""
    client.next("reconnect")
    pid: int = where(client)["pid"]
    assert pid != before
    return pid


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
