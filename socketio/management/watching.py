"""The outer process of ``runserver_socketio``: it has another one serve.

Django's own would kill the server at a ^C before the clients are let go, and would end with it
when it cannot start for a mistake in a model that is being edited.

.. versionadded:: 1.0
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import gevent
from django.utils import autoreload
from gevent.event import Event

__all__ = ["ChildServer", "is_child"]

_RELOAD = 3  # the status with which Django's reloader ends a process whose code has changed
_FAILED = 1  # that of an exception, or of a command that refused to run
_PAUSE = 0.5


def is_child() -> bool:
    """Tell whether this is the process that serves, started by :class:`ChildServer`."""
    return os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true"


class ChildServer:
    """Runs this program again in a child, and anew when the code changes.

    Args:
        may_retry: Tells whether a child that failed may do better when its code has changed.
        say: Called with what happens, one line each.
    """

    def __init__(self, may_retry: Callable[[], bool], say: Callable[[str], object]) -> None:
        self._may_retry = may_retry
        self._say = say
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = Event()

    def run(self) -> int:
        """Have it serve until it ends by itself or by a signal; returns the exit status. Blocks.

        SIGINT and SIGTERM end the child gracefully.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, self._end)
        environ = {**os.environ, autoreload.DJANGO_AUTORELOAD_ENV: "true"}
        while not self._asked.is_set():
            started = time.time()
            self._child = subprocess.Popen(  # noqa: S603 - the command line of this process
                autoreload.get_child_arguments(), env=environ, close_fds=False
            )
            status = self._child.wait()
            if status == _FAILED and not self._asked.is_set() and self._may_retry():
                self._say("The server did not start: waiting for a change of a file.")
                self._await_change(started)
            elif status != _RELOAD:
                return 128 - status if status < 0 else status
        return 0

    def _end(self) -> None:
        self._asked.set()
        if self._child is not None and self._child.poll() is None:
            # At a ^C it has a signal of its own, unless only we were meant.
            self._child.send_signal(signal.SIGTERM)

    def _await_change(self, since: float) -> None:
        reloader = autoreload.StatReloader()
        reloader.watch_dir(Path.cwd(), "**/*.py")
        while all(at <= since for _, at in reloader.snapshot_files()):
            if self._asked.wait(_PAUSE):
                return
