"""What a server needs as its connections become many: curves, beside other Socket.IO servers.

``python -m benchmarks.growth --json curves.json --plot curves.png``; one server with one number of
connections after the other, each in a process of its own. All of it takes a quarter of an hour,
``--quick`` two minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.errors import BenchError, NotMeasuredError
from benchmarks.growth_figures import Curves, Delays, Influx, Point, percentile, tables
from benchmarks.growth_load import Crowd, Echoes
from benchmarks.growth_quiet import QUIET, least_disturbed
from benchmarks.growth_storm import Storm, run_storm
from benchmarks.install import ROOT, SERVERS, Launch
from benchmarks.machine import checkout, machine
from benchmarks.server import ServerProcess, cores, pinned, raise_file_limit
from benchmarks.table import markdown

__all__ = ["PROGRAMS", "Extent", "measure_point"]

#: Programs that know rooms, in the environments of :mod:`benchmarks.install`.
PROGRAMS = {"ours": "ours.py", "node-0.9": "node09.js", "node-4.8": "node48.js"}
ROOM, MEMBERS = "few", 10
SHORT, CAST = "x" * 32, "x" * 64
#: So many echoes under way find out how much the server can do.
IN_FLIGHT = 50
#: Heartbeats come in this rhythm: idling is measured over whole ones, or over none in a quick run.
RHYTHM = 25.0


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured; seconds are those of one figure."""

    connections: tuple[int, ...] = (10, 100, 1_000, 5_000, 10_000)
    warm_up: float = 0.5
    work: float = 2.0
    delays: float = 5.0
    idle: float = RHYTHM
    idle_of_the_largest: float = 2 * RHYTHM
    newcomers: int = 1_000
    bystanders: int = 100


QUICK = Extent(
    connections=(10, 100, 1_000),
    warm_up=0.2,
    work=0.7,
    delays=1.5,
    idle=5.0,
    idle_of_the_largest=5.0,
)


def launch(name: str) -> Launch:
    """Return how the program of a server is started; raises NotMeasuredError."""
    prepared = SERVERS[name].prepare()
    program = ROOT / "benchmarks" / "growth_servers" / PROGRAMS[name]
    return replace(prepared, command=[prepared.command[0], str(program)])


def _start(name: str) -> ServerProcess:
    how = launch(name)
    return ServerProcess(how.command, env=how.env, core=cores()[0], cwd=ROOT)


# -- the figures -----------------------------------------------------------------------------------


def measure_point(name: str, connections: int, extent: Extent) -> Point:
    """Return what server ``name`` needs with so many connections; raises BenchError."""
    largest = connections == max(extent.connections)
    with (
        _start(name) as server,
        pinned(cores()[1]),
        Crowd(SERVERS[name].dialect, server.port, connections) as crowd,
    ):
        crowd.enter(ROOM, MEMBERS)
        cast = _cpu_of_emits(crowd, server, "cast", connections, extent)
        room = _cpu_of_emits(crowd, server, "room", MEMBERS, extent)
        delays = _delays(crowd, server, extent)
        seconds = extent.idle_of_the_largest if largest else extent.idle
        share, beats = _idle(crowd, server, seconds)
    return Point(
        name,
        connections,
        cast_us=cast / connections,
        room_us=room,
        members=MEMBERS,
        idle_share=share,
        idle_seconds=seconds,
        beats=beats,
        delays=delays,
    )


def _cpu_of_emits(
    crowd: Crowd, server: ServerProcess, event: str, copies: int, extent: Extent
) -> float:
    """Return the CPU time of one emit in microseconds."""
    crowd.emit(event, CAST, copies, extent.warm_up)
    before = server.cpu_seconds()
    emits = crowd.emit(event, CAST, copies, extent.work)
    return (server.cpu_seconds() - before) / emits * 1e6


def _delays(crowd: Crowd, server: ServerProcess, extent: Extent) -> Delays:
    crowd.saturate(SHORT, IN_FLIGHT, extent.warm_up)
    most, _ = least_disturbed(lambda: crowd.saturate(SHORT, IN_FLIGHT, extent.work), server.pid)

    def half() -> tuple[Echoes, float]:
        before, begun = server.cpu_seconds(), time.perf_counter()
        echoes = Echoes(crowd, SHORT, most / 2, extent.delays)
        echoes.run()
        return echoes, (server.cpu_seconds() - before) / (time.perf_counter() - begun)

    (echoes, share), disturbed = least_disturbed(half, server.pid)
    latencies = [latency * 1000 for _, latency in echoes.samples]
    return Delays(
        most=most,
        rate=len(latencies) / extent.delays,
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        worst=max(latencies),
        late_p99=percentile(echoes.late, 99) * 1000,
        server_share=share,
        disturbed=disturbed,
    )


def _idle(crowd: Crowd, server: ServerProcess, seconds: float) -> tuple[float, int]:
    """Return the share of a core the server has while nobody asks for anything, and heartbeats."""
    crowd.rest(0.5)
    before, beats, begun = server.cpu_seconds(), crowd.beats, time.perf_counter()
    crowd.rest(seconds)
    share = (server.cpu_seconds() - before) / (time.perf_counter() - begun)
    return share, crowd.beats - beats


def _measure_influx(name: str, extent: Extent) -> Influx:
    with (
        _start(name) as server,
        pinned(cores()[1]),
        Crowd(SERVERS[name].dialect, server.port, extent.bystanders) as crowd,
    ):
        crowd.saturate(SHORT, IN_FLIGHT, extent.warm_up)

        def attempt() -> Storm:
            server.settle()  # also the last attempt's newcomers have to be gone
            return run_storm(crowd, server.port, extent.newcomers)

        storm, disturbed = least_disturbed(attempt, server.pid)
    return Influx.of(name, storm.newcomers, storm.all_inside, storm.samples, disturbed)


# -- the run ---------------------------------------------------------------------------------------


def run(names: list[str], extent: Extent) -> Curves:
    """Measure everything; what fails becomes a gap with its reason."""
    curves = Curves({**machine(), "ours": checkout(ROOT), "heartbeat_seconds": RHYTHM})
    for number in extent.connections:
        for name in names:
            _attempt(
                curves,
                f"{name}, {number} connections",
                lambda name=name, number=number: curves.points.append(  # type: ignore[misc]  # defaults bind now
                    measure_point(name, number, extent)
                ),
            )
    for name in names:
        _attempt(
            curves,
            f"{name}, {extent.newcomers} newcomers",
            lambda name=name: curves.influxes.append(  # type: ignore[misc]  # as above
                _measure_influx(name, extent)
            ),
        )
    curves.points.sort(key=lambda point: names.index(point.server))
    return curves


def _attempt(curves: Curves, what: str, measure: Callable[[], None]) -> None:
    """Measure, once more if the server fails; what failed is told in any case."""
    print(f"measuring {what}", file=sys.stderr, flush=True)
    for attempt in ("first attempt", "second attempt"):
        try:
            measure()
        except NotMeasuredError as exc:
            curves.gaps[what] = str(exc)
        except (BenchError, OSError) as exc:
            print(f"  {attempt}: {exc}", file=sys.stderr)
            curves.gaps[f"{what}, {attempt}"] = str(exc) or type(exc).__name__
            continue
        return


def show(curves: Curves) -> None:
    """Print the tables."""
    for title, grid in tables(curves):
        if len(grid) > 1:
            print(f"\n{title}:\n\n{markdown(grid)}")
    print(f"\nOver {QUIET:.0%} of waiting for a core, other programs were in the latencies' way.")
    for what, why in curves.gaps.items():
        print(f"failed: {what}: {why}")


def draw(curves: Curves, file: Path) -> None:
    """Draw the curves, if there is something to draw with."""
    try:
        from benchmarks.growth_plot import plot
    except ImportError as exc:
        print(f"no picture: {exc.name} is missing: pip install -e '.[bench]'", file=sys.stderr)
        return
    plot(curves, file)


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(sorted(int(number) for number in text.split(",")))
    if numbers[0] < MEMBERS:
        raise argparse.ArgumentTypeError(f"the room alone has {MEMBERS} members")
    return numbers


def _servers(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(PROGRAMS):
        known = ", ".join(PROGRAMS)
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {known}")
    return names


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer connections, less time")
    parser.add_argument("--servers", type=_servers, default=list(PROGRAMS), metavar="A,B")
    parser.add_argument("--connections", type=_numbers, metavar="N,M", help="how many WebSockets")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a PNG of the curves")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="measure nothing, show this")
    return parser.parse_args(arguments)


def main() -> int:
    """Do what the command line says."""
    options = parse()
    if options.from_json:
        curves = Curves.from_plain(json.loads(options.from_json.read_text()))
    else:
        raise_file_limit()
        extent = QUICK if options.quick else Extent()
        if options.connections:
            extent = replace(extent, connections=options.connections)
        curves = run(options.servers, extent)
    show(curves)
    if options.json:
        options.json.write_text(json.dumps(curves.plain(), indent=1) + "\n")
    if options.plot:
        draw(curves, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
