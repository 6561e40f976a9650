# ruff: noqa: E402 - the standard library is patched before anything is imported
"""Python 3 with gevent-socketio 1.0."""

from gevent import monkey

monkey.patch_all()

import base64
import os
import time

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve


class Quiz(BaseNamespace, RoomsMixin, BroadcastMixin):
    def recv_connect(self):
        print("a player has come")
        self.spawn(self.tell_time)

    def tell_time(self):
        while self.socket.connected:
            self.emit("time", int(time.time()))
            time.sleep(60)

    def on_enter(self, team, name):
        self.session["name"] = name
        self.session["badge"] = base64.b64encode(name.encode()).decode()
        self.join(team)
        self.emit_to_room(team, "entered", self.session["name"])
        return self.session["name"], self.session["badge"]

    def on_answered(self, right, asked):
        self.broadcast_event("score", self.session["name"], 100 * right // asked)

    def on_players(self):
        sockets = self.socket.server.sockets.values()
        names = [s.session["name"] for s in sockets if "name" in s.session]
        return sorted(names, key=str.lower)

    def on_show(self, place):
        names = self.on_players()
        try:
            self.emit("player", names[place])
        except IndexError as e:
            self.error("no_such_player", str(e))


def app(environ, start_response):
    if environ["PATH_INFO"].startswith("/socket.io"):
        socketio_manage(environ, {"/quiz": Quiz})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"The quiz is at /socket.io"]


if __name__ == "__main__":
    # Browsers of other sites are let in by name now: origins="https://www.quiz.example"
    serve(app, host="0.0.0.0", port=os.environ.get("PORT", 8080), origins=os.environ.get("ORIGINS"))
