"""How much other programs were in the way of a measurement.

A latency says something about a server only while server and load get a core whenever they want
one. The kernel counts how long a process was ready to run and did not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

__all__ = ["ATTEMPTS", "QUIET", "least_disturbed", "waited"]

#: Share of the time that may be spent waiting for a core without another attempt.
QUIET = 0.02
ATTEMPTS = 3

Result = TypeVar("Result")


def waited(pid: int) -> float:
    """Return for how many seconds process ``pid`` was ready and had no core; 0 if nobody counts."""
    try:
        fields = Path(f"/proc/{pid}/schedstat").read_text().split()
        return int(fields[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def least_disturbed(
    measure: Callable[[], Result], pid: int, delay_of: Callable[[int], float] = waited
) -> tuple[Result, float]:
    """Measure again while other programs are in the way, a few times at most.

    Which attempt counts is decided by the kernel's figure alone, never by what was measured.

    Args:
        measure: Does it.
        pid: The server; this process counts as well.
        delay_of: How long a process has waited so far.

    Returns:
        The result of the least disturbed attempt, and the share of its time that the two waited.
    """
    found: list[tuple[Result, float]] = []
    both = (pid, os.getpid())
    while not found or (len(found) < ATTEMPTS and found[-1][1] > QUIET):
        begun, before = time.perf_counter(), sum(map(delay_of, both))
        result = measure()
        share = (sum(map(delay_of, both)) - before) / (time.perf_counter() - begun)
        found.append((result, share))
    return min(found, key=lambda attempt: attempt[1])
