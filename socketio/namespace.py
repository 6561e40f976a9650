"""Namespaces: the classes in which an application handles what its clients send."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import gevent

from socketio.dispatch import HandlerShape, find_method, shape_of
from socketio.errors import UnauthorizedError
from socketio.packet import Packet
from socketio.session.receiver import ACK_LATER, ImpliedConnect
from socketio.session.surround import in_context

if TYPE_CHECKING:
    from socketio.virtsocket import Socket

__all__ = ["BaseNamespace", "allowed_event_name_regex"]

log = logging.getLogger("socketio.namespace")

allowed_event_name_regex = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*\Z")
"""Event names a client may use. Replace it, or the class attribute of that name, to allow more."""

# What the pattern above has allowed, and the methods: to look here takes a fifth of the time. So
# many names of that length are all an application has, and no client can fill more.
_USUAL = allowed_event_name_regex
_methods: dict[str, str] = {}
_MOST_METHODS = 1000
_MOST_LETTERS = 50


class BaseNamespace:
    """One endpoint of one client. Subclass it and define ``on_<event>()`` methods.

    An instance is made when the first packet for its endpoint arrives and lives until the client
    leaves the endpoint or the session ends. Its handlers run in the receiver greenlet of the
    session, one at a time, and may block; what they return is the answer to a client that asked
    for one (an ack): a tuple becomes the list of arguments, anything else one argument.

    Args:
        environ: The WSGI environment of the first request of the session, with the session's
            :class:`~socketio.virtsocket.Socket` under ``'socketio'``.
        ns_name: The endpoint; ``''`` is the global namespace.
        request: The object the view gave to ``socketio_manage()``; None if it gave none.
    """

    ACK_LATER: Any = ACK_LATER
    """Return it from a handler that answers later, with :meth:`ack`.

    .. versionadded:: 1.0
    """

    allowed_event_name_regex: re.Pattern[str] | None = None
    """Overrides the name of the module; None leaves the decision to that.

    .. versionadded:: 1.0
    """

    exception_handler_decorator: Any
    """Define it to wrap every ``on_*`` and ``recv_*`` call and every spawned function."""

    _left = False
    _entered = False
    _disconnect_told = False
    _being_told = False
    _refusal: UnauthorizedError | None = None

    def __init__(self, environ: Any, ns_name: str, request: Any = None) -> None:
        self.environ = environ
        self.socket: Socket = environ["socketio"]
        self.session = self.socket.session
        self.request = request
        self.ns_name = ns_name
        self.allowed_methods: Collection[str] | None = None
        self.jobs: list[Any] = []
        self.reset_acl()
        super().__init__()

    def initialize(self) -> None:
        """Override to set up the instance; no ``super()`` is needed, and it may emit.

        Called in the receiver greenlet once for every class that defines it, in MRO order.
        """

    # -- access control ------------------------------------------------------------------------

    def is_method_allowed(self, method_name: str) -> bool:
        """Tell whether the client may call ``method_name``."""
        return self.allowed_methods is None or method_name in self.allowed_methods

    def get_initial_acl(self) -> Collection[str] | None:
        """Override to return the names of the methods a client may call at first; None means all.

        ``recv_connect`` and ``recv_message`` are names like any other.
        """
        return None

    def reset_acl(self) -> None:
        """Go back to :meth:`get_initial_acl`."""
        self.allowed_methods = self.get_initial_acl()

    def add_acl_method(self, method_name: str) -> None:
        """Allow ``method_name``; when everything was allowed, only that from now on."""
        self.allowed_methods = {*(self.allowed_methods or ()), method_name}

    def del_acl_method(self, method_name: str) -> None:
        """Forbid ``method_name``; one that is not there is no error.

        Raises:
            ValueError: Everything is allowed, so that there is no list to delete from.
        """
        if self.allowed_methods is None:
            raise ValueError(
                "Trying to delete an ACL method, but none were defined yet! Or: No ACL "
                "restrictions yet, why would you delete one?"
            )
        self.allowed_methods = {*self.allowed_methods} - {method_name}

    def lift_acl_restrictions(self) -> None:
        """Allow every method."""
        self.allowed_methods = None

    # -- dispatch ------------------------------------------------------------------------------

    def process_packet(self, packet: Packet) -> Any:
        """Handle one packet; returns the answer for a client that asked for one.

        Called in the receiver greenlet. An override that does not call this one gets every packet
        of the endpoint, and nothing else here is called for it.
        """
        kind = packet["type"]
        if kind == "event":
            return self.process_event(packet)
        if kind in ("message", "json"):
            return self.call_method_with_acl(f"recv_{kind}", packet, packet["data"])
        if kind == "ack":
            return self._process_ack(packet)
        if kind == "connect":
            if not isinstance(packet, ImpliedConnect):
                self.socket.send_packet(packet)
            if not self.ns_name:  # 0.9 clients never announce the global namespace
                return None
        if kind in ("connect", "disconnect"):
            return self.call_method_with_acl(f"recv_{kind}", packet)
        if kind == "error":
            return self.call_method_with_acl("recv_error", packet, packet)
        log.debug("a packet of type %.20r is nothing for a namespace", kind)
        return None

    def process_event(self, packet: Packet) -> Any:
        """Call ``on_<name>()`` with the arguments of the event; returns what it returns."""
        name = packet["name"]
        allowed = self.allowed_event_name_regex or allowed_event_name_regex
        method_name = _methods.get(name) if allowed is _USUAL else None
        if method_name is None:
            if not allowed.match(name):
                self.error(
                    "unallowed_event_name", "name must only contains alpha numerical characters"
                )
                return None
            method_name = "on_" + name.replace(" ", "_")
            if allowed is _USUAL and len(name) <= _MOST_LETTERS and len(_methods) < _MOST_METHODS:
                _methods[name] = method_name
        return self.call_method_with_acl(method_name, packet, *packet["args"])

    def _process_ack(self, packet: Packet) -> Any:
        callback = self.socket._pop_ack_callback(packet["ackId"], self.ns_name)
        if callback is None:
            log.debug("ack for an unknown id on %r", self.ns_name)
            return None
        return callback(*packet["args"])

    def call_method_with_acl(self, method_name: str, packet: Packet, *args: Any) -> Any:
        """Call the method if the client may; otherwise report ``method_access_denied``."""
        if not self.is_method_allowed(method_name):
            if isinstance(packet, ImpliedConnect):
                return None  # the client asked for something else, and gets its answer to that
            self.error("method_access_denied", f'You do not have access to method "{method_name}"')
            return None
        return self.call_method(method_name, packet, *args)

    def call_method(self, method_name: str, packet: Packet, *args: Any) -> Any:
        """Call the method with ``args``, or with ``packet`` if that is its one parameter's name.

        A method that is missing, is no method, or does not take that many arguments is reported
        to the client, never raised. What the method itself raises goes to the caller.
        """
        method = find_method(self, method_name)
        if method is None:
            self.error("no_such_method", f'The method "{method_name}" was not found')
            return None
        shape = shape_of(method)
        if shape.most != len(args) and not self._may_be_called(shape, method_name, packet, args):
            return None
        if method_name == "recv_disconnect":
            self._disconnect_told = True
        elif method_name == "recv_connect":
            method = self._noting_decision(method)
        decorator = find_method(self, "exception_handler_decorator")
        if decorator is not None:
            method = decorator(method)
        return method(packet) if shape.wants_packet else method(*args)

    def _may_be_called(
        self, shape: HandlerShape, method_name: str, packet: Packet, args: tuple[Any, ...]
    ) -> bool:
        """Tell whether a handler takes ``args``, or the packet; otherwise report that it cannot."""
        if shape.lacks_self:
            self.error(
                "invalid_method_args",
                "The server-side method is invalid, as it doesn't have 'self' as its first "
                "argument",
            )
            return False
        if not shape.wants_packet and not shape.takes(len(args)):
            self._refuse_args(packet, method_name, len(args))
            return False
        return True

    def _noting_decision(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``method`` so wrapped that no decorator can make its decision unsaid."""

        def recv_connect(*args: Any) -> Any:
            try:
                value = method(*args)
            except UnauthorizedError as exc:
                self._refusal = exc
                raise
            self._entered = True
            return value

        return recv_connect

    def _refuse_args(self, packet: Packet, method_name: str, count: int) -> None:
        self.socket.journal.tell(
            log,
            ("arguments", type(self)),
            "session %s: %s.%s() does not take the %d arguments of the client",
            self.socket.short_id,
            type(self).__name__,
            method_name,
            count,
        )
        name = packet.get("name", packet.get("type", method_name))
        self.error(
            "invalid_args",
            f'"{name:.100}" does not take {count} argument{"" if count == 1 else "s"}',
            msg_id=packet.get("id"),
        )

    def _decorated(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # No default in this class: it would hide that of a mixin behind it in the bases.
        decorator = find_method(self, "exception_handler_decorator")
        return function if decorator is None else decorator(function)

    # -- what a subclass overrides -------------------------------------------------------------

    def recv_message(self, data: str) -> Any:
        """Override to handle a plain message. Returns ``data``."""
        return data

    def recv_json(self, data: Any) -> Any:
        """Override to handle a JSON message. Returns ``data``."""
        return data

    def recv_connect(self) -> Any:
        """Override to learn that a client opened this endpoint; never called for the global one.

        It runs before any other handler of the instance. Raise
        :class:`~socketio.errors.UnauthorizedError` to refuse the client: it gets
        ``connect_failed`` with the reason ``unauthorized``, this instance is forgotten, and its
        ``recv_disconnect()`` is not called. The answer to the client waits until this method
        returns, or sends something to the client.

        .. versionchanged:: 1.0
           It can refuse; in 0.3 the client had its answer before this method ran.
        """

    def recv_disconnect(self) -> Any:
        """Override to learn that the client left or was lost. Called once.

        Sends go nowhere any more, unless the client has left this endpoint only and stays on
        another: ``self.socket.connected`` is true then. Clean-up happens whether or not the
        override calls this one.
        """
        self.disconnect(silent=True)

    def recv_error(self, packet: Packet) -> Any:
        """Override to handle an error packet of the client."""

    def before_event(self, packet: Packet) -> None:
        """Override to do something before each packet is handled: to open what handlers need.

        Called for events, messages, acks, and for the packets behind ``recv_connect()`` and
        ``recv_disconnect()``, the end of the session included; in the greenlet that handles the
        packet, mostly the receiver's; it may block. ``initialize()`` ran before the first of them,
        and a function of :meth:`spawn` is no packet. What it raises counts as the failure of the
        handler, which is not called then; only ``recv_disconnect()`` is.

        Args:
            packet: As :meth:`process_packet` gets it. Not to be changed.

        .. versionadded:: 1.0
        """

    def after_event(self, packet: Packet, error: BaseException | None) -> None:
        """Override to do something after each packet was handled: to give back and to count.

        Called where :meth:`before_event` was, whenever that has returned. It may block; the
        answer of a handler is sent after it. Where another greenlet ends the session, the hooks
        around ``recv_disconnect()`` run in that one, perhaps amid those of a handler at work.

        Args:
            packet: As :meth:`process_packet` got it.
            error: What the handler raised, which goes on when this returns; None if it returned.
                At the end of a session a handler that is still at work gets a ``GreenletExit``.

        .. versionadded:: 1.0
        """

    # -- sending -------------------------------------------------------------------------------

    def error(
        self, error_name: str, error_message: str, msg_id: int | None = None, quiet: bool = False
    ) -> None:
        """Report an error on this endpoint, by default to the log and the client.

        Args:
            error_name: A word for programs.
            error_message: A sentence for people; it goes to the client.
            msg_id: Id of the packet that caused it; None if it had none.
            quiet: True keeps it from the client.
        """
        self.socket.error(
            error_name, error_message, endpoint=self.ns_name, msg_id=msg_id, quiet=quiet
        )

    def emit(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Send an event to this client. Any greenlet; does not block; silent when it has gone.

        Args:
            event: Its name. Names such as ``message`` and ``connect`` mean something to the client.
            *args: Anything JSON can express.
            **kwargs: ``callback`` is called, in the receiver greenlet, with the client's answer.

        Raises:
            ValueError: Another keyword: events have positional arguments only.
            TypeError: An argument has no JSON form.
        """
        callback = kwargs.pop("callback", None)
        if kwargs:
            raise ValueError(
                f"emit() got keyword arguments {sorted(kwargs)}: an event has positional arguments "
                "only; put names and values into a dictionary"
            )
        packet: Packet = {
            "type": "event",
            "name": event,
            "args": list(args),
            "endpoint": self.ns_name,
        }
        if callback is not None:
            packet["ack"] = "data"
            packet["id"] = self._expect_ack(callback)
        self.socket.send_packet(packet)

    def send(
        self, message: Any, json: bool = False, callback: Callable[..., Any] | None = None
    ) -> None:
        """Send a message to this client. Any greenlet; does not block; silent when it has gone.

        Args:
            message: Text; anything JSON can express if ``json``.
            json: Send a JSON message.
            callback: Called, in the receiver greenlet, when the client has it; None: do not ask.
        """
        packet: Packet = {
            "type": "json" if json else "message",
            "data": message,
            "endpoint": self.ns_name,
        }
        if callback is not None:
            packet["ack"] = True
            packet["id"] = self._expect_ack(callback)
        self.socket.send_packet(packet)

    def _expect_ack(self, callback: Callable[..., Any]) -> int:
        msgid = self.socket._get_next_msgid()
        self.socket._save_ack_callback(msgid, callback, self.ns_name)
        return msgid

    def ack(self, packet: Packet | int, *args: Any) -> None:
        """Answer a packet of the client that asked for it, from any greenlet.

        A handler that answers itself gets no automatic answer; one that answers after it has
        returned returns :attr:`ACK_LATER`.

        Args:
            packet: The packet, or its id.
            *args: The arguments of the answer.

        .. versionadded:: 1.0
        """
        msgid = packet if isinstance(packet, int) else packet["id"]
        if self.socket._awaits_ack == (self.ns_name, msgid):
            self.socket._awaits_ack = None
        self.socket.send_packet(
            {"type": "ack", "ackId": msgid, "args": list(args), "endpoint": self.ns_name}
        )

    # -- greenlets and the end -----------------------------------------------------------------

    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Spawn a greenlet that is killed when this namespace is left; returns it."""
        job = gevent.spawn(in_context(self.socket, self._decorated(fn)), *args, **kwargs)
        self.jobs.append(job)
        job.rawlink(self._job_done)
        return job

    def _job_done(self, job: object) -> None:
        if job in self.jobs:
            self.jobs.remove(job)

    def kill_local_jobs(self) -> None:
        """Kill the greenlets of :meth:`spawn`, except a calling one. Does not wait for them."""
        current = gevent.getcurrent()
        for job in list(self.jobs):
            if job is current or job in self.socket._tellers:
                self.socket.adopt(job)  # goes on; the end of the session is its latest
            else:
                job.kill(block=False)
        self.jobs.clear()

    def disconnect(self, silent: bool = False) -> None:
        """Leave this endpoint; with the last one the session ends. The calling greenlet goes on.

        Any greenlet, any number of times, does not block. ``recv_disconnect()`` is not called:
        it reports what the client did.

        Args:
            silent: True does not tell the client.
        """
        replaced = self.socket.active_ns.get(self.ns_name, self) is not self
        if not silent and not self._left and not replaced:
            self.socket.send_packet({"type": "disconnect", "endpoint": self.ns_name})
        self._left = True
        self.kill_local_jobs()
        if self.socket.active_ns.get(self.ns_name) is self:
            self.socket.remove_namespace(self.ns_name)
