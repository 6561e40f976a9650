"""This library with its default settings: echo, an event for all, an event for a room."""

from __future__ import annotations

import os
from typing import Any

from gevent.socket import wait_read

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


class Growth(BaseNamespace, RoomsMixin, BroadcastMixin):
    """What the curves are measured with."""

    def on_echo(self, value: Any) -> Any:
        """Return the argument, which becomes the ack."""
        return value

    def on_cast(self, value: Any) -> None:
        """Send the argument to everybody, the sender included."""
        self.broadcast_event("cast", value)

    def on_enter(self, room: str) -> str:
        """Enter a room; the ack tells when that is done."""
        self.join(room)
        return room

    def on_room(self, value: Any) -> None:
        """Send the argument to the room, the sender included."""
        self.broadcast_to_room("few", "cast", value)


def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
    """Serve the namespace."""
    socketio_manage(environ, {"": Growth})
    return []


def main() -> None:
    """Print the port, serve until the standard input is closed."""
    server = SocketIOServer(("127.0.0.1", 0), app, log=None)
    server.start()
    print(server.server_port, flush=True)
    while True:
        wait_read(0)
        if not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
