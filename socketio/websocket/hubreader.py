"""Reading in the hub: no greenlet is woken to find out what came.

With one packet in flight an echo took 36 microseconds when the connection's greenlet read, and 24
now: it was woken, and asked the kernel a second time to learn that there is no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from gevent.hub import Waiter

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

    __slots__ = ("_deliver", "_waiter", "_ws")

    def __init__(self, ws: WebSocket, deliver: Callable[[list[Any]], bool]) -> None:
        self._ws = ws
        self._deliver = deliver
        self._waiter: Any = None

    def run(self) -> None:
        """Block until messages cannot be delivered, or something else than plain frames came.

        What was not delivered, or read, is left to ``ws.receive_batch()``.
        """
        self._waiter = Waiter()
        watcher = self._ws.read_watcher
        watcher.start(self._on_readable)
        try:
            self._waiter.get()
        finally:
            self._waiter = None
            watcher.stop()

    def throw(self, *_error: object) -> None:
        """Wake: somebody closed the socket. Called by gevent in the hub, as of a greenlet."""
        if self._waiter is not None:
            self._waiter.switch(None)

    def _on_readable(self) -> None:
        try:
            goes_on = self._ws.read_now()
            if goes_on and (messages := self._ws.take_received()):
                goes_on = self._deliver(messages)
                if not goes_on:
                    self._ws.give_back(messages)
        except Exception:
            log.exception("reading from a WebSocket failed")
            self._ws.cut()
            goes_on = False
        # It may have been killed by what was delivered.
        if not goes_on and self._waiter is not None:
            self._waiter.switch(None)
