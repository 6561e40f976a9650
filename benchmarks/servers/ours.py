"""This library, set up as its users do: the default settings, no access log."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from gevent.socket import wait_read

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


class Bench(BaseNamespace, BroadcastMixin):
    """Answers one event, and hands another one on to everybody."""

    def on_echo(self, value: Any) -> Any:
        """Return the argument, which becomes the ack."""
        return value

    def on_cast(self, value: Any) -> None:
        """Send the argument to everybody, the sender included."""
        self.broadcast_event("cast", value)


def json_options(name: str) -> dict[str, Any]:
    """Return the arguments of socketio_manage that choose the JSON library called ``name``."""
    if name != "orjson":
        return {}
    orjson = importlib.import_module("orjson")  # in an environment of the benchmark's own

    def dumps(value: Any) -> str:
        return str(orjson.dumps(value), "utf-8")

    return {"json_loads": orjson.loads, "json_dumps": dumps}


def main() -> None:
    """Print the port, serve until the standard input is closed."""
    options = json_options("".join(sys.argv[1:]))
    namespaces: dict[str, type[BaseNamespace]] = {"": Bench, "/chat": Bench}

    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        socketio_manage(environ, namespaces, **options)
        return []

    server = SocketIOServer(("127.0.0.1", 0), app, log=None)
    server.start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    while True:
        wait_read(0)
        if not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
