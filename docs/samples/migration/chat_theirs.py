# ruff: noqa: ARG002, E402, I001 - their signatures; patching comes before the imports
"""A chat with python-socketio 5. It has an environment of its own: see the page."""

from gevent import monkey

monkey.patch_all()

import os

import socketio
from gevent.pywsgi import WSGIServer

sio = socketio.Server(async_mode="gevent", cors_allowed_origins=["https://chat.example"])


class Chat(socketio.Namespace):
    def on_connect(self, sid, environ, auth):
        if not auth or "name" not in auth:
            raise ConnectionRefusedError("who are you?")
        self.save_session(sid, {"name": auth["name"]})
        sio.start_background_task(self.greet, sid)

    def greet(self, sid):
        sio.sleep(0.1)
        self.emit("greeting", "Nice that you are here", to=sid)

    def on_enter(self, sid, room):
        self.enter_room(sid, room)
        name = self.get_session(sid)["name"]
        self.emit("entered", name, room=room, skip_sid=sid)
        return sorted(set(self.rooms(sid)) - {sid})

    def on_say(self, sid, room, text):
        name = self.get_session(sid)["name"]
        self.emit("said", (name, text), room=room)
        return "sent"

    def on_ask(self, sid):
        self.emit("how many", to=sid, callback=lambda many: self.emit("so many", many, to=sid))

    def on_disconnect(self, sid, reason):
        self.emit("left", self.get_session(sid)["name"])


sio.register_namespace(Chat("/chat"))
app = socketio.WSGIApp(sio)

if __name__ == "__main__":
    WSGIServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), app).serve_forever()
