"""From the figures of all rounds to tables: medians, spreads, ratios round by round, warnings.

Nothing here touches a clock or a socket.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["Cell", "Results", "markdown", "number", "ratios", "rst", "spread", "tables", "warnings"]

#: From this share of a core on, the load may be what is measured.
BUSY_LOAD = 0.70
#: One of the two always has something to do: below this share together, both were held up.
BUSY_MACHINE = 0.80

Grid = list[list[str]]


@dataclass(slots=True)
class Cell:
    """All rounds of one server in one row.

    Attributes:
        values: The figure of each round, by the number of the round.
        server_shares: How much of a core the server had, one for each round; empty for memory.
        load_shares: How much of a core the load had.
        failure: Why there is no figure; the first failure counts, the other rounds are void.
    """

    values: dict[int, float] = field(default_factory=dict)
    server_shares: list[float] = field(default_factory=list)
    load_shares: list[float] = field(default_factory=list)
    failure: str | None = None

    @property
    def median(self) -> float:
        """The middle figure."""
        return statistics.median(self.values.values())

    @property
    def busy_load(self) -> bool:
        """Whether the load was so busy that the figure is in doubt."""
        return max(self.load_shares, default=0.0) > BUSY_LOAD

    @property
    def busy_machine(self) -> bool:
        """Whether server and load together had less of the machine than they could use."""
        both = [a + b for a, b in zip(self.server_shares, self.load_shares, strict=True)]
        return min(both, default=1.0) < BUSY_MACHINE


@dataclass(slots=True)
class Results:
    """Everything a run has found.

    Attributes:
        rows: The rows' titles with their units, by name, in the order of the table.
        servers: The servers, in the order of the columns.
        absent: The servers that could not be measured at all, and why.
        cells: What was found, by row and server; a pair that is not there was not asked for.
    """

    rows: dict[str, tuple[str, str]]
    servers: list[str]
    absent: dict[str, str] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def cell(self, row: str, server: str) -> Cell:
        """Return the cell, an empty one if there was none."""
        return self.cells.setdefault((row, server), Cell())


def spread(values: Iterable[float]) -> float:
    """Return the distance of the largest from the smallest value, as a part of the median."""
    known = list(values)
    middle = statistics.median(known)
    return (max(known) - min(known)) / middle if middle else 0.0


def number(value: float) -> str:
    """Return a figure as people read it: 12,345 or 12.3."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Return ours against theirs, of each round that has both."""
    return [ours[turn] / theirs[turn] for turn in ours if theirs.get(turn)]


def tables(results: Results) -> list[tuple[str, Grid]]:
    """Return the tables, each with its title; the first line of each is its head."""
    first = results.servers[0]
    others = results.servers[1:]
    found = [
        (
            "Median of all rounds, and the spread between them",
            _grid(results, results.servers, lambda row, name: _figure(results, row, name)),
        )
    ]
    if others:
        found.append(
            (
                f"Ratio of {first} to each other server: median, smallest and largest round",
                _grid(results, others, lambda row, name: _ratio(results, row, first, name)),
            )
        )
    found.append(
        (
            "Shares of a core: server / load generator",
            _grid(results, results.servers, lambda row, name: _shares(results, row, name)),
        )
    )
    return found


def warnings(results: Results) -> list[str]:
    """Return what has to be known about the figures, one sentence each."""
    found = [f"{name}: not measured: {reason}" for name, reason in results.absent.items()]
    held_up = []
    for (row, name), cell in results.cells.items():
        if cell.failure is not None:
            found.append(f"{name}, {row}: failed: {cell.failure}")
        elif cell.busy_load:
            share = max(cell.load_shares)
            found.append(
                f"WARNING: {name}, {row}: the load generator had {share:.0%} of a core; "
                "it may have changed the figure, which is marked with !"
            )
        elif cell.busy_machine:
            held_up.append(f"{name} {row}")
    if held_up:
        found.append(f"WARNING: something else used the machine during {', '.join(held_up)}")
    return found


def markdown(grid: Grid) -> str:
    """Return a table as Markdown."""
    widths = [max(len(line[column]) for line in grid) for column in range(len(grid[0]))]
    lines = [
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in grid
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def rst(grid: Grid, title: str) -> str:
    """Return a table as reStructuredText."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for line in grid:
        lines.append(f"   * - {line[0]}".rstrip())
        lines += [f"     - {text}".rstrip() for text in line[1:]]
    return "\n".join(lines)


def _grid(results: Results, names: list[str], cell: Callable[[str, str], str]) -> Grid:
    grid = [["", *names]]
    for row, (title, unit) in results.rows.items():
        grid.append([f"{title} ({unit})", *(cell(row, name) for name in names)])
    return grid


def _gap(results: Results, row: str, name: str) -> str | None:
    """Return what stands where there is no figure; None if there is one."""
    if name in results.absent:
        return "not measured"
    cell = results.cells.get((row, name))
    if cell is None:
        return "-"
    if cell.failure is not None or not cell.values:
        return "failed"
    return None


def _figure(results: Results, row: str, name: str) -> str:
    gap = _gap(results, row, name)
    if gap is not None:
        return gap
    cell = results.cell(row, name)
    doubt = "! " if cell.busy_load else ""
    several = f" ±{spread(cell.values.values()) / 2:.0%}" if len(cell.values) > 1 else ""
    return f"{doubt}{number(cell.median)}{several}"


def _ratio(results: Results, row: str, first: str, name: str) -> str:
    gap = _gap(results, row, name) or _gap(results, row, first)
    if gap is not None:
        return gap
    known = ratios(results.cell(row, first).values, results.cell(row, name).values)
    if not known:
        return "-"
    middle = f"{statistics.median(known):.2f}"
    return f"{middle} ({min(known):.2f} to {max(known):.2f})" if len(known) > 1 else middle


def _shares(results: Results, row: str, name: str) -> str:
    gap = _gap(results, row, name)
    if gap is not None:
        return gap
    cell = results.cell(row, name)
    if not cell.load_shares:
        return "-"
    server, load = statistics.median(cell.server_shares), statistics.median(cell.load_shares)
    return f"{server:.0%} / {load:.0%}"
