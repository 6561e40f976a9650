"""A server that is stopped in every way, and an application with a handler that takes its time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Recorder, make_app

# Far more than a stop needs that waits for nobody, far less than its timeout.
SOON = 20
LONG = 60


@pytest.fixture(autouse=True)
def nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr().err == ""


class Busy(BaseNamespace):
    """Has a handler that waits for ``gate``; ``record`` and ``gate`` are set by :func:`made`."""

    record: Recorder
    gate: Event

    def on_echo(self, *args: Any) -> Any:
        return args

    def on_hold(self) -> None:
        self.record("held")
        try:
            self.gate.wait()
        except gevent.GreenletExit:
            self.record("killed")
            raise
        self.record("finished")

    def recv_disconnect(self) -> None:
        self.record("told")


@contextlib.contextmanager
def made(port: int = 0, **kw: Any) -> Iterator[tuple[SocketIOServer, Any]]:
    """Give a server that was not started, and its namespace; stopped at the end."""
    busy = type("BusyHere", (Busy,), {"record": Recorder(), "gate": Event()})
    if "log_file" not in kw:
        kw["log"] = None
    server = SocketIOServer(("127.0.0.1", port), make_app({"": busy}), **kw)
    try:
        yield server, busy
    finally:
        busy.gate.set()
        server.stop(timeout=2)


@contextlib.contextmanager
def serving(**kw: Any) -> Iterator[tuple[SocketIOServer, Any]]:
    with made(**kw) as (server, busy):
        server.start()
        yield server, busy


def gave_everything_back(server: SocketIOServer) -> bool:
    stats = server.stats()
    return (stats["sessions"]["total"], stats["connections"], stats["greenlets"]) == (0, 0, 0)


def seconds_of_stop(server: SocketIOServer, timeout: float = LONG) -> float:
    begin = time.monotonic()
    server.stop(timeout)
    assert gave_everything_back(server)
    return time.monotonic() - begin
