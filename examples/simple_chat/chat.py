"""A chat with rooms: the smallest complete application on gevent-socketio.

Three parts, in the order of this file: the rules for what a client may send, the namespace that
answers the clients, and the WSGI application with the server around it. No web framework: the
application is a function, so that nothing hides what the library needs from it.

Run it from the top of the repository with ``make demo``, or ``python examples/simple_chat``.
"""

from __future__ import annotations

import argparse
import errno
import functools
import logging
import os
import secrets
import signal
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import gevent

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ChatNamespace", "ClientMissingError", "People", "main", "make_application"]

ORIGINS = os.environ.get("ORIGINS")  # None: only pages of this server; "https://chat.example, ..."

MAX_NICKNAME = 24
MAX_ROOM_NAME = 32
MAX_MESSAGE = 2000
MAX_PEOPLE = 1000
"""Everybody is in one room at most, so this bounds the rooms too."""

Answer: TypeAlias = tuple[object, ...]
"""What a handler returns goes back as the acknowledgement, a tuple as its list of arguments:
``(True, ...)``, or ``(False, reason)`` when the request was refused."""


# -- What a client may send ------------------------------------------------------------------


class RefusedError(Exception):
    """The request cannot be met; the text says why, to the person who asked."""


def clean_name(value: object, what: str, limit: int) -> str:
    """Return a nickname or a room name as it will be shown, or refuse it."""
    if not isinstance(value, str):
        raise RefusedError(f"A {what} is text.")
    # Bounded before it is normalized: the work must not grow with what a client sends.
    if len(value) > MAX_MESSAGE:
        raise RefusedError(f"A {what} has at most {limit} characters.")
    name = " ".join(unicodedata.normalize("NFC", value).split())
    if not name:
        raise RefusedError(f"A {what} has at least one character.")
    if len(name) > limit:
        raise RefusedError(f"A {what} has at most {limit} characters.")
    # Control characters, zero-width joiners and direction marks would let two names look alike.
    if not name.isprintable():
        raise RefusedError(f"A {what} has no invisible characters.")
    return name


def clean_message(value: object) -> str:
    """Return the text of a message, or refuse it."""
    if not isinstance(value, str):
        raise RefusedError("A message is text.")
    if len(value) > MAX_MESSAGE:
        raise RefusedError(f"A message has at most {MAX_MESSAGE} characters.")
    text = value.strip()
    if not text:
        raise RefusedError("The message is empty.")
    return text


def name_key(nickname: str) -> str:
    """Return the form in which nicknames are compared: ``Ada`` and ``ADA`` are one person."""
    return unicodedata.normalize("NFKC", nickname).casefold()


# -- Who is here -----------------------------------------------------------------------------


class People:
    """Who is here, under which nickname: the state of one application.

    Each application makes its own and hands it to its namespaces as their ``request``.
    """

    def __init__(self) -> None:
        self._holders: dict[str, ChatNamespace] = {}

    def claim(self, nickname: str, person: ChatNamespace, token: str) -> ChatNamespace | None:
        """Give ``nickname`` to ``person``; return who held it before, when ``token`` proves
        that it is the same person.

        Somebody whose connection broke is back before the server notices that the old one is
        dead (up to a heartbeat timeout). The token lets them have their own name again.
        """
        key = name_key(nickname)
        holder = self._holders.get(key)
        if holder is not None and not secrets.compare_digest(
            holder.token.encode(), token.encode(errors="replace")
        ):
            raise RefusedError(f"The nickname {nickname} is taken.")
        if holder is None and len(self._holders) >= MAX_PEOPLE:
            raise RefusedError("The chat is full, try again later.")
        self._holders[key] = person
        return holder

    def release(self, person: ChatNamespace) -> None:
        """Free the nickname of ``person``, unless somebody took it over meanwhile."""
        key = name_key(person.nickname)
        if self._holders.get(key) is person:
            del self._holders[key]

    def find(self, nickname: str) -> ChatNamespace | None:
        """Return who has this nickname."""
        return self._holders.get(name_key(nickname))

    def in_room(self, room: str) -> list[str]:
        """Return the nicknames of the people in a room."""
        return [person.nickname for person in self._holders.values() if person.room == room]

    def rooms(self) -> dict[str, int]:
        """Return the rooms that have people in them, and how many."""
        return Counter(person.room for person in self._holders.values() if person.room)


# -- What the clients can do -----------------------------------------------------------------


class ChatNamespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    """One client's side of the chat; each ``on_*`` method answers the event of that name."""

    nickname = ""
    room = ""
    token = ""

    def initialize(self) -> None:
        """Called by the library once the namespace is there."""
        self.people: People = self.request

    def exception_handler_decorator(self, handler: Callable[..., object]) -> Callable[..., object]:
        """Called by the library around each handler: a refusal becomes the acknowledgement."""

        @functools.wraps(handler)
        def answer(*args: object) -> object:
            try:
                return handler(*args)
            except RefusedError as refusal:
                return False, str(refusal)

        return answer

    def on_nickname(self, nickname: object, token: object = "") -> Answer:
        """Take a nickname; answer with it and the token that gets it back after a break."""
        if self.nickname:
            raise RefusedError(f"You are {self.nickname} already.")
        name = clean_name(nickname, "nickname", MAX_NICKNAME)
        if not isinstance(token, str):
            raise RefusedError("A token is text.")
        previous = self.people.claim(name, self, token)
        self.nickname = name
        self.token = secrets.token_urlsafe(16)
        if previous is not None:
            previous.leave_room()
            previous.disconnect()
        return True, name, self.token

    def on_rooms(self) -> Answer:
        """Answer with the rooms; each later change is broadcast as the event ``room``."""
        return True, self.people.rooms()

    def on_join(self, room: object) -> Answer:
        """Go to a room, out of the present one; answer with its name and who is in it."""
        self.require_nickname()
        name = clean_name(room, "room name", MAX_ROOM_NAME).casefold()
        if name != self.room:
            self.leave_room()
            self.join(name)
            self.room = name
            self.emit_to_room(name, "joined", name, self.nickname)
            self.broadcast_room_size(name)
        return True, name, self.people.in_room(name)

    def on_say(self, message: object) -> Answer:
        """Say something to the others in the room."""
        self.require_room()
        self.emit_to_room(self.room, "said", self.room, self.nickname, clean_message(message))
        return (True,)

    def on_private(self, nickname: object, message: object) -> Answer:
        """Say something to one person, in whatever room; answer whether it reached them."""
        self.require_nickname()
        name = clean_name(nickname, "nickname", MAX_NICKNAME)
        text = clean_message(message)
        person = self.people.find(name)
        if person is None:
            raise RefusedError(f"Nobody here is called {name}.")
        if person is self:
            raise RefusedError("That is you.")
        person.emit("private", self.nickname, text)
        return True, person.nickname

    def on_typing(self, active: object) -> None:
        """Tell the room that this person writes, or does so no more."""
        self.require_room()
        self.emit_to_room(self.room, "typing", self.room, self.nickname, active is True)

    def recv_disconnect(self) -> None:
        """Called by the library when the client is gone, whatever the way it went."""
        self.leave_room()
        self.people.release(self)
        super().recv_disconnect()

    def leave_room(self) -> None:
        """Leave the present room, if any, and tell those who stay."""
        if not self.room:
            return
        left, self.room = self.room, ""
        self.emit_to_room(left, "left", left, self.nickname)
        self.leave(left)
        self.broadcast_room_size(left)

    def broadcast_room_size(self, room: str) -> None:
        """Tell everybody how many people are in a room, 0 when it is gone."""
        self.broadcast_event("room", room, len(self.people.in_room(room)))

    def require_nickname(self) -> None:
        """Refuse what only people with a nickname may do."""
        if not self.nickname:
            raise RefusedError("Choose a nickname first.")

    def require_room(self) -> None:
        """Refuse what only people in a room may do."""
        if not self.room:
            raise RefusedError("Join a room first.")


# -- The WSGI application --------------------------------------------------------------------

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"

FILES = {
    "/": (HERE / "static" / "index.html", "text/html; charset=utf-8"),
    "/static/chat.css": (HERE / "static" / "chat.css", "text/css; charset=utf-8"),
    "/static/chat.js": (HERE / "static" / "chat.js", "text/javascript; charset=utf-8"),
    "/static/icon.svg": (HERE / "static" / "icon.svg", "image/svg+xml; charset=utf-8"),
    "/static/socket.io.js": (CLIENT, "text/javascript; charset=utf-8"),
}
"""Every file that is served. A request is looked up here and nowhere else: no path is ever built
from what a client sent, so there is no way out of the directory."""

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        # 'self' covers ws:// to the same host and port too (CSP level 3).
        "connect-src 'self'",
        # The 0.9 client posts a form into an iframe when it falls back to jsonp-polling.
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

SECURITY_HEADERS = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # Same-origin, not none: JSONP polls carry no Origin, their Referer shows where they are from.
    ("Referrer-Policy", "same-origin"),
]


class Page(NamedTuple):
    """A file in memory, as it is served."""

    body: bytes
    content_type: str


class ClientMissingError(Exception):
    """The Socket.IO client is not installed: it comes from npm, it is not in the repository."""


def read_pages() -> dict[str, Page]:
    """Read the files of the page; raise `ClientMissingError` without the client."""
    if not CLIENT.is_file():
        raise ClientMissingError("the Socket.IO client is not installed, run: make demo")
    return {url: Page(path.read_bytes(), kind) for url, (path, kind) in FILES.items()}


def make_application() -> WSGIApplication:
    """Return a chat of its own, as a WSGI application: nothing is shared between two of them."""
    pages = read_pages()
    people = People()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The server puts the session into the environ of its own requests. This call lasts until
        # the session ends; the server answers the client, the application returns no response.
        if "socketio" in environ:
            socketio_manage(environ, {"/chat": ChatNamespace}, request=people)
            return []
        return answer_page(environ, start_response, pages)

    return application


def answer_page(
    environ: WSGIEnvironment, start_response: StartResponse, pages: dict[str, Page]
) -> Iterable[bytes]:
    """Answer a request for one of the files."""
    page = pages.get(environ.get("PATH_INFO", ""))
    status, extra = "200 OK", [("Cache-Control", "no-cache")]
    if page is None:
        status, page = "404 Not Found", Page(b"not found\n", "text/plain; charset=utf-8")
    elif environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        status, extra = "405 Method Not Allowed", [("Allow", "GET, HEAD")]
        page = Page(b"method not allowed\n", "text/plain; charset=utf-8")
    start_response(
        status,
        [
            ("Content-Type", page.content_type),
            ("Content-Length", str(len(page.body))),
            *extra,
            *SECURITY_HEADERS,
        ],
    )
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.body]


# -- The program -----------------------------------------------------------------------------


def port(text: str) -> int:
    """Parse ``--port``; 0 takes any free one. Its name stands in argparse's error message."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A chat with rooms on gevent-socketio.")
    host, number = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8080")
    parser.add_argument("--host", default=host, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=number, help="port to listen on (%(default)s)")
    return parser.parse_args(argv)


def why_not_listening(error: OSError, taken: int) -> str:
    """Say in one line what is wrong with the address and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {taken} is taken: choose another with --port, or make demo PORT={taken + 1}"
    return f"cannot listen: {error.strerror or error}; choose another with --host and --port"


def page_url(host: str, server: SocketIOServer) -> str:
    """Return what to open in the browser: not the address that means all of them, 0.0.0.0 or ::."""
    name = host if host.strip("0.:") else "localhost"
    return f"http://{f'[{name}]' if ':' in name else name}:{server.server_port}/"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the chat until SIGINT (Ctrl-C) or SIGTERM; return the exit status."""
    options = parse_arguments(argv)
    # The library tells who connects and why they leave; the requests in between are noise here.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        application = make_application()
        address = (options.host, options.port)
        server = SocketIOServer(address, application, origins=ORIGINS, log=None)
        server.start()
    except ClientMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{why_not_listening(error, options.port)}\n")
        return 1
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(signal_number, server.stop)
    sys.stdout.write(f"The chat is at {page_url(options.host, server)}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0
