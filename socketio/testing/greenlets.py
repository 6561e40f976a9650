"""The greenlets that work for a server under test, and the moment when none has anything to do."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import gevent

from socketio.testing.failures import Failure

__all__ = ["Family", "become_quiet"]


def become_quiet(seconds: float) -> None:
    """Block until every greenlet of this thread waits for something that has not happened.

    Raises:
        AssertionError: There was always one that could go on, for ``seconds`` of real time.
    """
    busy = AssertionError(f"the application has not come to rest in {seconds:g} s of real time")
    with gevent.Timeout(seconds, busy):
        # The loop has nothing more to do at once: no callback, no timer, no connection is ready.
        gevent.idle()


class Family:
    """Greenlets of a server: those it is given, what these spawn, and so on.

    Watched by a callback of gevent's, which sees every greenlet of the process that is spawned.

    Args:
        on_failure: Called in the hub for each that ends with an exception.
    """

    def __init__(self, on_failure: Callable[[Failure], None]) -> None:
        # With what each runs, which gevent forgets at its end.
        self._members: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._first: weakref.WeakSet[Any] = weakref.WeakSet()
        self.on_failure = on_failure
        gevent.Greenlet.add_spawn_callback(self._spawned)

    def spawn(self, function: Callable[..., Any], *args: Any) -> Any:
        """Spawn a greenlet of the family; returns it."""
        job: Any = gevent.Greenlet(function, *args)
        self._first.add(job)
        self._adopt(job)
        job.start()
        return job

    def alive(self) -> list[Any]:
        """Return those that have not ended."""
        return [job for job in list(self._members) if not job.dead]

    def end(self, seconds: float) -> list[str]:
        """Kill those that have not ended, and watch no more.

        Args:
            seconds: How long to wait for the dying.

        Returns:
            What those ran that others than :meth:`spawn` have spawned.
        """
        left = self.alive()
        gevent.killall(left, block=False)
        gevent.joinall(left, timeout=seconds)
        self.forget()
        return [self.describe(job) for job in left if job not in self._first]

    def describe(self, job: Any) -> str:
        """Return what ``job`` runs, for people."""
        return f"the greenlet of {self._members.get(job, 'somebody else')}()"

    def forget(self) -> None:
        """Watch no more."""
        gevent.Greenlet.remove_spawn_callback(self._spawned)

    def _spawned(self, job: Any) -> None:
        if gevent.getcurrent() in self._members:
            self._adopt(job)

    def _adopt(self, job: Any) -> None:
        run = getattr(job, "_run", None)
        self._members[job] = getattr(run, "__qualname__", None) or repr(run)
        job.rawlink(self._ended)

    def _ended(self, job: Any) -> None:
        if job.exception is not None:
            self.on_failure(
                Failure("greenlet_failed", f"{self.describe(job)} failed", job.exception)
            )
