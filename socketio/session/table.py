"""``server.sockets``: the sessions of a server by their id."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socketio.virtsocket import Socket

__all__ = ["SessionTable"]


class SessionTable(dict[str, "Socket"]):
    """``server.sockets``: session id -> Socket.

    Iterating goes over a snapshot: sessions come and go while an application that loops over them
    lets other greenlets run.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().keys()))

    # Views of a copy have all that views have; only their place in the type hierarchy differs.

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # see above
        """As in dict, of this moment."""
        return self._snapshot().keys()

    def values(self) -> ValuesView[Socket]:  # type: ignore[override]  # see above
        """As in dict, of this moment."""
        return self._snapshot().values()

    def items(self) -> ItemsView[str, Socket]:  # type: ignore[override]  # see above
        """As in dict, of this moment."""
        return self._snapshot().items()

    def _snapshot(self) -> dict[str, Socket]:
        return dict(super().items())
