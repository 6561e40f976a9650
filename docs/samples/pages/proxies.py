"""What docs/deployment.rst shows: whose word about the client is taken."""

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

listener = ("127.0.0.1", 0)


class Who(BaseNamespace):
    def on_who(self):
        return self.environ["REMOTE_ADDR"]


def app(environ, _start_response):
    socketio_manage(environ, {"": Who})
    return []


# -- trusted
named = SocketIOServer(listener, app, trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
local = SocketIOServer(listener, app, trusted_proxies="unix")  # all that comes over a Unix socket
anybody = SocketIOServer(listener, app, trusted_proxies="*")  # whoever can reach the port
# -- end
