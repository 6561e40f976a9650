"""Five fixed pieces of the server's work, without a network, to be counted or profiled.

``python -m benchmarks.scenarios dispatch --repeat 100000`` prints how many a second; a profiler may
look on. :mod:`benchmarks.guard` counts their machine instructions instead.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import gevent
from gevent import socket as gsocket

from socketio.defaultjson import default_json_dumps, default_json_loads
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.packet import Packet
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from socketio.websocket.connection import WebSocket
from socketio.wire.v09 import V09

__all__ = ["SCENARIOS", "Scenario", "count_all", "stop_time"]

_SHORT = "x" * 32
_LONG = "x" * 4096
_RECEIVERS = 100
_FRAMES = 100
# As many as a client of the benchmarks keeps in flight: they come in one read.
_EVENTS = 4

Step = Callable[[], None]


@dataclass(frozen=True)
class Scenario:
    """One piece of work.

    ``prepare()`` builds what it needs, leaves the tidying up on the stack it is given, and returns
    the step that is repeated; a step does ``units`` things of the kind ``unit``. ``steps`` is how
    often the guard counts it.
    """

    prepare: Callable[[ExitStack], Step]
    unit: str
    units: int
    steps: int


class _Server(SocketIOServer):
    """A server that never listens, with the same session ids in every run.

    Chance in the ids would be chance in how the tables of sessions are laid out.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), None, log=None)
        self._ids = itertools.count()

    def get_socket(self, sessid: str = "") -> Any:
        """Return a new session for no id, as the server does."""
        if sessid:
            return super().get_socket(sessid)
        socket = Socket(self, self.config)
        socket.sessid = f"{next(self._ids):040d}"
        self.sockets[socket.sessid] = socket
        return socket

    def connected(self, namespace: type[BaseNamespace]) -> Any:
        """Return a session with ``namespace`` as '' that counts as connected."""
        socket = self.get_socket()
        socket.state = "CONNECTED"
        socket._set_environ({"socketio": socket})
        socket._set_namespaces({"": namespace})
        return socket

    def forget_all(self) -> None:
        """End all sessions."""
        for socket in self.sockets.values():
            socket.kill(detach=True)


class _Echo(BaseNamespace):
    def on_echo(self, value: Any) -> Any:
        return value


class _News(BaseNamespace, BroadcastMixin):
    pass


def _event(payload: str) -> str:
    return f'5:1+::{{"name":"echo","args":["{payload}"]}}'


def _decode(_: ExitStack) -> Step:
    """A short event with ack, a long one, a message, an ack: text to packets."""
    texts = (_event(_SHORT), _event(_LONG), f"3:::{_SHORT}", f'6:::1+["{_SHORT}"]')
    decode = V09().decode

    def step() -> None:
        for text in texts:
            decode(text, default_json_loads)

    return step


def _encode(_: ExitStack) -> Step:
    """An event and an ack: packets to WebSocket frames, as they go to the writer."""
    event: Packet = {"type": "event", "name": "news", "args": [_SHORT], "endpoint": ""}
    ack: Packet = {"type": "ack", "ackId": 1, "args": [_SHORT], "endpoint": ""}
    encode = V09().encode

    def step() -> None:
        for packet in (event, ack):
            encode(packet, default_json_dumps).frame  # noqa: B018 - made by being asked for

    return step


def _dispatch(stack: ExitStack) -> Step:
    """Texts put into a session's inbox, handled by its receiver, their acks taken out."""
    server = _Server()
    stack.callback(server.forget_all)  # which also keeps the server: sessions hold it weakly
    socket = server.connected(_Echo)
    socket._spawn_receiver_loop()
    texts = [f'5:{number}+::{{"name":"echo","args":["{_SHORT}"]}}' for number in range(_EVENTS)]

    def step() -> None:
        for text in texts:
            socket.put_server_msg(text)
        for _ in texts:
            socket.get_client_msg()

    return step


def _broadcast(stack: ExitStack) -> Step:
    """One event for a hundred sessions, then what waits for each of them taken out."""
    server = _Server()
    stack.callback(server.forget_all)  # which also keeps the server: sessions hold it weakly
    sockets = [server.connected(_News) for _ in range(_RECEIVERS)]
    sender = _News(sockets[0].environ, "")

    def step() -> None:
        sender.broadcast_event("news", _SHORT)
        for socket in sockets:
            socket.get_client_msg(block=False)

    return step


def _read(stack: ExitStack) -> Step:
    """A hundred masked text frames through a socket pair into messages."""
    near, far = (stack.enter_context(end) for end in gsocket.socketpair())
    ws = WebSocket({}, near, None)
    frames = _masked_frame(_SHORT.encode()) * _FRAMES

    def step() -> None:
        far.sendall(frames)
        left = _FRAMES
        while left:
            left -= len(ws.receive_batch())

    return step


def _masked_frame(payload: bytes) -> bytes:
    """Return a text frame as a client sends it, for a payload of under 126 bytes."""
    mask = b"\x12\x34\x56\x78"
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([0x81, 0x80 | len(payload)]) + mask + body


SCENARIOS = {
    "decode": Scenario(_decode, "packet", 4, 100),
    "encode": Scenario(_encode, "packet", 2, 200),
    "dispatch": Scenario(_dispatch, "event", _EVENTS, 50),
    "broadcast": Scenario(_broadcast, "receiver", _RECEIVERS, 10),
    "read": Scenario(_read, "frame", _FRAMES, 10),
}
"""Name -> scenario, in the order of the tables."""


# -- counting --------------------------------------------------------------------------------------


def stop_time() -> None:
    """Have the library see no time pass, and nothing happen that depends on the time it takes.

    For counting only: a receiver that has worked for some milliseconds lets others run, which a
    slow machine, or a counting one, would do more often.
    """
    still = itertools.repeat(0.0).__next__
    running = time.monotonic
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "socketio":
            for attribute, value in list(vars(module).items()):
                if value is running:
                    setattr(module, attribute, still)
    time.monotonic = still
    gevent.setswitchinterval(3600)  # or the loop breaks off a long row of callbacks
    gc.disable()


def count_all(names: list[str], mark: Callable[[], object], warm_up: int = 40) -> None:
    """Run scenarios one after the other; ``mark`` tells an onlooker where each part ends.

    Per scenario three parts: what comes before, ``steps`` steps, twice as many.
    """
    for name in names:
        steps = SCENARIOS[name].steps
        with ExitStack() as stack:
            step = SCENARIOS[name].prepare(stack)
            _repeat(step, warm_up)  # until the interpreter has specialised what it runs
            for count in (0, steps, 2 * steps):
                _repeat(step, count)
                mark()


def _repeat(step: Step, count: int) -> None:
    for _ in itertools.repeat(None, count):
        step()


def measure(name: str, repeat: int) -> float:
    """Return how many units of a scenario are done in a second, ``repeat`` of them at least."""
    scenario = SCENARIOS[name]
    steps = -(-repeat // scenario.units)
    with ExitStack() as stack:
        step = scenario.prepare(stack)
        step()
        begun = time.perf_counter()
        _repeat(step, steps)
        return steps * scenario.units / (time.perf_counter() - begun)


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenarios", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--repeat", type=int, default=100_000, help="units to do (%(default)s)")
    parser.add_argument("--count", action="store_true", help="mark the parts for the guard")
    options = parser.parse_args()
    names = options.names or list(SCENARIOS)
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if options.count:
        stop_time()
        # A system call of which nobody else makes use: the parent watches for it.
        count_all(names, os.getppid)
        return
    for name in names:
        unit = SCENARIOS[name].unit
        print(f"{name:10} {measure(name, options.repeat):12,.0f} {unit}s per second")


if __name__ == "__main__":
    main()
