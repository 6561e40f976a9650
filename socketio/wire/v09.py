"""Socket.IO 0.9, protocol version 1, as a :class:`~socketio.wire.dialect.Dialect`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from socketio import packet
from socketio.config import Settings
from socketio.packet import JsonDumps, Packet
from socketio.wire.message import WireMessage
from socketio.wire.routes import Route, match_route

__all__ = ["V09"]


class V09:
    """Stateless; one instance serves every session."""

    name = "0.9"
    greeting = WireMessage("1::")
    heartbeat = WireMessage("2::")
    noop = WireMessage("8::")
    farewell = WireMessage("0::")
    unknown_session = WireMessage("7:::1+0")
    speaks = "Socket.IO 0.9 (version 1)"

    def claim(self, path: str, query: str, resource: str) -> Route | None:
        """See :func:`socketio.wire.routes.match_route`."""
        return match_route(path, query, resource)

    def handshake(self, sessid: str, settings: Settings, transports: Iterable[str]) -> str:
        """Return ``SID:heartbeat timeout:close timeout:transports`` (section 2.2).

        Both numbers are always there: the 0.9 client reads an empty one as "at once" and closes.
        """
        timeouts = (settings.heartbeat_timeout, settings.close_timeout)
        numbers = [str(int(n) if float(n).is_integer() else n) for n in timeouts]
        return ":".join([sessid, *numbers, ",".join(transports)])

    def encode(self, packet_: Packet, json_dumps: JsonDumps) -> WireMessage:
        """See :func:`socketio.packet.encode`."""
        return WireMessage.of(packet.encode(packet_, json_dumps))

    decode = staticmethod(packet.decode)
    """See :func:`socketio.packet.decode`."""

    def expendable(self, text: str) -> bool:
        """Tell whether ``text`` is a message, a JSON message or an event."""
        return text[:1] in ("3", "4", "5")

    def refusal(self, endpoint: str) -> Packet:
        """Return the packet by which a client learns that it may not enter (section 16.1)."""
        return {"type": "error", "reason": "unauthorized", "advice": "", "endpoint": endpoint}
