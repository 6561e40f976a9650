"""A view of the site tells the clients."""

from flask import Flask, request

from socketio import socketio_manage
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace

app = Flask(__name__)


class Orders(BaseNamespace, RoomsMixin):
    def on_follow(self, number):
        self.join(f"order:{number}")


@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def socketio(_rest):
    app.extensions["socketio"] = request.environ["socketio"].server
    socketio_manage(request.environ, {"/orders": Orders})
    return ""


def tell(event, *args, **to):
    """Emit from anywhere in this process: a view, a greenlet, a thread."""
    server = app.extensions.get("socketio")
    if server is not None:  # else nobody has connected yet
        server.emit(event, *args, **to)


@app.post("/orders/<int:number>/shipped")
def shipped(number):
    tell("shipped", number, namespace="/orders", room=f"order:{number}")
    return "", 204
