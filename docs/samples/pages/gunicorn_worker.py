"""What docs/gunicorn.rst shows: a worker of one's own."""

from socketio.server import SocketIOServer
from socketio.sgunicorn import (
    GeventSocketIOWorker,
    GunicornWebSocketWSGIHandler,
    GunicornWSGIHandler,
)


class MyServer(SocketIOServer):
    """Every session knows when it began, and so on."""


class MyHandler(GunicornWSGIHandler):
    """Answers requests."""


class MyUpgrade(GunicornWebSocketWSGIHandler):
    """Answers those that become WebSockets."""


class Worker(GeventSocketIOWorker):
    resource = "chat/socket.io"
    transports = ["websocket", "xhr-polling"]
    origins = ["https://example.com"]
    heartbeat_interval = 15
    server_class = MyServer  # of SocketIOServer
    wsgi_handler = MyHandler  # of GunicornWSGIHandler
    ws_wsgi_handler = MyUpgrade  # of GunicornWebSocketWSGIHandler
