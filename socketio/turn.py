"""Fairness between sessions: who has worked for a while lets the others run."""

from __future__ import annotations

from time import monotonic

import gevent

__all__ = ["Turn"]

# Seconds of work without a pause. A session that always has something waiting would otherwise
# never go back to the hub: neither Queue.get() nor recv() does when there is something.
_LENGTH = 0.005


class Turn:
    """Adds up how long one greenlet works between its waits."""

    __slots__ = ("_begun", "_worked")

    def __init__(self) -> None:
        self._worked = 0.0
        self._begun: float | None = None

    def begin(self) -> None:
        """There is work; what was waited for before does not count."""
        self._begun = monotonic()

    def end(self) -> None:
        """The work is done: let other greenlets and the network run if it was enough for now."""
        if self._begun is None:
            return
        self._worked += monotonic() - self._begun
        self._begun = None
        if self._worked > _LENGTH:
            self._worked = 0.0
            gevent.sleep(0)

    def go_on(self) -> None:
        """One piece of work is done and another is there: begin, or :meth:`end` and begin again."""
        now = monotonic()
        if self._begun is None:
            self._begun = now
        elif now - self._begun > _LENGTH:
            gevent.sleep(0)
            self._begun = monotonic()

    def rest(self) -> None:
        """Nothing is left to do: to wait for more lets the others run."""
        self._begun = None
