"""What the suite found: counts, the cases that are not simply fine, and whether that is a pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MOST_NON_STRICT = 11
# A close inside a fragmented message: the sans-I/O core takes that for a breach, and says so.
MAY_FAIL = frozenset({"7.1.5"})
_FINE = ("OK", "INFORMATIONAL")


@dataclass(frozen=True)
class Case:
    """The verdicts on one case: on what was said, and on how the connection ended."""

    name: str
    behavior: str
    close: str

    @property
    def failed(self) -> bool:
        fine = (*_FINE, "NON-STRICT")
        return self.behavior not in fine or self.close not in (*fine, "UNCLEAN")

    @property
    def remarkable(self) -> bool:
        return not (self.behavior in _FINE and self.close in _FINE)


def read_index(path: Path) -> list[Case]:
    """Return the cases of the one agent in an ``index.json``, in their order."""
    (cases,) = json.loads(path.read_text(encoding="utf-8")).values()
    found = [Case(name, case["behavior"], case["behaviorClose"]) for name, case in cases.items()]
    return sorted(found, key=lambda case: [int(number) for number in case.name.split(".")])


def non_strict(cases: list[Case]) -> list[Case]:
    """Return what counts as non-strict."""
    return [case for case in cases if case.behavior == "NON-STRICT"]


def passes(cases: list[Case]) -> bool:
    """Tell whether goal G4 is met."""
    return (
        bool(cases)
        and not any(case.failed and case.name not in MAY_FAIL for case in cases)
        and len(non_strict(cases)) <= MOST_NON_STRICT
        and not any(case.close == "UNCLEAN" for case in cases)
    )


def summary(cases: list[Case]) -> list[str]:
    """Return the lines to print."""
    lines = [
        f"{len(cases)} cases",
        f"  behavior: {_counts(case.behavior for case in cases)}",
        f"  close:    {_counts(case.close for case in cases)}",
    ]
    remarkable = [case for case in cases if case.remarkable]
    return lines + [f"  {c.name:<8} {c.behavior:<14} close {c.close}" for c in remarkable]


def _counts(verdicts: Iterable[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(verdicts).most_common())
