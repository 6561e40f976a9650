"""The rows of the table: what is measured, for which servers, and how one figure comes about."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.client import Load, Tally, measure
from benchmarks.install import Server
from benchmarks.polling import PollingLoad
from benchmarks.server import ServerProcess
from benchmarks.sessions import run_sessions

__all__ = ["ROWS", "Effort", "Figure", "Row"]

RATE = "per CPU second"
#: The server has to have so much of the seconds of load as CPU time; else the load is repeated ...
ENOUGH = 0.7
#: ... for at most so many times the seconds.
PATIENCE = 4.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How long one figure takes.

    Attributes:
        warm_up: Seconds of load before the measurement; some rows need it several times.
        seconds: Seconds of load that are measured; more if the server got little of the machine.
        idle: How many idle connections the memory of one is taken from.
    """

    warm_up: float = 0.5
    seconds: float = 1.5
    idle: int = 3000


@dataclass(frozen=True, slots=True)
class Figure:
    """One result.

    Attributes:
        value: In the unit of its row.
        tally: What the value was computed from; None for memory.
        notes: What else was seen, by name.
    """

    value: float
    tally: Tally | None = None
    notes: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: For the command line.
        title: For the table.
        unit: Of the figures.
        takes: Tells whether a server has a figure in this row.
        run: Measures a server that has just been started.
    """

    name: str
    title: str
    unit: str
    takes: Callable[[Server], bool]
    run: Callable[[ServerProcess, Server, Effort], Figure]


def _everyone(_server: Server) -> bool:
    return True


def _default_json(server: Server) -> bool:
    return server.name != "ours+orjson"


def _old_protocol(server: Server) -> bool:
    return server.old_protocol and _default_json(server)


def _rate(
    process: ServerProcess, effort: Effort, work: Callable[[float], int], warm_ups: int = 1
) -> Figure:
    """Measure ``work``, which is called with a number of seconds and returns what was answered.

    Where a lot of code runs once for each answer, node compiles for seconds until it has its final
    speed: ``warm_ups`` says how many times the usual warm-up that takes.
    """
    work(effort.warm_up * warm_ups)

    def once() -> Tally:
        return measure(lambda: work(effort.seconds), process.cpu_seconds)

    tally = once()
    # Where others use the machine too, the server gets little CPU time in a second.
    while tally.server_cpu < ENOUGH * effort.seconds and tally.wall < PATIENCE * effort.seconds:
        tally += once()
    return Figure(tally.rate, tally)


def _echo(size: int, in_flight: int) -> Callable[[ServerProcess, Server, Effort], Figure]:
    payload = "x" * size

    def run(process: ServerProcess, server: Server, effort: Effort) -> Figure:
        with contextlib.closing(Load(server.dialect, process.port, 50)) as load:
            load.check_echo(payload)
            figure = _rate(process, effort, lambda s: load.echo(payload, in_flight, s))
            load.check_silent()
        return figure

    return run


def _broadcast(process: ServerProcess, server: Server, effort: Effort) -> Figure:
    payload = "x" * 64
    with contextlib.closing(Load(server.dialect, process.port, 200)) as load:
        load.check_cast(payload)
        figure = _rate(process, effort, lambda s: load.broadcast(payload, 4, s))
        load.check_silent()
    return figure


def _polling(process: ServerProcess, _server: Server, effort: Effort) -> Figure:
    payload = "x" * 32
    with contextlib.closing(PollingLoad(process.port, 30)) as load:
        load.find_out()
        load.check_echo(payload)
        figure = _rate(process, effort, lambda s: load.echo(payload, s), warm_ups=2)
        load.check_echo("the end")
        return replace(figure, notes={"connections": load.dials})


def _sessions(process: ServerProcess, _server: Server, effort: Effort) -> Figure:
    return _rate(process, effort, lambda s: run_sessions(process.port, s), warm_ups=6)


def _memory(process: ServerProcess, server: Server, effort: Effort) -> Figure:
    # What the first connections bring into memory is not the price of one more.
    with contextlib.closing(Load(server.dialect, process.port, 100)) as first:
        process.settle()
        before = process.rss()
        with contextlib.closing(Load(server.dialect, process.port, effort.idle)) as load:
            process.settle()
            used = process.rss() - before
            load.check_echo("alive", effort.idle - 1)
            first.check_echo("alive")
    return Figure(used / effort.idle / 1024)


#: All rows, in the order of the table.
ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row(
            "echo32x1",
            "echo with ack, 32 B, 50 WebSockets, 1 in flight",
            RATE,
            _everyone,
            _echo(32, 1),
        ),
        Row(
            "echo32x4",
            "echo with ack, 32 B, 50 WebSockets, 4 in flight",
            RATE,
            _everyone,
            _echo(32, 4),
        ),
        Row(
            "echo4k",
            "echo with ack, 4 KiB, 50 WebSockets, 4 in flight",
            RATE,
            _everyone,
            _echo(4096, 4),
        ),
        Row(
            "broadcast",
            "deliveries of a broadcast to 200 WebSockets, 64 B",
            RATE,
            _default_json,
            _broadcast,
        ),
        Row(
            "polling",
            "echo with ack, 32 B, 30 clients by xhr-polling",
            RATE,
            _old_protocol,
            _polling,
        ),
        Row(
            "sessions",
            "session: handshake, WebSocket, join /chat, good-bye",
            RATE,
            _old_protocol,
            _sessions,
        ),
        Row("memory", "memory of an idle WebSocket, less is better", "KiB", _default_json, _memory),
    )
}
