"""What a feature costs: server CPU time of an echo with it, beside the same server without.

``python -m benchmarks.features``. In each round both servers run, in new processes, and the load
goes to the one and then to the other for a second, so that both share the machine's moods. Two
processes that run the same code differ by a few percent, whatever one does: only many rounds tell
more. The first rows compare a plain server with a plain server: what they show is chance. All of it
takes eight minutes, ``--quick`` one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.client import Load, Tally, measure
from benchmarks.errors import BenchError, NotMeasuredError
from benchmarks.features_figures import Cost, Costs, Pair, grid, warnings
from benchmarks.features_tls import TlsV09, make_certificate
from benchmarks.install import PROGRAMS, ROOT, SERVERS
from benchmarks.machine import checkout, machine
from benchmarks.polling import PollingLoad
from benchmarks.server import ServerProcess, cores, pinned, raise_file_limit
from benchmarks.table import markdown
from benchmarks.wire import V09

__all__ = ["FEATURES", "Effort", "Feature", "measure_pair"]

SHORT = "x" * 32
CONNECTIONS, IN_FLIGHT, POLLERS = 50, 4, 30


@dataclass(frozen=True, slots=True)
class Effort:
    """How long one round of one feature takes, for each of the two servers.

    Attributes:
        warm_up: Seconds of load before the measurement.
        turn: Seconds that are measured. Metrics are asked for once meanwhile: as Prometheus may.
    """

    warm_up: float = 0.3
    turn: float = 1.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One row.

    Attributes:
        name: For the command line, and of the row.
        title: For the table.
        setup: Its name in ``benchmarks/servers/features.py``.
        polling: Whether the echoes go by xhr-polling instead of WebSockets.
    """

    name: str
    title: str
    setup: str
    polling: bool = False

    @property
    def by(self) -> str:
        """The transport of the echoes."""
        return "xhr-polling" if self.polling else "websocket"


#: All rows, in the order of the table.
FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("nothing", "nothing: chance", "plain"),
        Feature("nothing_polling", "nothing: chance", "plain", polling=True),
        Feature("block_warning", "block_warning=1", "block_warning"),
        Feature("pool", "spawn=1000", "pool"),
        Feature("slow_peer", "slow_peer= a callable", "slow_peer"),
        Feature("limits", "all limits small", "limits"),
        Feature("limits_polling", "all limits small", "limits", polling=True),
        Feature("metrics", "metrics, read every second", "metrics"),
        Feature("decorator", "exception_handler_decorator", "decorator"),
        Feature("acl", "get_initial_acl()", "acl"),
        Feature("orjson", "orjson for JSON", "orjson"),
        Feature("debug", "logging at DEBUG, to nowhere", "debug"),
        Feature("debug_polling", "logging at DEBUG, to nowhere", "debug", polling=True),
        Feature("access_log", "log_file=", "access_log", polling=True),
        Feature("tls", "TLS", "tls"),
    )
}


class Side:
    """One of the two servers and its load, as a context manager.

    Args:
        feature: The row, for its load.
        setup: What the server is set up with.
        folder: For files of the server.
    """

    def __init__(self, feature: Feature, setup: str, folder: Path) -> None:
        self._scraped = setup == "metrics"
        with ExitStack() as stack:
            self._process = stack.enter_context(_start(setup, folder))
            self._load = _load(feature, setup, folder, self._process.port, stack)
            self._stack = stack.pop_all()

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def work(self, seconds: float) -> int:
        """Echo for some seconds, in front of which the metrics may be asked for."""
        if self._scraped:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._process.port}/metrics") as told:
                if b"socketio_sessions" not in told.read():
                    raise BenchError("these are no metrics")
        return self._load(seconds)

    def measured(self, seconds: float) -> Tally:
        """Return what some seconds of load came to."""
        return measure(lambda: self.work(seconds), self._process.cpu_seconds)


def _start(setup: str, folder: Path) -> ServerProcess:
    launch = SERVERS["ours+orjson" if setup == "orjson" else "ours"].prepare()
    command = [launch.command[0], str(PROGRAMS / "features.py"), setup, str(folder)]
    return ServerProcess(command, launch.env, cores()[0])


def _load(
    feature: Feature, setup: str, folder: Path, port: int, stack: ExitStack
) -> Callable[[float], int]:
    """Open the connections; returns what echoes over them for a number of seconds."""
    if feature.polling:
        polling = stack.enter_context(closing(PollingLoad(port, POLLERS)))
        polling.find_out()
        polling.check_echo(SHORT)
        return lambda seconds: polling.echo(SHORT, seconds)
    dialect = TlsV09(folder) if setup == "tls" else V09()
    load = stack.enter_context(closing(Load(dialect, port, CONNECTIONS)))
    load.check_echo(SHORT)
    return lambda seconds: load.echo(SHORT, IN_FLIGHT, seconds)


def measure_pair(
    feature: Feature, effort: Effort, folder: Path, *, having_first: bool = False
) -> Pair:
    """Return one round of one feature; raises BenchError or NotMeasuredError."""
    if feature.setup == "tls":
        make_certificate(folder)
    with Side(feature, "plain", folder) as without, Side(feature, feature.setup, folder) as having:
        for side in (without, having):
            side.work(effort.warm_up)
        if having_first:
            measured = having.measured(effort.turn)
            return Pair(without.measured(effort.turn), measured)
        return Pair(without.measured(effort.turn), having.measured(effort.turn))


def run(features: list[Feature], rounds: int, effort: Effort = Effort()) -> Costs:
    """Measure everything, round by round; what fails becomes a gap with its reason."""
    found = Costs({**machine(), "ours": checkout(ROOT)})
    costs = {feature.name: Cost(feature.name, feature.title, feature.by) for feature in features}
    with tempfile.TemporaryDirectory() as folder, pinned(cores()[1]):
        for turn in range(rounds):
            for feature in features:
                if feature.name in found.gaps:
                    continue
                try:
                    pair = measure_pair(feature, effort, Path(folder), having_first=turn % 2 == 1)
                except (NotMeasuredError, BenchError, OSError, psutil.Error) as exc:
                    found.gaps[feature.name] = str(exc) or type(exc).__name__
                    continue
                costs[feature.name].rounds.append(pair)
                print(f"{turn + 1} {feature.name}: {pair.change:+.1%}", file=sys.stderr, flush=True)
    found.costs = [cost for name, cost in costs.items() if name not in found.gaps]
    return found


def _features(text: str) -> list[Feature]:
    wanted = {name.strip() for name in text.split(",")}
    if unknown := wanted - set(FEATURES):
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(FEATURES)}"
        )
    return [feature for name, feature in FEATURES.items() if name in wanted]


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns 1 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (9)")
    parser.add_argument("--features", type=_features, default=",".join(FEATURES), metavar="A,B")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure of every round")
    options = parser.parse_args(arguments)
    raise_file_limit()
    found = run(options.features, options.rounds or (1 if options.quick else 9))
    print(markdown(grid(found)))
    for line in warnings(found):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(found.plain(), indent=1) + "\n")
    return int(bool(found.gaps))


if __name__ == "__main__":
    sys.exit(main())
