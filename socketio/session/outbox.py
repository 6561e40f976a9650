"""The two queues of a session: gevent queues that know how much text they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gevent.event import Event
from gevent.queue import Queue

__all__ = ["Inbox", "Outbox", "weight_of"]


def weight_of(item: object) -> int:
    """Return about how many bytes ``item`` takes; 0 for an end marker."""
    if not isinstance(item, str):
        return 0
    # One emoji makes four bytes of every character of its text.
    return len(item) if item.isascii() else 4 * len(item)


class _MeasuredQueue(Queue):  # type: ignore[type-arg]  # not generic at run time
    """A queue that knows about how many bytes its texts take.

    The bound is its owner's: over it an inbox stops the reading, an outbox ends the session.
    ``None`` is the end marker.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def _put(self, item: Any) -> None:
        super()._put(item)  # type: ignore[misc]  # documented by gevent for overriding
        self.size += weight_of(item)

    def _get(self) -> Any:
        item = super()._get()  # type: ignore[misc]  # as _put()
        self.size -= weight_of(item)
        return item

    def clear(self) -> None:
        """Drop everything that waits."""
        while self.qsize():
            self.get_nowait()


class Inbox(_MeasuredQueue):
    """``socket.server_queue``: texts from the client, taken by the receiver greenlet.

    Args:
        on_full: Called when somebody has to wait for room; must not block.
    """

    def __init__(self, on_full: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._room: Event | None = None
        self._holds = True
        self._on_full = on_full
        self.waiting = 0
        """How many wait for room."""

    def _get(self) -> Any:
        item = super()._get()
        if self._room is not None:
            self._room.set()
        return item

    def wait_for_room(self, packets: int, size: int, timeout: float | None = None) -> bool:
        """Block until fewer than ``packets`` texts and ``size`` bytes wait.

        Args:
            packets: The most texts that may wait.
            size: How many bytes they may take.
            timeout: Seconds without anything being taken after which to give up; None: never.

        Returns:
            False when the time was up.
        """

        def full() -> bool:
            return self._holds and (self.qsize() >= packets or self.size >= size)

        if self._on_full is not None and full():
            self._on_full()
        while full():
            if self._room is None:
                self._room = Event()
            self._room.clear()
            self.waiting += 1
            try:
                if not self._room.wait(timeout):
                    return False
            finally:
                self.waiting -= 1
        return True

    def let_go(self) -> None:
        """Have nobody wait for room any more, now and later; nothing is taken out.

        For a session that ended: what comes now is ignored, and the end marker, without which the
        receiver would wait for ever, has to stay.
        """
        self._holds = False
        if self._room is not None:
            self._room.set()


class Outbox(_MeasuredQueue):
    """``socket.client_queue``: texts for the client, taken by its transport.

    Whatever way a text comes in, also by the application's own ``put_nowait()``, ``on_put`` is
    called: that is what wakes the transport.
    """

    def __init__(self, on_put: Callable[[], None]) -> None:
        super().__init__()
        self._on_put = on_put
        self._firm = 0
        """So many in front may not be dropped; they need not be looked at again."""

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._on_put()

    def _get(self) -> Any:
        item = super()._get()
        self._firm = max(0, self._firm - 1)
        return item

    def put_front(self, items: Sequence[Any]) -> None:
        """Put back, in their order, texts that were taken and could not be delivered.

        They were let in once, so that ``on_put`` has no say; its caller wakes the transport.
        """
        self._firm = 0
        self.queue.extendleft(reversed(items))
        self.size += sum(weight_of(item) for item in items)

    def has_texts(self) -> bool:
        """Whether anything but end markers waits."""
        return any(item is not None for item in self.queue)

    def drop_oldest(self, expendable: Callable[[str], bool], packets: int, size: int) -> int:
        """Drop texts, the oldest first, until at most ``packets`` and ``size`` are left.

        Args:
            expendable: Tells whether a text may be dropped.
            packets: The most texts that may wait.
            size: How many bytes they may take; one text alone may take more.

        Returns:
            How many were dropped; where too few are expendable, more than the limit stays.
        """
        dropped, place = 0, self._firm
        while place < self.qsize() and (
            self.qsize() > packets or (self.size > size and self.qsize() > 1)
        ):
            item = self.queue[place]
            if isinstance(item, str) and expendable(item):
                del self.queue[place]
                self.size -= weight_of(item)
                dropped += 1
            else:
                place += 1
        self._firm = place
        return dropped
