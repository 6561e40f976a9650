"""A server that logs the packets of its clients, while one looks for something."""

import logging
import os

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket

log = logging.getLogger("packets")


class LoudSocket(Socket):
    def put_server_msg(self, msg):
        log.info("%s < %s", self.sessid[:6], msg)
        super().put_server_msg(msg)

    def put_client_msg(self, msg):
        log.info("%s > %s", self.sessid[:6], msg)
        super().put_client_msg(msg)


class LoudServer(SocketIOServer):
    def get_socket(self, sessid=""):
        if sessid:
            return super().get_socket(sessid)
        socket = LoudSocket(self, self.config)
        self.sockets[socket.sessid] = socket
        return socket


class Chat(BaseNamespace, BroadcastMixin):
    def on_say(self, text):
        self.broadcast_event("said", text)
        return True


class LoudChat(Chat):
    """The same for one namespace, without another class of server."""

    def before_event(self, packet):
        log.info("%s < %s", self.socket.sessid[:6], packet)

    def after_event(self, packet, error):
        if error is not None:
            log.info("%s failed with %r", packet.get("name", packet["type"]), error)


def app(environ, start_response):
    if "socketio" in environ:
        socketio_manage(environ, {"/chat": Chat})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page\n"]


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    server = LoudServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), app)
    server.start()
    print(f"serving on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
