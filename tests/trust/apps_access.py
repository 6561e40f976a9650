"""Namespaces that note whatever of theirs runs, for the rows about access control."""

from __future__ import annotations

from collections import Counter
from typing import Any

from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace

ran: Counter[str] = Counter()
"""``/endpoint method`` -> how often it ran."""
lives: Counter[str] = Counter()
"""``/endpoint: what happened, in order`` -> how many instances that was the life of."""
_living: dict[int, tuple[str, list[str]]] = {}


def facts() -> dict[str, Any]:
    """Return what the rows may ask for."""
    for endpoint, life in _living.values():
        lives[f"{endpoint}: {' '.join(life)}"] += 1
    _living.clear()
    told = {"ran": dict(ran), "lives": dict(lives)}
    ran.clear()
    lives.clear()
    return told


class Root(BaseNamespace):
    """Answers, so that a client knows that what it sent before has been handled."""

    def on_echo(self, *args: Any) -> Any:
        return args


class Vault(BaseNamespace):
    """Everything of it notes that it ran, also what no client may ever call."""

    on_text = "no method"

    def note(self, what: str) -> None:
        ran[f"{self.ns_name} {what}"] += 1

    def recv_message(self, data: str) -> None:
        self.note("recv_message")

    def recv_json(self, data: Any) -> None:
        self.note("recv_json")

    def recv_error(self, packet: Any) -> None:
        self.note("recv_error")

    def on_open(self, *args: Any) -> None:
        self.note("on_open")

    def on_open_door(self, *args: Any) -> None:
        self.note("on_open_door")

    def on_secret(self, *args: Any) -> None:
        self.note("on_secret")

    def on__hidden(self, *args: Any) -> None:
        self.note("on__hidden")

    def on_(self, *args: Any) -> None:
        self.note("on_")

    def on_lift(self, *args: Any) -> None:
        self.note("on_lift")
        self.add_acl_method("on_secret")

    def secret(self, *args: Any) -> None:
        self.note("secret")

    def onsecret(self, *args: Any) -> None:
        self.note("onsecret")

    def spawn(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self.note("spawn")
        return super().spawn(fn, *args, **kwargs)


class Some(Vault):
    def get_initial_acl(self) -> Any:
        return ["on_open", "recv_connect"]


class Nothing(Vault):
    def get_initial_acl(self) -> Any:
        return []


class Narrower(Some):
    """Says less than its base."""

    def get_initial_acl(self) -> Any:
        return {"on_open_door"}

    def on_secret(self, *args: Any) -> None:
        self.note("on_secret")
        super().on_secret(*args)


class Lifting(Vault):
    """Allows more once it was asked to, for as long as it lives."""

    def get_initial_acl(self) -> Any:
        return {"on_lift"}


class Door(BaseNamespace):
    """Writes down its life."""

    def note(self, what: str) -> None:
        _living.setdefault(id(self), (self.ns_name, []))[1].append(what)
        # Kept by the list: an id must not come again.
        _kept.append(self)

    def recv_connect(self) -> None:
        self.note("connect")

    def recv_disconnect(self) -> None:
        self.note("disconnect")
        super().recv_disconnect()

    def recv_message(self, data: str) -> None:
        self.note("message")

    def recv_json(self, data: Any) -> None:
        self.note("json")

    def recv_error(self, packet: Any) -> None:
        self.note("error")

    def on_knock(self) -> None:
        self.note("knock")

    def on_leave(self) -> None:
        self.note("leave")
        self.disconnect()


_kept: list[Door] = []


class Refusing(Door):
    def recv_connect(self) -> None:
        self.note("connect")
        raise UnauthorizedError("not you")


class Failing(Door):
    def recv_connect(self) -> None:
        self.note("connect")
        raise ValueError("broken")


class Fussy(Door):
    def initialize(self) -> None:
        self.note("initialize")
        raise UnauthorizedError("not even that far")


class Roomy(Root, RoomsMixin, BroadcastMixin):
    """Joins, leaves and speaks as its client says; nothing is sent to a client but by that."""

    def on_join(self, room: str) -> None:
        self.join(room)

    def on_leave(self, room: str) -> None:
        self.leave(room)

    def on_everyone(self, number: int) -> None:
        self.broadcast_event("said", number)

    def on_others(self, number: int) -> None:
        self.broadcast_event_not_me("said", number)

    def on_room(self, room: str, number: int) -> None:
        self.emit_to_room(room, "said", number)

    def on_all_in(self, room: str, number: int) -> None:
        self.broadcast_to_room(room, "said", number)


rooms: dict[str, Any] = dict.fromkeys(["", "/a", "/a_b", "/a_b_c", "/b"], Roomy)
"""Namespaces whose names, joined with those of rooms, would be taken for each other."""

namespaces: dict[str, Any] = {
    "": Root,
    "/all": Vault,
    "/some": Some,
    "/none": Nothing,
    "/narrow": Narrower,
    "/lifting": Lifting,
    "/door": Door,
    "/refusing": Refusing,
    "/failing": Failing,
    "/fussy": Fussy,
}
