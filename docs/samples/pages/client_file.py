"""What docs/clientfile.rst shows: a page, and the JavaScript client that it needs."""

import os
from pathlib import Path

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

PAGE = Path(__file__).with_name("client_file.html").read_bytes()


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/chat": BaseNamespace})
        return []
    start_response("200 OK", [("Content-Type", "text/html")])
    return [PAGE]


listener = ("127.0.0.1", int(os.environ.get("PORT", "8080")))
# -- server
server = SocketIOServer(listener, app, client_js="node_modules/socket.io-client/dist/socket.io.js")
# -- run
server.start()
print(f"serving on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
