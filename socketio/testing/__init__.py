"""Testing an application: its server and its clients in one process, and time that is turned.

::

    with TestServer({"/chat": Chat}) as server:
        ada, bob = server.connect("/chat"), server.connect("/chat")
        ada.emit("say", "hello")
        bob.expect("said", "hello")

.. versionadded:: 1.0
"""

from __future__ import annotations

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.testing.byhand import make_namespace, sent_by
from socketio.testing.client import TestClient
from socketio.testing.clock import ManualClock
from socketio.testing.connection import Refused
from socketio.testing.failures import Failure, HandlerFailed
from socketio.testing.records import ErrorPacket, Event, Json, Message, Record
from socketio.testing.server import LeftBehind, TestServer

__all__ = [
    "ErrorPacket",
    "Event",
    "Failure",
    "HandlerFailed",
    "Json",
    "LeftBehind",
    "ManualClock",
    "Message",
    "Record",
    "Refused",
    "TestClient",
    "TestServer",
    "make_namespace",
    "sent_by",
]
