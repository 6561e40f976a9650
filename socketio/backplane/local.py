"""The backplane of a single process: an index of rooms and a loop over sessions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from socketio.backplane import Backplane, Broadcast
from socketio.packet import JsonDumps
from socketio.session.core import SessionCore
from socketio.session.data import rooms_of
from socketio.session.lifecycle import State

__all__ = ["LocalBackplane", "backplane_of"]

log = logging.getLogger("socketio.server")

_CONNECTED = State.CONNECTED
_OUR_PROPERTY = SessionCore.connected


class LocalBackplane:
    """Delivers within this process. All methods: any greenlet of the server's hub, never block.

    Args:
        sockets: The server's table of sessions.
    """

    def __init__(self, sockets: Mapping[str, Any]) -> None:
        self._sockets = sockets
        self._rooms: dict[str, dict[str, Any]] = {}

    def room_changed(self, socket: Any, name: str, present: bool) -> None:
        """Keep the index: ``socket`` has the room string ``name`` from now on, or no more."""
        members = self._rooms.setdefault(name, {})
        if present:
            members[socket.sessid] = socket
        else:
            members.pop(socket.sessid, None)
        if not members:
            del self._rooms[name]

    def members(
        self, endpoint: str, room: str | None, room_key: tuple[str, str] | None = None
    ) -> list[Any]:
        """Return a snapshot of the connected sockets in the namespace, or in a room of it.

        A named namespace means the sockets on which it is active; '' means all, for 0.9 clients
        never announce it.
        """
        found = self._sockets if room is None else self._in_room(room)
        # The table's own values() are those of a copy: one is enough.
        sockets = dict.values(found) if isinstance(found, dict) else found.values()
        connected = _connected(list(sockets))
        if not endpoint and room is None:
            return connected
        return [
            socket
            for socket in connected
            if (not endpoint or endpoint in socket.active_ns)
            and (room is None or rooms_of(socket).matches(room, room_key))
        ]

    def _in_room(self, room: str) -> Mapping[str, Any]:
        return self._rooms.get(room, {})

    def publish(self, broadcast: Broadcast) -> None:
        """Encode once per JSON function in use, then queue the same object for every receiver."""
        encoded: dict[JsonDumps, str] = {}
        packet, skip = broadcast.packet, broadcast.skip
        for socket in self.members(broadcast.endpoint, broadcast.room, broadcast.room_key):
            if skip is not None and socket.sessid == skip:
                continue
            message = encoded.get(socket.json_dumps)
            if message is None:
                message = socket.encode_packet(packet)
                encoded[socket.json_dumps] = message
            try:
                socket.send_encoded(message, packet)
            except Exception:  # an override of the application's: the others get theirs
                log.exception("session %s: a broadcast cannot be sent", socket.short_id)


def _connected(sockets: list[Any]) -> list[Any]:
    kinds = set(map(type, sockets))
    if any(getattr(kind, "connected", None) is not _OUR_PROPERTY for kind in kinds):
        return [socket for socket in sockets if socket.connected]
    # Without the call of the property, which is a twentieth of what a delivery takes.
    return [socket for socket in sockets if socket._state is _CONNECTED]


class _UnindexedBackplane(LocalBackplane):
    """For servers that are none of ours, such as stand-ins in tests: looks at every session."""

    def _in_room(self, room: str) -> Mapping[str, Any]:
        return {
            sessid: socket
            for sessid, socket in list(self._sockets.items())
            if room in rooms_of(socket)
        }


def backplane_of(server: Any) -> Backplane:
    """Return the backplane of ``server``, or one that needs no more than ``server.sockets``."""
    backplane: Backplane | None = getattr(server, "backplane", None)
    return _UnindexedBackplane(server.sockets) if backplane is None else backplane
