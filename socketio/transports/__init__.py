"""The transports: how packets travel. One class each, made anew for every request."""

from __future__ import annotations

from socketio.transports.base import BaseTransport as BaseTransport
from socketio.transports.base import Response as Response
from socketio.transports.polling import XHRPollingTransport as XHRPollingTransport
from socketio.transports.websocket import WebsocketTransport as WebsocketTransport

__all__ = ["BaseTransport", "Response", "WebsocketTransport", "XHRPollingTransport"]
