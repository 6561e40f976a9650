from flask import Flask, request

from socketio import socketio_manage
from socketio.namespace import BaseNamespace

app = Flask(__name__)


class Greetings(BaseNamespace):
    def on_hello(self, name):
        self.emit("greeting", f"Hello {name}, says the server.")
        return len(name)


@app.get("/")
def page():
    return app.send_static_file("hello.html")


@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def live(_rest):
    socketio_manage(request.environ, {"/greetings": Greetings})
    return ""
