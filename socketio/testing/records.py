"""What a client of a test has received, in a form that reads well and compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from socketio.defaultjson import JSON
from socketio.packet import Packet

__all__ = ["ErrorPacket", "Event", "Json", "Message", "Record", "record_of"]


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """An event, as ``emit()`` sends it: ``Event("said", ["Ada", "hello"])``.

    Args:
        name: Its name.
        args: Its arguments, as JSON has them: a tuple that was sent is a list here.
        id: The number under which the server waits for an answer; None: it does not. It makes no
            difference when events are compared.

    .. versionadded:: 1.0
    """

    name: str
    args: list[JSON] = field(default_factory=list)
    id: int | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        args = f", {self.args!r}" if self.args else ""
        return f"Event({self.name!r}{args}{', wants an answer' if self.id is not None else ''})"


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A plain message, as ``send(text)`` sends it.

    .. versionadded:: 1.0
    """

    text: str

    def __repr__(self) -> str:
        return f"Message({self.text!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Json:
    """A JSON message, as ``send(value, json=True)`` sends it.

    .. versionadded:: 1.0
    """

    value: JSON

    def __repr__(self) -> str:
        return f"Json({self.value!r})"


@dataclass(frozen=True, slots=True)
class ErrorPacket:
    """An error packet of the protocol; what ``self.error()`` sends is an event named ``error``.

    .. versionadded:: 1.0
    """

    reason: str
    advice: str = ""


Record: TypeAlias = Event | Message | Json | ErrorPacket
"""Anything that a client can receive."""


def record_of(packet: Packet) -> Record | None:
    """Return what ``packet`` means to an application; None if it is the protocol's own."""
    kind = packet["type"]
    if kind == "event":
        wanted = packet.get("id") if packet.get("ack") == "data" else None
        return Event(packet["name"], packet["args"], wanted)
    if kind == "message":
        return Message(str(packet["data"]))
    if kind == "json":
        return Json(packet["data"])
    if kind == "error":
        return ErrorPacket(packet["reason"], packet["advice"])
    return None
