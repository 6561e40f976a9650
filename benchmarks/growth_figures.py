"""The figures of the curves, and how they are printed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Curves", "Delays", "Influx", "Point", "bins", "percentile", "tables"]

#: Width of one step of the series over time, in seconds.
BIN = 0.1


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest value that at least ``percent`` of a hundred values do not exceed.

    Raises:
        ValueError: There are no values, or ``percent`` is not between 0 and 100.
    """
    ordered = sorted(values)
    if not ordered or not 0 <= percent <= 100:
        raise ValueError(f"no {percent:g}th percentile of {len(ordered)} values")
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def bins(
    samples: Iterable[tuple[float, float]], width: float = BIN
) -> list[tuple[float, float, float]]:
    """Return for each step of time its beginning, and the median and the worst of its values."""
    steps: dict[int, list[float]] = {}
    for moment, value in samples:
        steps.setdefault(math.floor(moment / width), []).append(value)
    return [
        (round(step * width, 6), percentile(values, 50), max(values))
        for step, values in sorted(steps.items())
    ]


@dataclass(frozen=True, slots=True)
class Delays:
    """Latencies of echoes at half of what the server can do, in milliseconds.

    Attributes:
        most: Echoes a second with fifty under way all the time.
        rate: Echoes a second while the latencies were taken.
        p50: Half of them are at most this.
        p99: All but one of a hundred are.
        worst: All are.
        late_p99: How late requests left the load; the latencies hold it.
        server_share: How much of a core the server had meanwhile, 1.0 is all of it.
        disturbed: Share of the time that server and load waited for a core others had.
    """

    most: float
    rate: float
    p50: float
    p99: float
    worst: float
    late_p99: float
    server_share: float
    disturbed: float


@dataclass(frozen=True, slots=True)
class Point:
    """What one server needs with so many connections.

    Attributes:
        server: Which one.
        connections: How many WebSockets it has.
        cast_us: CPU time of one delivery of a broadcast to all, in microseconds.
        room_us: CPU time of one event to a room of ``members``, in microseconds.
        members: How many are in the room.
        idle_share: Share of a core while nobody says anything, 1.0 is all of it.
        idle_seconds: For how long.
        beats: Heartbeats meanwhile.
        delays: Of echoes.
    """

    server: str
    connections: int
    cast_us: float
    room_us: float
    members: int
    idle_share: float
    idle_seconds: float
    beats: int
    delays: Delays


@dataclass(frozen=True, slots=True)
class Influx:
    """What many clients within one second do to one server, see :mod:`benchmarks.growth_storm`.

    Attributes:
        server: Which one.
        newcomers: How many came.
        all_inside: Seconds until the last one was connected, from the first one's first request.
        before_p99: 99th percentile of the others' echoes in the quiet before, in milliseconds.
        during_p99: The same from the first newcomer until the last one is connected.
        disturbed: Share of the time that server and load waited for a core others had.
        series: Begin of a step in seconds, median and worst latency in it in milliseconds.
    """

    server: str
    newcomers: int
    all_inside: float
    before_p99: float
    during_p99: float
    disturbed: float
    series: list[tuple[float, float, float]]

    @classmethod
    def of(
        cls,
        server: str,
        newcomers: int,
        all_inside: float,
        samples: Sequence[tuple[float, float]],
        disturbed: float,
    ) -> Influx:
        """Return the summary of ``samples``: moments and latencies, both in seconds."""
        scaled = [(moment, latency * 1000) for moment, latency in samples]
        before = [latency for moment, latency in scaled if moment < 0]
        during = [latency for moment, latency in scaled if 0 <= moment <= all_inside]
        return cls(
            server,
            newcomers,
            all_inside,
            percentile(before, 99),
            percentile(during, 99),
            disturbed,
            bins(scaled),
        )


@dataclass(slots=True)
class Curves:
    """All figures of a run.

    Attributes:
        about: What they were made on.
        points: In the order they were measured.
        influxes: One for each server.
        gaps: Server, or server and number of connections, and why there is no figure.
    """

    about: dict[str, Any] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    influxes: list[Influx] = field(default_factory=list)
    gaps: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON can have it."""
        return asdict(self)

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> Curves:
        """Return what ``plain()`` was made from."""
        points = [Point(**{**p, "delays": Delays(**p["delays"])}) for p in content["points"]]
        influxes = [
            Influx(**{**one, "series": [tuple(step) for step in one["series"]]})
            for one in content["influxes"]
        ]
        return cls(content["about"], points, influxes, content["gaps"])

    def servers(self) -> list[str]:
        """Return the names of those with figures, in the order they came."""
        return list(dict.fromkeys([*(p.server for p in self.points), *self._stormed()]))

    def of(self, server: str) -> list[Point]:
        """Return the points of one server."""
        return [point for point in self.points if point.server == server]

    def _stormed(self) -> list[str]:
        return [one.server for one in self.influxes]


_GROWTH = (
    "server",
    "connections",
    "broadcast, µs per delivery",
    "room of 10, µs per event",
    "idle, % of a core",
    "heartbeats a second",
)
_DELAYS = (
    "server",
    "connections",
    "most echoes/s",
    "at echoes/s",
    "p50 ms",
    "p99 ms",
    "worst ms",
    "server, % of a core",
    "sent late, p99 ms",
    "waiting for a core, %",
)
_INFLUX = (
    "server",
    "newcomers in a second",
    "all connected after, s",
    "others' echoes before, p99 ms",
    "meanwhile, p99 ms",
    "worst ms",
    "waiting for a core, %",
)


def tables(curves: Curves) -> list[tuple[str, list[list[str]]]]:
    """Return titles and rows of cells, the first row of each being the heads."""
    return [
        (
            "CPU time by number of connections",
            [list(_GROWTH), *(_growth_row(point) for point in curves.points)],
        ),
        (
            "Latency of echoes at half load",
            [list(_DELAYS), *(_delays_row(point) for point in curves.points)],
        ),
        ("Many clients at once", [list(_INFLUX), *(_influx_row(one) for one in curves.influxes)]),
    ]


def _growth_row(point: Point) -> list[str]:
    return [
        point.server,
        f"{point.connections:,}",
        f"{point.cast_us:.1f}",
        f"{point.room_us:.0f}",
        f"{point.idle_share * 100:.2f}",
        f"{point.beats / point.idle_seconds:.1f}",
    ]


def _delays_row(point: Point) -> list[str]:
    delays = point.delays
    return [
        point.server,
        f"{point.connections:,}",
        f"{delays.most:,.0f}",
        f"{delays.rate:,.0f}",
        f"{delays.p50:.2f}",
        f"{delays.p99:.2f}",
        f"{delays.worst:.1f}",
        f"{delays.server_share * 100:.0f}",
        f"{delays.late_p99:.2f}",
        f"{delays.disturbed * 100:.1f}",
    ]


def _influx_row(one: Influx) -> list[str]:
    return [
        one.server,
        f"{one.newcomers:,}",
        f"{one.all_inside:.2f}",
        f"{one.before_p99:.2f}",
        f"{one.during_p99:.2f}",
        f"{max(worst for _, _, worst in one.series):.1f}",
        f"{one.disturbed * 100:.1f}",
    ]
