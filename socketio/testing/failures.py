"""What fails in an application while it is tested: noted, and raised in the test."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass

from socketio.clock import Timekeeper
from socketio.errors import SocketIOError
from socketio.journal import Journal

__all__ = ["Failure", "Failures", "HandlerFailed", "WatchedJournal"]

# Failures of the application that are no exceptions: a view that has not called
# socketio_manage(), and an authorize() without a verdict.
_WITHOUT_EXCEPTION = frozenset({"view_unmanaged", "authorize_failed"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed in the application.

    .. versionadded:: 1.0
    """

    kind: str
    """A word for what failed, as ``server.stats()`` counts it, such as ``handler_failed``,
    ``view_failed``, ``view_unmanaged`` and ``authorize_failed``. Two are not counted there,
    ``greenlet_failed`` for what a handler has spawned and ``unreadable`` for what clients cannot
    read."""
    message: str
    """What the log says about it."""
    exception: BaseException | None
    """What was raised, with its traceback; None where nothing was."""

    def __str__(self) -> str:
        if self.exception is None:
            return self.message
        return f"{self.message}: {type(self.exception).__name__}: {self.exception}"


class HandlerFailed(SocketIOError, AssertionError):  # noqa: N818 - what the test reports says what is
    """Code of the application failed; its exception is the ``__cause__``.

    .. versionadded:: 1.0
    """

    def __init__(self, failure: Failure, more: int = 0) -> None:
        others = f" (and {more} more: see server.failures)" if more else ""
        super().__init__(f"the application failed: {failure}{others}")
        self.failure = failure
        """What failed."""


class Failures:
    """Notes what fails, and raises it when the test asks, unless it is expected.

    Args:
        raising: False raises nothing.
    """

    def __init__(self, *, raising: bool) -> None:
        self.all: list[Failure] = []
        self._raising = raising
        self._pending: list[Failure] = []
        self._expected: list[tuple[tuple[type[BaseException], ...], list[Failure]]] = []

    def note(self, failure: Failure) -> None:
        """Note ``failure``. Any greenlet, and the hub; does not block."""
        self.all.append(failure)
        for kinds, found in reversed(self._expected):
            if not kinds or isinstance(failure.exception, kinds):
                found.append(failure)
                return
        self._pending.append(failure)

    def check(self) -> None:
        """Raise HandlerFailed for what was noted since the last time."""
        pending, self._pending = self._pending, []
        if self._raising and pending:
            raise HandlerFailed(pending[0], len(pending) - 1) from pending[0].exception

    def expect(self, kinds: tuple[type[BaseException], ...]) -> list[Failure]:
        """Return a list that gets what fails from now on with one of ``kinds``; none means all."""
        found: list[Failure] = []
        self._expected.append((kinds, found))
        return found

    def expect_no_more(self, found: list[Failure]) -> None:
        """Put no more into ``found``, a list of :meth:`expect`."""
        self._expected = [entry for entry in self._expected if entry[1] is not found]


class WatchedJournal(Journal):
    """The journal of a server under test."""

    __slots__ = ("_failures",)

    def __init__(self, clock: Timekeeper, failures: Failures) -> None:
        super().__init__(clock)
        self._failures = failures

    def failed(
        self,
        kind: str,
        log: logging.Logger,
        message: str,
        *args: object,
        where: object = None,
        level: int = logging.WARNING,
        exc_info: bool = False,
    ) -> None:
        """Count and log an error as usual, and note it if the application made it."""
        super().failed(kind, log, message, *args, where=where, level=level, exc_info=exc_info)
        if exc_info or kind in _WITHOUT_EXCEPTION:
            exception = sys.exc_info()[1] if exc_info else None
            self._failures.note(Failure(kind, message % args if args else message, exception))
