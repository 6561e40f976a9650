"""docs/howto/rooms.rst: who hears what in its samples."""

import pytest

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.testing import Event, TestServer
from tests.docs.howto import HOWTO, load

rooms = load(HOWTO / "rooms.py")


@pytest.fixture
def server():
    names = {"/chat": rooms.Chat, "/post": rooms.Post, "/party": rooms.Party}
    with TestServer(names, authorize=lambda environ: {"user": environ["test.user"]}) as server:
        yield server


def of(server, user, endpoint):
    return server.connect(endpoint, environ={"test.user": user})


def test_people_in_a_room_hear_who_comes_speaks_and_leaves(server):
    ada, bob, carl = (of(server, name, "/chat") for name in ("Ada", "Bob", "Carl"))
    assert ada.ask("join", "attic") == [["Ada"]]
    assert bob.ask("join", "attic") == [["Ada", "Bob"]]
    assert bob.ask("say", "attic", "hello") == [True]
    bob.emit("leave", "attic")
    assert ada.received() == [
        Event("joined", ["attic", "Bob"]),
        Event("said", ["attic", "Bob", "hello"]),
        Event("left", ["attic", "Bob"]),
    ]
    bob.expect_nothing()
    carl.expect_nothing()


def test_who_is_not_in_a_room_cannot_speak_there(server):
    ada, bob = of(server, "Ada", "/chat"), of(server, "Bob", "/chat")
    ada.emit("join", "attic")
    assert bob.ask("say", "attic", "hello") == [False]
    ada.expect_nothing()


def test_a_room_hears_of_those_who_are_lost(server):
    ada, bob = of(server, "Ada", "/chat"), of(server, "Bob", "/chat")
    for somebody in (ada, bob):
        somebody.emit("join", "attic")
    ada.received()
    bob.drop()
    ada.expect("left", "attic", "Bob")
    assert ada.ask("join", "attic") == [["Ada"]]


def test_who_leaves_the_namespace_leaves_its_rooms(server):
    ada, bob = of(server, "Ada", "/chat"), of(server, "Bob", "/chat")
    for somebody in (ada, bob):
        somebody.emit("join", "attic")
    elsewhere = bob.of("/post")
    ada.received()
    bob.leave()
    ada.expect("left", "attic", "Bob")
    assert elsewhere.of("/chat").ask("say", "attic", "hello") == [False]


def test_without_that_it_is_in_them_when_it_comes_back():
    """The pitfall that the page warns of."""

    class Careless(rooms.Chat):
        def recv_disconnect(self):
            pass

    names = {"/chat": Careless, "/post": rooms.Post}
    with TestServer(names, authorize=lambda _environ: {"user": "Bob"}) as server:
        bob = server.connect("/chat")
        bob.emit("join", "attic")
        elsewhere = bob.of("/post")
        bob.leave()
        server.emit("news", namespace="/chat", room="attic")
        bob.expect_nothing()
        assert elsewhere.of("/chat").ask("say", "attic", "hello") == [True]


def test_a_session_that_comes_back_is_in_no_room(server):
    ada = of(server, "Ada", "/chat")
    ada.emit("join", "attic")
    ada.reconnect()
    assert ada.ask("say", "attic", "hello") == [False]


def test_a_whisper_reaches_all_devices_of_one_person(server):
    ada, again, bob = (of(server, name, "/post") for name in ("Ada", "Ada", "Bob"))
    bob.emit("whisper", "Ada", "psst")
    for device in (ada, again):
        device.expect("whispered", "Bob", "psst")


def test_nobody_enters_the_room_of_somebody_else_by_a_topic(server):
    ada, bob = of(server, "Ada", "/post"), of(server, "Bob", "/post")
    bob.emit("follow", "user:Ada")
    of(server, "Carl", "/post").emit("whisper", "Ada", "psst")
    ada.expect("whispered", "Carl", "psst")
    bob.expect_nothing()


def test_a_room_that_is_closed_has_nobody_in_it(server):
    ada, bob = of(server, "Ada", "/party"), of(server, "Bob", "/party")
    for guest in (ada, bob):
        guest.namespace.join("attic")
    ada.emit("over", "attic")
    for guest in (ada, bob):
        guest.expect("over", "attic")
    assert bob.namespace.members("attic") == []


def test_the_table_says_who_gets_what():
    class Everything(BaseNamespace, RoomsMixin, BroadcastMixin):
        def recv_connect(self):
            self.join("r")

    class Elsewhere(BaseNamespace):
        pass

    with TestServer({"/n": Everything, "/m": Elsewhere}) as server:
        me, member, other = (server.connect("/n") for _ in range(3))
        stranger = server.connect("/m")
        other.namespace.leave("r")
        clients = [me, member, other, stranger]

        def reached(send, *args, **to):
            send("x", *args, **to)
            server.drain()
            return [client.received() != [] for client in clients]

        ns = me.namespace
        yes, no = True, False
        assert reached(ns.emit) == [yes, no, no, no]
        assert reached(lambda event: ns.emit_to_room("r", event)) == [no, yes, no, no]
        assert reached(lambda event: ns.broadcast_to_room("r", event)) == [yes, yes, no, no]
        assert reached(ns.broadcast_event) == [yes, yes, yes, no]
        assert reached(ns.broadcast_event_not_me) == [no, yes, yes, no]
        assert reached(server.emit, namespace="/n") == [yes, yes, yes, no]
        assert reached(server.emit, namespace="/n", room="r") == [yes, yes, no, no]
        assert reached(server.emit, namespace="/n", skip=me) == [no, yes, yes, no]
        other.namespace.leave("r")
        assert reached(lambda e: other.namespace.emit_to_room("r", e)) == [yes, yes, no, no]
