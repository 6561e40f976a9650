"""A queue of moments at which something is due. Pure: the time is always an argument."""

from __future__ import annotations

import heapq
from collections.abc import Callable

__all__ = ["Deadline", "Deadlines"]


class Deadline:
    """One moment, in seconds on the clock of its queue, and what to call then."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled or has been called."""
        return self.callback is None


class Deadlines:
    """A heap of deadlines. Cancelled entries leave when they surface, or when they are the many."""

    __slots__ = ("_dead", "_heap", "_sequence")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deadline]] = []
        self._sequence = 0
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def add(self, when: float, callback: Callable[[], None]) -> Deadline:
        """Queue ``callback`` for ``when``; equal moments keep the order of their coming."""
        deadline = Deadline(when, callback)
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, deadline))
        return deadline

    def cancel(self, deadline: Deadline) -> None:
        """Forget ``deadline``; one that was called or cancelled already is left alone."""
        if deadline.callback is None:
            return
        deadline.callback = None
        self._dead += 1
        # Cancelling is common (each session that ends); rebuilding at half keeps it O(1) each.
        if self._dead > 64 and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._dead = 0

    def next_due(self) -> float | None:
        """Return the earliest moment anything is due, or None when nothing is queued."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._dead -= 1
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> Callable[[], None] | None:
        """Take the earliest callback that is due at ``now``; None when there is none."""
        when = self.next_due()
        if when is None or when > now:
            return None
        deadline = heapq.heappop(self._heap)[2]
        callback, deadline.callback = deadline.callback, None
        return callback
