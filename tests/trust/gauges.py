"""What a process of the stage uses, read from outside: it cannot fool us, and is not disturbed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from tests.trust.stage import Place

__all__ = ["Counted", "blocked_ms", "cpu_ms", "peak_rss", "reset_peak", "rss", "vsz"]

_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_ms(place: Place) -> float:
    """Return the milliseconds that the server's thread has run; unlike time, noise leaves it be."""
    with open(f"/proc/{place.child.process.pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e6


def _statm(place: Place, field: int) -> int:
    with open(f"/proc/{place.child.process.pid}/statm") as file:
        return int(file.read().split()[field]) * _PAGE


def rss(place: Place) -> int:
    """Return the resident memory of the server, in bytes."""
    return _statm(place, 1)


def vsz(place: Place) -> int:
    """Return the virtual memory of the server, in bytes."""
    return _statm(place, 0)


def reset_peak(place: Place) -> None:
    """Have :func:`peak_rss` begin anew."""
    with open(f"/proc/{place.child.process.pid}/clear_refs", "w") as file:
        file.write("5")


def peak_rss(place: Place) -> int:
    """Return the most resident memory that the server had since :func:`reset_peak`, in bytes."""
    with open(f"/proc/{place.child.process.pid}/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


class Counted:
    """How much the counters of a place rise.

    Args:
        place: The server.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._before = place.stats()
        self._calls = dict(place.facts().get("calls", {}))

    def rise(self, group: str, name: str) -> int:
        """Return by how much ``stats()[group][name]`` is higher now."""
        before: dict[str, Any] = self._before[group]
        return int(self._place.stats()[group].get(name, 0) - before.get(name, 0))

    def calls(self, name: str) -> int:
        """Return how often the application's callback ``name`` ran meanwhile."""
        return int(self._place.facts()["calls"].get(name, 0) - self._calls.get(name, 0))


def blocked_ms(
    place: Place, action: Callable[[], object], good: float = 0, tries: int = 3
) -> float:
    """Return the canary's worst round trip during ``action``, the best of ``tries``.

    What really blocks the server does so each time; another program on the machine does not. So
    one try below ``good`` is enough.
    """
    best = float("inf")
    for _ in range(tries):
        place.lap()
        action()
        time.sleep(0.06)  # the canary sings every 50 ms: once more at least
        best = min(best, place.lap())
        if best < good:
            break
    return best
