"""Draws the curves: five panels in one picture, readable without colours too."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.growth_figures import Curves, Point
from benchmarks.growth_quiet import QUIET

__all__ = ["plot"]

# An extra of its own: types are checked without it.
_matplotlib: Any = import_module("matplotlib")
_figure: Any = import_module("matplotlib.figure")
_ticker: Any = import_module("matplotlib.ticker")

#: Colours that people who see red and green alike can tell apart, each with a mark of its own.
_LOOKS = {
    "ours": ("#0072B2", "o"),
    "node-0.9": ("#D55E00", "s"),
    "node-4.8": ("#009E73", "^"),
}
_NAMES = {"ours": "gevent-socketio", "node-0.9": "socket.io 0.9", "node-4.8": "socket.io 4.8"}
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
}


def plot(curves: Curves, file: Path) -> None:
    """Write the picture of ``curves`` to ``file``, a PNG."""
    with _matplotlib.rc_context(_STYLE):
        figure = _figure.Figure(figsize=(11, 6.6), layout="constrained")
        grid = figure.add_gridspec(2, 6)
        _draw_growth(figure.add_subplot(grid[0, :2]), curves, "Broadcast to all", _cast)
        _label(figure.axes[-1], "CPU time per delivery, µs")
        _draw_growth(figure.add_subplot(grid[0, 2:4]), curves, "Event to a room of ten", _room)
        _label(figure.axes[-1], "CPU time per event, µs")
        idle = figure.add_subplot(grid[0, 4:])
        _draw_growth(idle, curves, "Nothing but heartbeats", _idle)
        _label(idle, "one core, %")
        _use_powers(idle)
        _draw_delays(figure.add_subplot(grid[1, :3]), curves)
        _draw_influx(figure.add_subplot(grid[1, 3:]), curves)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
        figure.savefig(file, dpi=130)


def _cast(point: Point) -> float:
    return point.cast_us


def _room(point: Point) -> float:
    return point.room_us


def _idle(point: Point) -> float:
    return point.idle_share * 100


def _draw_growth(axes: Any, curves: Curves, title: str, value: Callable[[Point], float]) -> None:
    for server in curves.servers():
        points = curves.of(server)
        colour, mark = _LOOKS[server]
        axes.plot(
            [point.connections for point in points],
            [value(point) for point in points],
            color=colour,
            marker=mark,
            label=_NAMES[server],
        )
    axes.set_title(title)
    _count_connections(axes)
    highest = max((value(point) for point in curves.points), default=0.0)
    axes.set_ylim(0, 1.15 * highest or 1)


def _draw_delays(axes: Any, curves: Curves) -> None:
    for server in curves.servers():
        points = curves.of(server)
        where = [point.connections for point in points]
        _draw_line(axes, server, where, [point.delays.p50 for point in points], "-")
        _draw_line(axes, server, where, [point.delays.p99 for point in points], "--")
        for point in points:
            if point.delays.disturbed > QUIET:
                for value in (point.delays.p50, point.delays.p99):
                    _draw_line(axes, server, [point.connections], [value], "", filled=False)
    axes.set_title("Echo at half of the highest rate")
    _count_connections(axes)
    _use_powers(axes)
    axes.set_ylabel("latency, ms")
    axes.plot([], [], color="#555555", label="half of them are faster (p50)")
    axes.plot([], [], color="#555555", linestyle="--", label="99 % are faster (p99)")
    if any(point.delays.disturbed > QUIET for point in curves.points):
        look = {"marker": "o", "markerfacecolor": "white", "linestyle": ""}
        axes.plot([], [], color="#555555", label="other programs were in the way", **look)
    axes.legend(frameon=False, fontsize=8, loc="best")


def _draw_line(
    axes: Any,
    server: str,
    where: list[int],
    values: list[float],
    style: str,
    *,
    filled: bool = True,
) -> None:
    colour, mark = _LOOKS[server]
    inside = colour if filled else "white"
    axes.plot(where, values, linestyle=style, color=colour, marker=mark, markerfacecolor=inside)


def _draw_influx(axes: Any, curves: Curves) -> None:
    for one in curves.influxes:
        colour, _ = _LOOKS[one.server]
        moments = [moment for moment, _, _ in one.series]
        axes.plot(moments, [worst for _, _, worst in one.series], color=colour)
        axes.axvline(one.all_inside, color=colour, linestyle=":", linewidth=1.2)
    axes.set_title(f"{_newcomers(curves):,} clients connect within one second")
    axes.axvspan(0, 1, color="#EEEEEE", zorder=0)
    axes.set_xlabel("seconds since the first of them; dotted: the last one is connected")
    axes.set_ylabel("others' slowest echo, ms")
    axes.set_xlim(-1, 4)
    axes.set_ylim(bottom=0)


def _newcomers(curves: Curves) -> int:
    return max((one.newcomers for one in curves.influxes), default=0)


def _use_powers(axes: Any) -> None:
    """Give the values a logarithmic scale with plain numbers."""
    axes.set_yscale("log")
    axes.autoscale(axis="y")
    axes.yaxis.set_major_formatter(_ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(_ticker.NullFormatter())


def _label(axes: Any, text: str) -> None:
    axes.set_ylabel(text)


def _count_connections(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("connections")
    axes.xaxis.set_major_formatter(_ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(_ticker.NullFormatter())
