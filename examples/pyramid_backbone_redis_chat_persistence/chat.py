"""The chat of ``pyramid_backbone_redis_chat`` with a memory: each message is in the database before
anybody is told of it, and those who come later, or come back, read what they have missed.

Run it with ``python examples/pyramid_backbone_redis_chat_persistence``; a second one with
``PORT=8081`` is the same chat.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import FileResponse, Response
from pyramid.router import Router

from examples.pyramid_backbone_redis_chat_persistence.messages import Messages
from examples.redisroom.ownredis import redis_at_hand
from examples.redisroom.room import Room
from examples.redisroom.rules import (
    RefusedError,
    clean_nickname,
    clean_text,
    refusals_become_answers,
)
from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve

__all__ = ["Chat", "main", "make_application"]

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parent / "node_modules"
CLIENT = PACKAGES / "socket.io-client" / "dist" / "socket.io.js"
STATIC = {
    "static": HERE / "static",
    "room": HERE.parent / "redisroom" / "static",
    "look": HERE.parent / "look",
    "jquery": PACKAGES / "jquery" / "dist",
    "underscore": PACKAGES / "underscore",
    "backbone": PACKAGES / "backbone",
}

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = os.environ.get("PORT", "8080")
ORIGINS = os.environ.get("ORIGINS")  # None: pages of this server alone; else "https://chat.example"
ROOM = os.environ.get("ROOM", "chat_persistence")  # who has the same, in the same Redis, shares it
DATABASE_URL = os.environ.get("DATABASE_URL", f"sqlite:///{HERE / 'chat.sqlite'}")

PAGE = 50
"""How many messages a client gets at a time."""
MOST_ID = 2**53
"""Above it the numbers of JavaScript are not exact."""


class Chat(BaseNamespace, BroadcastMixin):
    """One client. An acknowledgement is ``(true, ...)``, or ``(false, reason)``."""

    request: Request
    nickname = ""
    token = ""

    exception_handler_decorator = staticmethod(refusals_become_answers)

    def initialize(self) -> None:
        self.room: Room = self.request.registry["room"]
        self.messages: Messages = self.request.registry["messages"]

    def recv_connect(self) -> None:
        self.room.add(self)

    def on_join(self, nickname: object, token: object = "") -> tuple[object, ...]:
        """Take a nickname; answer with it and the token that gives it back after a break."""
        if self.nickname:
            raise RefusedError(f"You are {self.nickname} already.")
        self.room.enter(self, clean_nickname(nickname), str(token))
        return True, self.nickname, self.token

    def on_say(self, text: object) -> tuple[object, ...]:
        """Say something to everybody, oneself included."""
        if not self.nickname:
            raise RefusedError("Choose a nickname first.")
        said = clean_text(text)
        self.room.require_redis()
        message = self.messages.add(self.nickname, said)
        # It is kept. Should Redis go away at this very moment, all read it when that is back.
        with contextlib.suppress(RefusedError):
            self.room.publish("said", message)
        return (True,)

    def on_earlier(self, before: object = None) -> tuple[object, ...]:
        """Answer with the messages before the one of that id, or the last ones, and whether there
        are still earlier ones."""
        if before is not None and not (isinstance(before, int) and 0 < before < MOST_ID):
            raise RefusedError("There is no message of that id.")
        found = self.messages.before(before, PAGE + 1)
        return True, found[-PAGE:], len(found) > PAGE

    def recv_disconnect(self) -> None:
        self.room.remove(self)


def page(request: Request) -> Response:
    return FileResponse(HERE / "static" / "index.html", request)


def socketio(request: Request) -> Response:
    """Serve a session; lasts as long as its client stays, so it holds no database connection."""
    socketio_manage(request.environ, {"/chat": Chat}, request)
    return Response()


def make_application(room: Room, messages: Messages) -> Router:
    """Return the WSGI application."""
    with Configurator() as config:
        config.registry["room"] = room
        config.registry["messages"] = messages
        config.add_route("page", "/")
        config.add_view(page, route_name="page", request_method="GET")
        config.add_route("socketio", "/socket.io/*remaining")
        config.add_view(socketio, route_name="socketio")
        for url, directory in STATIC.items():
            config.add_static_view(url, str(directory))
        return config.make_wsgi_app()


def main() -> None:
    """Serve until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    with (
        redis_at_hand() as url,
        Room(url, ROOM) as room,
        contextlib.closing(Messages(DATABASE_URL)) as messages,
    ):
        application = make_application(room, messages)
        serve(application, host=HOST, port=PORT, origins=ORIGINS, client_js=CLIENT)
