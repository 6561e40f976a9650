"""python-socketio on gevent's WSGI server and gevent-websocket: default settings, no access log."""

import os
import sys

from gevent.pywsgi import WSGIServer
from gevent.socket import wait_read
from geventwebsocket.handler import WebSocketHandler

import socketio

sio = socketio.Server(async_mode="gevent")


@sio.event
def echo(_sid, value):
    """Return the argument, which becomes the ack."""
    return value


@sio.event
def cast(_sid, value):
    """Send the argument to everybody, the sender included."""
    sio.emit("cast", value)


def main():
    """Print the port, serve until the standard input is closed."""
    app = socketio.WSGIApp(sio)
    server = WSGIServer(("127.0.0.1", 0), app, handler_class=WebSocketHandler, log=None)
    server.start()
    sys.stdout.write(str(server.server_port) + "\n")
    sys.stdout.flush()
    while True:
        wait_read(0)
        if not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
