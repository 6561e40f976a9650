"""The transports: how packets travel. One class each, made anew for every request."""

from __future__ import annotations

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.transports.base import BaseTransport as BaseTransport
from socketio.transports.base import Response as Response
from socketio.transports.flashsocket import FlashSocketTransport as FlashSocketTransport
from socketio.transports.htmlfile import HTMLFileTransport as HTMLFileTransport
from socketio.transports.jsonp import JSONPolling as JSONPolling
from socketio.transports.multipart import XHRMultipartTransport as XHRMultipartTransport
from socketio.transports.polling import XHRPollingTransport as XHRPollingTransport
from socketio.transports.websocket import WebsocketTransport as WebsocketTransport

__all__ = [
    "BaseTransport",
    "FlashSocketTransport",
    "HTMLFileTransport",
    "JSONPolling",
    "Response",
    "WebsocketTransport",
    "XHRMultipartTransport",
    "XHRPollingTransport",
]
