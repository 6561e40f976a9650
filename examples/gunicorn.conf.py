"""Settings of gunicorn for a Socket.IO application: ``gunicorn -c gunicorn.conf.py module:app``."""

# First of all: with preload_app the application is imported before there is a worker that could
# patch the standard library.
from gevent import monkey

monkey.patch_all()

bind = "127.0.0.1:8000"
worker_class = "socketio.sgunicorn.GeventSocketIOWorker"
# A session lives in one process.
workers = 1
# Connections of a worker: each WebSocket is one, each poll that waits, each other request.
worker_connections = 10_000
# Seconds that requests and handlers may take to finish when a worker ends.
graceful_timeout = 30
# With preload_app = True close what the application opens while it is imported, a database for one,
# in post_fork: connections do not survive a fork.
accesslog = "-"
