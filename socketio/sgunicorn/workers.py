"""The workers: gunicorn's own one, with our server in it and an end that lets clients come back."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from typing import Any

import gevent
import geventwebsocket.handler
from gevent import monkey

from socketio.errors import ConfigError
from socketio.handler import SocketIOHandler
from socketio.server import SocketIOServer
from socketio.sgunicorn.ggevent import WORKER_BOOT_ERROR, GeventPyWSGIWorker
from socketio.sgunicorn.handlers import GunicornWebSocketWSGIHandler, GunicornWSGIHandler
from socketio.sgunicorn.settings import is_sticky, read_options

__all__ = ["GeventSocketIOBaseWorker", "GeventSocketIOWorker", "NginxGeventSocketIOWorker"]

_SEVERAL_WORKERS = (
    "%d workers, but a session lives in the worker that began it, and the client's next request "
    "may come to another one: run one worker for each port (-w 1), several ports behind a proxy "
    "with sticky routing; SOCKETIO_STICKY=1 says that something routes already"
)
_UNPATCHED = (
    "--preload imports the application before gevent patches the standard library, so that what it "
    "has imported may block the worker: put 'from gevent import monkey; monkey.patch_all()' at the "
    "top of gunicorn's configuration file"
)
_POLICY_PORT = 10843


class GeventSocketIOBaseWorker(GeventPyWSGIWorker):  # type: ignore[misc]  # no annotations
    """The base of workers, also of those that applications write.

    Every option of :class:`~socketio.server.SocketIOServer` can be a class attribute. The
    environment variable ``SOCKETIO_`` and its name in capitals goes before it; ``POLICY_SERVER``,
    as in the original, is another one for ``policy_server``.

    .. versionchanged:: 1.0
       The original had ``resource``, ``transports`` and ``policy_server`` only, and its policy
       server was on by default.
    """

    server_class: Any = SocketIOServer
    """A subclass of :class:`~socketio.server.SocketIOServer`."""
    wsgi_handler: Any = GunicornWSGIHandler
    """A subclass of :class:`GunicornWSGIHandler`."""
    ws_wsgi_handler: Any = GunicornWebSocketWSGIHandler
    """A subclass of :class:`GunicornWebSocketWSGIHandler`."""
    resource: str = "socket.io"
    """First part of the Socket.IO URLs."""
    transports: Iterable[str] | str | None = None
    """Ids of the transports to offer; None means all."""
    policy_server: bool | str = False
    """Whether to answer Flash's policy requests."""
    sticky: bool = False
    """Whether something sees to it that a client always comes to the same one of several workers:
    True silences the warning about them."""
    alive: bool

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Look at the settings; called by gunicorn once, in the master, before there is a worker.

        Raises:
            SystemExit: Something is wrong; the log says what.
        """
        try:
            read_options(cls, os.environ, importing=False)
            sticky = is_sticky(cls, os.environ)
            _check_classes(cls)
            _refuse_unsupported(cfg)
        except ConfigError as exc:
            log.critical("%s", exc)
            sys.exit(1)
        if cfg.workers > 1 and not sticky:
            log.warning(_SEVERAL_WORKERS, cfg.workers)
        if cfg.preload_app and not monkey.is_module_patched("socket"):
            log.warning(_UNPATCHED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._options: dict[str, Any] = {}
        self._servers: list[SocketIOServer] = []
        self._stops: list[gevent.Greenlet[..., None]] = []

    # -- the life of the process ---------------------------------------------------------------

    def run(self) -> None:
        """Serve until gunicorn wants the worker to end; called by it in the main greenlet.

        Returns when every session is over and every handler is done, or killed after
        ``graceful_timeout``.
        """
        # Not before it serves: what fails now would fail in the next worker too, and for ever.
        self.booted = False
        try:
            self._options = read_options(self, os.environ)
            self.server_class = self._make_server
            super().run()
        except ConfigError as exc:
            self.log.critical("%s", exc)
            sys.exit(WORKER_BOOT_ERROR)
        self.booted = True  # also when it was told to end before it served
        self._begin_end()
        while not all(stop.dead for stop in self._stops):
            self.notify()
            gevent.joinall(self._stops, timeout=1)

    def _make_server(self, listener: Any, **kwargs: Any) -> Any:
        options = {"ws_handler_class": self.ws_wsgi_handler, **kwargs, **self._options}
        if options.get("policy_server"):
            options["policy_listener"] = _bind_policy(listener, options)
        server = type(self).server_class(listener, **options)
        server.worker = self  # for the handlers
        if self._servers:  # one for each --bind: a client may come by any of them
            server.share_sessions(self._servers[0])
        self._servers.append(server)
        return server

    def notify(self) -> None:
        """Tell gunicorn that the worker lives; called each second as long as it serves."""
        self.booted = True
        if not self.alive:  # also when a file has changed, which calls nothing else of ours
            self._begin_end()
        super().notify()

    def count_request(self) -> None:
        """Count a request, and end the worker gracefully after ``--max-requests`` of them.

        Called by the handler for each request, a poll for one, and once for a WebSocket.
        """
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
            gevent.spawn(self._begin_end)

    # -- the end -------------------------------------------------------------------------------

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to end gracefully; the handler of SIGTERM."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._begin_end)  # a signal handler may not block

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once; the handler of SIGINT and SIGQUIT. The clients are told all the same."""
        gevent.spawn(self._begin_end)
        super().handle_quit(sig, frame)

    def _begin_end(self) -> None:
        """Have every session end now, so that its client comes back to whoever serves next."""
        # While it is not serving yet, run() sees to it: a server that stops cannot be started.
        if self._stops or not self.booted:
            return
        # gunicorn kills after graceful_timeout what is still there: before that the handlers we
        # have to kill may clean up.
        patience = self.cfg.graceful_timeout
        seconds = max(patience - 1, patience / 2)
        self._stops = [gevent.spawn(server.stop, seconds) for server in self._servers]


class GeventSocketIOWorker(GeventSocketIOBaseWorker):
    """The worker with all transports."""


class NginxGeventSocketIOWorker(GeventSocketIOWorker):
    """The worker for a proxy that passes no WebSockets: polling only."""

    transports = ("xhr-polling",)


def _check_classes(worker: Any) -> None:
    """Raise ConfigError for a class that would fail with every connection."""
    for name, base in (
        ("server_class", SocketIOServer),
        ("wsgi_handler", SocketIOHandler),
        ("ws_wsgi_handler", geventwebsocket.handler.WebSocketHandler),
    ):
        chosen = getattr(worker, name)
        if isinstance(chosen, type) and not issubclass(chosen, base):
            raise ConfigError(
                f"{worker.__name__}.{name}: {chosen.__name__} is no subclass of {base.__name__}"
            )


def _refuse_unsupported(cfg: Any) -> None:
    """Raise ConfigError for what gevent's server does not do, and clients would suffer from."""
    if "h2" in getattr(cfg, "http_protocols", ()):
        raise ConfigError("http_protocols: this worker speaks HTTP/1.1; leave out h2")
    if getattr(cfg, "proxy_protocol", False) not in (False, "off"):
        raise ConfigError(
            "proxy_protocol: this worker does not speak it; have the proxy send X-Forwarded-For "
            "and name it in SOCKETIO_TRUSTED_PROXIES"
        )


def _bind_policy(listener: Any, options: dict[str, Any]) -> socket.socket:
    """Return the socket of a policy server; workers, old ones too, have one each on one port."""
    address = listener.getsockname()
    host = address[0] if isinstance(address, tuple) else ""
    wanted = options.get("policy_listener") or (host, _POLICY_PORT)
    try:
        family = socket.AF_INET6 if ":" in wanted[0] else socket.AF_INET
        return socket.create_server(wanted, family=family, reuse_port=True)
    except OSError as exc:
        raise ConfigError(f"policy_listener: {exc}") from exc
