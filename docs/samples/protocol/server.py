"""The server that the examples of the protocol pages talk to."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import serve


class Echo(BaseNamespace):
    """The global namespace: says everything again."""

    def on_hello(self, name: str) -> None:
        """Greet who says hello."""
        self.emit("greeting", f"Hello {name}!")

    def on_ask(self) -> None:
        """Ask the client something; what it answers is sent back to it."""
        self.emit("question", "who are you?", callback=self.send)

    def recv_message(self, data: str) -> None:
        """Send a message back."""
        self.send(data)


class Chat(BaseNamespace):
    """The endpoint ``/chat``."""

    def get_initial_acl(self) -> list[str]:
        """Let clients come, go and call two events."""
        return ["recv_connect", "recv_disconnect", "on_sum", "on_divide"]

    def on_sum(self, one: float, other: float) -> float:
        """Answer with the sum."""
        return one + other

    def on_divide(self, one: float, other: float) -> tuple[float, float]:
        """Answer with two arguments: quotient and remainder."""
        return divmod(one, other)

    def on_secret(self) -> str:
        """Be out of reach."""
        return "the access control list does not have it"


class Closed(BaseNamespace):
    """The endpoint ``/closed``, which lets nobody in."""

    def recv_connect(self) -> None:
        """Refuse everybody."""
        raise UnauthorizedError("nobody may come in")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Serve sessions, and nothing else."""
    if "socketio" in environ:
        socketio_manage(environ, {"": Echo, "/chat": Chat, "/closed": Closed})
        return []
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"the application's page\n"]


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
