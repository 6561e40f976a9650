"""What the tests of the queues share."""

from __future__ import annotations

from typing import Any

from socketio.session.outbox import Outbox

SNOWMAN = "\u2603"


def nothing() -> None:
    """Stand for a callback that a test does not ask about."""


def outbox() -> Outbox:
    """Return an outbox that nobody is told about."""
    return Outbox(nothing, nothing)


def holding(queue: Any, *items: Any) -> Any:
    """Return ``queue`` with ``items`` in it."""
    for item in items:
        queue.put_nowait(item)
    return queue


def drained(queue: Any) -> list[Any]:
    """Take everything that waits."""
    return [queue.get_nowait() for _ in range(queue.qsize())]
