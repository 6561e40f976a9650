"""``socket.session``: a dictionary whose ``rooms`` are indexed, whoever changes them.

Applications of the original read and change ``session['rooms']``, a set of strings, themselves.
To send to a room without asking every session, the set reports each string that comes or goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

__all__ = ["RoomKey", "RoomSet", "SessionData", "rooms_in", "rooms_of"]

RoomKey: TypeAlias = tuple[str, str]
"""Namespace and room, as given to ``join()``: two of them never collide, their strings may."""


class RoomSet(set[str]):
    """The names of the rooms a session is in, as strings.

    A name joined through :meth:`join` belongs to exactly the namespace and room it was made of; a
    name the application puts in by hand matches as it stands.

    Args:
        names: What to begin with, as if put in by hand.
        changed: Called with a name and whether it is in the set now.
    """

    def __init__(
        self, names: Iterable[str] = (), changed: Callable[[str, bool], None] = lambda _n, _p: None
    ) -> None:
        super().__init__()
        self._changed = changed
        self._joined: dict[str, set[RoomKey]] = {}
        self._by_hand: set[str] = set()
        self.update(names)

    def join(self, name: str, key: RoomKey) -> None:
        """Enter the room ``key``, whose string is ``name``."""
        self._joined.setdefault(name, set()).add(key)
        self._insert(name)

    def leave(self, name: str, key: RoomKey) -> None:
        """Leave the room ``key``; the string stays while another room or a hand holds it."""
        keys = self._joined.get(name)
        if keys is None:
            self.discard(name)
            return
        keys.discard(key)
        if not keys:
            del self._joined[name]
            if name not in self._by_hand:
                self.discard(name)

    def matches(self, name: str, key: RoomKey | None) -> bool:
        """Tell whether the session is in the room; without a ``key`` the string decides alone."""
        if key is None or name in self._by_hand:
            return name in self
        return key in self._joined.get(name, ())

    def keys_of(self, ns_name: str) -> list[str]:
        """Return the rooms joined in namespace ``ns_name``, sorted."""
        return sorted(
            room for keys in self._joined.values() for name, room in keys if name == ns_name
        )

    def _insert(self, name: str) -> None:
        if name not in self:
            super().add(name)
            self._changed(name, True)

    # -- everything that changes a set ---------------------------------------------------------

    def add(self, name: str) -> None:
        """Put in a name by hand."""
        self._by_hand.add(name)
        self._insert(name)

    def discard(self, name: Any) -> None:
        """Take out a name, whoever put it in."""
        if name in self:
            self._by_hand.discard(name)
            self._joined.pop(name, None)
            super().discard(name)
            self._changed(name, False)

    def remove(self, name: str) -> None:
        """Take out a name; KeyError when it is not there."""
        if name not in self:
            raise KeyError(name)
        self.discard(name)

    def pop(self) -> str:
        """Take out and return any name."""
        for name in self:
            self.discard(name)
            return name
        raise KeyError("pop from an empty set")

    def clear(self) -> None:
        """Take out every name."""
        for name in list(self):
            self.discard(name)

    def update(self, *others: Iterable[str]) -> None:
        """Put in all names of ``others`` by hand."""
        for name in set[str]().union(*others):
            self.add(name)

    def difference_update(self, *others: Iterable[Any]) -> None:
        """Take out all names of ``others``."""
        self._become(self.difference(*others))

    def intersection_update(self, *others: Iterable[Any]) -> None:
        """Keep the names that are in all ``others``."""
        self._become(self.intersection(*others))

    def symmetric_difference_update(self, other: Iterable[str]) -> None:
        """Keep the names that are here or in ``other``, not in both."""
        self._become(self.symmetric_difference(other))

    def _become(self, names: set[str]) -> None:
        for name in set(self) - names:
            self.discard(name)
        for name in names - set(self):
            self.add(name)

    def __ior__(self, other: Any) -> RoomSet:  # type: ignore[override,misc]  # returns itself
        self.update(other)
        return self

    def __iand__(self, other: Any) -> RoomSet:  # type: ignore[misc]  # returns itself
        self.intersection_update(other)
        return self

    def __isub__(self, other: Any) -> RoomSet:  # type: ignore[misc]  # returns itself
        self.difference_update(other)
        return self

    def __ixor__(self, other: Any) -> RoomSet:  # type: ignore[override,misc]  # returns itself
        self.symmetric_difference_update(other)
        return self

    def __reduce__(self) -> tuple[type[set[str]], tuple[list[str]]]:
        return set, (list(self),)

    def copy(self) -> set[str]:
        """Return the names as an ordinary set."""
        return set(self)


class SessionData(dict[str, Any]):
    """The dictionary behind ``socket.session``; whatever becomes its ``rooms`` is a RoomSet."""

    def __init__(self, rooms_changed: Callable[[str, bool], None]) -> None:
        super().__init__()
        self._rooms_changed = rooms_changed

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "rooms" and value is not self.get("rooms"):
            self._drop_rooms()
            # Only a set is what the rooms are kept in; the application may put anything there.
            if isinstance(value, (set, frozenset)):
                value = RoomSet(value, self._rooms_changed)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        if key == "rooms":
            self._drop_rooms()
        super().__delitem__(key)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def _drop_rooms(self) -> None:
        rooms = self.get("rooms")
        if isinstance(rooms, RoomSet):
            rooms.clear()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As in dict."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As in dict."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> SessionData:  # type: ignore[override,misc]  # returns itself
        self.update(other)
        return self

    def pop(self, key: str, *default: Any) -> Any:
        """As in dict."""
        if key not in self:
            return super().pop(key, *default)
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """As in dict."""
        for key in reversed(self):
            return key, self.pop(key)
        return super().popitem()

    def clear(self) -> None:
        """As in dict."""
        for key in list(self):
            del self[key]


def rooms_of(socket: Any) -> RoomSet:
    """Return the rooms of a session; none when the application has put something else there."""
    return rooms_in(socket.session)


def rooms_in(session: object) -> RoomSet:
    """Return the rooms in what is, or was, somebody's ``session``."""
    rooms = session.get("rooms") if isinstance(session, dict) else None
    if isinstance(rooms, RoomSet):
        return rooms
    return RoomSet(rooms if isinstance(rooms, (set, frozenset)) else ())
