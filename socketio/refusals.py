"""One log line for many refused requests: an attack must not become a flood of text."""

from __future__ import annotations

import logging
import math
from collections import Counter

from socketio.clock import Timekeeper

__all__ = ["RefusalLog"]

log = logging.getLogger("socketio.handler")

# Seconds between two lines of one kind.
_PAUSE = 10


class RefusalLog:
    """Counts what a server refuses, and writes a line about it now and then.

    Args:
        clock: Where the time comes from.

    .. versionadded:: 1.0
    """

    def __init__(self, clock: Timekeeper) -> None:
        self.counts: Counter[str] = Counter()
        """How often each kind of request was refused, in full."""
        self._clock = clock
        self._quiet_until: dict[str, float] = {}
        self._told: Counter[str] = Counter()

    def note(self, kind: str, message: str, *args: object) -> None:
        """Count a refusal, and log ``message`` unless a line of this kind was written just now.

        Any greenlet; does not block.

        Args:
            kind: One of few words of ours, never a word of the client's.
            message: What was refused and what to do, as a logging template.
            *args: For the template.
        """
        self.counts[kind] += 1
        now = self._clock.now()
        if now < self._quiet_until.get(kind, -math.inf):
            return
        self._quiet_until[kind] = now + _PAUSE
        more = self.counts[kind] - self._told[kind] - 1
        self._told[kind] = self.counts[kind]
        log.warning(message + (f" ({more} more like it before)" if more else ""), *args)
