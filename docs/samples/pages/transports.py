"""What docs/transports.rst shows: which transports there are."""

import logging

from socketio import socketio_manage
from socketio.handler import SocketIOHandler
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.transports import XHRPollingTransport

log = logging.getLogger(__name__)
listener = ("127.0.0.1", 0)


def app(environ, _start_response):
    socketio_manage(environ, {"": BaseNamespace})
    return []


fewer = SocketIOServer(listener, app, transports=["websocket", "xhr-polling"])


# -- of your own
class MyPolling(XHRPollingTransport):
    def do_exchange(self, socket, request_method):
        log.info("%s of %s", request_method, socket.sessid[:6])
        return super().do_exchange(socket, request_method)


class Handler(SocketIOHandler):
    handler_types = {**SocketIOHandler.handler_types, "xhr-polling": MyPolling}


other = SocketIOServer(listener, app, handler_class=Handler)
