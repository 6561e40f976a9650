"""Time for sessions: deadlines driven by one hub timer, whatever their number."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent

from socketio.session.deadlines import Deadline, Deadlines

__all__ = ["Clock", "Timekeeper"]

log = logging.getLogger("socketio.server")


class Timekeeper(Protocol):
    """What a session needs of a clock; tests hand in one that they turn by hand."""

    def now(self) -> float:
        """Return the time in seconds; only differences mean anything."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        """Have ``callback`` called in ``seconds``, where it must not block."""

    def cancel(self, deadline: Deadline | None) -> None:
        """Forget a deadline; None, called and cancelled ones are left alone."""


# Deadlines that are not near are kept up to so many seconds late, so that one ring of the timer is
# for many: of 10,000 sessions 400 a second need a heartbeat.
_GRID = 0.05
_LONG = 5
# Seconds of work after which what else is due waits until the network had its turn: of 10,000
# clients that connected within three seconds, heartbeats are due by the hundred.
_TURN = 0.001


class Clock:
    """The real clock. Monotonic: a change of the system time ends no session.

    Callbacks run in the hub and must not block; one that raises is logged and harms no other.
    ``stop()`` ends the only resource, the hub timer; a later ``call_later()`` makes a new one.
    """

    def __init__(self) -> None:
        self._deadlines = Deadlines()
        self._timer: Any = None
        self._armed_for = float("inf")

    def __len__(self) -> int:
        return len(self._deadlines)

    # Asked for each packet: not one call more than needed.
    now = staticmethod(time.monotonic)
    """Return the monotonic time in seconds."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        """Have ``callback`` called by the hub in ``seconds``."""
        when = self.now() + seconds
        if seconds >= _LONG:
            when = math.ceil(when / _GRID) * _GRID
        deadline = self._deadlines.add(when, callback)
        if deadline.when < self._armed_for:
            self._arm(deadline.when)
        return deadline

    def cancel(self, deadline: Deadline | None) -> None:
        """Forget ``deadline``; the timer is left as it is and finds nothing to do."""
        if deadline is not None:
            self._deadlines.cancel(deadline)

    def stop(self) -> None:
        """Stop and close the hub timer; what is still queued is not called any more."""
        self._disarm()
        self._deadlines = Deadlines()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
        self._armed_for = float("inf")

    def _arm(self, when: float) -> None:
        self._disarm()
        self._armed_for = when
        self._timer = gevent.get_hub().loop.timer(max(0.0, when - self.now()))
        # update: the loop's own notion of now may be as old as the callback we are called in.
        self._timer.start(self._ring, update=True)

    def _ring(self) -> None:
        self._armed_for = float("inf")
        now = self.now()
        until = now + _TURN
        while (callback := self._deadlines.pop_due(now)) is not None:
            try:
                callback()
            except Exception:  # the timer must go on ringing for everybody else
                log.exception("a deadline failed: %r", callback)
            if self.now() > until:
                break
        following = self._deadlines.next_due()
        if following is not None:
            self._arm(following)
        else:  # also when a callback has armed the timer for what another one cancelled
            self._disarm()
