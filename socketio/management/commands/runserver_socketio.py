"""``manage.py runserver_socketio``: Django's development server, with Socket.IO sessions.

Importing this module patches the standard library, for which it comes late: Django is set up by
then. Only a ``manage.py`` that begins with ``from gevent import monkey; monkey.patch_all()`` can
do it in time for what the apps import.
"""

from __future__ import annotations

from django.db import connections
from gevent import monkey

if monkey.is_module_patched("threading"):
    monkey.patch_all()
else:
    # Made before the patching, it would give the connections of a thread to all its greenlets.
    connections.close_all()
    monkey.patch_all()
    connections.__init__()

import atexit
import functools
import logging
import signal
import socket
import sys
from argparse import SUPPRESS
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from socketio.errors import ConfigError
from socketio.handler import SocketIOHandler
from socketio.management.watching import ChildServer, is_child
from socketio.options import parse_options
from socketio.sdjango import autodiscover
from socketio.server import SocketIOServer

if apps.is_installed("django.contrib.staticfiles"):
    from django.contrib.staticfiles.management.commands.runserver import Command as RunServer
else:
    from django.core.management.commands.runserver import Command as RunServer

__all__ = ["Command"]

_STOP_TIMEOUT = 1.0
"""Seconds that handlers may take to finish when the server ends or is loaded anew."""

_FLAGS = {
    "resource": "First part of the Socket.IO URLs (default: socket.io).",
    "transports": "Transports to offer, separated by commas (default: all).",
    "origins": "Origins of the pages that may connect, separated by commas; * for any "
    "(default: those of this server).",
    "heartbeat_interval": "Seconds between the heartbeats of a client.",
    "heartbeat_timeout": "Seconds without a sign of life after which a client is gone.",
    "close_timeout": "Seconds that a client has to come back in.",
    "client_js": "The JavaScript client, served as /RESOURCE/socket.io.js.",
}


class _Handler(SocketIOHandler):
    """Leaves out of the access log what Django's formatter puts there."""

    def format_request(self) -> str:
        """Return the line of the access log from the request on."""
        return super().format_request().partition("] ")[2]


class _Server:
    """A SocketIOServer with the interface of Django's ``WSGIServer``, as ``runserver`` uses it."""

    def __init__(
        self, options: dict[str, Any], address: tuple[str, int], _handler: type, *, ipv6: bool
    ) -> None:
        listener = _listen(address, ipv6=ipv6)
        try:
            self._server = SocketIOServer(listener, **options)
        except BaseException:
            listener.close()
            raise
        self.server_port = self._server.server_port
        self._ending = False
        # Before Django prints the URL: who reads that may end us at once.
        for number, ends in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)):
            gevent.signal_handler(number, self._end, ends(0))

    def set_app(self, application: Callable[..., Any]) -> None:
        """Take the application; called once."""
        self._server.application = application

    def serve_forever(self) -> None:
        """Serve until the process ends; the clients are let go so that they come back."""
        # The reloader ends the process from another greenlet, without a word to this one.
        atexit.register(self._server.stop, _STOP_TIMEOUT)
        self._server.serve_forever()

    def _end(self, how: BaseException) -> None:
        """End the process; at a ^C a second signal comes from the process that watches."""
        if not self._ending:
            self._ending = True
            gevent.get_hub().handle_system_error(type(how), how)


def _listen(address: tuple[str, int], *, ipv6: bool) -> Any:
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    return SocketIOServer.get_listener(address, family=family)


class Command(RunServer):
    """Serves a project with Socket.IO sessions, as ``runserver`` serves one without.

    Arguments, reloading, static files, system checks and messages are those of ``runserver``.
    Keywords of :class:`~socketio.server.SocketIOServer` come from the dictionary ``SOCKETIO`` of
    the settings, and from options, which count more.

    .. versionadded:: 1.0
    """

    help = "Starts a development server with Socket.IO sessions; also serves static files."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser; called by Django."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments of ``runserver`` and the options of the server."""
        super().add_arguments(parser)
        parser.add_argument("--nothreading", action="store_true", help=SUPPRESS)  # there are none
        group = parser.add_argument_group(
            "Socket.IO options", "Any other is a key of the dictionary SOCKETIO in the settings."
        )
        for name, text in _FLAGS.items():
            group.add_argument(f"--{name.replace('_', '-')}", help=text, metavar=name.upper())

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the options and run; called by Django."""
        if not is_child():
            self._keywords(options)  # what is wrong from the start is not waited for
        super().handle(*args, **options)

    def run(self, **options: Any) -> None:
        """Run the server, or the process that watches the code; called by Django."""
        if options["use_reloader"] and not is_child():
            sys.exit(ChildServer(self._may_listen, self.stderr.write).run())
        super().run(**options)

    def _may_listen(self) -> bool:
        """Tell whether the address is free: when it is not, no change of the code will help."""
        try:
            _listen((self.addr, int(self.port)), ipv6=self.use_ipv6).close()
        except OSError:
            return False
        return True

    def inner_run(self, *args: Any, **options: Any) -> None:
        """Serve; called by Django, with the reloader once for each version of the code."""
        try:
            keywords = self._keywords(options)
            if "certfile" in keywords:
                self.protocol = "https"
            self.server_cls = functools.partial(_Server, keywords)
            super().inner_run(*args, **{**options, "use_threading": False})
        except (CommandError, ConfigError) as exc:
            # With the reloader this is a thread of its own: nobody would print it but as a crash.
            if options["use_reloader"]:
                self.stderr.write(f"{exc}\nWaiting for a change of a file.")
            elif isinstance(exc, CommandError):
                raise
            else:
                raise CommandError(str(exc)) from None

    def get_handler(self, *args: Any, **options: Any) -> Any:
        """Return the application; what is wrong with a ``sockets.py`` shows here at the latest."""
        autodiscover()
        return super().get_handler(*args, **options)

    def _keywords(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keywords of the server; raises CommandError."""
        configured = getattr(settings, "SOCKETIO", {})
        if not isinstance(configured, Mapping):
            raise CommandError(f"SOCKETIO in the settings is no dictionary: {configured!r:.100}")
        given = {name: options[name] for name in _FLAGS if options.get(name) is not None}
        log = logging.getLogger("django.server")
        keywords: dict[str, Any] = {"log": log, "error_log": log, "handler_class": _Handler}
        for where, values in (("SOCKETIO in the settings: ", configured), ("", given)):
            try:
                keywords.update(parse_options(values))
            except ConfigError as exc:
                raise CommandError(f"{where}{exc}") from None
        return keywords
