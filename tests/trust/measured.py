"""What the rows about access found, kept for the goal that sums them up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MEASURED", "Count"]


@dataclass(frozen=True)
class Count:
    """How often something happened that must not, in how many attempts."""

    wrong: int
    tried: int

    def __str__(self) -> str:
        return f"{self.wrong:,} of {self.tried:,}"


MEASURED: dict[str, Count] = {}
"""Name of a row -> what it counted in this run of the command."""
