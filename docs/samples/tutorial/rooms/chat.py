from flask import Flask, request

from socketio import socketio_manage
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace

app = Flask(__name__)

ROOMS = ["lobby", "kitchen", "garden"]


class Chat(BaseNamespace, RoomsMixin):
    room = None

    def recv_connect(self):
        self.emit("rooms", ROOMS)

    def on_enter(self, name):
        self.session["name"] = str(name)[:40]
        return True

    def on_join(self, room):
        if "name" not in self.session or room not in ROOMS:
            return False
        self.leave_room()
        self.room = room
        self.join(room)
        self.tell_people()
        return True

    def on_say(self, text):
        if self.room is None:
            return False
        self.broadcast_to_room(self.room, "said", self.session["name"], str(text)[:1000])
        return True

    def recv_disconnect(self):
        self.leave_room()

    def leave_room(self):
        if self.room is not None:
            self.leave(self.room)
            self.tell_people()
            self.room = None

    def tell_people(self):
        names = [member.session["name"] for member in self.members(self.room)]
        self.broadcast_to_room(self.room, "people", sorted(names))


@app.get("/")
def page():
    return app.send_static_file("chat.html")


@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def live(_rest):
    socketio_manage(request.environ, {"/chat": Chat})
    return ""
