"""When a server under test is done: nothing more can happen now, or all handlers have returned."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

import gevent

from socketio.server import SocketIOServer
from socketio.testing.failures import Failures
from socketio.testing.greenlets import Family, become_quiet
from socketio.virtsocket import Socket

__all__ = ["ServerAtWork"]

T = TypeVar("T")


class ServerAtWork:
    """The half of :class:`~socketio.testing.TestServer` that waits for the application.

    Args:
        failures: What is raised when it fails.
        patience: Seconds of real time after which waiting is given up.
    """

    real: SocketIOServer

    def __init__(self, failures: Failures, patience: float) -> None:
        self._failures = failures
        self._patience = patience
        self._family = Family(failures.note)
        self._hub = gevent.get_hub()

    def drain(self, *, check: bool = True) -> None:
        """Let the server do all it can do now, without any time passing.

        It has when every greenlet waits: for a packet, for another greenlet, for the clock of the
        test, for real time (``gevent.sleep(1)``), for a connection of its own to a database. Every
        method of clients does this, so that a test needs it only behind what it does with objects
        of the server itself.

        Args:
            check: False does not raise what has failed.

        Raises:
            HandlerFailed: The application failed.
            AssertionError: Something never comes to rest.
        """
        if gevent.get_hub() is not self._hub:
            raise AssertionError("a TestServer belongs to the thread that made it")
        become_quiet(self._patience)
        if check:
            self._failures.check()

    def settle(self, timeout: float | None = None, *, spawned: bool = True) -> None:
        """Wait, in real time, until all handlers have returned.

        For handlers that sleep, or talk to a database.

        Args:
            timeout: Seconds after which to give up; None means the server's ``patience``.
            spawned: Whether the greenlets that handlers have spawned have to end too.

        Raises:
            HandlerFailed: The application failed.
            AssertionError: The time is up; the text says what is still at work.
        """
        end = monotonic() + (self._patience if timeout is None else timeout)
        while at_work := self._at_work(spawned=spawned):
            if monotonic() > end:
                raise AssertionError(f"still at work: {', '.join(at_work)}")
            gevent.sleep(0.001)

    def wait_for(self, condition: Callable[[], T], timeout: float | None = None) -> T:
        """Wait, in real time, until ``condition()`` is true; returns what it returns.

        Args:
            condition: Called again and again.
            timeout: Seconds after which to give up; None means the server's ``patience``.

        Raises:
            HandlerFailed: The application failed.
            AssertionError: The time is up.
        """
        seconds = self._patience if timeout is None else timeout
        end = monotonic() + seconds
        self.drain()
        while not (value := condition()):
            if monotonic() > end:
                raise AssertionError(f"still not true after {seconds:g} s: {condition!r}")
            gevent.sleep(0.001)
            self.drain()
        return value

    def _wait_while_busy(self, condition: Callable[[], object]) -> None:
        """Wait for ``condition()`` as long as a handler is at work; for the clients."""
        end = monotonic() + self._patience
        self.drain()
        while not condition() and monotonic() < end and self._at_work(spawned=True):
            gevent.sleep(0.001)

    def _at_work(self, *, spawned: bool) -> list[str]:
        """Return what is not at rest, in words."""
        self.drain()
        found, known = [], set()
        for socket in self.real.sockets.values():
            known |= {socket.wsgi_app_greenlet, socket._receiver}
            if socket.is_unmanaged() and socket.wsgi_app_greenlet is not None:
                found.append(f"the view of session {socket.short_id}")
            elif socket._receiver is not None and not _rests(socket):
                found.append(f"a handler of session {socket.short_id}")
        jobs = [job for job in self._family.alive() if job not in known] if spawned else []
        return found + [self._family.describe(job) for job in jobs]


def _rests(socket: Socket) -> bool:
    """Tell whether the receiver of a session has nothing to do but to wait for a packet."""
    inbox = socket.server_queue
    return not inbox.qsize() and getattr(inbox, "_getter", None) is socket._receiver
