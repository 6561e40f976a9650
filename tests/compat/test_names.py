"""The table of names in section 9 of the design: one test for each row of it.

What a name does is tested where its module is; here is that it exists, on what, and of which kind.
"""

import pytest
from gevent.event import Event
from gevent.queue import Empty

import socketio.handler
import socketio.transports
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket, default_error_handler
from tests.client import handshake, serving, wait_for
from tests.compat.standins import StandInServer, connected_socket, listen_nowhere, online, put_in


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def socket(server):
    return connected_socket(server)


def test_server_sockets_is_changed_by_coming_and_going_alone():
    with serving({"": BaseNamespace}) as server:
        assert server.sockets == {}
        sessid = handshake(server)
        socket = server.sockets[sessid]
        assert type(server.sockets).__mro__[1] is dict
        socket.detach()
        assert server.sockets == {}


def test_server_get_socket_is_the_place_for_sockets_of_one_s_own():
    class Own(Socket):
        pass

    class OwnServer(SocketIOServer):
        def get_socket(self, sessid=""):
            if not sessid:
                socket = Own(self, self.config)
                self.sockets[socket.sessid] = socket
                return socket
            return super().get_socket(sessid)

    server = listen_nowhere(cls=OwnServer)
    socket = server.get_socket()
    assert type(socket) is Own
    assert server.get_socket(socket.sessid) is socket
    assert server.get_socket("unknown") is None


def test_the_config_is_the_same_mapping_on_server_socket_and_handler():
    seen = []

    class Handler(socketio.handler.SocketIOHandler):
        def __init__(self, *args):
            super().__init__(*args)
            seen.append(self.config)

    with serving({"": BaseNamespace}, handler_class=Handler) as server:
        sessid = handshake(server)
        assert seen == [server.config]
        assert server.sockets[sessid].config is server.config
        assert server.config["heartbeat_interval"] == 25
    stand_in = StandInServer()
    assert Socket(stand_in, {}).config == {}


def test_the_server_has_resource_transports_and_policy_server_and_takes_namespace():
    server = listen_nowhere(transports=["websocket"])
    assert (server.resource, list(server.transports)) == ("socket.io", ["websocket"])
    assert server.policy_server is False
    with pytest.warns(DeprecationWarning, match="use resource="):
        assert listen_nowhere(namespace="mine").resource == "mine"


@pytest.mark.parametrize("name", ["client_queue", "server_queue"])
def test_the_queues_of_a_socket_work_like_gevent_s(socket, name):
    queue = getattr(socket, name)
    queue.put_nowait("x")
    queue.put("y", block=False)
    assert (queue.qsize(), len(queue), queue.empty(), bool(queue)) == (2, 2, False, True)
    assert (queue.peek(), queue.get(), queue.get_nowait()) == ("x", "x", "y")
    assert (queue.qsize(), queue.empty(), bool(queue)) == (0, True, True)
    for take in (queue.get, queue.peek):
        with pytest.raises(Empty):
            take(block=False)
        with pytest.raises(Empty):
            take(timeout=0.001)


def test_what_is_put_into_the_client_queue_directly_is_sent():
    with online({"": BaseNamespace}) as client:
        client.socket.client_queue.put_nowait("3:::by hand")
        assert client.recv() == "3:::by hand"


@pytest.mark.parametrize(
    ("put", "get"), [("put_client_msg", "get_client_msg"), ("put_server_msg", "get_server_msg")]
)
def test_messages_are_put_and_got(socket, put, get):
    getattr(socket, put)("x")
    assert getattr(socket, get)() == "x"


def test_multiple_client_messages_are_got_at_once(socket):
    socket.put_client_msg("a")
    socket.put_client_msg("b")
    assert socket.get_multiple_client_msgs() == ["a", "b"]


@pytest.mark.parametrize("name", ["active_ns", "namespaces"])
def test_the_namespaces_of_a_socket_are_plain_assignable_dictionaries(socket, name):
    assert type(getattr(socket, name)) is dict
    mine = {}
    setattr(socket, name, mine)
    assert getattr(socket, name) is mine


def test_a_socket_can_be_asked_for_its_namespaces(socket):
    ns = put_in(socket, BaseNamespace, "/chat")
    assert socket["/chat"] is ns
    assert "/chat" in socket
    assert socket.__hasitem__("/chat")
    assert "/news" not in socket


def test_the_acks_of_a_socket_are_a_counter_and_a_bounded_table(server):
    socket = Socket(server, {"max_pending_acks": 3})
    assert socket.ack_counter == 0
    for _ in range(5):
        socket._save_ack_callback(socket._get_next_msgid(), print)
    assert socket.ack_counter == 5
    assert list(socket.ack_callbacks) == [3, 4, 5]
    assert socket._pop_ack_callback(5) is print


@pytest.mark.parametrize("of", ["socket", "namespace"])
def test_the_jobs_are_real_lists_that_finished_jobs_leave(socket, of):
    owner = socket if of == "socket" else put_in(socket, BaseNamespace, "/chat")
    assert type(owner.jobs) is list
    jobs = [owner.spawn(lambda: None) for _ in range(3)]
    assert owner.jobs == jobs
    wait_for(lambda: owner.jobs == [])
    assert all(job.successful() for job in jobs)


def test_a_socket_has_the_attributes_applications_read(socket):
    assert isinstance(socket.session, dict)
    assert isinstance(socket.sessid, str)
    assert isinstance(socket.timeout, Event)
    assert (socket.hits, socket.heartbeats) == (0, 0)
    assert socket.error_handler is default_error_handler
    for name in ("request", "environ", "json_loads", "json_dumps"):
        assert hasattr(socket, name)


@pytest.mark.parametrize(
    "name",
    [
        *("session", "request", "environ", "hits", "heartbeats", "error_handler", "jobs"),
        *("ack_callbacks", "ack_counter", "timeout", "config", "mine"),
    ],
)
def test_attributes_of_a_socket_may_be_assigned(socket, name):
    value = {}
    setattr(socket, name, value)
    assert getattr(socket, name) is value


def test_connected_and_established_follow_the_state(socket):
    assert socket.connected
    socket.state = "DISCONNECTING"
    assert not socket.connected
    with online({"": BaseNamespace}) as client:
        assert client.socket.connection_established
        assert client.socket.connected
        assert client.socket.wsgi_app_greenlet


def test_the_environ_has_the_socket_and_the_websocket():
    found = {}

    class Chat(BaseNamespace):
        def initialize(self):
            found.update(self.environ)

    with online({"": Chat}) as client:
        client.send("3:1::x")
        client.recv()
        assert found["socketio"] is client.socket
        for name in ("send", "receive", "close"):
            assert callable(getattr(found["wsgi.websocket"], name))
        assert found["wsgi.websocket"].closed is False


@pytest.mark.parametrize(
    "name",
    [
        *("is_method_allowed", "add_acl_method", "del_acl_method", "lift_acl_restrictions"),
        *("get_initial_acl", "reset_acl", "process_packet", "process_event", "call_method"),
        *("call_method_with_acl", "initialize", "recv_message", "recv_json", "recv_disconnect"),
        *("recv_connect", "recv_error", "error", "send", "emit", "spawn", "disconnect"),
        "kill_local_jobs",
    ],
)
def test_a_namespace_has_its_methods(socket, name):
    assert callable(getattr(BaseNamespace(socket.environ, "/chat"), name))


def test_a_namespace_has_its_attributes(socket):
    ns = BaseNamespace(socket.environ, "/chat")
    assert ns.allowed_methods is None
    assert ns.ns_name == "/chat"
    # Probed for in the original; applications define it.
    assert not hasattr(ns, "exception_handler_decorator")


@pytest.mark.parametrize(
    ("mixin", "names"),
    [
        (RoomsMixin, ["join", "leave", "emit_to_room", "_get_room_name"]),
        (BroadcastMixin, ["broadcast_event", "broadcast_event_not_me"]),
    ],
)
def test_the_mixins_have_their_methods(mixin, names):
    assert all(callable(getattr(mixin, name)) for name in names)


@pytest.mark.parametrize("name", ["BaseTransport", "XHRPollingTransport", "WebsocketTransport"])
def test_the_transports_have_their_names(name):
    assert issubclass(getattr(socketio.transports, name), socketio.transports.BaseTransport)


@pytest.mark.parametrize("name", ["RE_REQUEST_URL", "RE_HANDSHAKE_URL", "RE_DISCONNECT_URL"])
def test_the_handler_has_its_table_of_transports_and_its_patterns(name):
    handler = socketio.handler.SocketIOHandler
    assert isinstance(handler.handler_types, dict)
    assert getattr(handler, name).match("/nothing of ours") is None
