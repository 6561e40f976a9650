"""A namespace that has not decided yet whether to let its client in."""

from __future__ import annotations

from typing import Any

from gevent import getcurrent

from socketio.session.outbox import weight_of

__all__ = ["Opening"]


class Opening:
    """What is said to the client of a namespace while its own code may still refuse it.

    Made in the receiver greenlet before ``initialize()`` runs, gone when ``recv_connect()`` has
    returned or has said something to the client. What others say meanwhile waits, or is dropped
    with the refusal; the answer to the connect packet comes first of all.

    Args:
        endpoint: The namespace.

    .. versionadded:: 1.0
    """

    __slots__ = ("_greenlet", "connect", "endpoint", "held", "held_size")

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.connect: Any = None
        """The connect packet, once ``recv_connect()`` is asked about it."""
        self.held: list[str] = []
        """Texts that wait for the decision."""
        self.held_size = 0
        """How many bytes they take."""
        self._greenlet = getcurrent()

    def concerns(self, packet: Any) -> bool:
        """Tell whether ``packet`` is for this namespace."""
        return bool(packet.get("endpoint") == self.endpoint)

    def hold(self, text: str) -> None:
        """Keep ``text`` until the decision."""
        self.held.append(text)
        self.held_size += weight_of(text)

    def waits(self, packet: Any) -> bool:
        """Tell whether ``packet`` has to wait: the answer itself, and what other greenlets say."""
        return packet is self.connect or getcurrent() is not self._greenlet
