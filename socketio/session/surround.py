"""What surrounds the application's code in a session: its context, and the hooks of a namespace."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import gevent

from socketio.packet import Packet

if TYPE_CHECKING:
    from socketio.virtsocket import Socket

__all__ = ["EventContext", "handle_packet", "in_context", "open_context", "surround"]

EventContext = Callable[[], AbstractContextManager[object]]
"""Makes a context manager for each call into the code of a session's namespaces."""

_NOTHING = nullcontext()


def open_context(socket: Socket) -> AbstractContextManager[object]:
    """Return the context in which code of the session's namespaces is to run, to be entered."""
    return _NOTHING if socket.event_context is None else socket.event_context()


def in_context(socket: Socket, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` so wrapped that it runs in the context of the session."""
    if socket.event_context is None:
        return function

    # Not wraps(): a callable may lack a name, and nobody looks at this one's.
    def run(*args: Any, **kwargs: Any) -> Any:
        with open_context(socket):
            return function(*args, **kwargs)

    return run


def handle_packet(socket: Socket, ns: Any, packet: Packet) -> Any:
    """Have ``ns`` handle ``packet`` within what surrounds it; returns the answer.

    Only in the greenlet of the receiver; raises what the handler, the hooks and the context raise.
    """
    socket._handling = ns
    try:
        if socket.event_context is not None:
            with socket.event_context():
                return _between_hooks(ns, packet, ns.process_packet)
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
    with open_context(socket):
        _between_hooks(ns, packet, call)


def _between_hooks(ns: Any, packet: Packet, handle: Callable[[Packet], Any]) -> Any:
    ns.before_event(packet)
    try:
        value = handle(packet)
    except BaseException as exc:
        ns.after_event(packet, exc)
        raise
    ns.after_event(packet, None)
    return value
