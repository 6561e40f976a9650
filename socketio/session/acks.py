"""The acknowledgements a server waits for: ids, callbacks, and a bound on both. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["AckCallback", "AckTable"]

AckCallback: TypeAlias = Callable[..., Any]


class AckTable:
    """Callbacks by packet id, oldest first.

    Args:
        limit: How many may wait. One more pushes out the oldest: a client that never answers
            must not keep the server from asking.
    """

    __slots__ = ("callbacks", "counter", "limit", "owners")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counter = 0
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
