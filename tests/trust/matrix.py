"""All rows, in order; importing this module registers them."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import tests.trust
from tests.trust.rows import ROWS, Row
from tests.trust.stage import CANARY_LIMIT_MS

__all__ = ["ELSEWHERE", "conclusions", "in_order", "names"]

for _module in pkgutil.iter_modules(tests.trust.__path__):
    if _module.name.startswith("rows_"):
        importlib.import_module(f"tests.trust.{_module.name}")

FAULTS = 65
"""How many rows the fault matrix has."""
_LEAST_FAULTS = 60
_MOST_SECONDS = 300

ELSEWHERE = {
    "F51": "a crash of one of several worker processes: comes with the gunicorn workers",
    "F54": "a Redis that dies, returns and lies: comes with the Redis backplane",
    "G4": "the Autobahn Testsuite: make autobahn",
    "G17": "branch coverage: make test",
}
"""What no row here shows, and why."""


def in_order() -> list[Row]:
    """Return every row, faults first."""
    return sorted(ROWS.values(), key=lambda row: row.order)


def names() -> list[str]:
    """Return the names of all rows."""
    return [row.name for row in in_order()]


def conclusions(results: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    """Return the goals that follow from a complete run in its full form."""
    faults = [result for result in results if result["name"].startswith("F")]
    held = sum(result["ok"] for result in faults)
    worst = max(results, key=lambda result: result["canary_ms"])
    (soak,) = [result for result in results if result["name"] == "F65"]
    return [
        _goal(
            "G15",
            "silent loss or reordering in the soak, row F65",
            "0 of 100,000",
            soak["figure"],
            soak["ok"],
        ),
        _goal(
            "G6",
            "rows of the fault matrix shown by one command",
            f"at least {_LEAST_FAULTS} of {FAULTS} in {_MOST_SECONDS} s",
            f"{held} of {FAULTS} in {seconds:.0f} s",
            held >= _LEAST_FAULTS and seconds <= _MOST_SECONDS,
        ),
        _goal(
            "G11",
            "the canary's worst round trip under every row",
            f"below {CANARY_LIMIT_MS:.0f} ms",
            f"{worst['canary_ms']:.0f} ms, in {worst['name']}",
            worst["canary_ms"] < CANARY_LIMIT_MS,
        ),
    ]


def _goal(name: str, title: str, passes: str, figure: str, ok: bool) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "passes": passes,
        "original": "",
        "figure": figure,
        "ok": ok,
        "canary_ms": 0.0,
        "seconds": 0.0,
    }
