from flask import Flask, request

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace

app = Flask(__name__)

here = []  # the names of all who are in the chat


class Chat(BaseNamespace, BroadcastMixin):
    def on_enter(self, name):
        self.forget()  # who enters twice is not here twice
        self.session["name"] = str(name)[:40]
        here.append(self.session["name"])
        self.broadcast_event("people", sorted(here))
        return True

    def on_say(self, text):
        if "name" not in self.session:
            return False
        self.broadcast_event("said", self.session["name"], str(text)[:1000])
        return True

    def recv_disconnect(self):
        self.forget()

    def forget(self):
        if "name" in self.session:
            here.remove(self.session.pop("name"))
            self.broadcast_event_not_me("people", sorted(here))


@app.get("/")
def page():
    return app.send_static_file("chat.html")


@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def live(_rest):
    socketio_manage(request.environ, {"/chat": Chat})
    return ""
