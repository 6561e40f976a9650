"""What happens when a session changes its state: timers, links, and the end, in order.

One way to end, whoever notices first: :meth:`SessionCore._signal` with an event of the table in
:mod:`socketio.session.lifecycle`. It may be called any number of times, from any greenlet and from
the hub, and never blocks. What follows is done by whoever owns it: the receiver greenlet tells the
namespaces, the link delivers what is left, and the last of the two finishes the session.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event as GeventEvent

from socketio.clock import Clock, Timekeeper
from socketio.config import Settings
from socketio.journal import Journal
from socketio.session.lifecycle import DisconnectReason, Event, State, next_state
from socketio.session.links import Delivery, Link
from socketio.session.outbox import Inbox, Outbox
from socketio.session.pressure import OutputLimits
from socketio.wire.v09 import V09

if TYPE_CHECKING:
    from socketio.session.deadlines import Deadline
    from socketio.wire.dialect import Dialect

__all__ = ["SessionCore", "SessionEnded"]

log = logging.getLogger("socketio.virtsocket")

# Here packets that arrived before the end are still handled; elsewhere they are dropped.
_SOFT = frozenset({Event.PEER_LEFT, Event.TRANSPORT_LOST})
# Here nobody is left who could take what is queued.
_NOBODY_THERE = frozenset({Event.TRANSPORT_LOST, Event.TIMED_OUT, Event.SLOW_PEER})

_NOBODY: frozenset[Any] = frozenset()  # one for all: each has 216 bytes

_default_clock = Clock()


def _nobody_listens() -> None:
    """Stand in for the transport of a session that has none at this moment."""


class SessionEnded(gevent.GreenletExit):
    """Thrown into a handler that still runs when its session is over."""


class SessionCore(OutputLimits):
    """The inner half of :class:`socketio.virtsocket.Socket`: state, time, links, the end."""

    dialect: Dialect = V09()

    # In slots a session takes a kilobyte less than in a dictionary, which it has beside them for
    # what the application adds.
    __slots__ = (
        "_beat",
        "_claimed",
        "_config",
        "_delivery",
        "_ended",
        "_expiry",
        "_grace",
        "_hard_end",
        "_heard",
        "_keep_for_next_poll",
        "_last_seen",
        "_link",
        "_older",
        "_receiver",
        "_receiving",
        "_state",
        "_tellers",
        "active_ns",
        "client_queue",
        "clock",
        "connection_established",
        "disconnect_reason",
        "heartbeats",
        "jobs",
        "journal",
        "server_queue",
        "sessid",
    )

    def __init__(self, clock: Timekeeper | None, journal: Journal | None, config: Any) -> None:
        # Servers of tests may be mocks, whose every attribute is another one.
        known = clock is not None and isinstance(clock.now(), (int, float))
        self.clock = clock if clock is not None and known else _default_clock
        self.journal = journal if isinstance(journal, Journal) else Journal(self.clock)
        self.sessid = ""
        self.active_ns: dict[str, Any] = {}
        self.jobs: list[Any] = []
        self.heartbeats = 0
        self.disconnect_reason: DisconnectReason | None = None
        self.connection_established = False
        self._state = State.NEW
        self._link: Link | None = None
        self._older: tuple[Link, ...] = ()
        """Links that were superseded and have not ended yet."""
        self._delivery: Delivery | None = None
        self._receiver: gevent.Greenlet[..., None] | None = None
        self._receiving: bool | None = None
        """None: not begun, or a loop of the application's own; False: telling the namespaces."""
        self._tellers = _NOBODY
        """Greenlets that run a ``recv_disconnect()`` at this moment."""
        self._last_seen = 0.0
        self._hard_end = self._keep_for_next_poll = self._judging = False
        self._claimed: Callable[[], None] | None = None
        self._expiry: Deadline | None = None
        self._beat: Deadline | None = None
        self._grace: Deadline | None = None
        self._heard: GeventEvent | None = None
        self._ended: GeventEvent | None = None
        self.client_queue = Outbox(_nobody_listens, self._on_outbox_full)
        """Texts for the client, taken by its transport."""
        self.server_queue = Inbox(self._on_full)
        """Texts from the client, taken by the receiver."""
        self.config = config

    @property
    def timeout(self) -> GeventEvent:
        """Set by each heartbeat of the client."""
        if self._heard is None:
            self._heard = GeventEvent()
            if self.heartbeats:
                self._heard.set()
        return self._heard

    @timeout.setter
    def timeout(self, event: GeventEvent) -> None:
        self._heard = event

    @property
    def _over(self) -> GeventEvent:
        """Set when the session is over."""
        if self._ended is None:
            self._ended = GeventEvent()
            if self._state is State.DISCONNECTED:
                self._ended.set()
        return self._ended

    # -- what others see -----------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the session stands; equal to the plain strings, which may be assigned too."""
        return self._state

    @state.setter
    def state(self, value: str) -> None:
        self._state = State(value)

    @property
    def connected(self) -> bool:
        """Whether packets flow."""
        return self._state is State.CONNECTED

    @property
    def config(self) -> Any:
        """The settings as they were given, a :class:`~socketio.config.Settings` or a mapping."""
        return self._config

    @config.setter
    def config(self, config: Any) -> None:
        self._config = config
        if isinstance(self.client_queue, Outbox):
            self.client_queue.limit(0, 0)  # so that the next text asks for them

    @property
    def settings(self) -> Settings:
        """The timings and limits in force, whatever mapping ``config`` is."""
        config = self._config
        return config if type(config) is Settings else Settings.read(config)

    @property
    def transport(self) -> str | None:
        """Id of the transport that carries the session at this moment; None between two polls."""
        return self._link.name if self._link is not None else None

    # -- the beginning -------------------------------------------------------------------------

    def _await_client(self, claimed: Callable[[], None]) -> None:
        """End the session unless its client comes; ``claimed`` is called when it leaves NEW."""
        self._claimed = claimed
        self._expiry = self.clock.call_later(self.settings.handshake_timeout, self._nobody_came)

    def _nobody_came(self) -> None:
        self._signal(Event.TIMED_OUT, DisconnectReason.HANDSHAKE_TIMEOUT)

    def _attach(self, link: Link) -> None:
        """Make ``link`` the one that carries the session; the one before ends."""
        self._signal(Event.ATTACH)
        self._touch()
        before, self._link = self._link, link
        if isinstance(self.client_queue, Outbox):
            self.client_queue.on_put = link.wake
        if before is not None:
            self._older += (before,)
            before.supersede()
        if self._state is State.CONNECTED:
            self._arm_heartbeat()

    def _may_take(self, link: Link) -> bool:
        """Tell whether ``link`` may take from ``client_queue``: alone, and in its turn."""
        if self._link is not link or self._older:
            return False
        delivery, self._delivery = self._delivery, None
        if delivery is not None and delivery.failed():
            log.info("session %s: what a broken poll had comes again", self.short_id)
            self._give_back(delivery.messages)
        return True

    def _give_back(self, messages: Sequence[str]) -> None:
        """Queue again, in front, what a link took and could not deliver."""
        if self._state.live or self._keep_for_next_poll:
            self.client_queue.put_front(messages)
            if self._link is not None:
                self._link.wake()

    def _detach(self, link: Link) -> None:
        """Say that ``link`` ended; any number of times."""
        if link in self._older:
            self._older = tuple(older for older in self._older if older is not link)
            if link.lost:  # the newer one would go on behind a gap
                self._signal(Event.TRANSPORT_LOST, DisconnectReason.TRANSPORT_LOST)
            if self._link is not None and not self._older:
                self._link.wake()
        elif self._link is link:
            self._link = None
            if isinstance(self.client_queue, Outbox):
                self.client_queue.on_put = _nobody_listens
            self._touch()
            if link.streaming:
                self._signal(Event.TRANSPORT_LOST, DisconnectReason.TRANSPORT_LOST)
        self._finish_if_done()

    def _establish(self) -> bool:
        """Packets flow from here. False when they did before, or when the session ended."""
        if self._state is not State.CONNECTING:
            return False
        self._signal(Event.ESTABLISHED)
        self.connection_established = True
        self._spawn_heartbeat()
        self.journal.sessions_connected += 1
        log.info("session %s connected over %s", self.short_id, self.transport)
        return True

    @property
    def short_id(self) -> str:
        """The beginning of the session id; the whole is a secret and has no place in a log."""
        return f"{self.sessid[:6]}..."

    # -- time ----------------------------------------------------------------------------------

    def _touch(self) -> None:
        self._last_seen = self.clock.now()

    def _spawn_heartbeat(self) -> None:
        """Arm the timers of a connected session; no greenlet is spawned any more."""
        self._touch()
        self._cancel_timers()
        self._expiry = self.clock.call_later(self._patience(), self._check_alive)
        self._arm_heartbeat()

    def _arm_heartbeat(self) -> None:
        """Keep a streaming link beating; polling needs no heartbeats, its noops do."""
        streaming = self._link is not None and self._link.streaming
        if streaming and (self._beat is None or self._beat.cancelled):
            interval = self.settings.heartbeat_interval
            self._beat = self.clock.call_later(interval, self._send_heartbeat)

    def _cancel_timers(self) -> None:
        for deadline in (self._expiry, self._beat, self._grace):
            if deadline is not None:
                self.clock.cancel(deadline)
        self._expiry = self._beat = self._grace = None

    def _patience(self) -> float:
        streaming = self._link is not None and self._link.streaming
        return self.settings.heartbeat_timeout if streaming else self.settings.close_timeout

    def _check_alive(self) -> None:
        """End a session whose client is silent; runs in the hub, once per patience."""
        if not self._state.live:
            return
        link = self._link
        # A client whose poll we hold waits for us; one that we do not read has us to wait for.
        if link is not None and not link.dead and (not link.streaming or self._inbox_full()):
            self._touch()
        left = self._last_seen + self._patience() - self.clock.now()
        if left > 0:
            self._expiry = self.clock.call_later(left, self._check_alive)
            return
        streaming = self._link is not None
        self._signal(
            Event.TIMED_OUT,
            DisconnectReason.HEARTBEAT_TIMEOUT if streaming else DisconnectReason.CLOSE_TIMEOUT,
        )

    def _inbox_full(self) -> bool:
        inbox, limits = self.server_queue, self.settings
        return inbox.qsize() >= limits.max_inbound_packets or inbox.size >= limits.max_inbound_size

    def _on_full(self) -> None:
        """Count that the client has to wait: its handlers have too much to do."""
        many = self.server_queue.qsize() >= self.settings.max_inbound_packets
        self.journal.limits["max_inbound_packets" if many else "max_inbound_size"] += 1

    def _send_heartbeat(self) -> None:
        """Queue a heartbeat unless the last one is still unsent; runs in the hub."""
        if not self._state.live or self._link is None or not self._link.streaming:
            return
        if not any(item is self.dialect.heartbeat for item in self.client_queue.queue):
            self.client_queue.put_nowait(self.dialect.heartbeat)
        self._beat = None
        self._arm_heartbeat()

    # -- the end -------------------------------------------------------------------------------

    def _signal(
        self, event: Event, reason: DisconnectReason | None = None, *, farewell: bool = False
    ) -> bool:
        """Apply ``event``; return whether the state changed. From anywhere, never blocks.

        Args:
            event: What happened.
            reason: What to record if this ends the session.
            farewell: Whether the client is told not to come back.
        """
        before = self._state
        self._state = next_state(before, event)
        if self._state is before:
            return False
        if before is State.NEW:
            self._leave_new()
        if self._state is State.DISCONNECTING:
            self.disconnect_reason = reason
            self._begin_ending(event, farewell)
        return True

    def _leave_new(self) -> None:
        self._cancel_timers()
        claimed, self._claimed = self._claimed, None
        if claimed is not None:
            claimed()

    def _begin_ending(self, event: Event, farewell: bool) -> None:
        self._cancel_timers()
        self._expiry = self.clock.call_later(self.settings.linger_timeout, self._stop_lingering)
        self._hard_end = event not in _SOFT
        if self._hard_end:
            self.server_queue.clear()
        self.server_queue.put_nowait(None)
        self.server_queue.let_go()  # a reader may wait for room
        self._end_output(event, farewell)
        self._end_receiver(event)

    def _end_output(self, event: Event, farewell: bool) -> None:
        if event in _NOBODY_THERE:
            self.client_queue.clear()
            self._cut_links()
            return
        # Between two polls an end that the application wanted waits for the next poll.
        self._keep_for_next_poll = event in (Event.KICKED, Event.APP_ENDED)
        if farewell and (self._link is not None or self._keep_for_next_poll):
            self.client_queue.put_nowait(self.dialect.farewell)
        self.client_queue.put_nowait(None)

    def _end_receiver(self, event: Event) -> None:
        """Have the receiver tell the namespaces, and soon, if a handler keeps it busy."""
        if self._receiver is None or self._receiver.dead:
            self._finish_soon()
        elif self._receiving and self._receiver is gevent.getcurrent():
            return  # it finds out by itself
        elif self._hard_end and event is not Event.SERVER_STOPPING:
            self._interrupt_receiver()
        else:
            self._grace = self.clock.call_later(
                self.settings.close_timeout, self._interrupt_receiver
            )

    def _finish_soon(self) -> None:
        """Finish without a receiver: never in the caller, who may still look at the session."""
        if self.active_ns:
            gevent.spawn(self._leave_namespaces).rawlink(lambda _job: self._finish_if_done())
        elif gevent.getcurrent() is gevent.get_hub():
            self._finish_if_done()
        else:
            gevent.get_hub().loop.run_callback(self._finish_if_done)

    def _receiver_ended(self, _receiver: object) -> None:
        """Runs in the hub when the receiver greenlet is dead, whatever killed it."""
        self._signal(Event.KICKED, DisconnectReason.KILLED)
        self._finish_soon()

    def _interrupt_receiver(self) -> None:
        """Have the hub, which alone may, interrupt a handler that is still at work."""
        gevent.get_hub().loop.run_callback(self._throw_into_receiver)

    def _throw_into_receiver(self) -> None:
        """Runs in the hub. A receiver that is telling the namespaces already is left alone."""
        if self._receiving is False or self._receiver is None or self._receiver.dead:
            return
        if self._receiver in self._tellers:  # one namespace, for the client left that; ask again
            self._grace = self.clock.call_later(1, self._interrupt_receiver)
            return
        self._receiver.throw(SessionEnded())

    def _stop_lingering(self) -> None:
        """Nobody took the rest in time; runs in the hub.

        What came in stays: the receiver may not have come to it, nor to the end marker behind it.
        """
        self._keep_for_next_poll = False
        self.client_queue.clear()
        self._cut_links()
        self._finish_if_done()

    def _cut_links(self) -> None:
        for link in [*self._older, *([self._link] if self._link is not None else [])]:
            link.cut()

    def _finish_if_done(self) -> None:
        """Finish when the namespaces were told and nothing is left to deliver."""
        if self._state is not State.DISCONNECTING or self._tellers:
            return
        if self._link is not None or self._older:
            return
        if self._receiver is not None and not self._receiver.dead:
            return
        if self._keep_for_next_poll and self.client_queue.has_texts():
            return
        self._finish()

    def _finish(self) -> None:
        self._signal(Event.FINISHED)
        self._cancel_timers()
        self.client_queue.clear()
        self.server_queue.clear()
        self._delivery = None
        self._forget_acks()
        for job in list(self.jobs):
            if job is not gevent.getcurrent():
                job.kill(block=False)
        if self._ended is not None:
            self._ended.set()
        self.detach()
        if self.disconnect_reason is not None:
            self.journal.disconnects[self.disconnect_reason.value] += 1
        # A handshake that nobody came for is no news.
        level = logging.INFO if self.connection_established else logging.DEBUG
        log.log(level, "session %s disconnected: %s", self.short_id, self.disconnect_reason)

    # Of Socket, used above.

    def _leave_namespaces(self) -> None:
        raise NotImplementedError

    def _forget_acks(self) -> None:
        raise NotImplementedError

    def detach(self) -> None:
        """Take the session out of its server's table."""
        raise NotImplementedError
