"""What becomes of a client that does not take what is queued for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from socketio.session.lifecycle import DisconnectReason, Event, State

if TYPE_CHECKING:
    from socketio.config import Settings
    from socketio.journal import Journal
    from socketio.session.links import Link
    from socketio.session.outbox import Outbox
    from socketio.wire.dialect import Dialect

__all__ = ["OutputLimits"]

log = logging.getLogger("socketio.virtsocket")


class OutputLimits:
    """The part of a session that keeps its outbox within the limits, by the policy in force."""

    __slots__ = ("_judging",)

    dialect: Dialect
    settings: Any
    journal: Journal
    client_queue: Any
    _state: State
    _link: Link | None
    _judging: bool

    def _wake_link(self) -> None:
        """Have the transport look at ``client_queue``."""
        if self._link is not None:
            self._link.wake()

    def _on_outbox_full(self) -> None:
        limits: Settings = self.settings
        self.client_queue.limit(limits.max_outbound_packets, limits.max_outbound_size)
        if self._state.live and self._outbox_limit() is not None:
            self._judge_speed()
        else:  # of an ended session what is left goes out, or is dropped in time
            self._wake_link()

    def _limit_of(self, packets: int, size: int) -> str | None:
        """Return the name of the limit beyond which so many packets for the client wait."""
        limits: Settings = self.settings
        if packets > limits.max_outbound_packets:
            return "max_outbound_packets"
        # One alone may be as long as the application likes: it cannot be sent in parts.
        return "max_outbound_size" if size > limits.max_outbound_size and packets > 1 else None

    def _outbox_limit(self) -> str | None:
        return self._limit_of(self.client_queue.qsize(), self.client_queue.size)

    def _judge_speed(self) -> None:
        """The outbox is over its limit: send what the network takes at once, then decide."""
        if self._link is not None:
            self._link.flush()
        limit = self._outbox_limit()
        if limit is None or not self._state.live:
            return
        if self._judging:  # what the application's policy says to the client goes unjudged
            if self._limit_of(self.client_queue.qsize() // 2, self.client_queue.size // 2):
                self._too_slow(limit)
            return
        self._judging = True
        try:
            policy = self._slow_peer_policy()
        finally:
            self._judging = False
        if not self._state.live:  # the policy has ended it
            return
        if policy == "drop_oldest" and self._drop_oldest(limit):
            self._wake_link()
            return
        self._too_slow(limit)

    def _too_slow(self, limit: str) -> None:
        self._signal(Event.SLOW_PEER, DisconnectReason.SLOW_PEER)
        self.journal.limited(
            limit, log, "session %s: the client does not take its packets", self.short_id
        )

    def _slow_peer_policy(self) -> object:
        """Return what is to be done with a client that is too slow; asks the application."""
        policy = self.settings.slow_peer
        if not callable(policy):
            return policy
        try:
            return policy(self)
        except Exception:  # noqa: BLE001 - foreign code
            self.journal.failed(
                "slow_peer_failed",
                log,
                "session %s: slow_peer() failed",
                self.short_id,
                level=logging.ERROR,
                exc_info=True,
            )
            return None

    def _drop_oldest(self, limit: str) -> bool:
        """Make room in the outbox; False if what is left over the limit may not be dropped."""
        limits: Settings = self.settings
        outbox: Outbox = self.client_queue
        dropped = outbox.drop_oldest(
            self.dialect.expendable, limits.max_outbound_packets, limits.max_outbound_size
        )
        if dropped:
            self.journal.packets_dropped += dropped
            self.journal.limited(
                limit, log, "session %s: the oldest packets were dropped", self.short_id
            )
        return self._outbox_limit() is None

    # Of SessionCore, used above.

    @property
    def short_id(self) -> str:
        """The beginning of the session id."""
        raise NotImplementedError

    def _signal(
        self, event: Event, reason: DisconnectReason | None = None, *, farewell: bool = False
    ) -> bool:
        raise NotImplementedError
