"""G14: the four counts of access, from the rows that took them, or taken now."""

from __future__ import annotations

from tests.trust.measured import MEASURED, Count
from tests.trust.rows import ROWS, Figure, row
from tests.trust.stage import Stage

_COUNTED = {
    "foreign origins accepted": ("F24", "F25"),
    "forbidden handlers run": ("F27",),
    "deliveries outside the namespace or room": ("F29",),
    "duplicate ids": ("F22", "F52"),
}
"""What is counted -> the rows that do."""


def counted(stage: Stage, names: tuple[str, ...]) -> Count:
    """Return the sum of what the rows counted; those that did not run yet run now."""
    for name in names:
        if name not in MEASURED:
            ROWS[name].run(stage)
    return Count(
        sum(MEASURED[name].wrong for name in names), sum(MEASURED[name].tried for name in names)
    )


@row(
    "G14",
    "access, in four counts",
    passes="0 / 0 / 0 / 0",
    original="all / any handler before recv_connect / every socket / equal in forked workers",
)
def access_goal(stage: Stage) -> Figure:
    counts = {what: counted(stage, names) for what, names in _COUNTED.items()}
    text = ", ".join(f"{what}: {count}" for what, count in counts.items())
    return Figure(not any(count.wrong for count in counts.values()), text)
