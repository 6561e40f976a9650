"""One run: every row for every server, round by round, so that all share the machine's moods."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from benchmarks.errors import BenchError, NotMeasuredError
from benchmarks.install import Launch, Server
from benchmarks.rows import Effort, Figure, Row
from benchmarks.server import ServerProcess, cores, pinned
from benchmarks.table import Results

__all__ = ["Run"]


@dataclass(slots=True)
class Run:
    """What to measure, and what has been found.

    Attributes:
        rows: The rows, in the order of the table.
        servers: The servers, in the order of the columns.
        effort: How long one figure takes.
        rounds: How often everything is measured.
        say: Is told what is going on, in one line.
        raw: Every figure of every round, for the file of results.
        results: The same for the tables.
    """

    rows: Sequence[Row]
    servers: Sequence[Server]
    effort: Effort
    rounds: int
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    raw: list[dict[str, Any]] = field(default_factory=list)
    results: Results = field(init=False)
    _launches: dict[str, Launch] = field(init=False, default_factory=dict)
    _server_core: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.results = Results(
            {row.name: (row.title, row.unit) for row in self.rows},
            [server.name for server in self.servers],
        )

    def prepare(self) -> None:
        """Install what is missing; who cannot be installed is left out with a reason."""
        for server in self.servers:
            try:
                self._launches[server.name] = server.prepare()
            except NotMeasuredError as error:
                self.results.absent[server.name] = str(error)
                self.say(f"{server.name}: not measured: {error}")

    def versions(self) -> dict[str, dict[str, str]]:
        """Return what is measured, by server and by part."""
        launches = self._launches
        return {s.name: s.versions(launches[s.name]) for s in self.servers if s.name in launches}

    def measure(self) -> None:
        """Measure all figures."""
        self._server_core, load_core = cores()
        with pinned(load_core):
            for turn in range(self.rounds):
                for row in self.rows:
                    for server in self._order(turn):
                        if row.takes(server):
                            self._figure(turn, row, server)

    def _order(self, turn: int) -> list[Server]:
        """Return the servers that can be measured, every other round backwards."""
        present = [server for server in self.servers if server.name in self._launches]
        return present[:: -1 if turn % 2 else 1]

    def _figure(self, turn: int, row: Row, server: Server) -> None:
        cell = self.results.cell(row.name, server.name)
        entry: dict[str, Any] = {"round": turn, "row": row.name, "server": server.name}
        launch = self._launches[server.name]
        try:
            with ServerProcess(launch.command, launch.env, self._server_core) as process:
                figure = row.run(process, server, self.effort)
        except (BenchError, OSError, ValueError, psutil.Error) as error:
            cell.failure = cell.failure or str(error)
            self.raw.append({**entry, "failure": str(error)})
            self.say(f"round {turn + 1} {row.name} {server.name}: failed: {error}")
            return
        cell.values[turn] = figure.value
        if figure.tally is not None:
            cell.server_shares.append(figure.tally.server_share)
            cell.load_shares.append(figure.tally.load_share)
        self.raw.append({**entry, **_plain(figure)})
        self.say(f"round {turn + 1} {row.name} {server.name}: {figure.value:,.1f} {row.unit}")


def _plain(figure: Figure) -> dict[str, Any]:
    tally = asdict(figure.tally) if figure.tally is not None else {}
    return {"value": figure.value, **tally, **(figure.notes or {})}
