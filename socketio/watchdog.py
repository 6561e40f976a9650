"""Notices that something keeps the whole process busy, and says what."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

import gevent
from gevent import monkey

from socketio.journal import Journal

__all__ = ["Watchdog"]

log = logging.getLogger("socketio.server")

# A thread of the system has to look: greenlets do not run while the process is blocked.
_start_thread = monkey.get_original("_thread", "start_new_thread")
_new_lock = monkey.get_original("_thread", "allocate_lock")
_get_ident = monkey.get_original("_thread", "get_ident")
# How often it looks within the time that is allowed.
_LOOKS = 4


class Watchdog:
    """Logs a warning, with the stack, when the hub does not run for too long.

    Owns one thread of the system and one timer of the hub, from ``start()`` to ``stop()``. gevent's
    own monitor watches every switch of greenlets, and writes to the standard error.

    Args:
        seconds: How long the process may be busy.
        journal: Where it is counted, as ``block_warning``.

    .. versionadded:: 1.0
    """

    def __init__(self, seconds: float, journal: Journal) -> None:
        self._seconds = seconds
        self._journal = journal
        self._last_tick = time.monotonic()
        self._told_for = 0.0
        self._over = _new_lock()
        self._timer: Any = None

    def start(self) -> None:
        """Begin to watch the thread that calls this."""
        self._tick()
        pause = self._seconds / _LOOKS
        self._timer = gevent.get_hub().loop.timer(pause, pause)
        self._timer.start(self._tick)
        self._over.acquire()
        _start_thread(self._watch, (_get_ident(),))

    def stop(self) -> None:
        """Stop watching; the thread ends soon after."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
            self._over.release()

    def _tick(self) -> None:
        """Runs in the hub: as long as it does, all is well."""
        self._last_tick = time.monotonic()

    def _watch(self, watched: int) -> None:
        """Runs in the thread."""
        while not self._over.acquire(True, self._seconds / _LOOKS):
            last = self._last_tick
            if last != self._told_for and time.monotonic() - last >= self._seconds:
                self._told_for = last
                self._tell(watched)

    def _tell(self, watched: int) -> None:
        frame = sys._current_frames().get(watched)
        if frame is not None:
            stack = "".join(traceback.format_stack(frame))
            self._journal.limited(
                "block_warning",
                log,
                "nothing else has run for %g s: hand such work to a thread pool\n%s",
                self._seconds,
                stack,
            )
