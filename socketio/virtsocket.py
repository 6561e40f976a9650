"""The virtual socket: one session of one client, whatever transport carries it."""

from __future__ import annotations

import logging
import math
import os
import sys
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event as GeventEvent
from gevent.queue import Empty

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.defaultjson import default_json_dumps, default_json_loads
from socketio.packet import JsonDumps, JsonLoads, Packet
from socketio.session.acks import Acknowledging
from socketio.session.core import SessionCore
from socketio.session.data import SessionData, rooms_in
from socketio.session.lifecycle import DisconnectReason, Event, State
from socketio.session.opening import Opening
from socketio.session.outbox import Outbox
from socketio.session.receiver import (
    Receiver,
    SessionGreenlet,
    ends_greenlet,
    tell_disconnect,
)
from socketio.session.surround import EventContext

if TYPE_CHECKING:
    from socketio.namespace import BaseNamespace
    from socketio.wire.message import WireMessage

__all__ = ["GET_CLIENT_MSG", "PUT_SERVER_MSG", "Socket", "default_error_handler"]

log = logging.getLogger("socketio.virtsocket")

# 40 decimal digits are 132 bits: nobody guesses a session.
_SESSID_RANGE = 10**40

# Seconds between two answers to packets that make no sense: an answer to each would let a client
# that floods us with them make us flood it.
_COMPLAINT_PAUSE = 1
# The errors that a client's input leads to; every other name is the application's.
_PEER_ERRORS = frozenset(
    {
        "invalid_packet",
        "no_such_namespace",
        "no_such_method",
        "method_access_denied",
        "unallowed_event_name",
        "invalid_method_args",
        "invalid_args",
    }
)

_NEVER_CALLED = ("_heartbeat", "_heartbeat_timeout", "_watcher")


def default_error_handler(
    socket: Socket,
    error_name: str,
    error_message: str,
    endpoint: str | None,
    msg_id: int | None,
    quiet: bool,
) -> None:
    """Log the error and send it to the client as the event ``error``.

    Called by :meth:`Socket.error` in the greenlet that found the error. Does not block. What a
    client may cause again and again is logged five times in ten seconds at most, and packets that
    make no sense are answered once a second.

    Args:
        socket: The session it happened in.
        error_name: A word for programs, such as ``no_such_method``.
        error_message: A sentence for people. It goes to the client.
        endpoint: The namespace concerned; None means the global one.
        msg_id: Id of the packet that caused it, repeated to the client; None when it had none.
        quiet: True keeps it from the client.
    """
    text = "session %s: %s on %.100r: %.200r"
    details = (socket.short_id, error_name, endpoint or "", error_message)
    if error_name in _PEER_ERRORS or error_name == "internal_error":
        socket.journal.tell(log, ("error", error_name), text, *details)
    else:
        log.warning(text, *details)
    if quiet or (error_name == "invalid_packet" and not socket._may_complain()):
        return
    packet: Packet = {
        "type": "event",
        "name": "error",
        "args": [error_name, error_message],
        "endpoint": endpoint or "",
    }
    if msg_id is not None:
        packet["id"] = msg_id
    socket.send_packet(packet)


class Socket(Acknowledging, SessionCore):
    """One session.

    Made by ``server.get_socket()`` for a handshake. Building one starts no greenlet and no timer
    and reads no key of ``config``.

    Args:
        server: The server; kept as a weak reference. Needs ``sockets`` and ``get_socket()``.
        config: The settings: a :class:`~socketio.config.Settings` or a mapping with some of them.
        error_handler: Called for every :meth:`error`; None means :func:`default_error_handler`.
    """

    STATE_CONNECTING = State.CONNECTING
    STATE_CONNECTED = State.CONNECTED
    STATE_DISCONNECTING = State.DISCONNECTING
    STATE_DISCONNECTED = State.DISCONNECTED
    GLOBAL_NS = ""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_acks",
        "_awaits_ack",
        "_complained",
        "_first_session",
        "_handling",
        "_opening",
        "_pump",
        "environ",
        "error_handler",
        "event_context",
        "handshake_environ",
        "hits",
        "namespaces",
        "request",
        "server",
        "session",
        "wsgi_app_greenlet",
    )

    json_loads: JsonLoads = staticmethod(default_json_loads)
    json_dumps: JsonDumps = staticmethod(default_json_dumps)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in _NEVER_CALLED:
            if name in cls.__dict__:
                warnings.warn(
                    f"{cls.__name__}.{name}() is never called: since gevent-socketio 1.0 timers "
                    "do the work of that greenlet. Override heartbeat() or disconnect() instead.",
                    DeprecationWarning,
                    stacklevel=2,
                )

    def __init__(
        self,
        server: Any,
        config: Mapping[str, Any],
        error_handler: Callable[..., object] | None = None,
    ) -> None:
        super().__init__(getattr(server, "clock", None), getattr(server, "journal", None), config)
        self.server = weakref.proxy(server)
        self.sessid = f"{int.from_bytes(os.urandom(24), 'big') % _SESSID_RANGE:040d}"
        # An application may put anything else into session; what was indexed is in this one.
        self._first_session = SessionData(self._room_changed)
        self.session = self._first_session
        self.error_handler = error_handler or default_error_handler
        self.handshake_environ: dict[str, str] = {}
        self.namespaces: dict[str, type[BaseNamespace]] = {}
        self.environ: Any = None
        self.request: Any = None
        self.hits = 0
        self.wsgi_app_greenlet: Any = None
        self._acks = None
        self._awaits_ack: tuple[str, int] | None = None
        self._handling: Any = None
        self.event_context: EventContext | None = None
        self._opening: Opening | None = None
        self._pump: Callable[[], None] | None = None
        self._complained = -math.inf

    def __str__(self) -> str:
        parts = [f"sessid={self.sessid!r}"]
        if self.connected:
            parts.append("connected")
        for name in ("client_queue", "server_queue"):
            if waiting := getattr(self, name).qsize():
                parts.append(f"{name}[{waiting}]")
        for name in ("hits", "heartbeats"):
            if count := getattr(self, name):
                parts.append(f"{name}={count}")
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.short_id} {self.state}>"

    def __getitem__(self, name: str) -> Any:
        return self.active_ns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.active_ns

    __hasitem__ = __contains__

    # -- what socketio_manage() gives ----------------------------------------------------------

    def _set_namespaces(self, namespaces: dict[str, type[BaseNamespace]]) -> None:
        """Set the mapping of endpoints to classes; '' is the global namespace."""
        self.namespaces = namespaces

    def _set_request(self, request: Any) -> None:
        """Set the object that namespaces get as ``request``."""
        self.request = request

    def _set_environ(self, environ: Any) -> None:
        """Set the WSGI environment that namespaces get."""
        self.environ = environ

    def _set_error_handler(self, error_handler: Callable[..., object]) -> None:
        """Set what :meth:`error` calls."""
        self.error_handler = error_handler

    def _set_json_loads(self, json_loads: JsonLoads) -> None:
        """Set the function that parses JSON."""
        self.json_loads = json_loads

    def _set_json_dumps(self, json_dumps: JsonDumps) -> None:
        """Set the function that writes JSON."""
        self.json_dumps = json_dumps

    def _set_event_context(self, event_context: EventContext) -> None:
        """Set what makes the context of each call into the namespaces."""
        self.event_context = event_context

    # -- packets in ----------------------------------------------------------------------------

    def incr_hits(self) -> None:
        """Count one more request of this session."""
        self.hits += 1

    def heartbeat(self) -> None:
        """Note a sign of life; called for each heartbeat packet, in the receiver greenlet."""
        self.heartbeats += 1
        if self._heard is not None:
            self._heard.set()
        self._touch()

    def put_server_msg(self, msg: str | None) -> None:
        """Queue the text ``msg`` from the client for the receiver; ignored when the session ended.

        Called by the transports in the greenlet of their request. Does not block: a transport
        waits for room before.
        """
        self._touch()
        if self._state.live:
            self.journal.packets_received += 1
            self.server_queue.put_nowait(msg)

    def _take_in(self, texts: list[str]) -> None:
        """Queue ``texts`` of a streaming transport for the receiver.

        Blocks while the session has too much to do: then nothing is read, and TCP holds the
        client back.
        """
        limits = self.settings
        for text in texts:
            self.server_queue.wait_for_room(limits.max_inbound_packets, limits.max_inbound_size)
            self.put_server_msg(text)

    def get_server_msg(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the next text from the client; blocks unless told otherwise (as ``Queue.get``)."""
        return self.server_queue.get(block, timeout)

    # -- packets out ---------------------------------------------------------------------------

    def put_client_msg(self, msg: str | None) -> None:
        """Queue the text ``msg`` for the client; ignored when the session ended. Never blocks."""
        if self._state.live:
            self.client_queue.put_nowait(msg)

    def get_client_msg(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the next text for the client; blocks unless told otherwise (as ``Queue.get``)."""
        return self.client_queue.get(block, timeout)

    def get_multiple_client_msgs(self, **kwargs: Any) -> list[Any]:
        """Wait for the next text for the client like :meth:`get_client_msg`, and take all."""
        messages = [self.get_client_msg(**kwargs)]
        queue = self.client_queue
        if type(queue) is Outbox and type(self).get_client_msg is GET_CLIENT_MSG:
            messages += queue.take(sys.maxsize)
        while self.client_queue.qsize():
            try:
                messages.append(self.get_client_msg(block=False))
            except Empty:  # an override that keeps something back
                break
        return messages

    def send_packet(self, pkt: Packet) -> None:
        """Queue the packet ``pkt`` for the client; nothing happens when the session ended.

        Any greenlet of the server's hub; does not block.

        Raises:
            EncodeError: ``pkt`` is no packet.
            TypeError, ValueError: Its arguments have no JSON form.
        """
        if self._state.live and (self._opening is None or not self._hold_back(pkt)):
            self.put_client_msg(self.dialect.encode(pkt, self.json_dumps))

    def encode_packet(self, pkt: Packet) -> WireMessage:
        """Return the wire text of ``pkt``; raises what :meth:`send_packet` raises."""
        return self.dialect.encode(pkt, self.json_dumps)

    def send_encoded(self, message: str, pkt: Packet) -> None:
        """Queue ``message``, the text of ``pkt``; an overridden ``send_packet`` gets ``pkt``.

        Called for each receiver of a broadcast.
        """
        if getattr(self.send_packet, "__func__", None) is not _SEND_PACKET:
            self.send_packet(pkt)
        elif self._opening is None or not self._hold_back(pkt, message):
            self.put_client_msg(message)

    def _hold_back(self, pkt: Packet, message: str | None = None) -> bool:
        """Keep ``pkt`` back if it is for a namespace that may still refuse the client.

        What the namespace's own ``recv_connect()`` sends lets the client in.
        """
        opening = self._opening
        if opening is None or not opening.concerns(pkt):
            return False
        if opening.waits(pkt):
            opening.hold(self.encode_packet(pkt) if message is None else message)
            limit = self._limit_of(len(opening.held), opening.held_size)
            if limit is not None:
                self._too_slow(limit)
            return True
        if opening.connect is not None:
            self._let_in()
        return False

    def _let_in(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            for message in opening.held:
                self.put_client_msg(message)

    def error(
        self,
        error_name: str,
        error_message: str,
        endpoint: str | None = None,
        msg_id: int | None = None,
        quiet: bool = False,
    ) -> None:
        """Report an error to the error handler, by default to the log and the client.

        Any greenlet; blocks only if the handler does. An error handler that fails is logged.
        """
        if error_name in _PEER_ERRORS:
            self.journal.errors[error_name] += 1
        try:
            self.error_handler(self, error_name, error_message, endpoint, msg_id, quiet)
        except BaseException as exc:
            if ends_greenlet(exc):
                raise
            self.journal.failed(
                "error_handler_failed",
                log,
                "session %s: the error handler failed",
                self.short_id,
                level=logging.ERROR,
                exc_info=True,
            )

    def _may_complain(self) -> bool:
        now = self.clock.now()
        if now < self._complained + _COMPLAINT_PAUSE:
            return False
        self._complained = now
        return True

    # -- greenlets -----------------------------------------------------------------------------

    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Spawn a greenlet that is killed when the session is over; returns it."""
        return self.adopt(SessionGreenlet.spawn(fn, *args, **kwargs))

    def adopt(self, job: Any) -> Any:
        """Have the greenlet ``job`` killed when the session is over; returns it."""
        self.jobs.append(job)
        job.rawlink(self._job_done)
        return job

    def _job_done(self, job: object) -> None:
        if job in self.jobs:
            self.jobs.remove(job)

    def _spawn_receiver_loop(self) -> Any:
        """Spawn the greenlet that handles this session's packets; returns it.

        Called outside of ``socketio_manage()`` it also spawns a reader, where the transport needs
        one.
        """
        self._receiver = self.spawn(self._receiver_loop)
        self._receiver.rawlink(self._receiver_ended)
        pump, self._pump = self._pump, None
        if pump is not None:
            gevent.spawn(pump)
        return self._receiver

    def _receiver_loop(self) -> None:
        """Handle packets until the session ends, then tell the namespaces."""
        Receiver(self).run()

    def _spawn_watcher(self) -> GeventEvent:
        """Return what ``gevent.joinall()`` can wait on for the end of the session.

        Nothing is spawned: the table of states does what a greenlet looked for once a second.
        """
        return self._over

    def is_unmanaged(self) -> bool:
        """Tell whether the session is alive and nobody has taken charge of its packets."""
        return self._state.live and self._receiver is None

    def _manage(self) -> None:
        """Block the view that calls it until the session is over, carrying its input meanwhile."""
        if self._state is State.DISCONNECTED:
            return
        pump, self._pump = self._pump, None
        receiver = self._spawn_receiver_loop()
        if pump is not None:
            pump()
        receiver.join()

    # -- the end -------------------------------------------------------------------------------

    def disconnect(self, silent: bool = False) -> None:
        """End the session: namespaces get ``recv_disconnect()``, the client stays away.

        Any greenlet, also from a handler, any number of times. The calling greenlet goes on; a
        handler of this session that runs elsewhere is interrupted. Blocks as long as the
        ``recv_disconnect()`` of the namespaces.

        Args:
            silent: True does not send ``0::``: the client sees a lost connection and reconnects.
        """
        self._signal(Event.KICKED, DisconnectReason.KICKED, farewell=not silent)
        self._leave_namespaces()

    def kill(self, detach: bool = False) -> None:
        """End the session like :meth:`disconnect`, without telling the client to stay away.

        Called at the end of every session, in its receiver greenlet.

        Args:
            detach: True also takes the session out of ``server.sockets`` at once.
        """
        self._signal(Event.KICKED, DisconnectReason.KILLED)
        self.disconnect(silent=True)
        if detach:
            self.detach()

    def detach(self) -> None:
        """Take the session out of its server's table; any number of times."""
        for name in rooms_in(self._first_session):
            self._room_changed(name, False)
        try:
            self.server.sockets.pop(self.sessid, None)
        except ReferenceError:
            log.debug("session %s outlived its server", self.short_id)

    def remove_namespace(self, namespace: Any) -> None:
        """Forget an active namespace, by name or itself; with the last one the session ends."""
        name = namespace if isinstance(namespace, str) else namespace.ns_name
        if self.active_ns.pop(name, None) is not None and not self.active_ns and self.connected:
            self._signal(Event.KICKED, DisconnectReason.LAST_NAMESPACE, farewell=True)

    def _leave_namespaces(self) -> None:
        for name, ns in list(self.active_ns.items()):
            tell_disconnect(self, name, ns)

    def _room_changed(self, name: str, present: bool) -> None:
        if present and not self._state.live:
            return  # the index must not keep what is over
        try:
            backplane = getattr(self.server, "backplane", None)
        except ReferenceError:
            return
        if backplane is not None:
            backplane.room_changed(self, name, present)


# What the short ways look for: whether a class, a test or an instance has put another in its place.
_SEND_PACKET = Socket.send_packet
PUT_SERVER_MSG = Socket.put_server_msg
GET_CLIENT_MSG = Socket.get_client_msg
