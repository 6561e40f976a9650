"""The backplane: how something said once reaches many sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from socketio.packet import Packet

__all__ = ["Backplane", "Broadcast"]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One packet for many.

    ``room`` None means every member of the namespace; ``room_key`` None lets the string ``room``
    decide alone; ``skip`` is the session id that gets nothing.
    """

    packet: Packet
    endpoint: str
    room: str | None = None
    room_key: tuple[str, str] | None = None
    skip: str | None = None


class Backplane(Protocol):
    """What the mixins and ``server.emit()`` need; more processes need another one of this shape."""

    def publish(self, broadcast: Broadcast) -> None:
        """Hand the packet to all it is for. Never blocks."""

    def members(
        self, endpoint: str, room: str | None, room_key: tuple[str, str] | None = None
    ) -> list[Any]:
        """Return the sockets a broadcast would reach."""

    def room_changed(self, socket: Any, name: str, present: bool) -> None:
        """A session entered or left the room with that string."""
