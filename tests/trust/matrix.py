"""All rows, in order; importing this module registers them."""

from __future__ import annotations

from typing import Any

from tests.trust import rows_packets, rows_soak
from tests.trust.rows import ROWS, Row

__all__ = ["conclusions", "in_order", "names"]

_MODULES = (rows_packets, rows_soak)


def in_order() -> list[Row]:
    """Return every row, faults first."""
    return sorted(ROWS.values(), key=lambda row: row.order)


def names() -> list[str]:
    """Return the names of all rows."""
    return [row.name for row in in_order()]


def conclusions(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that follow from the others."""
    return []
