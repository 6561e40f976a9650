"""A chat in several processes: run it several times, each with a PORT of its own."""

# ruff: noqa: E402 - as people write applications

from gevent import monkey

monkey.patch_all()  # the client of Redis waits by Python's own sockets

import os

import gevent
from relay import listen, tell_all

from socketio import socketio_manage
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


class Chat(BaseNamespace, RoomsMixin):
    def on_join(self, room):
        self.join(room)
        return True

    def on_say(self, room, text):
        tell_all("said", room, text, namespace="/chat", room=room)


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/chat": Chat})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page\n"]


if __name__ == "__main__":
    server = SocketIOServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), app)
    gevent.spawn(listen, server)
    server.start()
    print(f"serving on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
