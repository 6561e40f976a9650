"""The client of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socketio.defaultjson import JSON
from socketio.testing.connection import Connection
from socketio.testing.records import Event, Record

if TYPE_CHECKING:
    from socketio.packet import Packet
    from socketio.testing.server import TestServer
    from socketio.virtsocket import Socket

__all__ = ["TestClient"]


class TestClient:
    """One client in one namespace of a server under test. Made by ``server.connect()``.

    What each method has the server do is done when it returns, see
    :meth:`~socketio.testing.TestServer.drain`; what fails in the application meanwhile is raised as
    :class:`~socketio.testing.HandlerFailed`. What :meth:`ask`, :meth:`next` and :meth:`expect` want
    and do not find they wait for, in real time, while a handler is at work.

    .. versionadded:: 1.0
    """

    __test__ = False  # pytest takes classes of that name for tests

    def __init__(self, server: TestServer, connection: Connection, endpoint: str) -> None:
        self._server = server
        self._connection = connection
        self._asked_for = endpoint
        self.endpoint = endpoint.partition("?")[0]
        """The name of the namespace."""
        self._inbox = connection.enter(endpoint)

    def __repr__(self) -> str:
        how = "connected" if self._inbox.connected else "disconnected"
        waiting = len(self._inbox.records)
        return (
            f"<TestClient {self.endpoint!r} {self.socket.short_id} {how}"
            f"{f', {waiting} to be taken' if waiting else ''}>"
        )

    # -- sending -------------------------------------------------------------------------------

    def emit(self, event: str, *args: Any) -> None:
        """Send an event to the namespace.

        Args:
            event: Its name.
            *args: Anything JSON can express.

        Raises:
            TypeError, ValueError: An argument has no JSON form.
            HandlerFailed: The application failed.
            AssertionError: The client is not connected.
        """
        self._send({"type": "event", "name": event, "args": list(args)})

    def send(self, message: Any, json: bool = False) -> None:
        """Send a message: text, or anything JSON can express if ``json``."""
        self._send({"type": "json" if json else "message", "data": message})

    def ask(self, event: str, *args: Any) -> list[JSON]:
        """Send an event that wants an answer; returns the arguments of the answer.

        Raises:
            HandlerFailed: The application failed.
            AssertionError: None came: the handler has returned ``ACK_LATER``, and nobody has
                answered yet. An event that has no handler is answered with a null.
        """
        msgid = self._connection.next_id()
        self._send({"type": "event", "name": event, "args": list(args), "id": msgid, "ack": "data"})
        answers = self._connection.answers
        self._server._wait_while_busy(lambda: msgid in answers)
        if msgid not in answers:
            raise AssertionError(f"{self} got no answer to {event!r}.{self._what_came()}")
        return answers.pop(msgid)

    def answer(self, event: Event | str, *args: Any) -> None:
        """Answer an event for which the server wants one (``emit(..., callback=...)``).

        Args:
            event: The event, or the name of one that has come and is taken hereby.
            *args: What the callback gets.

        Raises:
            AssertionError: The server does not want an answer to it.
        """
        if isinstance(event, str):
            event = self.next(event)
        if event.id is None:
            raise AssertionError(
                f"the server does not want an answer to {event!r}: it has not given a callback"
            )
        self._send({"type": "ack", "ackId": event.id, "args": list(args)})

    def send_raw(self, text: str) -> None:
        """Send a text that need be no packet, as a broken or hostile client may."""
        self._connection.send_text(text)
        self._server.drain()

    def _send(self, packet: Packet) -> None:
        packet["endpoint"] = self.endpoint
        self._connection.send_packet(packet)
        self._server.drain()

    # -- what has come -------------------------------------------------------------------------

    @property
    def inbox(self) -> list[Record]:
        """A copy of what has come and was not taken yet, the oldest first."""
        self._server.drain()
        return list(self._inbox.records)

    def received(self) -> list[Record]:
        """Take everything that has come since the last time, the oldest first."""
        self._server.drain()
        records, self._inbox.records = self._inbox.records, []
        return records

    def next(self, name: str | None = None) -> Event:
        """Take the first event that has come, or the first of that name; returns it.

        Raises:
            AssertionError: None has come.
        """
        found = self._find(lambda it: isinstance(it, Event) and name in (None, it.name))
        if found is None:
            missed = "event" if name is None else f"event {name!r}"
            raise AssertionError(f"{self} got no {missed}.{self._what_came()}")
        assert isinstance(found, Event)  # noqa: S101 - for the type checker: it was asked for above
        return found

    def expect(self, what: str | Record, *args: Any) -> Record:
        """Take the first that is equal to what is wanted; what else has come is left.

        Args:
            what: The name of an event, or a record: ``Message("hi")``.
            *args: Exactly the arguments of the event. ``unittest.mock.ANY`` is equal to anything.

        Raises:
            AssertionError: It has not come; the text lists what has.
        """
        wanted: Record = Event(what, list(args)) if isinstance(what, str) else what
        found = self._find(lambda it: it == wanted)
        if found is None:
            raise AssertionError(f"{self} did not get {wanted!r}.{self._what_came()}")
        return found

    def expect_nothing(self) -> None:
        """Raise AssertionError if anything has come that was not taken."""
        self._server.drain()
        if self._inbox.records:
            raise AssertionError(f"{self} should have got nothing.{self._what_came()}")

    def _find(self, wanted: Any) -> Record | None:
        def there() -> Record | None:
            return next((it for it in self._inbox.records if wanted(it)), None)

        self._server._wait_while_busy(lambda: there() is not None)
        found = there()
        if found is not None:  # by identity: an equal one may stand before it
            self._inbox.records = [it for it in self._inbox.records if it is not found]
        return found

    def _what_came(self) -> str:
        lines = [f"  {record!r}" for record in self._inbox.records] or ["  nothing"]
        text = "\n".join(["", "What it has got, and nobody has taken yet:", *lines])
        return text + self._server._errors_of_others(self)

    # -- the session ---------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether the client is in the namespace."""
        self._server.drain()
        return self._inbox.connected

    @property
    def disconnected(self) -> bool:
        """Whether it is not, whoever ended it."""
        return not self.connected

    @property
    def sent_away(self) -> bool:
        """Whether the server has told the client not to come back, as ``disconnect()`` does."""
        self._server.drain()
        return self._connection.sent_away

    @property
    def socket(self) -> Socket:
        """The session on the server's side, also when it is over."""
        return self._connection.socket

    @property
    def session(self) -> Any:
        """The session's dictionary on the server's side."""
        return self.socket.session

    @property
    def namespace(self) -> Any:
        """The instance of the namespace on the server's side; KeyError when there is none."""
        self._server.drain()
        return self.socket[self.endpoint]

    @property
    def answers_heartbeats(self) -> bool:
        """Whether the client answers heartbeats; may be set. One that does not seems to be dead."""
        return self._connection.answers_heartbeats

    @answers_heartbeats.setter
    def answers_heartbeats(self, value: bool) -> None:
        self._connection.answers_heartbeats = value

    @property
    def reading(self) -> bool:
        """Whether the client takes what it is sent; may be set. If not, the queue grows."""
        return self._connection.reading

    @reading.setter
    def reading(self, value: bool) -> None:
        self._connection.reading = value
        if self._connection.link is not None:
            self._connection.link.wake()
        self._server.drain()

    def of(self, endpoint: str) -> TestClient:
        """Enter another namespace in the same session, as ``socket.of()`` in JavaScript.

        Raises:
            Refused: The namespace does not exist, or does not let the client in.
        """
        client = TestClient(self._server, self._connection, endpoint)
        self._server._await_entry(client.endpoint, client._inbox)
        return client

    def leave(self) -> None:
        """Leave this namespace; the session ends with the last one."""
        self._connection.leave(self.endpoint)
        self._server.drain()

    def disconnect(self) -> None:
        """Say good-bye and end the session, in all its namespaces."""
        if self._connection.is_open:
            self._connection.send_packet({"type": "disconnect", "endpoint": ""})
            self._server.drain(check=False)
            self._connection.hang_up()
        self._server.drain()

    def drop(self) -> None:
        """Vanish: the connection breaks without a word."""
        self._connection.hang_up()
        self._server.drain()

    def reconnect(self) -> None:
        """Get a new session and enter the same namespaces; one that is there yet is dropped.

        ``socket`` and ``session`` are the new ones then.

        Raises:
            Refused: The server does not let the client in again.
        """
        self.drop()
        self._server._open(self._connection)
        for inbox in list(self._connection.inboxes.values()):
            if inbox.asked_for:
                self._connection.enter(inbox.asked_for)
        for endpoint, inbox in list(self._connection.inboxes.items()):
            if inbox.asked_for:
                self._server._await_entry(endpoint, inbox)
