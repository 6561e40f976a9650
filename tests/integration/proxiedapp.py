"""An application behind a proxy: it tells what it sees of who asks, and has a chat."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace

NAME = os.environ.get("SERVER_NAME", "one")
_NAMES = ["REMOTE_ADDR", "wsgi.url_scheme", "socketio.proxy_addr", "HTTP_HOST"]


def seen(environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request says of its client, and what others say of it."""
    told = [name for name in environ if "FORWARDED" in name or name == "HTTP_X_REAL_IP"]
    return {"name": NAME, **{name: environ.get(name) for name in [*_NAMES, *told]}}


class Chat(BaseNamespace, BroadcastMixin):
    def on_seen(self) -> Any:
        return seen(self.socket.handshake_environ)

    def on_say(self, text: str) -> Any:
        self.broadcast_event("said", text)
        return NAME


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"].startswith("/socket.io/"):
        socketio_manage(environ, {"": Chat})
        return []
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen(environ)).encode()]
