"""Both directions of an ack: the client asks and is answered, and the other way round."""

import os

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import serve


# -- the namespace
class Acks(BaseNamespace):
    def initialize(self):
        self.answers = []

    # The client asks: what is returned goes back.
    def on_sum(self, first, second):
        return first + second

    def on_pair(self):
        return "a", "b"

    # The server asks: the callback gets what comes back.
    def on_begin(self):
        self.emit("question", "who?", callback=self.answers.append)
        self.send("anybody there?", callback=self.received)

    def received(self):
        self.emit("heard", self.answers, True)


# -- the server
def app(environ, start_response):
    socketio_manage(environ, {"/acks": Acks})
    start_response("200 OK", [])
    return []


if __name__ == "__main__":
    serve(app, port=os.environ.get("PORT", 8080))
