"""What docs/stopping.rst shows: a server of one's own that ends as it should."""

import os
import signal

import gevent

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/chat": BaseNamespace})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page\n"]


server = SocketIOServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), app)
# -- signals
for number in (signal.SIGTERM, signal.SIGINT):
    gevent.signal_handler(number, server.close)
server.start()
print(f"serving on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
server.stop()
