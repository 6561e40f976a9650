"""What a session knows of the requests and connections that carry it: one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Delivery", "Link"]


class Link(Protocol):
    """The transport request or connection that currently carries a session."""

    name: str
    """Transport id, for the log."""
    streaming: bool
    """Whether it stays open while packets flow, so that its end is the end of the session."""

    dead: bool
    """Whether nothing can be written to it any more."""

    lost: bool
    """Whether something it took from the queue may not have reached the client."""

    worker: Any
    """The greenlet that writes for it at this moment, beside the connection's own; None mostly."""

    def wake(self) -> None:
        """Something is queued for the client, or the end marker. Must not block."""

    def flush(self) -> None:
        """Write now what can be written without blocking."""

    def supersede(self) -> None:
        """A newer link carries the session now; end soon, and take nothing more. Must not block.

        The newer one gets nothing before this one said with ``_detach()`` that it has ended.
        """

    def cut(self) -> None:
        """End at once, nothing more can be delivered. Must not block."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last batch that was handed to the network, until the client has come for more.

    Args:
        messages: What was in it.
        failed: Tells whether the client broke the connection off before it had all of it. Must
            not block.
    """

    messages: Sequence[str]
    failed: Callable[[], bool]
