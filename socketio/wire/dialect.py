"""The seam between a wire protocol and everything above it.

Above stands the packet dictionary, which ``process_packet()`` makes public anyway: it is the
neutral language. A second protocol is a second class of this shape, nothing else. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from socketio.config import Settings
from socketio.packet import JsonDumps, JsonLoads, Packet
from socketio.wire.message import WireMessage
from socketio.wire.routes import Route

__all__ = ["Dialect"]


class Dialect(Protocol):
    """How one protocol writes what the session means."""

    name: str
    """The version, as text."""
    greeting: WireMessage
    """First message of a session; it is open."""
    heartbeat: WireMessage
    """Sent at intervals over streaming transports; the client echoes it."""
    noop: WireMessage
    """Ends a poll that has nothing to say."""
    farewell: WireMessage
    """Ends the session for good; the client does not come back."""
    unknown_session: WireMessage
    """Answers the request of a client whose session we do not know; it makes a new one."""
    speaks: str
    """What to tell a client that speaks something else."""

    def claim(self, path: str, query: str, resource: str) -> Route | None:
        """Return what the request asks for, or None when it is not in this protocol."""

    def handshake(self, sessid: str, settings: Settings, transports: Iterable[str]) -> str:
        """Return the body that answers a handshake."""

    def encode(self, packet: Packet, json_dumps: JsonDumps) -> WireMessage:
        """Return the wire text of a packet; raises EncodeError and what ``json_dumps`` raises."""

    def decode(self, text: str, json_loads: JsonLoads) -> Packet:
        """Return the packet of a wire text; raises DecodeError."""

    def expendable(self, text: str) -> bool:
        """Tell whether ``text`` carries data of the application and nothing of the protocol."""

    def refusal(self, endpoint: str) -> Packet:
        """Return the packet by which a client learns that it may not enter a namespace."""
