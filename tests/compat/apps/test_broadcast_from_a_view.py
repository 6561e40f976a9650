"""A site whose ordinary pages tell the clients: one helper at the top of a module, one server."""

import json

import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from tests.client import fetch
from tests.compat.apps.people import TRANSPORTS, Person, people

SITE = {"server": None}


def broadcast(namespace, event, *args, **kwargs):
    """Send an event to everybody in a namespace, or in a room of it, from anywhere."""
    room = kwargs.get("room")
    pkt = {"type": "event", "name": event, "args": args, "endpoint": namespace}
    for sessid, socket in SITE["server"].sockets.items():
        if namespace not in socket.active_ns:
            continue
        if room is not None and room not in socket.session.get("subscriptions", ()):
            continue
        socket.send_packet(pkt)


class LiveNamespace(BaseNamespace):
    def on_subscribe(self, *rooms):
        self.session["subscriptions"] = list(rooms)
        return len(rooms)

    def recv_connect(self):
        # Any socket knows the server.
        SITE["server"] = self.socket.server


class OtherNamespace(BaseNamespace):
    pass


def site(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/socket.io"):
        socketio_manage(environ, {"/live": LiveNamespace, "/other": OtherNamespace})
        return []
    if environ["REQUEST_METHOD"] == "POST" and path.startswith("/comments/"):
        size = int(environ["CONTENT_LENGTH"])
        comment = json.loads(environ["wsgi.input"].read(size).decode("utf-8"))
        broadcast("/live", "comment", comment, room=path.split("/")[2])
        broadcast("/live", "counter", len(SITE["server"].sockets))
        start_response("201 Created", [("Content-Type", "text/plain")])
        return [b"thank you"]
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"nothing here"]


# -- what its users see ----------------------------------------------------------------------------


def post(server, article, text):
    answer = fetch(server, "POST", "/comments/%s" % article, json.dumps({"text": text}).encode())
    assert (answer.status, answer.text) == (201, "thank you")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_is_posted_to_a_page_reaches_those_who_read_it(transport):
    with people(site, *["/live"] * 3, transport=transport) as (server, one, two, elsewhere):
        assert one.ask("subscribe", "7") == [1]
        assert two.ask("subscribe", "7", "8") == [2]
        assert elsewhere.ask("subscribe", "8") == [1]
        post(server, 7, "first")
        assert one.next("comment") == two.next("comment") == [{"text": "first"}]
        post(server, 8, "second")
        assert two.next("comment") == elsewhere.next("comment") == [{"text": "second"}]
        assert [one.next("counter") for _ in range(2)] == [[3], [3]]
        assert one.came("comment") == 0


def test_who_is_in_another_namespace_hears_nothing():
    with people(site, "/live", "/other") as (server, reader, other):
        reader.ask("subscribe", "7")
        other.socket.session["subscriptions"] = ["7"]
        post(server, 7, "first")
        assert reader.next("comment") == [{"text": "first"}]
        other.socket["/other"].emit("last")
        assert other.next("last") == []
        assert other.came("comment") == 0


def test_the_page_and_the_sockets_are_served_side_by_side():
    with people(site, "/live") as (server, reader):
        reader.ask("subscribe", "7")
        for number in range(20):
            post(server, 7, number)
        assert [reader.next("comment") for _ in range(20)] == [[{"text": n}] for n in range(20)]
        assert fetch(server, "GET", "/").status == 404
        with Person(server, "/live") as late:
            post(server, 9, "nobody reads this")
            assert late.next("counter") == [2]
