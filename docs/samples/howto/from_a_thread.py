"""A thread of the system that tells the clients what it hears."""

import os
import threading
import time

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/weather": BaseNamespace})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page\n"]


def measure(server):
    while True:
        time.sleep(0.1)  # stands for a driver that blocks
        server.emit("temperature", 21.5, namespace="/weather")


if __name__ == "__main__":
    server = SocketIOServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), app)
    server.start()
    print(f"serving on http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=measure, args=[server], daemon=True).start()
    server.serve_forever()
