"""A server for tests: all of the real one but its connections."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from socketio import socketio_manage
from socketio.commandline.applications import as_application
from socketio.errors import SocketIOError
from socketio.server import SocketIOServer
from socketio.session.table import SessionTable
from socketio.testing.client import TestClient
from socketio.testing.clock import ManualClock
from socketio.testing.connection import Connection, Inbox, Refused
from socketio.testing.failures import Failure, Failures, WatchedJournal
from socketio.testing.link import Visitor
from socketio.testing.records import Event
from socketio.testing.waiting import ServerAtWork
from socketio.virtsocket import Socket

__all__ = ["LeftBehind", "TestServer"]

# Seconds that handlers get to finish when a test is over.
_LAST_SECONDS = 0.3


class LeftBehind(SocketIOError, AssertionError):  # noqa: N818 - what the test reports says what is
    """Greenlets of the application go on when all sessions have ended.

    .. versionadded:: 1.0
    """


class TestServer(ServerAtWork):
    """Runs an application in this process, for clients that :meth:`connect` makes.

    Sessions, namespaces, rooms, the handshake, the view and the encoding of packets are the real
    ones. There are no ports and no connections, and time is ``server.clock``, which the test turns.
    To be used by one thread, as a context manager, or with :meth:`close` at the end.

    Args:
        application: A WSGI application that calls ``socketio_manage()`` for URLs of its resource,
            or a mapping of endpoints to namespace classes.
        server_class: What to make the server of.
        raise_failures: Whether what fails in the application is raised in the test; False only
            collects it in :attr:`failures`.
        allow_greenlets: Whether greenlets that handlers have spawned may outlive their sessions.
        patience: Seconds of real time after which waiting is given up.
        **options: Any option of :class:`~socketio.server.SocketIOServer`.

    .. versionadded:: 1.0
    """

    __test__ = False  # pytest takes classes of that name for tests

    def __init__(
        self,
        application: Callable[..., Any] | Mapping[str, Any],
        *,
        server_class: type[SocketIOServer] = SocketIOServer,
        raise_failures: bool = True,
        allow_greenlets: bool = False,
        patience: float = 5,
        **options: Any,
    ) -> None:
        if isinstance(application, Mapping):
            app = _view_of(application)
        else:
            app = as_application(application)
        self.clock: Any = options.pop("clock", None) or ManualClock(self.drain)
        """The server's time, which ``clock.advance(60)`` lets pass."""
        self.real = server_class(("127.0.0.1", 0), app, clock=self.clock, **options)
        """The server behind this one. It was never started, and no port is open."""
        super().__init__(Failures(raising=raise_failures), patience)
        self.real.journal = WatchedJournal(self.clock, self._failures)
        self._forget = weakref.finalize(self, self._family.forget)
        self._allow_greenlets = allow_greenlets
        self.clients: list[TestClient] = []
        """All clients that :meth:`connect` has made."""
        self._closed = False

    def __repr__(self) -> str:
        return f"<TestServer with {len(self.real.sockets)} sessions>"

    # -- clients -------------------------------------------------------------------------------

    def connect(
        self,
        endpoint: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | str = "",
        query: Mapping[str, Any] | str = "",
        environ: Mapping[str, Any] | None = None,
    ) -> TestClient:
        """Connect a client: handshake, session, namespace; returns it when it is in.

        Args:
            endpoint: The namespace; '' is the global one. ``/chat?token=x`` gives
                ``recv_connect(self, packet)`` a ``packet["qs"]``.
            headers: Of its requests: ``{"Origin": "http://example.org"}``.
            cookies: By name, or the text of the header.
            query: Of its URLs: parameters by name, or the text behind the question mark.
            environ: What to change in the WSGI environment of its requests, as ``REMOTE_ADDR``.

        Raises:
            Refused: By ``authorize``, the origin policy, a limit, or the namespace.
            HandlerFailed: The application failed.
        """
        visitor = Visitor(headers or {}, cookies, query, environ or {})
        if self._closed:
            raise AssertionError("this TestServer is closed")
        connection = Connection(self.real, self._family, visitor)
        self._open(connection)
        client = TestClient(self, connection, endpoint)
        self._await_entry(client.endpoint, client._inbox)
        self.clients.append(client)
        return client

    def handshake(self, **visitor: Any) -> Socket:
        """Make a handshake that no client follows; returns its session.

        Args:
            **visitor: ``headers``, ``cookies``, ``query`` and ``environ`` as in :meth:`connect`.

        Raises:
            Refused: The server gives no session.
        """
        connection = Connection(self.real, self._family, Visitor(**visitor))
        connection.shake_hands(self._finish)
        return connection.socket

    def _open(self, connection: Connection) -> None:
        """Open a session of ``connection``; for the clients."""
        connection.shake_hands(self._finish)
        connection.open()
        self._await_entry("", connection.inboxes[""])

    def _await_entry(self, endpoint: str, inbox: Inbox) -> None:
        """Wait until the server has decided about a client; for the clients."""
        self._wait_while_busy(lambda: inbox.connected or inbox.refusal)
        if not inbox.connected:
            errors = [it for it in inbox.records if isinstance(it, Event) and it.name == "error"]
            told = " ".join(map(str, errors[-1].args)) if errors else ""
            reason = inbox.refusal or told or "the server has ended the session"
            raise Refused(reason, endpoint=endpoint)

    def _finish(self, job: Any) -> Any:
        """Wait for a greenlet of ours; returns what it does."""
        self.drain(check=False)
        job.join(self._patience)
        self.drain()
        if not job.dead:
            raise AssertionError(f"authorize() has not returned in {self._patience:g} s")
        return job.value

    # -- the server's side -----------------------------------------------------------------------

    @property
    def sockets(self) -> SessionTable:
        """The sessions by their id, as ``SocketIOServer.sockets``."""
        return self.real.sockets

    def emit(
        self,
        event: str,
        *args: Any,
        namespace: str = "",
        room: str | None = None,
        skip: TestClient | Socket | str | None = None,
    ) -> None:
        """Send an event to many, as :meth:`socketio.server.SocketIOServer.emit`."""
        left_out = skip.socket if isinstance(skip, TestClient) else skip
        self.real.emit(event, *args, namespace=namespace, room=room, skip=left_out)
        self.drain()

    @property
    def failures(self) -> list[Failure]:
        """All that has failed in the application so far, also what was expected."""
        return self._failures.all

    @contextmanager
    def failing(self, *kinds: type[BaseException]) -> Iterator[list[Failure]]:
        """Expect that something fails in the application within the ``with`` block.

        Args:
            *kinds: What it raises; none: whatever it is. Other failures are raised as usual.

        Yields:
            A list, which gets what has failed.

        Raises:
            AssertionError: Nothing has failed.
        """
        found = self._failures.expect(kinds)
        try:
            yield found
            self.drain()
        finally:
            self._failures.expect_no_more(found)
        if not found:
            names = " or ".join(kind.__name__ for kind in kinds) or "anything"
            raise AssertionError(f"the application should have failed with {names}, and did not")

    def _errors_of_others(self, client: TestClient) -> str:
        """Return what to add to the message of a ``client`` that misses something."""
        if at_work := self._at_work(spawned=True):
            return f"\nStill at work after {self._patience:g} s: {', '.join(at_work)}."
        lines = [
            f"  {other!r}: {record!r}"
            for other in self.clients
            for record in other._inbox.records
            if other is not client and isinstance(record, Event) and record.name == "error"
        ]
        return "\n".join(["", "Other clients have got errors:", *lines]) if lines else ""

    # -- the end -------------------------------------------------------------------------------

    def __enter__(self) -> TestServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except AssertionError:
            if exc is None:  # else it is what the test has found that matters
                raise

    def close(self) -> None:
        """End all sessions and give everything back; any number of times.

        Handlers that are still at work are interrupted, after a moment.

        Raises:
            HandlerFailed: The application failed, and the test does not know yet.
            LeftBehind: Greenlets that handlers have spawned go on; they are killed.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self.real.stop(timeout=_LAST_SECONDS)
            self.drain(check=False)
            left = self._family.end(_LAST_SECONDS)
        finally:
            self._forget()
        self._failures.check()
        if left and not self._allow_greenlets:
            raise LeftBehind(
                f"all sessions have ended, and this goes on: {', '.join(left)}. What "
                "namespace.spawn() spawns ends with the session; or pass allow_greenlets=True"
            )


def _view_of(namespaces: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a WSGI application for ``namespaces``."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        socketio_manage(environ, dict(namespaces))
        start_response("200 OK", [])
        return []

    return application
