"""The acknowledgements a server waits for: ids, callbacks, and a bound on both. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["AckCallback", "AckTable", "Acknowledging"]

AckCallback: TypeAlias = Callable[..., Any]


class AckTable:
    """Callbacks by packet id, oldest first.

    Args:
        limit: How many may wait. One more pushes out the oldest: a client that never answers
            must not keep the server from asking.
    """

    __slots__ = ("callbacks", "counter", "limit", "owners", "pushed_out")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counter = 0
        self.pushed_out = 0
        self.callbacks: dict[int, AckCallback] = {}
        self.owners: dict[int, str] = {}

    def next_id(self) -> int:
        """Return a fresh packet id, from 1 upwards."""
        self.counter += 1
        return self.counter

    def save(self, msgid: int, callback: AckCallback, endpoint: str | None = None) -> bool:
        """Remember ``callback``; False if the id is taken.

        Args:
            msgid: The id that went out with the packet.
            callback: Called with the arguments of the ack.
            endpoint: The namespace that asked; None lets an ack of any namespace answer.
        """
        if msgid in self.callbacks:
            return False
        while len(self.callbacks) >= self.limit:
            self.pop(next(iter(self.callbacks)))
            self.pushed_out += 1
        self.callbacks[msgid] = callback
        if endpoint is not None:
            self.owners[msgid] = endpoint
        return True

    def pop(self, msgid: int, endpoint: str | None = None) -> AckCallback | None:
        """Forget and return the callback of ``msgid``; None if unknown or another namespace's."""
        if endpoint is not None and self.owners.get(msgid, endpoint) != endpoint:
            return None
        self.owners.pop(msgid, None)
        return self.callbacks.pop(msgid, None)

    def clear(self) -> None:
        """Forget every callback."""
        self.callbacks.clear()
        self.owners.clear()


class Acknowledging:
    """The part of :class:`socketio.virtsocket.Socket` that waits for acks of the client."""

    __slots__ = ()

    settings: Any
    journal: Any
    _acks: AckTable | None
    """Most sessions never ask for one."""

    @property
    def _ack_table(self) -> AckTable:
        if self._acks is None:
            # In the slots of Socket: only one of its bases may have some.
            self._acks = AckTable(self.settings.max_pending_acks)  # type: ignore[misc]  # as said
        return self._acks

    @property
    def ack_callbacks(self) -> dict[int, AckCallback]:
        """Callbacks that wait for an ack of the client, by packet id."""
        return self._ack_table.callbacks

    @ack_callbacks.setter
    def ack_callbacks(self, callbacks: dict[int, AckCallback]) -> None:
        self._ack_table.callbacks = callbacks

    @property
    def ack_counter(self) -> int:
        """The last packet id handed out."""
        return self._ack_table.counter

    @ack_counter.setter
    def ack_counter(self, value: int) -> None:
        self._ack_table.counter = value

    def _get_next_msgid(self) -> int:
        """Return a fresh packet id."""
        return self._ack_table.next_id()

    def _save_ack_callback(
        self, msgid: int, callback: AckCallback, endpoint: str | None = None
    ) -> bool:
        """Remember ``callback`` for ``msgid``; False if the id is taken.

        Only the namespace ``endpoint`` may answer; None lets any. Over the limit the oldest goes.
        """
        table = self._ack_table
        before = table.pushed_out
        saved = table.save(msgid, callback, endpoint)
        if table.pushed_out > before:
            self.journal.limits["max_pending_acks"] += table.pushed_out - before
        return saved

    def _pop_ack_callback(self, msgid: int, endpoint: str | None = None) -> AckCallback | None:
        """Forget and return the callback of ``msgid``; None if unknown."""
        return self._ack_table.pop(msgid, endpoint)

    def _forget_acks(self) -> None:
        if self._acks is not None:
            self._acks.clear()
