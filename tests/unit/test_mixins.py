"""The mixins themselves: how they find their room, their session and their backplane."""

from unittest.mock import MagicMock

import pytest

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.session.data import RoomSet
from tests.compat.standins import StandInServer, connected_socket, put_in, queued


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    pass


class Lower(Chat):
    def _get_room_name(self, room):
        return room.lower()


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def make(server):
    """Return a function that connects another client to a namespace."""

    def made(cls=Chat, name="/chat"):
        return put_in(connected_socket(server), cls, name)

    return made


def got(*spaces):
    return [queued(ns.socket) for ns in spaces]


def test_the_rooms_of_a_session_are_there_from_the_beginning(make):
    assert make().session["rooms"] == set()


def test_rooms_that_are_there_already_are_kept(server):
    socket = connected_socket(server)
    socket.session["rooms"] = {"before"}
    assert put_in(socket, Chat, "/chat").session["rooms"] == {"before"}


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
    two.socket.active_ns["/chat"] = two
    one.join("Lobby")
    two.join("lobby")
    assert one.session["rooms"] == two.session["rooms"] == {"lobby"}
    one.emit_to_room("LOBBY", "x")
    assert got(one, two) == [[], ['5::/chat:{"name":"x"}']]
    assert set(one.members("lobby")) == {one.socket, two.socket}
    one.leave("LoBBy")
    assert one.session["rooms"] == set()
    two.close_room("lobby")
    assert two.session["rooms"] == set()


def test_rooms_are_listed_sorted_and_for_this_namespace_alone(server):
    socket = connected_socket(server)
    chat, news = put_in(socket, Chat, "/chat"), put_in(socket, Chat, "/news")
    for room in ("b", "a", "c"):
        chat.join(room)
    news.join("d")
    socket.session["rooms"].add("/chat_by hand")
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
    assert got(inside, outside) == [
        ['5::/chat:{"args":[1],"name":"x"}', '5::/chat:{"name":"y"}'],
        [],
    ]


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


def test_the_backplane_of_the_server_is_used(make, server):
    server.backplane = MagicMock()
    ns = make()
    ns.broadcast_event_not_me("x", 1)
    (broadcast,), _ = server.backplane.publish.call_args
    assert broadcast.packet == {"type": "event", "name": "x", "args": [1], "endpoint": "/chat"}
    assert (broadcast.endpoint, broadcast.skip) == ("/chat", ns.socket.sessid)
