"""One greenlet that tells everybody, for as long as the server lives."""

import logging
import os
import signal
import time

import gevent

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

log = logging.getLogger(__name__)


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/news": BaseNamespace})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page\n"]


def tell(server, look, pause):
    """Tell everybody what ``look()`` returns, all ``pause`` seconds."""
    due = time.monotonic()
    while True:
        try:
            server.emit("news", look(), namespace="/news")
        except Exception:
            log.exception("no news this time")
        due = max(due + pause, time.monotonic())
        gevent.sleep(due - time.monotonic())


def main():
    server = SocketIOServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), app)
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, server.close)
    teller = gevent.spawn(tell, server, time.ctime, 0.2)
    server.start()
    print(f"serving on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    finally:
        teller.kill()
        server.stop()


if __name__ == "__main__":
    main()
