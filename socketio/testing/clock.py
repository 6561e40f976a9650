"""A clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Callable

from socketio.session.deadlines import Deadline, Deadlines

__all__ = ["ManualClock"]


class ManualClock:
    """A :class:`socketio.clock.Timekeeper` in which no time passes by itself.

    :class:`~socketio.testing.TestServer` has one; a real server takes one as ``clock=``. Heartbeats
    and all the timeouts of sessions go by it. ``gevent.sleep()`` in an application does not, nor do
    the timeouts of connections.

    Args:
        settle: Called after the deadlines of each moment, to let greenlets do what follows from
            them before more time passes; None: nothing is.

    .. versionadded:: 1.0
    """

    def __init__(self, settle: Callable[[], object] | None = None) -> None:
        self.time = 1000.0
        """The present, in seconds."""
        self.deadlines = Deadlines()
        """What is due later."""
        self._settle = settle

    def now(self) -> float:
        """Return the time in seconds; only differences mean anything."""
        return self.time

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        """Have ``callback`` called when the clock has been turned by ``seconds``."""
        return self.deadlines.add(self.time + seconds, callback)

    def cancel(self, deadline: Deadline | None) -> None:
        """Forget a deadline; None, called and cancelled ones are left alone."""
        if deadline is not None:
            self.deadlines.cancel(deadline)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass: what becomes due is called, in order, each at its own moment.

        The callbacks run in the greenlet that calls this.
        """
        end = self.time + seconds
        while (due := self.deadlines.next_due()) is not None and due <= end:
            self.time = max(self.time, due)
            while (callback := self.deadlines.pop_due(self.time)) is not None:
                callback()
            if self._settle is not None:
                self._settle()
        self.time = end
