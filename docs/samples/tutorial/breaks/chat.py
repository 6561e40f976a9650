from collections import deque

from flask import Flask, abort, redirect, request, session
from werkzeug.security import check_password_hash, generate_password_hash

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace

app = Flask(__name__)
app.config.update(SECRET_KEY="for development", SESSION_COOKIE_SAMESITE="Lax")
app.config.from_prefixed_env()  # FLASK_SECRET_KEY=... replaces it

ROOMS = ["lobby", "kitchen", "garden"]
USERS = {  # stands for the table of your database
    "ada": generate_password_hash("engine"),
    "bob": generate_password_hash("shovel"),
}
MODERATORS = {"ada"}

banned = set()
history = {room: deque(maxlen=100) for room in ROOMS}  # its last lines: key, user, text


class Chat(BaseNamespace, RoomsMixin):
    room = None

    def get_initial_acl(self):
        return {"recv_connect", "recv_disconnect", "on_join", "on_say"}

    def recv_connect(self):
        user = session.get("user")
        if user not in USERS or user in banned:
            raise UnauthorizedError("log in first")
        self.session["user"] = user
        if user in MODERATORS:
            self.add_acl_method("on_kick")
        self.emit("rooms", ROOMS)

    def on_join(self, room):
        if room not in ROOMS:
            return False
        self.leave_room()
        self.room = room
        self.join(room)
        self.tell_people()
        return list(history[room])

    def on_say(self, key, text):
        if self.room is None:
            return False
        line = [str(key)[:40], self.session["user"], str(text)[:1000]]
        lines = history[self.room]
        if line[:2] not in [earlier[:2] for earlier in lines]:
            lines.append(line)
            self.broadcast_to_room(self.room, "said", *line)
        return True

    def on_kick(self, user):
        banned.add(str(user))
        for room in ROOMS:
            for member in self.members(room):
                if member.session["user"] == user:
                    member.disconnect()

    def recv_disconnect(self):
        self.leave_room()

    def leave_room(self):
        if self.room is not None:
            self.leave(self.room)
            self.tell_people()
            self.room = None

    def tell_people(self):
        users = {member.session["user"] for member in self.members(self.room)}
        self.broadcast_to_room(self.room, "people", sorted(users))


@app.get("/")
def page():
    return app.send_static_file("chat.html" if "user" in session else "login.html")


@app.post("/login")
def login():
    user = request.form["user"]
    if user not in USERS or not check_password_hash(USERS[user], request.form["password"]):
        abort(403)
    session["user"] = user
    return redirect("/")


@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def live(_rest):
    environ = request.environ
    socketio_manage(environ, {"/chat": Chat}, event_context=lambda: app.request_context(environ))
    return ""
