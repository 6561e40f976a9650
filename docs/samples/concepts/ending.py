"""A server whose clients ask to be sent away, each in the way it wants to try."""

import os

import gevent

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import serve


class Ending(BaseNamespace):
    def on_end(self, how):
        server = self.socket.server
        ways = {
            "socket.disconnect()": self.socket.disconnect,
            "socket.disconnect(silent=True)": lambda: self.socket.disconnect(silent=True),
            "socket.kill()": self.socket.kill,
            "the application leaves the last namespace": self.disconnect,
            "the application leaves one of several namespaces": self.disconnect,
            "server.stop()": lambda: gevent.spawn(server.stop),
            "server.stop(goodbye=True)": lambda: gevent.spawn(server.stop, goodbye=True),
        }
        ways[how]()

    def on_ready(self):
        return True


def app(environ, start_response):
    socketio_manage(environ, {"/first": Ending, "/second": Ending, "": Ending})
    start_response("200 OK", [])
    return []


if __name__ == "__main__":
    serve(app, port=os.environ.get("PORT", 8080))
