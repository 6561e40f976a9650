"""A page from one port, its sockets on another; and a page that the sockets' server refuses.

Three servers in one process. To a browser they are three origins, for an origin is scheme, host and
port: the server of the sockets allows one of the others by its setting ``origins``.

Run it with ``python examples/cross_origin``.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pywsgi import WSGIServer
from whitenoise import WhiteNoise

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Inspector", "LogToPages", "main", "make_page", "make_sockets"]

HERE = Path(__file__).resolve().parent
LOOK = HERE.parent / "look"
CLIENT = HERE.parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"

HOST = os.environ.get("HOST", "127.0.0.1")
ORIGINS = os.environ.get("ORIGINS")  # None: the origin of the page, and no other

COOKIES = [
    ("Set-Cookie", "strict=1; Path=/; HttpOnly; SameSite=Strict"),
    ("Set-Cookie", "lax=1; Path=/; HttpOnly; SameSite=Lax"),
    ("Set-Cookie", "none=1; Path=/; HttpOnly; SameSite=None; Secure"),
]


# -- The server of the sockets ---------------------------------------------------------------


class Inspector(BaseNamespace):
    """Tells a page what its browser sent."""

    def on_inspect(self) -> dict[str, Any]:
        """Answer with the page's origin, and the cookies of the two requests of a session."""
        handshake = self.socket.handshake_environ
        return {
            "origin": handshake.get("HTTP_ORIGIN"),
            "handshake": cookies_of(handshake),
            "transport": cookies_of(self.environ),  # of the first poll, or the WebSocket's request
        }


def cookies_of(environ: Mapping[str, Any]) -> list[str]:
    """Return the names of the cookies in a request."""
    return sorted(SimpleCookie(environ.get("HTTP_COOKIE", "")))


class LogToPages(logging.Handler):
    """Shows the server's log to the pages that are let in: an example has no secrets."""

    def __init__(self, server: SocketIOServer) -> None:
        super().__init__(logging.INFO)
        self.server = server

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line to everyone; from any greenlet, and without blocking."""
        self.server.emit("log", self.format(record))


def make_sockets(page: str) -> WSGIApplication:
    """Return the application behind the sockets; ``page`` is the URL to go back to."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "socketio" in environ:  # the call lasts as long as the client stays
            socketio_manage(environ, {"": Inspector})
            return []
        if environ["PATH_INFO"] == "/cookies":
            back = f"{page}/?{environ.get('QUERY_STRING', '')}"
            start_response("303 See Other", [("Location", back), *COOKIES])
            return []
        return not_found(start_response)

    return application


# -- The servers of the pages ----------------------------------------------------------------


def make_page(name: str, **urls: str) -> WSGIApplication:
    """Return an application that serves a page, and the files that pages need.

    Args:
        name: The file in the folder ``pages``.
        **urls: Fill its ``$`` places: this is how a page knows where its sockets are.
    """
    template = Template((HERE / "pages" / name).read_text(encoding="utf-8"))
    html = template.substitute(urls).encode()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/":
            return not_found(start_response)
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [html]

    files = WhiteNoise(application, root=HERE / "static")
    files.add_files(LOOK)
    page: WSGIApplication = files
    return page


def not_found(start_response: StartResponse) -> list[bytes]:
    """Answer 404."""
    start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"not found\n"]


# -- The program -----------------------------------------------------------------------------


def listen(port: str) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one."""
    listener = socket.create_server((HOST, int(port)))
    listener.setblocking(False)  # as gevent expects it
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL under which a socket that listens is reached, without a slash at its end."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def main() -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM."""
    # All three first: each has to know where the others are.
    page = listen(os.environ.get("PORT", "8080"))
    sockets = listen(os.environ.get("SOCKET_PORT", "8081"))
    stranger = listen(os.environ.get("STRANGER_PORT", "8082"))
    urls = {"page": url_of(page), "sockets": url_of(sockets), "stranger": url_of(stranger)}

    server = SocketIOServer(
        sockets, make_sockets(urls["page"]), origins=ORIGINS or urls["page"], client_js=CLIENT
    )
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    logging.getLogger("socketio").addHandler(LogToPages(server))
    WSGIServer(page, make_page("index.html", **urls)).start()
    WSGIServer(stranger, make_page("stranger.html", **urls)).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, server.close)
    sys.stdout.write("the page is at {page}\nits sockets at {sockets}\n".format(**urls))
    sys.stdout.write("the page that is refused at {stranger}\n".format(**urls))
    sys.stdout.flush()
    server.serve_forever()
    server.stop()


if __name__ == "__main__":
    main()
