"""Workers for gunicorn 23 and newer::

    gunicorn -k socketio.sgunicorn.GeventSocketIOWorker -w 1 module:app

They are gunicorn's own gevent worker with our server and handler in it.
"""

from __future__ import annotations

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.sgunicorn.handlers import GunicornWebSocketWSGIHandler, GunicornWSGIHandler
from socketio.sgunicorn.workers import (
    GeventSocketIOBaseWorker,
    GeventSocketIOWorker,
    NginxGeventSocketIOWorker,
)

__all__ = [
    "GeventSocketIOBaseWorker",
    "GeventSocketIOWorker",
    "GunicornWSGIHandler",
    "GunicornWebSocketWSGIHandler",
    "NginxGeventSocketIOWorker",
]
