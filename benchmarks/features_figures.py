"""The figures of what features cost, and how they are printed.

Nothing here touches a clock or a socket.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.client import Tally
from benchmarks.table import BUSY_LOAD

__all__ = ["Cost", "Costs", "Pair", "grid", "warnings"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: the same load on a server without the feature and on one with it.

    Attributes:
        without: What the load on the one came to, all its turns together.
        having: The same of the other.
    """

    without: Tally
    having: Tally

    @property
    def change(self) -> float:
        """How much more CPU time an echo takes with the feature: 0.02 is two percent more."""
        return _us(self.having) / _us(self.without) - 1


@dataclass(slots=True)
class Cost:
    """All rounds of one feature.

    Attributes:
        feature: Its name on the command line.
        title: What is turned on.
        by: The transport of the echoes.
        rounds: In the order they were measured.
    """

    feature: str
    title: str
    by: str
    rounds: list[Pair] = field(default_factory=list)

    @property
    def without_us(self) -> float:
        """CPU time of one echo without the feature in microseconds, the median of the rounds."""
        return statistics.median(_us(pair.without) for pair in self.rounds)

    @property
    def having_us(self) -> float:
        """CPU time of one echo with the feature in microseconds, the median of the rounds."""
        return statistics.median(_us(pair.having) for pair in self.rounds)

    @property
    def changes(self) -> list[float]:
        """The change of each round, the smallest first."""
        return sorted(pair.change for pair in self.rounds)

    @property
    def load_share(self) -> float:
        """How much of a core the load had at most."""
        tallies = [tally for pair in self.rounds for tally in (pair.without, pair.having)]
        return max(tally.load_share for tally in tallies)


@dataclass(slots=True)
class Costs:
    """Everything a run has found.

    Attributes:
        about: What it was found on.
        costs: In the order of the table.
        gaps: Feature, and why it has no figure.
    """

    about: dict[str, Any] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    gaps: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON can carry it."""
        return asdict(self)

    @classmethod
    def from_plain(cls, found: dict[str, Any]) -> Costs:
        """Return what :meth:`plain` was made of."""
        costs = [Cost(**{**cost, "rounds": _pairs(cost["rounds"])}) for cost in found["costs"]]
        return cls(found["about"], costs, found["gaps"])


def grid(found: Costs) -> list[list[str]]:
    """Return the table, its head first."""
    head = ["what is turned on", "echo by", "µs without", "µs with", "difference", "rounds, %"]
    return [[*head, "load"], *(_line(cost) for cost in found.costs if cost.rounds)]


def warnings(found: Costs) -> list[str]:
    """Return what has to be known about the figures, one sentence each."""
    said = [f"{feature}: not measured: {why}" for feature, why in found.gaps.items()]
    for cost in found.costs:
        if cost.rounds and cost.load_share > BUSY_LOAD:
            said.append(
                f"WARNING: {cost.feature}: the load generator had {cost.load_share:.0%} of a core"
            )
    return said


def _line(cost: Cost) -> list[str]:
    changes = cost.changes
    return [
        cost.title,
        cost.by,
        f"{cost.without_us:.1f}",
        f"{cost.having_us:.1f}",
        f"{_whole(statistics.median(changes))} %",
        f"{_whole(changes[0])} to {_whole(changes[-1])}",
        f"{cost.load_share:.0%}",
    ]


def _whole(change: float) -> str:
    """Return a change in whole percent, with its sign."""
    return f"{round(change * 100):+d}"


def _us(tally: Tally) -> float:
    return 1e6 * tally.server_cpu / tally.answers


def _pairs(rounds: list[dict[str, Any]]) -> list[Pair]:
    return [Pair(Tally(**one["without"]), Tally(**one["having"])) for one in rounds]
