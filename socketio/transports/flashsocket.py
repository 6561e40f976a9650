"""flashsocket: websocket under another name in the URL, as Flash's stand-in for it asks."""

from __future__ import annotations

from socketio.transports.websocket import WebsocketTransport

__all__ = ["FlashSocketTransport"]


class FlashSocketTransport(WebsocketTransport):
    """Section 13 of the protocol text. The handshake is that of RFC 6455 only."""

    name = "flashsocket"
