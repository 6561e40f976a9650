"""What a row of the fault matrix is, and the list of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.trust.stage import Stage

__all__ = ["ROWS", "Figure", "Row", "row"]


@dataclass(frozen=True)
class Figure:
    """What a row measured, and whether that is good enough."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Row:
    """One line of the result.

    Args:
        name: ``F6`` for a fault, ``G7`` for a goal.
        title: What is done.
        passes: What must be measured.
        original: What the original did, where that is known.
        short: Whether it is part of the short form.
        run: Does it.
    """

    name: str
    title: str
    passes: str
    original: str
    short: bool
    run: Callable[[Stage], Figure]

    @property
    def order(self) -> tuple[str, int]:
        match = re.fullmatch(r"([A-Z]+)(\d+)", self.name)
        assert match, self.name
        return match[1], int(match[2])


ROWS: dict[str, Row] = {}
"""Name -> row."""


def row(
    name: str, title: str, *, passes: str, original: str = "", short: bool = True
) -> Callable[[Callable[[Stage], Figure]], Callable[[Stage], Figure]]:
    """Register the decorated function as the row ``name``."""

    def register(run: Callable[[Stage], Figure]) -> Callable[[Stage], Figure]:
        assert name not in ROWS, f"there are two rows {name}"
        ROWS[name] = Row(name, title, passes, original, short, run)
        return run

    return register
