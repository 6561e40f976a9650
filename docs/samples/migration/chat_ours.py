# ruff: noqa: E402 - the standard library is patched before anything is imported
"""The same chat with gevent-socketio."""

from gevent import monkey

monkey.patch_all()

import os
import time
from urllib.parse import parse_qs

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve


def authorize(environ):
    """Let in who has a name: io.connect(url, {query: 'name=Ada'})."""
    names = parse_qs(environ["QUERY_STRING"]).get("name")
    if not names:
        raise UnauthorizedError("who are you?")
    return {"name": names[0]}


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    def recv_connect(self):
        self.name = self.session["name"]
        self.spawn(self.greet)

    def greet(self):
        time.sleep(0.1)
        self.emit("greeting", "Nice that you are here")

    def on_enter(self, room):
        self.join(room)
        self.emit_to_room(room, "entered", self.name)
        return self.rooms()

    def on_say(self, room, text):
        self.broadcast_to_room(room, "said", self.name, text)
        return "sent"

    def on_ask(self):
        self.emit("how many", callback=lambda many: self.emit("so many", many))

    def recv_disconnect(self):
        self.broadcast_event_not_me("left", self.name)


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/chat": Chat})
        return []
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"not here"]


if __name__ == "__main__":
    serve(
        app,
        port=os.environ.get("PORT", 8080),
        origins=["https://chat.example"],
        authorize=authorize,
    )
