"""WebSocket: gevent-websocket's interface on the sans-I/O core of ``websockets``."""
