"""Reading in the hub: no greenlet is woken to find out what came.

With one packet in flight an echo took 36 microseconds when the connection's greenlet read, and 24
now: it was woken, and asked the kernel a second time to learn that there is no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from gevent import get_hub, getcurrent

from socketio.websocket.connection import WebSocket

__all__ = ["HubReader"]

log = logging.getLogger("socketio.transport")


class HubReader:
    """Hands what plain text frames carry to ``deliver``, as long as nothing else comes.

    Uses the watcher that the socket has for greenlets that read, from :meth:`run` to its end.

    Args:
        ws: The connection; nobody else reads it meanwhile.
        deliver: Called in the hub with messages, must not block; False: it cannot take them now.
    """

    __slots__ = ("_deliver", "_reader", "_ws")

    def __init__(self, ws: WebSocket, deliver: Callable[[list[Any]], bool]) -> None:
        self._ws = ws
        self._deliver = deliver
        # The greenlet in run(). No Waiter, as in the queues: its stack would be deeper.
        self._reader: Any = None

    def run(self) -> None:
        """Block until messages cannot be delivered, or something else than plain frames came.

        What was not delivered, or read, is left to ``ws.receive_batch()``.
        """
        self._reader, hub = getcurrent(), get_hub()
        watcher = self._ws.read_watcher
        watcher.start(self._on_readable)
        try:
            while self._reader is not None:
                hub.switch()
        finally:
            self._reader = None
            watcher.stop()

    def throw(self, *_error: object) -> None:
        """Wake: somebody closed the socket. Called by gevent in the hub, as of a greenlet."""
        self._end()

    def _end(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:  # it may have been killed by what was delivered
            reader.switch()

    def _on_readable(self) -> None:
        try:
            messages = self._ws.read_now()
            goes_on = messages is not None
            if messages:
                goes_on = self._deliver(messages)
                if not goes_on:
                    self._ws.give_back(messages)
        except Exception:
            log.exception("reading from a WebSocket failed")
            self._ws.cut()
            goes_on = False
        if not goes_on:
            self._end()
