"""Talking to many clients: everyone in a namespace, or everyone in a room of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.backplane import Broadcast
from socketio.backplane.local import backplane_of
from socketio.packet import Packet
from socketio.session.data import RoomSet, rooms_of

if TYPE_CHECKING:
    from socketio.session.data import RoomKey
    from socketio.virtsocket import Socket

__all__ = ["BroadcastMixin", "RoomsMixin"]


def _publish(ns: Any, event: str, args: tuple[Any, ...], **to: Any) -> None:
    packet: Packet = {"type": "event", "name": event, "args": list(args), "endpoint": ns.ns_name}
    backplane_of(ns.socket.server).publish(Broadcast(packet, ns.ns_name, **to))


class BroadcastMixin:
    """Adds events for all clients of a namespace; goes before or after BaseNamespace.

    A named namespace means the clients that are in it, ``''`` all connected ones. The methods may
    be called from any greenlet of the server's hub and do not block; each encodes its event once.
    They raise what ``emit()`` raises.
    """

    ns_name: str
    socket: Socket

    def broadcast_event(self, event: str, *args: Any) -> None:
        """Send an event to everyone in this namespace, this client included."""
        _publish(self, event, args)

    def broadcast_event_not_me(self, event: str, *args: Any) -> None:
        """Send an event to everyone in this namespace but this client."""
        _publish(self, event, args, skip=self.socket.sessid)


class RoomsMixin:
    """Adds rooms within a namespace; goes before or after BaseNamespace.

    Membership is ``session['rooms']``, a set of strings that applications may read and change.
    The methods may be called from any greenlet of the server's hub and do not block.
    """

    ns_name: str
    socket: Socket
    session: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room_set()

    def join(self, room: str) -> None:
        """Enter ``room`` of this namespace; being in it already is no error."""
        name, key = self._room(room)
        if key is None:
            self._room_set().add(name)
        else:
            self._room_set().join(name, key)

    def leave(self, room: str) -> None:
        """Leave ``room`` of this namespace; not being in it is no error."""
        name, key = self._room(room)
        if key is None:
            self._room_set().discard(name)
        else:
            self._room_set().leave(name, key)

    def rooms(self) -> list[str]:
        """Return the rooms of this namespace that this client entered with :meth:`join`, sorted.

        .. versionadded:: 1.0
        """
        return self._room_set().keys_of(self.ns_name)

    def members(self, room: str) -> list[Socket]:
        """Return the sockets of all clients in ``room``, as they are at this moment.

        .. versionadded:: 1.0
        """
        name, key = self._room(room)
        found: list[Socket] = backplane_of(self.socket.server).members(self.ns_name, name, key)
        return found

    def close_room(self, room: str) -> None:
        """Take every client out of ``room``; nobody is told.

        .. versionadded:: 1.0
        """
        name, key = self._room(room)
        for socket in self.members(room):
            rooms = rooms_of(socket)
            if key is None:
                rooms.discard(name)
            else:
                rooms.leave(name, key)

    def emit_to_room(self, room: str, event: str, *args: Any) -> None:
        """Send an event to everyone in ``room`` but this client; raises what ``emit()`` raises."""
        name, key = self._room(room)
        _publish(self, event, args, room=name, room_key=key, skip=self.socket.sessid)

    def broadcast_to_room(self, room: str, event: str, *args: Any) -> None:
        """Send an event to everyone in ``room``, this client too if it is in it.

        .. versionadded:: 1.0
        """
        name, key = self._room(room)
        _publish(self, event, args, room=name, room_key=key)

    def _get_room_name(self, room: str) -> str:
        """Return the string that stands for ``room`` in ``session['rooms']``; may be overridden."""
        return self.ns_name + "_" + room

    def _room(self, room: str) -> tuple[str, RoomKey | None]:
        name = self._get_room_name(room)
        # Who overrides the name decides alone which rooms are the same.
        overridden = type(self)._get_room_name is not RoomsMixin._get_room_name
        return name, None if overridden else (self.ns_name, room)

    def _room_set(self) -> RoomSet:
        rooms = self.session.setdefault("rooms", set())
        if not isinstance(rooms, RoomSet):  # the session of a stand-in for our Socket
            rooms = self.session["rooms"] = RoomSet(rooms)
        return rooms
