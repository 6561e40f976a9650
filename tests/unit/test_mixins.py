"""The mixins themselves: how they find their room, their session and their backplane."""

from unittest.mock import MagicMock

import pytest

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.session.data import RoomSet
from socketio.testing import Event, TestServer, make_namespace, sent_by


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    pass


class Lower(Chat):
    def _get_room_name(self, room):
        return room.lower()


@pytest.fixture
def make():
    """Return a function that connects another client of one server to a namespace."""
    first = make_namespace(BaseNamespace, "/first")

    def made(cls=Chat, name="/chat", **given):
        return make_namespace(cls, name, beside=first, **given)

    return made


def got(*spaces):
    return [sent_by(ns) for ns in spaces]


def test_the_rooms_of_a_session_are_there_from_the_beginning(make):
    assert make().session["rooms"] == set()


def test_rooms_that_are_there_already_are_kept(make):
    assert make(session={"rooms": {"before"}}).session["rooms"] == {"before"}


def test_the_rooms_are_made_again_when_the_application_took_them_away(make):
    ns = make()
    del ns.session["rooms"]
    ns.join("lobby")
    assert ns.session["rooms"] == {"/chat_lobby"}


def test_a_session_that_is_none_of_ours_gets_a_set_of_ours(make):
    ns = make()
    ns.session = {"rooms": {"before"}}
    ns.join("lobby")
    assert isinstance(ns.session["rooms"], RoomSet)
    assert ns.session["rooms"] == {"before", "/chat_lobby"}
    assert ns.rooms() == ["lobby"]


def test_an_overridden_room_name_decides_alone_which_rooms_are_the_same(make):
    one, two = make(Lower), make(Lower, "/news")
    chat_of_two = make_namespace(Lower, "/chat", socket=two.socket)
    one.join("Lobby")
    two.join("lobby")
    assert one.session["rooms"] == two.session["rooms"] == {"lobby"}
    one.emit_to_room("LOBBY", "x")
    assert got(one, two, chat_of_two) == [[], [], [Event("x")]]
    assert set(one.members("lobby")) == {one.socket, two.socket}
    one.leave("LoBBy")
    assert one.session["rooms"] == set()
    two.close_room("lobby")
    assert two.session["rooms"] == set()


def test_rooms_are_listed_sorted_and_for_this_namespace_alone(make):
    chat = make()
    news = make_namespace(Chat, "/news", socket=chat.socket)
    for room in ("b", "a", "c"):
        chat.join(room)
    news.join("d")
    chat.session["rooms"].add("/chat_by hand")
    assert chat.rooms() == ["a", "b", "c"]
    assert news.rooms() == ["d"]


def test_members_are_sockets(make):
    one, two, outside = make(), make(), make()
    one.join("lobby")
    two.join("lobby")
    assert outside.members("lobby") == [one.socket, two.socket]
    assert outside.members("nowhere") == []


def test_closing_a_room_takes_everyone_out_of_this_one_alone(make):
    spaces = [make() for _ in range(3)]
    for ns in spaces:
        ns.join("lobby")
        ns.join("kitchen")
    spaces[0].close_room("lobby")
    assert [ns.session["rooms"] for ns in spaces] == [{"/chat_kitchen"}] * 3
    spaces[0].close_room("nowhere")
    assert got(*spaces) == [[], [], []]


def test_leaving_a_room_of_another_client_or_none_is_no_error(make):
    one, two = make(), make()
    one.join("lobby")
    two.leave("lobby")
    assert one.rooms() == ["lobby"]
    assert two.rooms() == []


def test_broadcast_to_room_includes_the_sender_where_it_is_in_the_room(make):
    inside, outside = make(), make()
    inside.join("lobby")
    inside.broadcast_to_room("lobby", "x", 1)
    outside.broadcast_to_room("lobby", "y")
    assert got(inside, outside) == [[Event("x", [1]), Event("y")], []]


@pytest.mark.parametrize(
    "send",
    [
        lambda ns, value: ns.broadcast_event("x", value),
        lambda ns, value: ns.broadcast_event_not_me("x", value),
        lambda ns, value: ns.emit_to_room("lobby", "x", value),
        lambda ns, value: ns.broadcast_to_room("lobby", "x", value),
    ],
)
def test_what_has_no_json_form_raises_as_in_emit(make, send):
    one, two = make(), make()
    one.join("lobby")
    two.join("lobby")
    with pytest.raises(TypeError):
        send(one, object())
    assert got(one, two) == [[], []]


def test_the_backplane_of_the_server_is_used(make):
    ns = make()
    backplane = ns.socket.server.backplane = MagicMock()
    ns.broadcast_event_not_me("x", 1)
    (broadcast,), _ = backplane.publish.call_args
    assert broadcast.packet == {"type": "event", "name": "x", "args": [1], "endpoint": "/chat"}
    assert (broadcast.endpoint, broadcast.skip) == ("/chat", ns.socket.sessid)


# -- with sessions that come and go ----------------------------------------------------------------


class Room(Chat):
    def on_enter(self, room):
        self.join(room)
        return len(self.members(room))

    def on_say(self, room, text):
        self.broadcast_to_room(room, "said", text)

    def on_close(self, room):
        self.close_room(room)


@pytest.fixture
def clients():
    with TestServer({"/chat": Room, "/news": Room}) as server:
        yield [server.connect("/chat") for _ in range(3)]


def test_what_is_said_in_a_room_is_heard_by_those_in_it_in_order(clients):
    ada, bob, outside = clients
    assert [ada.ask("enter", "attic"), bob.ask("enter", "attic")] == [[1], [2]]
    for number in range(20):
        (ada, bob, outside)[number % 3].emit("say", "attic", number)
    said = [Event("said", [number]) for number in range(20)]
    assert [client.received() for client in clients] == [said, said, []]


@pytest.mark.parametrize("end", ["drop", "disconnect", "leave"])
def test_who_is_gone_is_in_no_room_any_more(clients, end):
    ada, bob, carl = clients
    ada.ask("enter", "attic")
    bob.ask("enter", "attic")
    getattr(ada, end)()
    assert carl.ask("enter", "attic") == [2]
    bob.emit("say", "attic", "hello")
    assert [client.received() for client in clients] == [[], *[[Event("said", ["hello"])]] * 2]


def test_a_room_is_that_of_its_namespace_alone(clients):
    ada, bob, _ = clients
    news = bob.of("/news")
    ada.ask("enter", "attic")
    assert news.ask("enter", "attic") == [1]
    news.emit("say", "attic", "news")
    assert [client.received() for client in (ada, bob, news)] == [[], [], [Event("said", ["news"])]]


def test_a_room_that_was_closed_is_empty(clients):
    ada, bob, carl = clients
    ada.ask("enter", "attic")
    bob.ask("enter", "attic")
    carl.emit("close", "attic")
    bob.emit("say", "attic", "hello")
    assert [client.received() for client in clients] == [[], [], []]
    assert carl.ask("enter", "attic") == [1]
