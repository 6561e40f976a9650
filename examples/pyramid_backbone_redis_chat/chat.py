"""A chat that any number of server processes share: a message goes to Redis, and from there to the
clients of every process. Pyramid serves the page, its files and the sockets.

Run it with ``python examples/pyramid_backbone_redis_chat``; a second one with ``PORT=8081`` is the
same chat.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import FileResponse, Response
from pyramid.router import Router

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
ROOM = os.environ.get("ROOM", "chat")  # processes with the same one, on the same Redis, share it


class Chat(BaseNamespace, BroadcastMixin):
    """One client. An acknowledgement is ``(true, ...)``, or ``(false, reason)``."""

    request: Request
    nickname = ""
    token = ""

    exception_handler_decorator = staticmethod(refusals_become_answers)

    def initialize(self) -> None:
        self.room: Room = self.request.registry["room"]

    def recv_connect(self) -> None:
        self.room.add(self)

    def on_join(self, nickname: object, token: object = "") -> tuple[object, ...]:
        """Take a nickname; answer with it and the token that gives it back after a break."""
        if self.nickname:
            raise RefusedError(f"You are {self.nickname} already.")
        self.room.enter(self, clean_nickname(nickname), str(token))
        return True, self.nickname, self.token

    def on_say(self, text: object) -> tuple[object, ...]:
        """Say something to everybody, oneself included: all see all messages in one order."""
        if not self.nickname:
            raise RefusedError("Choose a nickname first.")
        message = {"nickname": self.nickname, "text": clean_text(text), "time": time.time()}
        self.room.publish("said", message)
        return (True,)

    def recv_disconnect(self) -> None:
        self.room.remove(self)


def page(request: Request) -> Response:
    return FileResponse(HERE / "static" / "index.html", request)


def socketio(request: Request) -> Response:
    """Serve a session; lasts as long as its client stays."""
    socketio_manage(request.environ, {"/chat": Chat}, request)
    return Response()


def make_application(room: Room) -> Router:
    """Return the WSGI application."""
    with Configurator() as config:
        config.registry["room"] = room
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
    with redis_at_hand() as url, Room(url, ROOM) as room:
        serve(make_application(room), host=HOST, port=PORT, origins=ORIGINS, client_js=CLIENT)
