"""The interface of ``socketio.mixins``, row by row, and ``server.emit()``."""

import threading

import gevent
import pytest

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from tests.client import event, serving, wait_for
from tests.compat.standins import (
    StandInServer,
    client_of,
    connected_socket,
    listen_nowhere,
    put_in,
    queued,
)
from tests.streams import EVERY


class Behind(BaseNamespace, RoomsMixin, BroadcastMixin):
    """The mixins in the places where the original's documentation had them."""


class Before(RoomsMixin, BroadcastMixin, BaseNamespace):
    """The mixins where they belong by the rules of Python."""


@pytest.fixture(params=[StandInServer, listen_nowhere])
def server(request):
    """A stand-in, and a server of ours that does not listen: it has an index of rooms."""
    return request.param()


@pytest.fixture(params=[Behind, Before])
def make(server, request):
    """Return a function that connects another client to namespaces and returns the first."""

    def made(*names, cls=request.param):
        socket = connected_socket(server)
        first, *_others = [put_in(socket, cls, name) for name in names or ("/chat",)]
        return first

    return made


def got(*spaces):
    """Return for each client whether it got what was sent."""
    return [bool(queued(ns.socket)) for ns in spaces]


# -- BroadcastMixin --------------------------------------------------------------------------------


def test_broadcast_event_reaches_everyone_in_the_namespace_itself_included(make):
    one, two, other = make(), make(), make("/news")
    one.broadcast_event("x", 1, {"a": None})
    text = '5::/chat:{"args":[1,{"a":null}],"name":"x"}'
    assert [queued(ns.socket) for ns in (one, two, other)] == [[text], [text], []]


def test_broadcast_event_not_me_reaches_everyone_but_the_sender(make):
    one, two, other = make(), make(), make("/news")
    one.broadcast_event_not_me("x")
    assert [queued(ns.socket) for ns in (one, two, other)] == [[], ['5::/chat:{"name":"x"}'], []]


def test_a_client_in_two_namespaces_gets_what_is_for_either(make):
    both, chat = make("/chat", "/news"), make("/chat")
    chat.broadcast_event("x")
    assert got(both, chat) == [True, True]
    both.socket["/news"].broadcast_event("y")
    assert queued(both.socket) == ['5::/news:{"name":"y"}']
    assert got(chat) == [False]


def test_in_the_global_namespace_a_broadcast_reaches_all_connected(make):
    root, chat = make(""), make("/chat")
    root.broadcast_event("x")
    assert [queued(ns.socket) for ns in (root, chat)] == [['5:::{"name":"x"}']] * 2
    root.broadcast_event_not_me("x")
    assert got(root, chat) == [False, True]


def test_who_has_not_connected_yet_gets_no_broadcast(make, server):
    here, late = make(""), make("")
    late.socket.state = "NEW"
    here.broadcast_event("x")
    assert got(here, late) == [True, False]


# -- RoomsMixin ------------------------------------------------------------------------------------


def test_emit_to_room_reaches_all_in_the_room_but_the_sender(make):
    sender, inside, outside, elsewhere = make(), make(), make(), make("/news")
    for ns in (sender, inside, elsewhere):
        ns.join("lobby")
    sender.emit_to_room("lobby", "x", 1)
    assert queued(inside.socket) == ['5::/chat:{"args":[1],"name":"x"}']
    assert got(sender, outside, elsewhere) == [False, False, False]


def test_one_need_not_be_in_a_room_to_send_to_it(make):
    inside, outside = make(), make()
    inside.join("lobby")
    outside.emit_to_room("lobby", "x")
    assert got(inside, outside) == [True, False]


def test_who_left_a_room_gets_nothing_any_more(make):
    sender, inside = make(), make()
    inside.join("lobby")
    inside.leave("lobby")
    sender.emit_to_room("lobby", "x")
    assert got(inside) == [False]


def test_joining_twice_and_leaving_what_one_is_not_in_is_no_error(make):
    ns = make()
    ns.join("lobby")
    ns.join("lobby")
    ns.leave("kitchen")
    ns.leave("lobby")
    ns.leave("lobby")
    assert ns.session["rooms"] == set()


def test_a_room_is_the_namespace_an_underscore_and_its_name(make):
    ns = make("/chat")
    assert ns._get_room_name("lobby") == "/chat_lobby"
    ns.join("lobby")
    assert ns.session["rooms"] == {"/chat_lobby"}
    assert isinstance(ns.session["rooms"], set)
    root = make("")
    root.join("lobby")
    assert root.session["rooms"] == {"_lobby"}


def test_the_application_may_read_the_rooms(make):
    ns = make()
    ns.join("lobby")
    rooms = ns.session["rooms"]
    assert "/chat_lobby" in rooms
    assert len(rooms) == 1
    assert sorted(rooms) == ["/chat_lobby"]
    assert rooms | {"x"} == {"/chat_lobby", "x"}


@pytest.mark.parametrize(
    ("change", "there"),
    [
        (lambda session: session["rooms"].add("/chat_kitchen"), True),
        (lambda session: session["rooms"].update(["/chat_kitchen"]), True),
        (lambda session: session.__setitem__("rooms", {"/chat_kitchen"}), True),
        (lambda session: session.__setitem__("rooms", session["rooms"] | {"/chat_kitchen"}), True),
        (lambda session: session["rooms"].remove("/chat_lobby"), False),
        (lambda session: session["rooms"].clear(), False),
        (lambda session: session.__setitem__("rooms", set()), False),
        (lambda session: session.pop("rooms"), False),
        (lambda session: session.__delitem__("rooms"), False),
    ],
)
def test_the_application_may_change_the_rooms_itself(make, change, there):
    sender, inside = make(), make()
    inside.join("lobby")
    change(inside.session)
    sender.emit_to_room("kitchen" if there else "lobby", "x")
    assert got(inside) == [there]


def test_rooms_joined_in_two_namespaces_never_collide(make):
    one, other, sender = make("/a"), make("/a_b"), make("/a", "/a_b")
    one.join("b_c")
    other.join("c")
    assert one.session["rooms"] == other.session["rooms"] == {"/a_b_c"}
    sender.emit_to_room("b_c", "x")
    assert got(one, other) == [True, False]
    sender.socket["/a_b"].emit_to_room("c", "x")
    assert got(one, other) == [False, True]


def test_a_client_in_both_of_two_colliding_rooms_leaves_one_of_them(make):
    ns, sender = make("/a", "/a_b"), make("/a", "/a_b")
    ns.join("b_c")
    ns.socket["/a_b"].join("c")
    ns.leave("b_c")
    sender.emit_to_room("b_c", "x")
    assert got(ns) == [False]
    sender.socket["/a_b"].emit_to_room("c", "x")
    assert got(ns) == [True]


def test_a_room_put_in_by_hand_matches_as_it_stands(make):
    ns, sender = make("/a", "/a_b"), make("/a", "/a_b")
    ns.session["rooms"].add("/a_b_c")
    sender.emit_to_room("b_c", "x")
    sender.socket["/a_b"].emit_to_room("c", "x")
    assert len(queued(ns.socket)) == 2


def test_the_name_of_a_room_may_be_overridden(make):
    class Chat(Behind):
        def _get_room_name(self, room):
            return "all_" + room

    one, two = make("/chat", cls=Chat), make("/chat", cls=Chat)
    two.join("lobby")
    assert two.session["rooms"] == {"all_lobby"}
    one.emit_to_room("lobby", "x")
    assert got(two) == [True]


def test_rooms_are_left_when_the_session_ends(make):
    sender, inside = make(), make()
    inside.join("lobby")
    inside.socket.kill()
    assert sender.members("lobby") == []
    sender.emit_to_room("lobby", "x")


# -- what is new -----------------------------------------------------------------------------------


def test_broadcast_to_room_includes_the_sender(make):
    sender, inside, outside = make(), make(), make()
    sender.join("lobby")
    inside.join("lobby")
    sender.broadcast_to_room("lobby", "x", 1)
    assert got(sender, inside, outside) == [True, True, False]


def test_members_and_rooms_are_known(make):
    one, two, other = make(), make(), make("/news")
    for ns in (one, two, other):
        ns.join("lobby")
    one.join("kitchen")
    assert set(other.members("lobby")) == {other.socket}
    assert set(one.members("lobby")) == {one.socket, two.socket}
    assert one.rooms() == ["kitchen", "lobby"]
    assert two.rooms() == ["lobby"]


def test_a_room_can_be_closed(make):
    one, two, other = make(), make(), make("/news")
    for ns in (one, two, other):
        ns.join("lobby")
    one.close_room("lobby")
    assert one.rooms() == two.rooms() == []
    assert other.rooms() == ["lobby"]


# -- with a real server ----------------------------------------------------------------------------


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_join(self, room):
        self.join(room)
        return True

    def on_say(self, room, text):
        self.emit_to_room(room, "said", text)

    def on_shout(self, text):
        self.broadcast_event("shouted", text)

    def recv_disconnect(self):
        self.broadcast_event("left", self.session.get("name"))
        self.disconnect(silent=True)


def enter(client, endpoint="/chat", room=None):
    client.send(f"1::{endpoint}")
    assert client.recv() == f"1::{endpoint}"
    if room:
        client.send(event("join", room, endpoint=endpoint, msgid="1+"))
        assert client.recv() == f"6::{endpoint}:1+[true]"


@pytest.mark.parametrize("transport", EVERY)
def test_clients_talk_in_rooms_and_to_all(transport):
    with (
        serving({"/chat": Chat, "/news": Chat}) as server,
        client_of(server, transport) as one,
        client_of(server, transport) as two,
        client_of(server) as other,
    ):
        enter(one, room="lobby")
        enter(two, room="lobby")
        enter(other, "/news", room="lobby")
        one.send(event("say", "lobby", "hi", endpoint="/chat"))
        assert two.recv() == '5::/chat:{"args":["hi"],"name":"said"}'
        one.send(event("shout", "hey", endpoint="/chat"))
        assert one.recv() == two.recv() == '5::/chat:{"args":["hey"],"name":"shouted"}'
        # The first thing the third hears is its own.
        other.send(event("shout", "me", endpoint="/news"))
        assert other.recv() == '5::/news:{"args":["me"],"name":"shouted"}'


def test_a_namespace_may_tell_the_others_in_recv_disconnect():
    with serving({"/chat": Chat}) as server, client_of(server) as stays:
        enter(stays)
        with client_of(server) as leaves:
            enter(leaves)
            server.sockets[leaves.sessid].session["name"] = "bob"
        assert stays.recv() == '5::/chat:{"args":["bob"],"name":"left"}'


class Plain(BaseNamespace, RoomsMixin):
    def on_join(self, room):
        self.join(room)
        return True


@pytest.fixture
def audience():
    """A server, two clients in /chat, the first of them in its lobby, and one in /news."""
    with (
        serving({"/chat": Plain, "/news": Plain}) as server,
        client_of(server) as one,
        client_of(server) as two,
        client_of(server) as other,
    ):
        enter(one, room="lobby")
        enter(two)
        enter(other, "/news", room="lobby")
        yield server, (one, two, other)


def heard(server, clients):
    """Return for each client what it was sent; the marker behind it comes last."""
    server.emit("end")
    texts = []
    for client in clients:
        mine = []
        while (text := client.recv()) != '5:::{"name":"end"}':
            mine.append(text)
        texts.append(mine)
    return texts


def test_server_emit_reaches_everyone(audience):
    server, clients = audience
    server.emit("x", 1, [2])
    assert heard(server, clients) == [['5:::{"args":[1,[2]],"name":"x"}']] * 3


def test_server_emit_reaches_a_namespace_or_a_room_of_it(audience):
    server, clients = audience
    server.emit("x", namespace="/chat")
    assert heard(server, clients) == [['5::/chat:{"name":"x"}']] * 2 + [[]]
    server.emit("x", namespace="/chat", room="lobby")
    assert heard(server, clients) == [['5::/chat:{"name":"x"}'], [], []]
    server.emit("x", namespace="/chat", room="nowhere")
    assert heard(server, clients) == [[], [], []]


@pytest.mark.parametrize("by", ["socket", "sessid"])
def test_server_emit_may_skip_one(audience, by):
    server, clients = audience
    sessid = clients[0].sessid
    skip = sessid if by == "sessid" else server.sockets[sessid]
    server.emit("x", namespace="/chat", skip=skip)
    assert heard(server, clients) == [[], ['5::/chat:{"name":"x"}'], []]


def test_server_emit_may_be_called_from_a_greenlet(audience):
    server, clients = audience
    gevent.spawn(server.emit, "x", namespace="/news").join(timeout=5)
    assert heard(server, clients) == [[], [], ['5::/news:{"name":"x"}']]


def test_server_emit_may_be_called_from_a_thread(audience):
    server, clients = audience
    thread = threading.Thread(target=server.emit, args=("x",), kwargs={"namespace": "/chat"})
    thread.start()
    assert clients[0].recv() == clients[1].recv() == '5::/chat:{"name":"x"}'
    wait_for(lambda: not thread.is_alive())
    assert heard(server, clients) == [[], [], []]


def test_server_emit_of_what_has_no_json_form_raises_and_reaches_nobody(audience):
    server, clients = audience
    with pytest.raises(TypeError):
        server.emit("x", object())
    assert heard(server, clients) == [[], [], []]
