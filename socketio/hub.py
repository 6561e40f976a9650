"""Having the hub do something, also from another thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent import get_hub

__all__ = ["call_soon"]


def call_soon(hub: Any, callback: Callable[[], object]) -> None:
    """Have ``hub`` call ``callback`` in its next turn; from any greenlet and thread, never blocks.

    A loop that waits for the network does not notice what another thread puts down the usual way.
    """
    loop = hub.loop
    (loop.run_callback if hub is get_hub() else loop.run_callback_threadsafe)(callback)
