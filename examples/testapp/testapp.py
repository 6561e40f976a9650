"""Every feature of the protocol on one page, and below it the packets as they travel.

Four namespaces, each for one thing; ``static/testapp.js`` has the page's side of each button.

Run it with ``python examples/testapp``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whitenoise import WhiteNoise

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Everything", "Guarded", "News", "Vault", "main", "make_application"]

HERE = Path(__file__).resolve().parent
LOOK = HERE.parent / "look"
CLIENT = HERE.parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"

ROOM = "the room"


class Everything(BaseNamespace, RoomsMixin, BroadcastMixin):
    """The global namespace: messages, events, acks, rooms, broadcasts, the session and its end."""

    def recv_message(self, data: str) -> None:
        """Send a plain message back. One with an id was acknowledged before this is called."""
        self.send(data)

    def recv_json(self, data: Any) -> None:
        """Send a JSON message back."""
        self.send(data, json=True)

    def on_sign(self) -> None:
        """Send a message, and wait for the sign that the client has it."""
        self.send("Sign for this", callback=self.signed)

    def signed(self) -> None:
        """Called when the client has acknowledged the message of `on_sign`."""
        self.emit("signed")

    def on_greet(self, who: object, how: object, often: object) -> None:
        """Take three arguments, of whatever JSON types, and send them back in reverse."""
        self.emit("greeted", often, how, who)

    def on_add(self, left: float, right: float) -> tuple[float, str]:
        """Answer with an ack of two arguments: a tuple is the list of them."""
        return left + right, "is the sum"

    def on_ask_me(self) -> None:
        """Ask the client, which answers with an ack."""
        self.emit("question", "How many windows are open?", callback=self.answered)

    def answered(self, answer: object) -> None:
        """Called with the client's answer to the question of `on_ask_me`."""
        self.emit("thanks", answer)

    def on_to_all(self) -> None:
        """Send an event to every client, this one included."""
        self.broadcast_event("heard", "This is for all.")

    def on_to_others(self) -> None:
        """Send an event to every client but this one."""
        self.broadcast_event_not_me("heard", "This is for all the others.")

    def on_enter_room(self) -> int:
        """Enter the room; answer with how many are in it."""
        self.join(ROOM)
        return len(self.members(ROOM))

    def on_leave_room(self) -> int:
        """Leave the room; answer with how many are in it."""
        self.leave(ROOM)
        return len(self.members(ROOM))

    def on_to_room(self) -> None:
        """Send an event to everyone in the room but this client."""
        self.emit_to_room(ROOM, "heard", "This is for the others in the room.")

    def on_count(self) -> int:
        """Answer with how often this session was asked to count: its data end with it."""
        self.session["count"] = self.session.get("count", 0) + 1
        count: int = self.session["count"]
        return count

    def on_cut(self) -> None:
        """End the session without a word: the client takes it for a lost connection."""
        self.socket.kill()

    def on_boot(self) -> None:
        """End the session with a packet that says so: the client stays away."""
        self.socket.disconnect()

    def on_fail(self) -> None:
        """Fail: the server's log has the traceback, the client a sentence without details."""
        raise RuntimeError("this one fails on purpose")

    def on_error_packet(self) -> None:
        """Send an error packet of the protocol; applications rather emit an event."""
        self.socket.send_packet(
            {
                "type": "error",
                "endpoint": self.ns_name,
                "reason": "transport not supported",
                "advice": "",
            }
        )


class News(BaseNamespace):
    """An endpoint to join and to leave."""

    def recv_connect(self) -> None:
        """Greet whoever joins."""
        self.emit("headline", "Somebody reads the news")

    def on_send_me_out(self) -> None:
        """Send the client out of this endpoint; the rest of its session goes on."""
        self.disconnect()


class Vault(BaseNamespace):
    """An endpoint that nobody may enter."""

    def recv_connect(self) -> None:
        """Refuse whoever comes."""
        raise UnauthorizedError("nobody may")


class Guarded(BaseNamespace):
    """An endpoint where a client may call only what its access control list has."""

    def get_initial_acl(self) -> Collection[str]:
        """Return what is allowed at first."""
        return ["recv_connect", "on_unlock"]

    def on_unlock(self) -> None:
        """Allow the rest."""
        self.add_acl_method("on_secret")

    def on_secret(self) -> str:
        """Answer those who may ask."""
        return "There are 132 random bits in a session id."


NAMESPACES = {"": Everything, "/news": News, "/vault": Vault, "/guarded": Guarded}


def make_application() -> WSGIApplication:
    """Return the page and its sockets as one WSGI application."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "socketio" in environ:  # the call lasts as long as the client stays
            socketio_manage(environ, NAMESPACES)
            return []
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"not found\n"]

    files = WhiteNoise(application, root=HERE / "static", index_file=True)
    files.add_files(LOOK)
    page: WSGIApplication = files
    return page


def main() -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM."""
    serve(
        make_application(),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=os.environ.get("PORT", "8080"),
        origins=os.environ.get("ORIGINS"),  # None: pages of this server alone
        client_js=CLIENT,
        # Far shorter than the 25 seconds of the default, so that there is something to see.
        heartbeat_interval=os.environ.get("HEARTBEAT", "10"),
    )


if __name__ == "__main__":
    main()
