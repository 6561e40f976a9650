"""What surrounds the application's code in a session: its context, and the hooks of a namespace."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import gevent

from socketio.packet import Packet
from socketio.session.core import SessionCore

if TYPE_CHECKING:
    from socketio.virtsocket import Socket

__all__ = ["EventContext", "handle_packet", "in_context", "open_context", "surround"]

EventContext = Callable[[], AbstractContextManager[object]]
"""Makes a context manager for each call into the code of a session's namespaces."""

_NOTHING = nullcontext()


def open_context(socket: Socket) -> AbstractContextManager[object]:
    """Return the context in which code of the session's namespaces is to run, to be entered."""
    return _NOTHING if socket.event_context is None else socket.event_context()


def in_context(socket: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` so wrapped that it runs in the context of the session.

    What it raises the context may see, and put something else in its place, but not suppress: a
    refusal, or the end of the greenlet, would be unsaid.
    """
    # Stand-ins of applications' tests have whatever attributes they like.
    stand_in = not isinstance(socket, SessionCore)
    if stand_in or socket.event_context is None:
        return function

    # Not wraps(): a callable may lack a name, and nobody looks at this one's.
    def run(*args: Any, **kwargs: Any) -> Any:
        failure: BaseException
        with open_context(socket):
            try:
                return function(*args, **kwargs)
            except BaseException as exc:
                failure = exc
                raise
        raise failure

    return run


def handle_packet(socket: Socket, ns: Any, packet: Packet) -> Any:
    """Have ``ns`` handle ``packet`` within what surrounds it; returns the answer.

    Only in the greenlet of the receiver; raises what the handler, the hooks and the context raise.
    """
    socket._handling = ns
    try:
        if socket.event_context is not None:
            return in_context(socket, _between_hooks)(ns, packet, ns.process_packet)
        # The same as that function: one call less for each packet of most applications.
        ns.before_event(packet)
        try:
            value = ns.process_packet(packet)
        except BaseException as exc:
            ns.after_event(packet, exc)
            raise
        ns.after_event(packet, None)
        return value
    finally:
        socket._handling = None


def surround(socket: Socket, ns: Any, packet: Packet, call: Callable[[Packet], object]) -> None:
    """Call ``call`` on behalf of ``packet`` within what surrounds ``ns``. Any greenlet.

    For a handler that ends its own session: what it was called in surrounds that already.
    """
    if socket._handling is ns and gevent.getcurrent() is socket._receiver:
        call(packet)
        return
    in_context(socket, _between_hooks)(ns, packet, call)


def _between_hooks(ns: Any, packet: Packet, handle: Callable[[Packet], Any]) -> Any:
    ns.before_event(packet)
    try:
        value = handle(packet)
    except BaseException as exc:
        ns.after_event(packet, exc)
        raise
    ns.after_event(packet, None)
    return value
