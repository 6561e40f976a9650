"""gevent-socketio 0.3.6, for Python 2.7: the default settings but no access log."""

import os
import sys

from gevent.socket import wait_read

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


class Bench(BaseNamespace, BroadcastMixin):
    """Answers one event, and hands another one on to everybody."""

    def on_echo(self, value):
        """Return the argument, which becomes the ack."""
        return value

    def on_cast(self, value):
        """Send the argument to everybody, the sender included."""
        self.broadcast_event("cast", value)


def app(environ, _start_response):
    """Serve the namespaces."""
    socketio_manage(environ, {"": Bench, "/chat": Bench})
    return []


def main():
    """Print the port, serve until the standard input is closed."""
    # The policy server listens at a fixed port, and only Flash wants it.
    server = SocketIOServer(("127.0.0.1", 0), app, policy_server=False, log=None)
    server.start()
    sys.stdout.write(str(server.server_port) + "\n")
    sys.stdout.flush()
    while True:
        wait_read(0)
        if not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
