"""The life of a server and of its connections: from the accept to the last word."""

from __future__ import annotations

import errno
import logging
from contextlib import closing
from logging.handlers import WatchedFileHandler
from typing import Any

import gevent
from gevent.pywsgi import WSGIServer

from socketio.clock import Clock, Timekeeper
from socketio.config import Settings
from socketio.journal import Journal
from socketio.policyserver import FlashPolicyServer
from socketio.session.lifecycle import DisconnectReason, Event
from socketio.session.table import SessionTable
from socketio.tcp import send_at_once
from socketio.tls import HandshakeTimeout, shake_hands
from socketio.watchdog import Watchdog

__all__ = ["ConnectionServer"]

log = logging.getLogger("socketio.server")

# What accept() says when the process or the machine has no room for another connection, and how
# many seconds we wait then: it would be asked again at once otherwise, for ever.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE = 0.5
# How long a greenlet that was killed is waited for.
_STUBBORN_SECONDS = 0.4


class ConnectionGreenlet(gevent.Greenlet):  # type: ignore[type-arg]  # not generic at run time
    """Serves one connection."""

    # All are spawned in one place: gevent would keep a kilobyte of frames to tell.
    spawning_stack_limit = 0


class ConnectionServer(WSGIServer):
    """The half of :class:`~socketio.server.SocketIOServer` that accepts, serves and ends."""

    stop_timeout: float = 5

    # Set by SocketIOServer.__init__.
    stopping: bool
    sockets: SessionTable
    config: Settings
    clock: Timekeeper
    journal: Journal
    policy_server: bool
    policy_listener: tuple[str, int] | None
    handler_class: Any
    ssl_args: Any
    wrap_socket: Any
    _policy: FlashPolicyServer | None = None
    _watchdog: Watchdog | None = None
    stopped = False
    """Whether :meth:`stop` has gone through since the last start."""
    _spawn: Any
    _handle: Any
    _log_file: WatchedFileHandler | None
    _connections: dict[Any, Any]
    _shaking: set[Any]

    def set_spawn(self, spawn: Any) -> None:
        """Choose what runs connections; called by gevent."""
        super().set_spawn(spawn)
        if getattr(self._spawn, "__self__", None) is gevent.Greenlet:
            self._spawn = ConnectionGreenlet.spawn
        elif isinstance(spawn, int) and self.pool is not None:
            self.pool.greenlet_class = ConnectionGreenlet
        self._chosen_spawn = spawn if self.pool is None else self.pool

    def start(self) -> None:
        """Listen and accept connections, also after :meth:`stop`."""
        if "_spawn" not in self.__dict__:  # gevent's close() forgets it, limit included
            self.set_spawn(self._chosen_spawn)
        super().start()

    # -- connections ---------------------------------------------------------------------------

    def do_handle(self, sock: Any, address: Any) -> None:
        """Have a greenlet serve the connection; called by the hub, with what it has accepted."""
        try:
            # Looked up now: a stop before the greenlet begins takes it away.
            if self._spawn is None:
                self._serve(self._handle, sock, address)
            else:
                self._spawn(self._serve, self._handle, sock, address)
        except BaseException:
            self.do_close(sock, address)
            raise

    def _serve(self, handle: Any, sock: Any, address: Any) -> None:
        # Not the function of gevent's: the deeper stack is half a kilobyte of each connection.
        try:
            handle(sock, address)
        finally:
            self.do_close(sock, address)

    def handle(self, sock: Any, address: Any) -> None:
        """Serve one connection; called by gevent in a greenlet of its own."""
        send_at_once(sock)
        handler = self.handler_class(self.config, sock, address, self)
        greenlet = gevent.getcurrent()
        self._connections[greenlet] = handler
        try:
            handler.handle()
        finally:
            del self._connections[greenlet]

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """Serve one TLS connection; called by gevent in a greenlet of its own."""
        if self.stopping:  # accepted in the moment of the stop
            client_socket.close()
            return
        greenlet = gevent.getcurrent()
        self._shaking.add(greenlet)
        try:
            seconds = self.config.tls_handshake_timeout
            sock = shake_hands(client_socket, self.wrap_socket, self.ssl_args, seconds)
        except HandshakeTimeout:
            self.journal.limited(
                "tls_handshake_timeout", log, "a TLS handshake of %s took too long", address
            )
            return
        except (OSError, ValueError) as exc:
            self.journal.failed(
                "tls_handshake", log, "a TLS handshake of %s failed: %.200s", address, exc
            )
            return
        finally:
            self._shaking.discard(greenlet)
        with closing(sock):
            self.handle(sock, address)

    def do_read(self) -> Any:
        """Accept a connection; called by the hub. Without a free descriptor we pause."""
        try:
            return super().do_read()
        except OSError as exc:
            if exc.errno not in _EXHAUSTED:
                raise
            self.journal.failed(
                "accept_failed", log, "no connection can be accepted for %g s: %s", _PAUSE, exc
            )
        self.stop_accepting()
        self._timer = self.loop.timer(_PAUSE)
        self._timer.start(self._start_accepting_if_started)  # type: ignore[attr-defined, call-arg]  # as gevent does
        return None

    def start_accepting(self) -> None:
        """Begin to accept connections, and start the policy server if it is wanted."""
        self.stopping = self.stopped = False
        if self.config.block_warning is not None and self._watchdog is None:
            self._watchdog = Watchdog(self.config.block_warning, self.journal)
            self._watchdog.start()
        if self.policy_server and self._policy is None:
            listener = self.policy_listener or (self.server_host or "0.0.0.0", 10843)  # noqa: S104 - as the server itself
            policy = FlashPolicyServer(listener)
            policy.start()
            self._policy = policy
        super().start_accepting()

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop accepting and end every session so that its client comes back. Does not block."""
        self._begin_stopping(goodbye=False)
        super().close()

    def stop(self, timeout: float | None = None, *, goodbye: bool = False) -> None:
        """Stop accepting, end every session, and wait until everything is given back.

        WebSockets are closed with code 1001 and polls end, so that the clients reconnect to
        whoever serves next; every namespace gets ``recv_disconnect()``.

        Args:
            timeout: Seconds that requests and handlers may take to finish before they are killed;
                None means ``stop_timeout``.
            goodbye: True tells the clients not to come back.
        """
        self._begin_stopping(goodbye=goodbye)
        super().close()
        if self.pool is not None:  # what was accepted just now begins, and closes its connection
            gevent.sleep(0)
        self._wait_for_the_end(self.stop_timeout if timeout is None else timeout)
        if self.pool is not None:  # it was waited for already, and would wait as long again
            self.pool.kill(block=False)
        if isinstance(self.clock, Clock):
            self.clock.stop()
        if self._log_file is not None:
            self._log_file.close()
        self.stopped = True

    def _begin_stopping(self, *, goodbye: bool) -> None:
        if self.stopping:
            return
        self.stopping = True
        if self._watchdog is not None:
            self._watchdog.stop()
            self._watchdog = None
        if self._policy is not None:
            self._policy.stop()
            self._policy = None
        for socket in self.sockets.values():
            socket._signal(
                Event.SERVER_STOPPING, DisconnectReason.SERVER_STOPPING, farewell=goodbye
            )

    def _wait_for_the_end(self, timeout: float) -> None:
        current = gevent.getcurrent()
        own = {current}
        busy = list(self._shaking)
        gevent.killall(busy, block=False)
        for greenlet, handler in list(self._connections.items()):
            if handler.idle:
                gevent.kill(greenlet)
            busy.append(greenlet)
        for socket in self.sockets.values():
            session = [socket._receiver, socket.wsgi_app_greenlet]
            busy += session
            if current in session:  # a handler stops the server: its session waits for it, not it
                own.update(session)
        # Of a spawn= of the application's, greenlets need not be gevent's.
        left = [
            greenlet
            for greenlet in busy
            if isinstance(greenlet, gevent.Greenlet) and greenlet not in own
        ]
        gevent.joinall(left, timeout=timeout)
        stubborn = [greenlet for greenlet in left if not greenlet.dead]
        # Not killall(timeout=): it raises when one of them will not die.
        gevent.killall(stubborn, block=False)
        gevent.joinall(stubborn, timeout=_STUBBORN_SECONDS)
        for socket in self.sockets.values():
            socket._stop_lingering()
