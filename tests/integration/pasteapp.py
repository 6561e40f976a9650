"""An application for .ini files without a framework, which tells what its server was told."""

from __future__ import annotations

from typing import Any

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace


class Asked(BaseNamespace):
    def on_config(self, name: str) -> Any:
        return self.socket.config[name]

    def on_transports(self) -> Any:
        return self.socket.server.transports


def only_friends(environ: dict[str, Any]) -> None:
    """Be the ``authorize`` of a server."""
    if "friend" not in environ.get("QUERY_STRING", ""):
        raise UnauthorizedError("not a friend")


def main(global_config: dict[str, str], **settings: str) -> Any:
    """Return the application, as ``[app:main]`` asks for it."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if "socketio" in environ:
            socketio_manage(environ, {"/asked": Asked})
            return []
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{settings}\n".encode()]

    return application
