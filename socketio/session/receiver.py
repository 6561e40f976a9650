"""The receiver greenlet of a session: one packet after the other, in order.

Whatever a packet or a handler does, the loop goes on to the next packet; it ends when the session
does, and then tells the namespaces.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import gevent
from gevent import GreenletExit

from socketio.errors import DecodeError, UnauthorizedError
from socketio.packet import Packet
from socketio.session.core import SessionEnded
from socketio.session.lifecycle import DisconnectReason, Event
from socketio.session.opening import Opening
from socketio.session.surround import handle_packet, in_context, open_context, surround
from socketio.turn import Turn

if TYPE_CHECKING:
    from socketio.virtsocket import Socket

__all__ = [
    "ACK_LATER",
    "ImpliedConnect",
    "Receiver",
    "SessionGreenlet",
    "ends_greenlet",
    "tell_disconnect",
]

log = logging.getLogger("socketio.virtsocket")

ACK_LATER = object()
"""Returned by a handler that will answer with ``self.ack()`` some time later."""


class ImpliedConnect(dict[str, Any]):
    """The connect packet of a client that sent another one first; it is not echoed."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(type="connect", endpoint=endpoint, qs="")


_WITH_DATA = ("event", "message", "json")
_HANDLER_FAILED = "session %s: handling %.100r failed"


class SessionGreenlet(gevent.Greenlet):  # type: ignore[type-arg]  # not generic at run time
    """A greenlet of a session; knows whether somebody means to end it."""

    # Where it was spawned is known: gevent would keep three kilobytes of frames to tell.
    spawning_stack_limit = 0

    killed = False
    """Whether a GreenletExit was thrown into it, by ``kill()`` or by the end of the session."""

    def throw(self, *args: Any) -> Any:
        """Raise an exception in the greenlet, as ``greenlet.throw()``."""
        kind = args[0] if args else GreenletExit
        if isinstance(kind, GreenletExit) or (
            isinstance(kind, type) and issubclass(kind, GreenletExit)
        ):
            self.killed = True
        return super().throw(*args)


def ends_greenlet(exc: BaseException) -> bool:
    """Tell whether ``exc`` is meant for the greenlet it was raised in, and no failure.

    A handler that raises GreenletExit by itself has failed like any other: nobody killed it.
    """
    if isinstance(exc, GreenletExit):
        return bool(getattr(gevent.getcurrent(), "killed", True))
    return isinstance(exc, KeyboardInterrupt)


class Receiver:
    """Handles the packets of one session, in the session's receiver greenlet."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def run(self) -> None:
        """Loop until the session ends. Called once, as the whole life of the greenlet."""
        socket = self._socket
        socket._receiving = True
        turn = Turn()
        try:
            while not socket._hard_end:
                text = socket.get_server_msg()
                if text is None and not socket._state.live:
                    break
                if text:
                    self._receive(text)
                if socket.server_queue.queue:
                    turn.go_on()
                else:
                    turn.rest()
                    text = None  # or it would be kept until the next one comes
        except SessionEnded:
            log.debug("session %s: a handler was interrupted", socket.short_id)
        finally:
            socket._receiving = False
            if socket._state.live:  # somebody killed this greenlet
                socket._signal(Event.KICKED, DisconnectReason.KILLED)
            # As of old the end of a session calls these two, which applications override.
            socket.kill()
            socket._leave_namespaces()

    def _receive(self, text: str) -> None:
        socket = self._socket
        try:
            packet = socket.dialect.decode(text, socket.json_loads)
        except DecodeError as exc:
            self._refuse_packet(None, str(exc))
            return
        kind, endpoint = packet["type"], packet["endpoint"]
        if kind in _WITH_DATA:
            self._receive_data(packet, kind, endpoint)
        elif kind == "heartbeat":
            socket.heartbeat()
        elif kind == "disconnect" and not endpoint:
            socket._signal(Event.PEER_LEFT, DisconnectReason.PEER_LEFT, farewell=True)
            if socket.disconnect_reason is DisconnectReason.TRANSPORT_LOST:
                # It was said before the connection ended, and only read after that.
                socket.disconnect_reason = DisconnectReason.PEER_LEFT
            socket._hard_end = True  # nothing behind it counts
        elif kind == "connect" and not endpoint and "" not in socket.namespaces:
            socket.send_packet(packet)
        elif kind != "noop":
            self._route(packet, kind, endpoint)

    def _refuse_packet(self, packet: Packet | None, why: str) -> None:
        endpoint = packet["endpoint"] if packet is not None else ""
        self._socket.error("invalid_packet", f"The packet could not be understood: {why}", endpoint)

    def _receive_data(self, packet: Packet, kind: str, endpoint: str) -> None:
        if packet.get("ack") is True:
            # Reception is acknowledged, not handling: at once, and whatever the endpoint.
            self._ack(packet, [])
        if kind == "event" and not (
            isinstance(packet.get("name"), str) and isinstance(packet["args"], list)
        ):
            self._refuse_packet(packet, "an event needs a name, and a list as its args")
            return
        ns = self._socket.active_ns.get(endpoint)
        if ns is not None:
            self._dispatch(ns, packet)
        else:
            self._route(packet, kind, endpoint)

    def _route(self, packet: Packet, kind: str, endpoint: str) -> None:
        ns = self._socket.active_ns.get(endpoint)
        if ns is not None:
            self._handle(ns, packet, kind, first=False)
        elif endpoint not in self._socket.namespaces:
            self._socket.error(
                "no_such_namespace",
                f"The endpoint you tried to connect to doesn't exist: {endpoint:.100}",
                endpoint,
            )
        elif kind in ("disconnect", "ack", "error"):
            log.debug("session %s: %s for a namespace not in use", self._socket.short_id, kind)
        elif (ns := self._open(endpoint)) is not None:
            self._handle(ns, packet, kind, first=True)

    def _open(self, endpoint: str) -> Any:
        """Build the namespace for its first packet; None when its own code fails."""
        socket = self._socket
        try:
            return in_context(socket, self._build)(endpoint)
        except UnauthorizedError as exc:
            self._refuse_namespace(endpoint, socket.active_ns.get(endpoint), exc)
        except BaseException as exc:
            if ends_greenlet(exc):
                raise
            self._note("session %s: namespace %r cannot be opened", endpoint)
            self._drop(endpoint, socket.active_ns.get(endpoint))
            self._pass_on_end()
        return None

    def _build(self, endpoint: str) -> Any:
        socket = self._socket
        ns = socket.namespaces[endpoint](socket.environ, endpoint, request=socket.request)
        if vars(ns).get("_left"):  # it sent its client away
            return None
        if endpoint:  # it may refuse, and until then nobody else may write to its client
            socket._opening = Opening(endpoint)
        socket.active_ns[endpoint] = ns
        _initialize(ns)
        if socket.active_ns.get(endpoint) is ns:
            return ns
        socket._opening = None
        return None

    def _pass_on_end(self) -> None:
        """End the greenlet if somebody meant to, and what was thrown has become a failure."""
        if getattr(gevent.getcurrent(), "killed", False):
            raise SessionEnded

    def _note(self, message: str, *args: object) -> None:
        """Count and log the failure of the application's code that is being handled."""
        note_failure(self._socket, message, *args)

    def _drop(self, endpoint: str, ns: Any) -> None:
        """Forget a namespace that refused to open, and tell the client that it did not."""
        self._socket._opening = None
        self._socket.active_ns.pop(endpoint, None)
        if ns is not None:
            if vars(ns).get("_entered"):  # only what comes behind recv_connect() has failed
                tell_disconnect(self._socket, endpoint, ns)
            ns.kill_local_jobs()
        self._socket.error("internal_error", "The namespace could not be opened", endpoint)
        if endpoint:
            self._socket.send_packet({"type": "disconnect", "endpoint": endpoint})

    def _handle(self, ns: Any, packet: Packet, kind: str, *, first: bool) -> None:
        if kind == "connect":
            self._connect(ns, packet, first=first)
        elif kind == "disconnect":
            tell_disconnect(self._socket, packet["endpoint"], ns, packet)
        elif not first or self._connect_unasked(ns):
            self._dispatch(ns, packet)

    def _connect(self, ns: Any, packet: Packet, *, first: bool) -> None:
        if not first:
            # Opened by an earlier packet, or asked for twice: answered, but nothing fires twice.
            self._socket.send_packet(packet)
        else:
            self._open_for(ns, packet)

    def _connect_unasked(self, ns: Any) -> bool:
        """Run ``recv_connect`` before the first packet of a namespace that was not connected.

        A reconnecting 0.9 client sends what it has buffered before its connect packets.
        """
        endpoint = ns.ns_name
        if not endpoint:
            return True
        self._open_for(ns, ImpliedConnect(endpoint))
        return self._socket.active_ns.get(endpoint) is ns

    def _open_for(self, ns: Any, packet: Any) -> None:
        """Have ``ns`` decide about a client that connects to it.

        The answer to the packet waits for the decision: a client that is refused sees nothing
        but the refusal.
        """
        socket, endpoint = self._socket, packet["endpoint"]
        if socket._opening is None:
            socket._opening = Opening(endpoint)
        socket._opening.connect = packet

        def decide() -> None:
            try:
                handle_packet(socket, ns, packet)
            except UnauthorizedError as exc:
                ns._refusal = exc

        done = self._guard(decide, "connect")
        refusal = vars(ns).get("_refusal")
        if refusal is not None:
            self._refuse_namespace(endpoint, ns, refusal)
            return
        socket._let_in()
        if not done:
            self._drop(endpoint, ns)

    def _refuse_namespace(self, endpoint: str, ns: Any, why: UnauthorizedError) -> None:
        socket = self._socket
        log.info("session %s: refused on %r: %.200s", socket.short_id, endpoint, why)
        socket._opening = None
        if ns is not None:
            if socket.active_ns.get(endpoint) is ns:
                del socket.active_ns[endpoint]
            ns.kill_local_jobs()
        socket.send_packet(socket.dialect.refusal(endpoint))

    def _dispatch(self, ns: Any, packet: Packet) -> None:
        socket = self._socket
        wants_ack = packet.get("ack") == "data"
        socket._awaits_ack = (packet["endpoint"], packet["id"]) if wants_ack else None
        try:
            value = handle_packet(socket, ns, packet)
        except BaseException as exc:
            if ends_greenlet(exc):
                raise
            what = packet.get("name", packet["type"])
            self._note(_HANDLER_FAILED, what)
            message = f'The server failed to handle "{what:.100}"'
            socket.error("internal_error", message, packet["endpoint"], packet.get("id"))
            self._pass_on_end()
        else:
            if wants_ack and socket._awaits_ack is not None and value is not ACK_LATER:
                self._ack(packet, list(value) if isinstance(value, tuple) else [value])
        socket._awaits_ack = None

    def _ack(self, packet: Packet, args: list[Any]) -> None:
        answer: Packet = {
            "type": "ack",
            "ackId": packet["id"],
            "args": args,
            "endpoint": packet["endpoint"],
        }
        try:
            self._socket.send_packet(answer)
        except BaseException as exc:
            if ends_greenlet(exc):
                raise
            self._note(_HANDLER_FAILED, "the answer of a handler")
            message = "The server's answer cannot be sent"
            self._socket.error("internal_error", message, packet["endpoint"], packet["id"])

    def _guard(self, call: Callable[[], object], what: str) -> bool:
        """Run code of the application; what it raises is logged and harms only itself."""
        try:
            call()
        except BaseException as exc:
            if ends_greenlet(exc):
                raise
            self._note(_HANDLER_FAILED, what)
            self._pass_on_end()
            return False
        return True


def note_failure(socket: Socket, message: str, *args: object) -> None:
    """Count and log the exception that is being handled: code of the application raised it.

    Args:
        socket: The session in which it happened.
        message: A logging template that begins with the session.
        *args: For the rest of it.
    """
    where, trace = None, sys.exc_info()[2]
    if isinstance(sys.exc_info()[1], MemoryError):
        traceback.clear_frames(trace)  # what they hold is what there is no room for a log line for
    while trace is not None:  # the innermost place: there are as many as the application has lines
        where, trace = (trace.tb_frame.f_code, trace.tb_lineno), trace.tb_next
    socket.journal.failed(
        "handler_failed",
        log,
        message,
        socket.short_id,
        *args,
        where=where,
        level=logging.ERROR,
        exc_info=True,
    )


def _initialize(ns: Any) -> None:
    """Call each ``initialize()`` that a class of ``ns`` defines, once, in MRO order."""
    for cls in type(ns).__mro__:
        if "initialize" in cls.__dict__:
            cls.initialize(ns)  # type: ignore[attr-defined]  # looked up above


def tell_disconnect(socket: Socket, name: str, ns: Any, packet: Packet | None = None) -> None:
    """Have ``ns`` know that it is over, once, and take it out of the socket; nothing stops that.

    Runs in the greenlet that ends the session, or in the receiver for a packet of the client.
    """
    if vars(ns).get("_being_told"):
        return  # another greenlet does it, and goes through with it
    current = gevent.getcurrent()
    ns._being_told = True
    socket._tellers |= {current}
    try:
        _tell(socket, name, ns, packet)
    finally:
        socket._tellers -= {current}
        ns._being_told = False
        if not socket._state.live:
            gevent.get_hub().loop.run_callback(socket._finish_if_done)


def _tell(socket: Socket, name: str, ns: Any, packet: Packet | None) -> None:
    told: Packet = packet or {"type": "disconnect", "endpoint": name}

    def tell(told: Packet) -> None:
        if packet is not None:
            ns.process_packet(packet)
        # Still untold when the ACL, or an override, kept the packet from it.
        if not vars(ns).get("_disconnect_told"):
            ns.call_method("recv_disconnect", told)

    try:
        surround(socket, ns, told, tell)
    except BaseException:  # noqa: BLE001 - foreign code
        note_failure(socket, "session %s: recv_disconnect of %r failed", name)
        _tell_all_the_same(socket, name, ns, told)
    if name in socket.active_ns and socket.active_ns[name] is ns:
        ns.kill_local_jobs()
        socket.remove_namespace(name)


def _tell_all_the_same(socket: Socket, name: str, ns: Any, told: Packet) -> None:
    """Call ``recv_disconnect()`` of a namespace whose hook or context has kept it from it."""
    for surroundings in (open_context, nullcontext):
        if vars(ns).get("_disconnect_told"):
            return
        try:
            with surroundings(socket):
                ns.call_method("recv_disconnect", told)
        except BaseException:  # noqa: BLE001 - foreign code
            note_failure(socket, "session %s: recv_disconnect of %r failed", name)
