from http.cookies import SimpleCookie

import gevent

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace

USERS = {"cookie-of-ada": "Ada", "cookie-of-bob": "Bob"}


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_join(self, room):
        self.join(room)
        self.emit_to_room(room, "joined", self.session["user"])
        return self.rooms()

    def on_say(self, room, text):
        self.emit_to_room(room, "said", self.session["user"], text)

    def on_challenge(self):
        self.emit("riddle", "what is 6 by 7?", callback=self.solved)

    def solved(self, answer):
        self.broadcast_event("solved" if answer == 42 else "failed", self.session["user"])

    def on_search(self, word):
        gevent.sleep(0.05)  # stands for a database
        self.emit("found", word)

    def on_divide(self, number):
        return 42 / number

    def recv_disconnect(self):
        self.broadcast_event_not_me("left", self.session["user"])


class Admin(BaseNamespace):
    def recv_connect(self):
        if self.session["user"] != "Ada":
            raise UnauthorizedError("Ada alone may do that")

    def on_kick(self, user):
        for socket in self.socket.server.sockets.values():
            if socket.session.get("user") == user:
                socket.disconnect()


def authorize(environ):
    cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    user = USERS.get(cookies["login"].value) if "login" in cookies else None
    return {"user": user} if user else False


def app(environ, start_response):
    if environ["PATH_INFO"].startswith("/socket.io"):
        socketio_manage(environ, {"/chat": Chat, "/admin": Admin})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page"]
