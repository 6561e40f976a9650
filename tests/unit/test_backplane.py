"""The local backplane: who a broadcast reaches, and that it is encoded once."""

import gc
import weakref
from unittest.mock import MagicMock

import pytest

from socketio.backplane import Broadcast
from socketio.backplane.local import LocalBackplane, backplane_of
from socketio.namespace import BaseNamespace
from socketio.virtsocket import Socket
from tests.client import wait_for
from tests.compat.standins import StandInServer, connected_socket, put_in, queued


class IndexedServer(StandInServer):
    """A stand-in with the backplane of a real server."""

    def __init__(self):
        super().__init__()
        self.backplane = LocalBackplane(self.sockets)


@pytest.fixture(params=[IndexedServer, StandInServer])
def server(request):
    return request.param()


def connect(server, *endpoints):
    socket = connected_socket(server)
    for name in endpoints:
        put_in(socket, BaseNamespace, name)
    return socket


def packet(endpoint=""):
    return {"type": "event", "name": "x", "args": [], "endpoint": endpoint}


def publish(server, endpoint="", **to):
    backplane_of(server).publish(Broadcast(packet(endpoint), endpoint, **to))


def reached(*sockets):
    return [len(queued(socket)) for socket in sockets]


# -- who is reached --------------------------------------------------------------------------------


def test_a_named_namespace_means_the_sockets_on_which_it_is_active(server):
    one, two, other = connect(server, "/chat"), connect(server, "/chat", "/news"), connect(server)
    publish(server, "/chat")
    assert reached(one, two, other) == [1, 1, 0]
    assert backplane_of(server).members("/chat", None) == [one, two]
    publish(server, "/news")
    assert reached(one, two, other) == [0, 1, 0]


def test_the_global_namespace_means_all_connected_sockets(server):
    one, two = connect(server, "/chat"), connect(server)
    publish(server)
    assert reached(one, two) == [1, 1]


@pytest.mark.parametrize("state", ["NEW", "CONNECTING", "DISCONNECTING", "DISCONNECTED"])
def test_a_socket_that_is_not_connected_is_never_reached(server, state):
    here, not_here = connect(server, "/chat"), connect(server, "/chat")
    not_here.session["rooms"] = here.session["rooms"] = {"lobby"}
    not_here.state = state
    publish(server)
    publish(server, "/chat")
    publish(server, "/chat", room="lobby")
    assert reached(here, not_here) == [3, 0]


def test_the_socket_to_skip_is_skipped(server):
    one, two = connect(server), connect(server)
    publish(server, skip=one.sessid)
    assert reached(one, two) == [0, 1]


def test_a_room_is_a_string_where_no_key_is_given(server):
    inside, outside = connect(server, "/chat"), connect(server, "/chat")
    inside.session["rooms"] = {"lobby"}
    publish(server, "/chat", room="lobby")
    assert reached(inside, outside) == [1, 0]
    publish(server, "/chat", room="nowhere")
    assert reached(inside, outside) == [0, 0]


def test_a_room_reaches_no_socket_on_which_the_namespace_is_not_active(server):
    inside, elsewhere = connect(server, "/chat"), connect(server, "/news")
    for socket in (inside, elsewhere):
        socket.session["rooms"] = {"lobby"}
    publish(server, "/chat", room="lobby")
    assert reached(inside, elsewhere) == [1, 0]


def test_with_a_key_only_that_room_is_meant_or_what_was_put_in_by_hand(server):
    sockets = [connect(server, "/a", "/a_b") for _ in range(3)]
    for socket in sockets:
        socket.session["rooms"] = set()
    sockets[0].session["rooms"].join("/a_b_c", ("/a", "b_c"))
    sockets[1].session["rooms"].join("/a_b_c", ("/a_b", "c"))
    sockets[2].session["rooms"].add("/a_b_c")
    publish(server, "/a", room="/a_b_c", room_key=("/a", "b_c"))
    assert reached(*sockets) == [1, 0, 1]
    publish(server, "/a_b", room="/a_b_c", room_key=("/a_b", "c"))
    assert reached(*sockets) == [0, 1, 1]


@pytest.mark.parametrize(
    "leave",
    [
        lambda socket: socket.session["rooms"].discard("lobby"),
        lambda socket: socket.session["rooms"].clear(),
        lambda socket: socket.session.pop("rooms"),
        lambda socket: socket.session.clear(),
        lambda socket: socket.session.__setitem__("rooms", {"other"}),
        lambda socket: socket.kill(),
    ],
)
def test_who_left_a_room_is_not_reached_whatever_the_way(server, leave):
    socket = connect(server, "/chat")
    socket.session["rooms"] = {"lobby"}
    assert backplane_of(server).members("/chat", "lobby") == [socket]
    leave(socket)
    assert backplane_of(server).members("/chat", "lobby") == []


def test_the_members_are_a_snapshot(server):
    one = connect(server)
    members = backplane_of(server).members("", None)
    connect(server)
    assert members == [one]


# -- the index -------------------------------------------------------------------------------------


def test_the_index_keeps_neither_empty_rooms_nor_sockets_that_are_over():
    server = IndexedServer()
    socket = connect(server, "/chat")
    socket.session["rooms"] = {"lobby", "kitchen"}
    assert set(server.backplane._rooms) == {"lobby", "kitchen"}
    socket.session["rooms"].remove("lobby")
    assert set(server.backplane._rooms) == {"kitchen"}
    socket.kill()
    wait_for(lambda: server.sockets == {})
    assert server.backplane._rooms == {}
    gone = weakref.ref(socket)
    del socket
    gc.collect()
    assert gone() is None


def test_who_enters_a_room_when_the_session_is_over_is_not_indexed():
    server = IndexedServer()
    socket = connect(server, "/chat")
    socket.kill()
    wait_for(lambda: socket.state == "DISCONNECTED")
    socket.session["rooms"] = {"lobby"}
    socket.session["rooms"].add("kitchen")
    assert server.backplane._rooms == {}


def test_leaving_a_room_nobody_is_in_leaves_no_trace():
    server = IndexedServer()
    server.backplane.room_changed(connect(server), "lobby", False)
    assert server.backplane._rooms == {}


def test_a_socket_whose_server_is_gone_may_still_change_its_rooms():
    server = IndexedServer()
    socket = connect(server)
    del server
    gc.collect()
    socket.session["rooms"] = {"lobby"}
    assert socket.session["rooms"] == {"lobby"}


# -- encoding and delivering -----------------------------------------------------------------------


def test_a_broadcast_is_encoded_once_for_all_that_use_the_same_json_function(server):
    dumps, other = (MagicMock(return_value="{}") for _ in range(2))
    sockets = [connect(server) for _ in range(6)]
    for socket in sockets:
        socket._set_json_dumps(dumps)
    for socket in sockets[:2]:
        socket._set_json_dumps(other)
    publish(server)
    assert (dumps.call_count, other.call_count) == (1, 1)
    texts = [socket.client_queue.get() for socket in sockets]
    assert texts[2] is texts[5]
    assert texts[0] is texts[1]
    assert set(texts) == {"5:::{}"}


def test_a_broadcast_that_cannot_be_encoded_raises_and_reaches_nobody(server):
    sockets = [connect(server) for _ in range(2)]
    with pytest.raises(TypeError):
        backplane_of(server).publish(Broadcast({**packet(), "args": [object()]}, ""))
    assert reached(*sockets) == [0, 0]


def test_nothing_is_encoded_for_nobody(server):
    publish(server)
    socket = connect(server)
    socket._set_json_dumps(MagicMock(side_effect=AssertionError))
    publish(server, skip=socket.sessid)
    publish(server, "/empty")


def test_an_overridden_send_packet_gets_the_packet_of_a_broadcast():
    sent = []

    class Own(Socket):
        def send_packet(self, pkt):
            sent.append(pkt)

    server = IndexedServer()
    connected_socket(server, Own)
    publish(server)
    assert sent == [packet()]


def test_an_overridden_put_client_msg_gets_the_text_of_a_broadcast():
    put = []

    class Own(Socket):
        def put_client_msg(self, msg):
            put.append(msg)

    server = IndexedServer()
    connected_socket(server, Own)
    publish(server)
    assert put == ['5:::{"name":"x"}']


def test_sessions_may_end_while_a_broadcast_is_delivered():
    server = IndexedServer()

    class Own(Socket):
        def put_client_msg(self, msg):
            server.sockets.clear()
            super().put_client_msg(msg)

    sockets = [connected_socket(server, Own) for _ in range(3)]
    publish(server)
    assert reached(*sockets) == [1, 1, 1]


# -- which backplane -------------------------------------------------------------------------------


def test_a_server_without_a_backplane_gets_one_that_looks_at_every_session():
    server = StandInServer()
    plain = backplane_of(server)
    assert isinstance(plain, LocalBackplane)
    indexed = IndexedServer()
    assert backplane_of(indexed) is indexed.backplane


def test_a_session_of_a_stand_in_needs_no_rooms():
    server = StandInServer()
    connect(server, "/chat")
    assert backplane_of(server).members("/chat", "lobby") == []


# -- what an application puts in place of ours -----------------------------------------------------


class Muted(Socket):
    """A session whose application has it left out."""

    connected = False


class Foreign:
    """What an application has put among the sessions."""

    sessid = "foreign"
    connected = False


def test_who_is_connected_is_for_the_application_to_say(server):
    usual, muted = connect(server), connected_socket(server, Muted)
    server.sockets["foreign"] = Foreign()
    assert backplane_of(server).members("", None) == [usual]
    publish(server)
    assert reached(usual, muted) == [1, 0]
