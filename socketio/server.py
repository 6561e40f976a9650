"""The server: gevent's WSGIServer with sessions."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

import gevent
from gevent import monkey

from socketio.accesslog import access_logger, open_access_log
from socketio.backplane import Backplane, Broadcast
from socketio.backplane.local import LocalBackplane
from socketio.clientfile import ClientFile
from socketio.clock import Clock, Timekeeper
from socketio.config import Settings
from socketio.connections import ConnectionServer
from socketio.errors import ConfigError
from socketio.handler import SocketIOHandler
from socketio.journal import Journal
from socketio.options import (
    UNPARSED_OPTIONS,
    as_bool,
    choose_transports,
    parse_options,
    parse_port,
    refuse_unknown,
    take_settings,
)
from socketio.packet import Packet
from socketio.session.table import SessionTable
from socketio.stats import ServerStats, collect_stats
from socketio.tls import take_context, wrap_with
from socketio.virtsocket import Socket
from socketio.websocket.handler import WebSocketHandler
from socketio.wire.cors import OriginPolicy
from socketio.wire.forwarded import TrustedProxies
from socketio.wire.v09 import V09
from socketio.writer import Flusher
from socketio.wrongserver import RESOURCE_KEY

__all__ = ["SocketIOServer", "serve", "serve_paste"]

log = logging.getLogger("socketio.server")

_SERVES_OWN = ("host", "port", "policy_listener_host", "policy_listener_port")
# Patched, the standard function tells greenlets apart; what we need to know is the thread.
_get_ident = monkey.get_original("_thread", "get_ident")


class SocketIOServer(ConnectionServer):
    """Serves a WSGI application, and Socket.IO 0.9 below its resource.

    Takes every argument of gevent's ``WSGIServer``, TLS arguments included, every field of
    :class:`~socketio.config.Settings`, and:

    Args:
        listener: ``(host, port)``, ``'host:port'``, a port, or a listening socket.
        application: The WSGI application. It gets the requests that are not ours, and one call per
            session, from which it calls ``socketio_manage()``.
        resource: First part of our URLs; slashes at its ends are ignored.
        namespace: Old name of ``resource``, deprecated.
        transports: Ids of the transports to offer, in the order of preference; None means all.
        policy_server: Whether to answer Flash's policy requests.
        policy_listener: ``(host, port)`` for that.
        origins: Who may connect from a browser, see :class:`~socketio.wire.cors.OriginPolicy`.
        trusted_proxies: Whose word counts about where a request comes from, see
            :class:`~socketio.wire.forwarded.TrustedProxies`; None: nobody's.
        authorize: Called instead of :meth:`authorize`; None means that method.
        client_js: Path of the JavaScript client, served as ``/RESOURCE/socket.io.js``. None answers
            404 there, False leaves that URL to the application.
        log_file: Path of the access log; closed on ``stop()``, and opened anew when something moves
            it away.
        handler_class: A subclass of :class:`~socketio.handler.SocketIOHandler`.
        ws_handler_class: A subclass of gevent-websocket's ``WebSocketHandler``.
        strict_http: Refuse requests that two HTTP parsers could read differently. False leaves
            them to pywsgi, also those of the application.
        clock: Where the time comes from; None means the real one.

    Raises:
        ConfigError: A setting is out of range, or a transport unknown.
        TypeError: An argument is unknown.
    """

    handler_class = SocketIOHandler
    ws_handler_class: Any = WebSocketHandler
    dialects = (V09(),)

    def __init__(
        self,
        listener: Any,
        application: Any = None,
        *args: Any,
        resource: str = "socket.io",
        namespace: str | None = None,
        transports: Iterable[str] | str | None = None,
        policy_server: bool = False,
        policy_listener: tuple[str, int] | None = None,
        origins: str | Iterable[str] | None = None,
        trusted_proxies: str | Iterable[str] | None = None,
        authorize: Callable[[dict[str, Any]], object] | None = None,
        client_js: str | os.PathLike[str] | Literal[False] | None = None,
        log_file: str | None = None,
        ws_handler_class: Any = None,
        strict_http: bool = True,
        clock: Timekeeper | None = None,
        **kwargs: Any,
    ) -> None:
        self.stopping = False
        self.sockets = SessionTable()
        if namespace is not None:
            warnings.warn(
                "namespace= is deprecated and goes in gevent-socketio 2.0: use resource=",
                DeprecationWarning,
                stacklevel=2,
            )
            resource = namespace
        self.resource = resource.strip("/")
        self.config = Settings(**take_settings(kwargs))
        refuse_unknown(kwargs)
        self.origin_policy = OriginPolicy(origins)
        self.trusted_proxies = None if trusted_proxies is None else TrustedProxies(trusted_proxies)
        if authorize is not None:
            if not callable(authorize):
                raise ConfigError(f"authorize: {authorize!r:.100} cannot be called")
            self.authorize = authorize  # type: ignore[method-assign, assignment]  # its own hook
        self.serves_client = client_js is not False
        self.client_file = ClientFile(client_js) if client_js else None
        self.strict_http = strict_http
        self.clock = Clock() if clock is None else clock
        self.journal = Journal(self.clock)
        self.flusher = Flusher()
        """What has the hub write for all connections that stay open."""
        self.backplane: Backplane = LocalBackplane(self.sockets)
        self.policy_server = policy_server
        self.policy_listener = policy_listener
        if ws_handler_class is not None:
            self.ws_handler_class = ws_handler_class
        self._pending: set[str] = set()
        self.pending_size = 0
        """How many characters of their requests those keep that nobody came for yet."""
        self._connections = {}
        self._shaking = set()
        self._thread = _get_ident()
        self._log_file = open_access_log(log_file) if log_file else None
        if self._log_file is not None:
            kwargs["log"] = access_logger(self._log_file)
        context = take_context(kwargs)
        if context is not None:
            kwargs["ssl_context"] = context
        try:
            super().__init__(listener, application, *args, **kwargs)
            self.environ[RESOURCE_KEY] = self.resource
            if context is not None:
                self.wrap_socket = wrap_with(context)
            ids = choose_transports(transports, self.handler_class.handler_types)
        except BaseException:
            if self._log_file is not None:
                self._log_file.close()
            raise
        self.transports = ids

    # -- sessions ------------------------------------------------------------------------------

    @overload
    def get_socket(self, sessid: Literal[""] = "") -> Socket: ...

    @overload
    def get_socket(self, sessid: str) -> Socket | None: ...

    def get_socket(self, sessid: str = "") -> Socket | None:
        """Return a new, registered session for no id, the session of a known one, else None.

        Every look-up of ours goes through it, in the greenlet of the request; applications
        override it to have sockets of their own class.
        """
        if not sessid:
            socket = Socket(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket
        found = self.sockets.get(sessid)
        if found is not None:
            found.incr_hits()
        return found

    def authorize(self, environ: dict[str, Any]) -> object:  # noqa: ARG002 - for overrides
        """Override, or give ``authorize=``, to decide who may have a session.

        Called once for each handshake, in the greenlet of its connection, before the session is
        made; it may block. The request is all there is: cookies, query, headers, address.

        Args:
            environ: The WSGI environment of the handshake.

        Returns:
            None or True lets the client in; a mapping does too and is merged into
            ``socket.session``; False refuses it with 403. Anything else is a mistake and answers
            500, so that a check which returns no verdict opens no door.

        Raises:
            UnauthorizedError: Refuses the client with 403. Any other exception is logged and
                answers 500, upon which a reconnecting client tries again.

        .. versionadded:: 1.0
        """
        return True

    def share_sessions(self, other: SocketIOServer) -> None:
        """Have one table of sessions with ``other``: two doors to the same rooms and clients.

        For a process that listens in several places. Call it before either has a session; a stop of
        one ends all sessions.

        .. versionadded:: 1.0
        """
        self.sockets, self.backplane = other.sockets, other.backplane

    @property
    def pending_handshakes(self) -> int:
        """How many sessions nobody came for yet."""
        return len(self._pending)

    def expect_client(self, socket: Socket) -> None:
        """Count ``socket`` as a handshake nobody came for yet, and forget it if nobody does."""
        size = sum(map(len, socket.handshake_environ.values()))

        def claimed() -> None:
            self._pending.discard(socket.sessid)
            self.pending_size -= size

        self._pending.add(socket.sessid)
        self.pending_size += size
        socket._await_client(claimed)

    def full_limit(self) -> str | None:
        """Return the name of the setting that allows no further session; None if there is room."""
        most = self.config.max_sessions
        if most is not None and len(self.sockets) >= most:
            return "max_sessions"
        return "max_handshakes" if len(self._pending) >= self.config.max_handshakes else None

    def stats(self) -> ServerStats:
        """Return what the server does at this moment and has done since it was made.

        Any greenlet; does not block. Looks at every session once: about a millisecond for each
        thousand of them, so that calling it every second costs nothing that is felt.

        Returns:
            Numbers by name, as JSON can carry them; see :class:`~socketio.stats.ServerStats`.

        .. versionadded:: 1.0
        """
        return collect_stats(self)

    def emit(
        self,
        event: str,
        *args: Any,
        namespace: str = "",
        room: str | None = None,
        skip: Socket | str | None = None,
    ) -> None:
        """Send an event to everyone in a namespace, or in a room of it. Never blocks.

        May be called from any greenlet, and from any thread.

        Args:
            event: Its name.
            *args: Anything JSON can express.
            namespace: The endpoint; '' means all connected clients.
            room: Only those who entered this room of the namespace; None means all.
            skip: A session, or its id, that gets nothing.

        Raises:
            TypeError, ValueError: An argument has no JSON form; from another thread it is logged.

        .. versionadded:: 1.0
        """
        packet: Packet = {"type": "event", "name": event, "args": list(args), "endpoint": namespace}
        broadcast = Broadcast(
            packet,
            namespace,
            room=None if room is None else f"{namespace}_{room}",
            room_key=None if room is None else (namespace, room),
            skip=skip.sessid if isinstance(skip, Socket) else skip,
        )
        if _get_ident() == self._thread:
            self.backplane.publish(broadcast)
        else:
            self.loop.run_callback_threadsafe(gevent.spawn, self.backplane.publish, broadcast)


def serve(app: Any, **kw: Any) -> None:
    """Serve ``app`` until interrupted; every value may be text, as .ini files give it. Blocks.

    SIGINT and SIGTERM stop the server gracefully.

    Args:
        app: The WSGI application.
        **kw: ``host`` ('127.0.0.1'), ``port`` (6543), ``policy_listener_host`` and
            ``policy_listener_port`` (10843), ``_quiet`` (True prints nothing); the rest goes to
            :class:`SocketIOServer`.
    """
    quiet = as_bool(kw.pop("_quiet", False))
    host, port = kw.pop("host", "127.0.0.1"), parse_port("port", kw.pop("port", 6543))
    policy_host = kw.pop("policy_listener_host", host)
    policy_port = parse_port("policy_listener_port", kw.pop("policy_listener_port", 10843))
    unparsed = {name: kw.pop(name) for name in UNPARSED_OPTIONS if name in kw}
    kw["policy_server"] = kw.get("policy_server") or False  # an empty text is none
    kw = {**unparsed, **parse_options(kw, also=_SERVES_OWN)}
    if kw["policy_server"]:
        kw.setdefault("policy_listener", (policy_host, policy_port))
    server = SocketIOServer((host, port), app, **kw)
    # In place before anybody can know that we serve: a supervisor may end us at once.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    watchers = [gevent.signal_handler(number, server.close) for number in handlers]
    try:
        server.start()
        if not quiet:
            scheme = "https" if server.ssl_enabled else "http"
            name = f"[{host}]" if ":" in host else host
            with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody reads it
                sys.stdout.write(f"serving on {scheme}://{name}:{server.server_port}\n")
                sys.stdout.flush()
        server.serve_forever()
    except KeyboardInterrupt:
        log.debug("interrupted before the signal handlers were in place")
    finally:
        if not server.stopped:
            server.stop()
        for watcher in watchers:
            watcher.cancel()
        for number, handler in handlers.items():  # the hub leaves none, not even Python's own
            if handler is not None:
                signal.signal(number, handler)


def serve_paste(app: Any, _global_conf: Any, **kw: Any) -> int:
    """Serve ``app`` as paste and pserve ask for it: ``use = egg:gevent-socketio#paster``."""
    serve(app, **kw)
    return 0
