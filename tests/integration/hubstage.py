"""A stage for sessions that the hub reads: handlers with a gate, and looks at the watchers."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

from gevent.event import Event

from socketio.websocket.hubreader import HubReader
from tests.client import DEADLINE, Recorder, wait_for
from tests.integration.wsstage import Root, Stage, stage


class Gated(Root):
    """Handlers that wait at a gate, and some that end something."""

    gate: Event
    server: Any

    def on_n(self, number: int) -> None:
        self.gate.wait(DEADLINE)
        self.record(number)

    def on_two(self) -> None:
        self.emit("first")
        self.gate.wait(DEADLINE)
        self.emit("second")

    def on_leave(self) -> None:
        self.socket.disconnect()
        self.record("left")

    def on_kick(self, sessid: str) -> str:
        self.server().sockets[sessid].disconnect()
        return "kicked"

    def on_unplug(self) -> str:
        connection_of(self.server(), self.socket).kill(block=False)
        return "unplugged"


@contextlib.contextmanager
def gated(**kw: Any) -> Iterator[tuple[Stage, Event]]:
    """Run a server whose handlers wait until the event, the gate, is set."""
    record, gate, stages = Recorder(), Event(), list[Stage]()
    ns = type(
        "GatedHere",
        (Gated,),
        {"record": record, "gate": gate, "server": lambda _ns: stages[0].server},
    )
    with stage({"": ns}, **kw) as on:
        on.record = record
        stages.append(on)
        yield on, gate
        gate.set()


def connection_of(server: Any, socket: Any) -> Any:
    """Return the greenlet of the connection that carries ``socket``."""
    return next(
        greenlet
        for greenlet, handler in server._connections.items()
        if (handler.environ or {}).get("socketio") is socket
    )


def reads_in_hub(socket: Any) -> bool:
    """Tell whether the hub reads for ``socket`` at this moment."""
    link = socket._link
    watcher = link._ws.read_watcher if link is not None else None
    if watcher is None or not watcher.active:
        return False
    return isinstance(getattr(watcher.callback, "__self__", None), HubReader)


def wait_until_read_in_hub(socket: Any) -> None:
    wait_for(lambda: reads_in_hub(socket), socket)


def readers() -> int:
    """Count the readers of all connections, and the watchers that call one."""
    gc.collect()
    count = 0
    for thing in gc.get_objects():
        # Not isinstance(): it would ask proxies of servers that are gone for their class.
        count += type(thing) is HubReader
    return count
