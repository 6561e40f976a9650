"""A clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Callable

from socketio.session.deadlines import Deadline, Deadlines


class ManualClock:
    """A :class:`socketio.clock.Timekeeper` in which no time passes by itself."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.deadlines = Deadlines()

    def now(self) -> float:
        return self.time

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        return self.deadlines.add(self.time + seconds, callback)

    def cancel(self, deadline: Deadline | None) -> None:
        if deadline is not None:
            self.deadlines.cancel(deadline)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, calling what becomes due, each at its own moment."""
        end = self.time + seconds
        while (due := self.deadlines.next_due()) is not None and due <= end:
            self.time = max(self.time, due)
            callback = self.deadlines.pop_due(self.time)
            assert callback is not None
            callback()
        self.time = end
