"""The client's end of a session: what all namespaces of one client share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socketio.defaultjson import JSON, default_json_dumps, default_json_loads
from socketio.errors import SocketIOError
from socketio.packet import Packet
from socketio.testing.failures import Failure
from socketio.testing.link import Link, Visitor, request
from socketio.testing.records import Record, record_of

if TYPE_CHECKING:
    from socketio.testing.greenlets import Family
    from socketio.transports.base import Response
    from socketio.virtsocket import Socket

__all__ = ["Connection", "Inbox", "Refused"]


class Refused(SocketIOError):  # noqa: N818 - what happened to the client, which a test asks for
    """The server does not let a client in.

    .. versionadded:: 1.0
    """

    def __init__(self, reason: str, *, status: int | None = None, endpoint: str = "") -> None:
        where = f"the namespace {endpoint!r}" if status is None else f"the handshake, {status}"
        super().__init__(f"refused ({where}): {reason}")
        self.reason = reason
        """What the server says, such as ``unauthorized``, or the text of its answer to the
        handshake."""
        self.status = status
        """The HTTP status of the answer to the handshake, such as 403; None behind it."""
        self.endpoint = endpoint
        """The namespace."""


class Inbox:
    """What one namespace of a client has received."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        """What the test has not taken yet."""
        self.connected = False
        """Whether the server has let the client into the namespace, and it has not left."""
        self.refusal = ""
        """Why the server has not."""
        self.asked_for: str | None = None
        """What the client has entered, perhaps with a query. None when it has not, or has left."""


class Connection:
    """One session of a client, and what comes after it when the client connects again.

    Args:
        server: The :class:`~socketio.server.SocketIOServer`.
        family: What the greenlets of the connection belong to.
        visitor: What the client says about itself.
    """

    def __init__(self, server: Any, family: Family, visitor: Visitor) -> None:
        self._server = server
        self._family = family
        self._visitor = visitor
        self._ids = itertools.count(1)
        self.inboxes: dict[str, Inbox] = {}
        self.answers: dict[int, list[JSON]] = {}
        """Answers of the server, by the id of what was asked."""
        self.reading = True
        self.answers_heartbeats = True
        self.sent_away = False
        """Whether the server has told the client not to come back."""
        self.link: Link | None = None
        self.refusal: Response | None = None
        self.view: Any = None
        """The greenlet of the connection, in which the view runs."""
        self.socket: Socket

    # -- the life of it ------------------------------------------------------------------------

    def shake_hands(self, finish: Callable[[Any], Any]) -> None:
        """Get a session.

        Args:
            finish: Called with the greenlet in which it is done, to wait for it; returns what that
                returns.

        Raises:
            Refused: The server gives none.
        """
        answer = finish(self._family.spawn(request, self._server, self._visitor, ""))
        status, text = int(answer.status.split()[0]), answer.body.decode()
        if status != 200:
            raise Refused(text, status=status)
        self.socket = self._server.sockets[text.split(":")[0]]

    def open(self) -> None:
        """Have the session carried; what follows is done by other greenlets."""
        self.sent_away, self.refusal = False, None
        self.inboxes.setdefault("", Inbox())
        below = f"{Link.name}/{self.socket.sessid}"
        self.view = self._family.spawn(self._carry, below)

    def _carry(self, below: str) -> None:
        self.refusal = request(self._server, self._visitor, below, self)

    @property
    def is_open(self) -> bool:
        """Whether both sides may send."""
        return self.link is not None and not self.link.dead

    def enter(self, endpoint: str) -> Inbox:
        """Ask for a namespace; the answer comes later.

        Args:
            endpoint: Its name, perhaps with a query: ``/chat?token=x``.
        """
        name, _, query = endpoint.partition("?")
        inbox = self.inboxes.setdefault(name, Inbox())
        inbox.refusal, inbox.asked_for = "", endpoint
        if name:  # the global one is never announced
            self.send_packet(
                {"type": "connect", "endpoint": name, "qs": f"?{query}" if query else ""}
            )
        return inbox

    def leave(self, endpoint: str) -> None:
        """Say good-bye to one namespace."""
        self.send_packet({"type": "disconnect", "endpoint": endpoint})
        self.inboxes[endpoint].connected, self.inboxes[endpoint].asked_for = False, None

    def hang_up(self) -> None:
        """End the connection, without a word."""
        if self.link is not None:
            self.link.hang_up()
        self.connection_ended()

    # -- to the server -------------------------------------------------------------------------

    def next_id(self) -> int:
        """Return a number for something that is to be answered."""
        return next(self._ids)

    def send_packet(self, packet: Packet) -> None:
        """Send a packet; raises what has no JSON form."""
        self.send_text(self._server.dialects[0].encode(packet, default_json_dumps))

    def send_text(self, text: str) -> None:
        """Send a text as it is."""
        if self.link is None or self.link.dead:
            raise AssertionError("the client is not connected: nothing can be sent")
        self.link.from_peer.put(str(text))

    # -- from the server: see Peer ---------------------------------------------------------------

    def take(self, text: str) -> None:
        """Read what the server sends, and do what every client does by itself."""
        try:
            self._take(self._server.dialects[0].decode(text, default_json_loads), text)
        except Exception as exc:  # noqa: BLE001 - we are in the hub; the test is told
            message = f"a client cannot read what the server has sent: {text:.200}"
            self._family.on_failure(Failure("unreadable", message, exc))

    def _take(self, packet: Packet, text: str) -> None:
        kind = packet["type"]
        if kind == "heartbeat":
            if self.answers_heartbeats:
                self.send_text(text)
        elif kind == "ack":
            self.answers[packet["ackId"]] = packet["args"]
        elif kind == "disconnect" and not packet["endpoint"]:
            self.sent_away = True
            self.hang_up()
        else:
            # Of reception, no business of the application's. The 0.9 client confirms no events.
            if packet.get("ack") is True and kind != "event":
                self._confirm(packet)
            self._sort_in(packet, self.inboxes.setdefault(packet["endpoint"], Inbox()))

    def _confirm(self, packet: Packet) -> None:
        self.send_packet(
            {"type": "ack", "ackId": packet["id"], "args": [], "endpoint": packet["endpoint"]}
        )

    def _sort_in(self, packet: Packet, inbox: Inbox) -> None:
        kind = packet["type"]
        if kind == "connect":
            inbox.connected = True
        elif kind == "disconnect":
            inbox.connected = False
        elif kind == "error" and not inbox.connected:
            inbox.refusal = packet["reason"] or "no reason given"
        else:
            record = record_of(packet)
            if record is not None:
                inbox.records.append(record)

    def connection_ended(self) -> None:
        """The session is over for all namespaces."""
        for inbox in self.inboxes.values():
            inbox.connected = False
