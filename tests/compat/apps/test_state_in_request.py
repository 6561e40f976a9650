"""A chat whose state is in ``request``: one dictionary, shared by all namespaces of all clients."""

import sys
from pathlib import Path

import pytest

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import fetch, wait_for
from tests.compat.apps.people import TRANSPORTS, people
from tests.remote import RemoteClients
from tests.subprograms import running


class ChatNamespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_nickname(self, nickname):
        self.request["nicknames"].append(nickname)
        self.socket.session["nickname"] = nickname
        self.broadcast_event("announcement", "%s has connected" % nickname)
        self.broadcast_event("nicknames", self.request["nicknames"])
        # Just have them join a default-named room
        self.join("main_room")

    def recv_disconnect(self):
        # Remove nickname from the list.
        nickname = self.socket.session["nickname"]
        self.request["nicknames"].remove(nickname)
        self.broadcast_event("announcement", "%s has disconnected" % nickname)
        self.broadcast_event("nicknames", self.request["nicknames"])

        self.disconnect(silent=True)

    def on_user_message(self, msg):
        self.request["log"].append(msg)
        self.emit_to_room("main_room", "msg_to_room", self.socket.session["nickname"], msg)


class LogNamespace(BaseNamespace):
    def on_history(self):
        return self.request["log"]


class Application(object):
    def __init__(self):
        self.buffer = []
        # Dummy request object to maintain state between Namespace
        # initialization.
        self.request = {"nicknames": [], "log": self.buffer}

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"].strip("/")

        if not path:
            start_response("200 OK", [("Content-Type", "text/html")])
            return [("<h1>%d are here</h1>" % len(self.request["nicknames"])).encode()]

        if path.startswith("socket.io"):
            socketio_manage(environ, {"/chat": ChatNamespace, "/log": LogNamespace}, self.request)
        else:
            start_response("404 Not Found", [])
            return [b"<h1>Not Found</h1>"]


if __name__ == "__main__":
    server = SocketIOServer(
        ("127.0.0.1", 0), Application(), resource="socket.io", policy_server=False
    )
    server.start()
    sys.stdout.write("Listening on port %d\n" % server.server_port)
    sys.stdout.flush()
    server.serve_forever()


# -- what its users see ----------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_all_clients_see_the_names_that_are_kept_in_the_request(transport):
    with people(Application(), "/chat", "/chat", transport=transport) as (server, ada, bob):
        ada.emit("nickname", "Ada")
        assert ada.next("nicknames") == [["Ada"]]
        bob.emit("nickname", "Bob")
        assert ada.next("announcement") == ["Bob has connected"]
        assert ada.next("nicknames") == [["Ada", "Bob"]]
        assert [bob.next("nicknames"), bob.next("nicknames")] == [[["Ada"]], [["Ada", "Bob"]]]
        assert fetch(server, "GET", "/").text == "<h1>2 are here</h1>"
        ada.emit("user message", "hello")
        assert bob.next("msg_to_room") == ["Ada", "hello"]
        bob.leave()
        assert ada.next("announcement") == ["Bob has disconnected"]
        assert ada.next("nicknames") == [["Ada"]]
        assert fetch(server, "GET", "/").text == "<h1>1 are here</h1>"


def test_another_namespace_of_another_client_reads_what_the_chat_wrote():
    with people(Application(), "/chat", "/log") as (_, ada, auditor):
        ada.emit("nickname", "Ada")
        ada.emit("user message", "one")
        ada.emit("user message", "two")
        wait_for(lambda: auditor.ask("history") == [["one", "two"]])


def test_a_client_that_leaves_without_a_name_is_a_key_error_and_nothing_worse(caplog):
    # As it was written: the name is not there, and the clean-up fails.
    with people(Application(), "/chat", "/chat") as (server, ada, nameless):
        ada.emit("nickname", "Ada")
        ada.next("nicknames")
        nameless.leave()
        wait_for(lambda: len(server.sockets) == 1)
        assert fetch(server, "GET", "/").text == "<h1>1 are here</h1>"
        ada.emit("user message", "still here")
        assert ada.socket["/chat"].session["nickname"] == "Ada"
    assert "recv_disconnect" in caplog.text


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_it_serves_the_clients_of_its_time(transport):
    with (
        running([sys.executable, Path(__file__)]) as program,
        RemoteClients(transport=transport) as clients,
    ):
        port = program.wait_for_line(r"Listening on port (\d+)")[1]
        ada, bob = (clients.connect(f"http://127.0.0.1:{port}", "/chat") for _ in range(2))
        assert ada.transport_name() == transport
        ada.emit("nickname", "Ada")
        assert bob.next("nicknames") == [["Ada"]]
        bob.emit("nickname", "Bob")
        assert ada.next("announcement") == ["Ada has connected"]
        assert ada.next("announcement") == ["Bob has connected"]
        ada.emit("user message", "hello")
        assert bob.next("msg_to_room") == ["Ada", "hello"]
        bob.disconnect()
        assert ada.next("announcement") == ["Bob has disconnected"]
