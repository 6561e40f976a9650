"""The life of a session as one table. Pure.

Rule: everything that decides which state follows which lives in this file. Whoever observes that
something happened passes the :class:`Event` to :func:`next_state`; entering a state has effects,
which :class:`socketio.virtsocket.Socket` carries out.
"""

from __future__ import annotations

from enum import Enum

from socketio.errors import SocketIOError

__all__ = [
    "REASONS",
    "TRANSITIONS",
    "DisconnectReason",
    "Event",
    "InvalidTransition",
    "State",
    "next_state",
]


class State(str, Enum):
    """Where a session stands. Members are strings: ``socket.state == "CONNECTED"`` works."""

    NEW = "NEW"
    """The session id was handed out, nobody came yet."""
    CONNECTING = "CONNECTING"
    """The first transport request is here, ``1::`` is on its way."""
    CONNECTED = "CONNECTED"
    """Packets flow."""
    DISCONNECTING = "DISCONNECTING"
    """No new input; namespaces are told, what is queued for the client still goes out."""
    DISCONNECTED = "DISCONNECTED"
    """Over, with greenlets gone, callbacks dropped, forgotten by the server."""

    __str__ = str.__str__
    # Enum's own is a function in Python: these are looked up ten times in a session's life.
    __hash__ = str.__hash__

    live: bool
    """Whether the session has neither ended nor begun to."""

    def __init__(self, value: str) -> None:
        # An attribute, not a property: it is asked for several times for every packet.
        self.live = not value.startswith("DISCONNECT")


_LIVE = frozenset({State.NEW, State.CONNECTING, State.CONNECTED})


class Event(Enum):
    """What can happen to a session."""

    ATTACH = "a transport request came"
    ESTABLISHED = "the greeting is out"
    PEER_LEFT = "the client said 0:: or asked for ?disconnect"
    TRANSPORT_LOST = "the connection of a streaming transport ended"
    TIMED_OUT = "no sign of life, or nobody came after the handshake"
    KICKED = "the application ended the session"
    SLOW_PEER = "the client does not take what is queued for it"
    APP_ENDED = "the WSGI application is through with the session"
    SERVER_STOPPING = "the server is stopping"
    FINISHED = "everything is cleaned up"

    __hash__ = object.__hash__


class DisconnectReason(str, Enum):
    """Why a session ended; the first reason wins and is kept in ``socket.disconnect_reason``."""

    PEER_LEFT = "peer_left"
    TRANSPORT_LOST = "transport_lost"
    HEARTBEAT_TIMEOUT = "heartbeat_timeout"
    CLOSE_TIMEOUT = "close_timeout"
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    KICKED = "kicked"
    KILLED = "killed"
    LAST_NAMESPACE = "last_namespace"
    SLOW_PEER = "slow_peer"
    APP_ENDED = "app_ended"
    SERVER_STOPPING = "server_stopping"

    __str__ = str.__str__


class InvalidTransition(SocketIOError):  # noqa: N818 - the name of the design
    """The event cannot happen in that state: a defect of this library. Nothing has changed."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event.name} in state {state}")
        self.state = state
        self.event = event


REASONS: dict[Event, frozenset[DisconnectReason]] = {
    Event.PEER_LEFT: frozenset({DisconnectReason.PEER_LEFT}),
    Event.TRANSPORT_LOST: frozenset({DisconnectReason.TRANSPORT_LOST}),
    Event.TIMED_OUT: frozenset(
        {
            DisconnectReason.HEARTBEAT_TIMEOUT,
            DisconnectReason.CLOSE_TIMEOUT,
            DisconnectReason.HANDSHAKE_TIMEOUT,
        }
    ),
    Event.KICKED: frozenset(
        {DisconnectReason.KICKED, DisconnectReason.KILLED, DisconnectReason.LAST_NAMESPACE}
    ),
    Event.SLOW_PEER: frozenset({DisconnectReason.SLOW_PEER}),
    Event.APP_ENDED: frozenset({DisconnectReason.APP_ENDED}),
    Event.SERVER_STOPPING: frozenset({DisconnectReason.SERVER_STOPPING}),
}
"""Which reasons an ending event may be recorded with."""

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NEW, Event.ATTACH): State.CONNECTING,
    (State.CONNECTING, Event.ATTACH): State.CONNECTING,
    (State.CONNECTED, Event.ATTACH): State.CONNECTED,
    (State.CONNECTING, Event.ESTABLISHED): State.CONNECTED,
    (State.DISCONNECTING, Event.FINISHED): State.DISCONNECTED,
    **{(state, event): State.DISCONNECTING for state in _LIVE for event in REASONS},
}
"""State and event -> the next state."""

_OVER = (State.DISCONNECTING, State.DISCONNECTED)


def next_state(state: State, event: Event) -> State:
    """Return the state that follows; once the end has begun every other event changes nothing.

    Raises:
        InvalidTransition: The pair is not in the table and the session is alive.
    """
    following = TRANSITIONS.get((state, event))
    if following is not None:
        return following
    if state in _OVER:
        return state
    raise InvalidTransition(state, event)
