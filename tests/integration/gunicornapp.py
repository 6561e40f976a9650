"""The application that gunicorn serves in tests, and workers of the kind applications have."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import Any

import gevent

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.sgunicorn import (
    GeventSocketIOBaseWorker,
    GeventSocketIOWorker,
    GunicornWebSocketWSGIHandler,
    GunicornWSGIHandler,
)

# How the module was imported: with or without gevent in the place of the standard library.
PATCHED = time.sleep is gevent.sleep


def say(line: str) -> None:
    """Print a line for the test that waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


say("imported the application")


class Room(BaseNamespace, BroadcastMixin):
    """What the clients talk to."""

    def on_where(self) -> dict[str, Any]:
        """Tell where the client has ended up."""
        return {
            "pid": os.getpid(),
            "sessid": self.socket.sessid,
            "patched": PATCHED,
            "scheme": self.environ["wsgi.url_scheme"],
            "client": self.environ.get("REMOTE_ADDR", ""),
            "software": self.environ["SERVER_SOFTWARE"],
        }

    def on_settings(self, *names: str) -> list[Any]:
        """Tell what the server was told."""
        server = self.socket.server
        return [
            getattr(server, name) if hasattr(server, name) else self.socket.config[name]
            for name in names
        ]

    def on_say(self, text: str) -> None:
        """Tell everybody."""
        self.broadcast_event("said", text)

    def on_last_words(self, seconds: float) -> None:
        """Make the end of this session take a while."""
        self.session["last words"] = seconds

    def on_work(self, seconds: float) -> str:
        """Take a while, without blocking others."""
        say("working")
        gevent.sleep(seconds)
        say("worked")
        return "done"

    def on_block(self) -> None:
        """Never return, and let nobody else run."""
        say("blocking")
        while True:
            pass

    def recv_disconnect(self) -> None:
        """Say that the session is over, after a while if the client wished so."""
        gevent.sleep(self.session.get("last words", 0))
        say(f"over: {self.socket.disconnect_reason}")
        self.disconnect(silent=True)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve sessions, and a page that says who serves it."""
    if environ["PATH_INFO"].startswith(("/socket.io", "/chat", "/v1")):
        socketio_manage(environ, {"": Room, "/chat": Room})
        return []
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def nobody(_environ: dict[str, Any]) -> bool:
    """Let nobody in; for ``SOCKETIO_AUTHORIZE``."""
    say(f"asked, {'patched' if PATCHED else 'unpatched'}")
    return False


class NotedServer(SocketIOServer):
    """A server class of an application's own."""

    def get_socket(self, sessid: str = "") -> Any:
        """Note new sessions, as applications do."""
        if not sessid:
            say("a new session")
        return super().get_socket(sessid)


class NotedHandler(GunicornWSGIHandler):
    """A handler class of an application's own."""

    def log_request(self) -> None:
        """Note requests."""
        say(f"request: {self.requestline.split(' ')[0]}")
        super().log_request()


class NotedWebSocketHandler(GunicornWebSocketWSGIHandler):
    """A WebSocket handler class of an application's own."""

    def upgrade_websocket(self) -> Any:
        """Note upgrades."""
        say("an upgrade")
        return super().upgrade_websocket()


class OldWorker(GeventSocketIOBaseWorker):
    """A worker as old applications write them."""

    server_class = NotedServer
    wsgi_handler = NotedHandler
    ws_wsgi_handler = NotedWebSocketHandler
    resource = "chat/io"
    transports = ["websocket", "xhr-polling"]
    policy_server = False
    heartbeat_interval = 7


class MistakenWorker(GeventSocketIOWorker):
    """A worker with a mistake in it."""

    heartbeat_timeout = -1


class BrokenServer(SocketIOServer):
    """A server class that cannot be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("of the application's own making")


class BrokenWorker(GeventSocketIOWorker):
    """A worker that cannot serve."""

    server_class = BrokenServer
