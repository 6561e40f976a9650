"""What applications of the original did with it, beyond its documentation.

Each test stands for something that was found in published applications, or in the tests of one.
"""

import collections
import functools
import weakref
from unittest.mock import MagicMock

import gevent
import pytest

from socketio import packet, socketio_manage
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.namespace import allowed_event_name_regex as imported_regex
from socketio.server import SocketIOServer
from socketio.testing import ManualClock
from socketio.virtsocket import Socket
from tests.client import Recorder, event, handshake, make_app, serving, wait_for
from tests.compat.standins import (
    StandInServer,
    client_of,
    connected_socket,
    listen_nowhere,
    online,
    put_in,
    running,
    session,
)
from tests.streams import ALL_CLIENTS, EVERY

every = pytest.mark.parametrize("transport", EVERY)


def over(socket):
    return socket.state == "DISCONNECTED" and not socket.active_ns


class Echo(BaseNamespace):
    def on_echo(self, *args):
        return args


# -- a socketio_manage() of their own --------------------------------------------------------------


def manage_receiver(socket):
    gevent.joinall([socket._spawn_receiver_loop()])


def manage_receiver_and_watcher(socket):
    # As it stood in the first versions, and was copied from there.
    receiver = socket._spawn_receiver_loop()
    watcher = socket._spawn_watcher()
    gevent.joinall([receiver, watcher])


def manage_jobs(socket):
    socket._spawn_receiver_loop()
    gevent.joinall(socket.jobs)


@every
@pytest.mark.parametrize("manage", [manage_receiver, manage_receiver_and_watcher, manage_jobs])
def test_a_home_made_manage_serves_and_returns_when_the_session_is_over(transport, manage):
    returned = Recorder()

    def app(environ, start_response):
        socket = environ["socketio"]
        socket._set_environ(environ)
        socket._set_namespaces({"": Echo})
        socket._set_request("the request")
        manage(socket)
        returned("returned")
        start_response("200 OK", [])
        return [b""]

    with online(app, transport) as client:
        client.send(event("echo", "hello", msgid="1+"))
        assert client.recv() == '6:::1+["hello"]'
        assert returned.seen == []
        client.send("0::")
        client.close()
        wait_for(lambda: over(client.socket))
        wait_for(lambda: returned.seen)


def test_a_view_may_be_tested_with_a_mock_for_a_socket():
    socket = MagicMock()
    environ = {"socketio": socket}
    assert socketio_manage(environ, {"/chat": Echo}, request="the request") is None
    socket._set_environ.assert_called_once_with(environ)
    socket._set_namespaces.assert_called_once_with({"/chat": Echo})
    socket._set_request.assert_called_once_with("the request")


# -- sockets of their own --------------------------------------------------------------------------


def server_of(socket_class, namespaces, **kw):
    """Return a server whose sessions are of ``socket_class``."""

    class Server(SocketIOServer):
        def get_socket(self, sessid=""):
            if sessid:
                return super().get_socket(sessid)
            socket = socket_class(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    return listen_nowhere(make_app(namespaces), Server, **kw)


@every
def test_an_overridden_put_client_msg_sees_and_may_change_everything_the_server_says(transport):
    class Own(Socket):
        def put_client_msg(self, msg):
            super().put_client_msg(msg.replace("secret", "******"))

    class Chat(BaseNamespace, BroadcastMixin):
        def on_all(self):
            self.emit("x", "secret")
            self.broadcast_event("y", "secret")
            self.send("secret")
            return "secret"

    with running(server_of(Own, {"": Chat})) as server, client_of(server, transport) as client:
        client.send(event("all", msgid="1+"))
        assert [client.recv() for _ in range(4)] == [
            '5:::{"args":["******"],"name":"x"}',
            '5:::{"args":["******"],"name":"y"}',
            "3:::******",
            '6:::1+["******"]',
        ]


@every
def test_an_overridden_send_packet_sees_every_packet_the_server_sends(transport):
    sent = Recorder()

    class Own(Socket):
        def send_packet(self, pkt):
            sent(pkt["type"], pkt["endpoint"])
            super().send_packet(pkt)

    class Chat(BaseNamespace, BroadcastMixin, RoomsMixin):
        def on_all(self):
            self.join("lobby")
            self.emit("x")
            self.send("x", json=True)
            self.broadcast_event("y")
            self.broadcast_to_room("lobby", "z")
            self.error("name", "message")

    with running(server_of(Own, {"/chat": Chat})) as server, client_of(server, transport) as client:
        client.send("1::/chat", event("all", endpoint="/chat", msgid="1+"))
        while not client.recv().startswith("6:"):
            pass
    assert [kind for kind, _ in sent.seen] == [
        *("connect", "event", "json", "event", "event", "event", "ack")
    ]
    assert {endpoint for _, endpoint in sent.seen} == {"/chat"}


@every
def test_an_overridden_put_server_msg_sees_and_may_change_everything_the_client_says(transport):
    class Own(Socket):
        def put_server_msg(self, msg):
            super().put_server_msg(msg.replace("secret", "******"))

    with running(server_of(Own, {"": Echo})) as server, client_of(server, transport) as client:
        client.send(event("echo", "secret", msgid="1+"))
        assert client.recv() == '6:::1+["******"]'


@every
def test_an_overridden_get_server_msg_feeds_the_receiver(transport):
    class Own(Socket):
        def get_server_msg(self, **kwargs):
            text = super().get_server_msg(**kwargs)
            return text and text.replace("secret", "******")

    with running(server_of(Own, {"": Echo})) as server, client_of(server, transport) as client:
        client.send(event("echo", "secret", msgid="1+"))
        assert client.recv() == '6:::1+["******"]'
        client.send("0::")
        client.close()
        wait_for(lambda: not server.sockets)


@every
def test_an_overridden_get_client_msg_feeds_the_transport(transport):
    class Own(Socket):
        def get_client_msg(self, **kwargs):
            gevent.sleep(0)  # it may block
            text = super().get_client_msg(**kwargs)
            return text and text.replace("secret", "******")

    with running(server_of(Own, {"": Echo})) as server, client_of(server, transport) as client:
        client.send(event("echo", "secret", msgid="1+"))
        assert client.recv() == '6:::1+["******"]'


def test_an_overridden_get_multiple_client_msgs_feeds_a_poll():
    class Own(Socket):
        def get_multiple_client_msgs(self, **kwargs):
            return [*super().get_multiple_client_msgs(**kwargs), "3:::and one more"]

    with running(server_of(Own, {"": Echo})) as server, client_of(server, "xhr-polling") as client:
        client.send(event("echo", "x", msgid="1+"))
        assert [client.recv(), client.recv()] == ['6:::1+["x"]', "3:::and one more"]


CALLED = ["kill", "disconnect", "detach", "remove_namespace", "heartbeat", "incr_hits", "spawn"]


@every
@pytest.mark.parametrize("name", [*CALLED, "error", "_receiver_loop", "_spawn_receiver_loop"])
def test_an_overridden_method_of_a_socket_is_still_called(transport, name):
    called = Recorder()

    def method(self, *args, **kwargs):
        called(name)
        return getattr(Socket, name)(self, *args, **kwargs)

    own = type("Own", (Socket,), {name: method})
    with running(server_of(own, {"/chat": Echo})) as server, client_of(server, transport) as client:
        socket = server.sockets[client.sessid]
        client.send("1::/chat", "2::", "unintelligible", "3:1:/chat:x")
        while client.recv() != "6::/chat:1":
            pass
        client.send("0::")
        client.close()
        wait_for(lambda: over(socket))
    assert called.seen


class LoopingLikeTheOriginal(Socket):
    """Has a loop that never ends by itself: of old, it was killed with its session."""

    def _receiver_loop(self):
        while True:
            text = self.get_server_msg()
            if not text:
                continue
            pkt = packet.decode(text)
            if pkt["type"] == "message":
                self.send_packet({"type": "message", "data": pkt["data"].upper()})
            elif pkt["type"] == "disconnect":
                self.kill(detach=True)


@pytest.mark.parametrize("way", ["packet", "kill", "lost"])
def test_a_receiver_loop_of_their_own_handles_the_packets_and_ends_with_the_session(way):
    clock = ManualClock()
    with running(server_of(LoopingLikeTheOriginal, {}, clock=clock)) as server:
        with client_of(server) as client:
            socket = server.sockets[client.sessid]
            client.send("3:::hello")
            assert client.recv() == "3:::HELLO"
            if way == "packet":
                client.send("0::")
            elif way == "kill":
                socket.kill()
        wait_for(lambda: not socket.connected)
        clock.advance(server.config["close_timeout"] + 1)
        wait_for(lambda: over(socket))
        wait_for(lambda: not socket.jobs)
        assert server.sockets == {}


def test_json_functions_may_be_set_on_a_class_of_sockets():
    # They were static methods of the class.
    class Own(Socket):
        json_dumps = staticmethod(lambda data: "WRITTEN")
        json_loads = staticmethod(lambda text: {"name": "echo", "args": [text]})

    with session({"": Echo}, Own) as on:
        assert on.tell("5:1+::read") == ["6:::1+WRITTEN"]
        assert on.socket.json_loads("read")["args"] == ["read"]


def test_a_send_packet_replaced_on_one_socket_gets_what_is_sent_to_it():
    # Tests of applications look there at what would have been sent.
    server = StandInServer()
    one, two = connected_socket(server), connected_socket(server)

    class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
        pass

    spaces = [put_in(socket, Chat, "/chat") for socket in (one, two)]
    for ns in spaces:
        ns.join("lobby")
        ns.socket.send_packet = MagicMock()
    spaces[0].emit("a", 1)
    spaces[0].broadcast_event("b", 2)
    spaces[0].broadcast_event_not_me("c", 3)
    spaces[0].emit_to_room("lobby", "d", 4)
    names = [
        [call.args[0]["name"] for call in ns.socket.send_packet.call_args_list] for ns in spaces
    ]
    assert names == [["a", "b"], ["b", "c", "d"]]


def test_a_send_packet_replaced_on_the_class_gets_what_is_broadcast(monkeypatch):
    sent = Recorder()
    monkeypatch.setattr(Socket, "send_packet", lambda self, pkt: sent(pkt["name"]))
    server = StandInServer()

    class Chat(BaseNamespace, BroadcastMixin):
        pass

    ns = put_in(connected_socket(server), Chat, "/chat")
    ns.emit("a")
    ns.broadcast_event("b")
    assert sent.seen == ["a", "b"]


def test_sockets_and_namespaces_are_kept_in_lists_sets_and_dictionaries():
    server = StandInServer()
    socket, other = connected_socket(server), connected_socket(server)
    ns = put_in(socket, Echo, "/chat")
    online_users = weakref.WeakKeyDictionary({ns: "bob"})
    by_socket, everyone, listed = {socket: "bob"}, {ns}, [socket, other]
    assert (by_socket[socket], online_users[ns], ns in everyone) == ("bob", "bob", True)
    listed.remove(other)
    assert listed == [socket]
    # "if socket:" and "if socket.active_ns.get(name):" ask whether there is one.
    assert socket
    assert other
    assert ns
    assert socket != other


def test_packets_are_sent_through_a_socket_that_was_kept():
    kept = {}

    class Chat(BaseNamespace):
        def on_identify(self, user):
            kept[user] = self.socket
            return True

    with online({"/chat": Chat}) as client:
        client.send(event("identify", "bob", endpoint="/chat", msgid="1+"))
        client.recv()
        for args in (["hi"], ("hi",), {"a": 1}):
            kept["bob"].send_packet(
                {"type": "event", "name": "x", "args": args, "endpoint": "/chat"}
            )
        assert [client.recv() for _ in range(3)] == [
            '5::/chat:{"args":["hi"],"name":"x"}',
            '5::/chat:{"args":["hi"],"name":"x"}',
            '5::/chat:{"args":{"a":1},"name":"x"}',
        ]


@every
def test_what_is_sent_before_the_client_comes_is_delivered_when_it_does(transport):
    with serving({"": Echo}) as server:
        sessid = handshake(server)
        server.sockets[sessid].send_packet({"type": "message", "data": "early"})
        client = ALL_CLIENTS[transport](server, sessid).open()
        assert client.recv() == "3:::early"
        client.close()


# -- rooms and broadcasts of their own -------------------------------------------------------------


class OwnRooms(BaseNamespace, RoomsMixin):
    """Sends to a room by looking at every session, the sender's too."""

    def on_join(self, room):
        self.join(room)

    def on_say(self, room, text):
        self.emit_to_room(room, "said", text)

    def emit_to_room(self, room, event, *args):
        pkt = {"type": "event", "name": event, "args": args, "endpoint": self.ns_name}
        room_name = self._get_room_name(room)
        for _sessid, socket in self.socket.server.sockets.items():
            if "rooms" not in socket.session:
                continue
            if room_name in socket.session["rooms"]:
                socket.send_packet(pkt)


def test_a_room_loop_of_their_own_finds_the_members():
    with (
        serving({"/chat": OwnRooms}) as server,
        client_of(server) as one,
        client_of(server) as two,
        client_of(server) as outside,
    ):
        for client in (one, two):
            client.send(event("join", "lobby", endpoint="/chat"))
        outside.send("1::/chat")
        sockets = [server.sockets[client.sessid] for client in (one, two)]
        wait_for(lambda: all(socket.session.get("rooms") for socket in sockets))
        one.send(event("say", "lobby", "hi", endpoint="/chat"))
        assert one.recv() == two.recv() == '5::/chat:{"args":["hi"],"name":"said"}'
        assert outside.recv() == "1::/chat"


def test_a_namespace_may_leave_all_rooms_by_their_names():
    class Chat(BaseNamespace, RoomsMixin):
        rooms = []  # a name of theirs, and of ours

        def on_enter(self, *names):
            for name in names:
                self.join(name)
                if name not in self.rooms:
                    self.rooms.append(name)
            return sorted(self.socket.session["rooms"])

        def on_leave_all(self):
            rooms = self.socket.session["rooms"]
            for name in rooms.copy():
                self.leave(name.split("/chat_")[1])
            return sorted(rooms), self.rooms

    with session(Chat) as on:
        asked = event("enter", "a", "b_c", endpoint="/chat", msgid="1+")
        assert on.tell(asked) == ['6::/chat:1+[["/chat_a","/chat_b_c"]]']
        asked = event("leave_all", endpoint="/chat", msgid="2+")
        assert on.tell(asked) == ['6::/chat:2+[[],["a","b_c"]]']


def test_a_namespace_may_have_members_and_ack_of_its_own():
    class Chat(BaseNamespace, RoomsMixin):
        ack = members = close_room = None

        def initialize(self):
            self.members = ["bob"]
            self.rooms = {"lobby"}

        def on_enter(self):
            self.join("lobby")
            return self.members, sorted(self.rooms), self.ack

    with session(Chat) as on:
        asked = event("enter", endpoint="/chat", msgid="1+")
        assert on.tell(asked) == ['6::/chat:1+[["bob"],["lobby"],null]']


def test_a_broadcast_may_be_a_class_method_over_a_list_of_their_own():
    class Viewer(BaseNamespace, BroadcastMixin):
        registry = {}

        def recv_connect(self):
            self.registry[id(self)] = self

        def recv_disconnect(self):
            del self.registry[id(self)]
            self.disconnect(silent=True)

        @classmethod
        def broadcast_event(cls, name, *args):
            for ns in cls.registry.values():
                ns.emit(name, *args)

    with serving({"/v": Viewer}) as server:
        with client_of(server) as one, client_of(server) as two:
            for client in (one, two):
                client.send("1::/v")
                assert client.recv() == "1::/v"
            Viewer.broadcast_event("frame", 1)
            assert one.recv() == two.recv() == '5::/v:{"args":[1],"name":"frame"}'
        wait_for(lambda: Viewer.registry == {})


@pytest.mark.parametrize("value", ["bob", {}, {"nickname": "bob"}, {"rooms": {"x"}}])
def test_a_session_that_was_replaced_harms_neither_broadcasts_nor_the_end(value):
    # A published chat assigns the nickname to socket.session.
    class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
        def on_enter(self):
            self.join("lobby")

        def on_replace(self):
            self.socket.session = value

        def on_say(self):
            self.emit_to_room("lobby", "said")
            self.broadcast_event("shouted")

    with serving({"/chat": Chat}) as server, client_of(server) as other:
        with client_of(server) as odd:
            socket = server.sockets[odd.sessid]
            odd.send(event("enter", endpoint="/chat"), event("replace", endpoint="/chat"))
            wait_for(lambda: socket.session is value)
            other.send(event("say", endpoint="/chat"))
            assert other.recv() == '5::/chat:{"name":"shouted"}'
        wait_for(lambda: over(socket))
        wait_for(lambda: list(server.sockets) == [other.sessid])


# -- handlers --------------------------------------------------------------------------------------


def with_user(method):
    """Adds an argument that the client did not send."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        user = self.session.get("user")
        if user is None:
            return (403,)
        return method(self, *args, user=user, **kwargs)

    return wrapper


def test_a_decorator_may_add_arguments_to_those_of_the_client():
    class Chat(BaseNamespace):
        def on_login(self, user):
            self.session["user"] = user

        @with_user
        def on_whoami(self, user):
            return user

        @with_user
        def on_say(self, text, user):
            return f"{user}: {text}"

    with session({"": Chat}) as on:
        assert on.tell(event("whoami", msgid="1+")) == ["6:::1+[403]"]
        on.tell(event("login", "bob"))
        assert on.tell(event("whoami", msgid="2+")) == ['6:::2+["bob"]']
        assert on.tell(event("say", "hi", msgid="3+")) == ['6:::3+["bob: hi"]']


def everything_on(method):
    """Passes everything on, and counts."""

    @functools.wraps(method)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return method(*args, **kwargs)

    wrapper.calls = 0
    return wrapper


def test_a_decorator_may_pass_everything_on():
    class Chat(BaseNamespace):
        @everything_on
        def on_two(self, a, b):
            return a + b

        @everything_on
        def recv_message(self, data):
            return data

    with session({"": Chat}) as on:
        assert on.tell(event("two", 1, 2, msgid="1+"), "3:2+::x") == ["6:::1+[3]", '6:::2+["x"]']
    assert (Chat.on_two.calls, Chat.recv_message.calls) == (1, 1)


class Context:
    """A request context, as web frameworks have them."""

    current = None

    def __init__(self, environ):
        self.environ = environ

    def __enter__(self):
        Context.current = self

    def __exit__(self, *exc):
        Context.current = None


class InContext(BaseNamespace):
    """Handles every packet within a request context."""

    def process_packet(self, *args, **kwargs):
        with Context(self.environ):
            try:
                return super().process_packet(*args, **kwargs)
            except LookupError:
                return (404,)

    def recv_connect(self):
        self.session["connected in"] = Context.current is not None

    def on_where(self):
        return Context.current is not None, self.session["connected in"]

    def on_lookup(self):
        raise LookupError


def test_process_packet_may_wrap_every_packet_in_a_context():
    with session(InContext) as on:
        on.tell("1::/chat")
        asked = (
            event(name, endpoint="/chat", msgid=f"{n}+")
            for n, name in enumerate(("where", "lookup"), start=1)
        )
        assert on.tell(*asked) == ["6::/chat:1+[true,true]", "6::/chat:2+[404]"]


def test_process_packet_wraps_recv_connect_too_where_another_packet_came_first():
    with session(InContext) as on:
        asked = event("where", endpoint="/chat", msgid="1+")
        assert on.tell(asked) == ["6::/chat:1+[true,true]"]


def test_process_event_may_be_overridden_for_names_with_colons():
    class Chat(BaseNamespace):
        def process_event(self, packet):
            args, name = packet["args"], packet["name"].replace(":", "_")
            if not imported_regex.match(name):
                self.error(
                    "unallowed_event_name", "name must only contains alpha numerical characters"
                )
                return None
            return self.call_method_with_acl("on_" + name.replace(" ", "_"), packet, *args)

        def on_colors_read(self, model):
            self.emit(f"{model}:create", [])
            return True

    with session({"": Chat}) as on:
        assert on.tell(event("colors:read", "blue", msgid="1+")) == [
            '5:::{"args":[[]],"name":"blue:create"}',
            "6:::1+[true]",
        ]
        assert "unallowed_event_name" in on.tell(event("$x"))[0]


def test_a_spawned_listener_may_feed_process_event():
    class Chat(BaseNamespace):
        def on_subscribe(self, room):
            self.spawn(self.listener, room)
            return True

        def listener(self, room):
            self.process_event({"name": "news", "args": [room, 1]})

        def on_news(self, *args):
            self.emit("news", *args)

    with online({"": Chat}) as client:
        client.send(event("subscribe", "sports", msgid="1+"))
        assert {client.recv(), client.recv()} == {
            "6:::1+[true]",
            '5:::{"args":["sports",1],"name":"news"}',
        }


def test_call_method_may_be_wrapped_with_a_bare_except():
    transactions = Recorder()

    class Chat(BaseNamespace):
        def call_method(self, method_name, packet, *args):
            try:
                return super().call_method(method_name, packet, *args)
            except:  # noqa: E722 - as they wrote it
                transactions("abort", method_name)
            finally:
                transactions("commit", method_name)

        def on_good(self):
            return 1

        def on_bad(self):
            raise ValueError

    with session({"": Chat}) as on:
        assert on.tell(event("good", msgid="1+")) == ["6:::1+[1]"]
        assert on.tell(event("bad", msgid="2+")) == ["6:::2+[null]"]
    assert transactions.seen[:3] == [
        ("commit", "on_good"),
        ("abort", "on_bad"),
        ("commit", "on_bad"),
    ]


def test_a_namespace_may_take_arguments_of_its_own_and_call_the_constructors_by_name():
    class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
        def __init__(self, context, environ, *args, **kwargs):
            BaseNamespace.__init__(self, environ, *args, **kwargs)
            BroadcastMixin.__init__(self)
            RoomsMixin.__init__(self)
            self.context = context

        def on_enter(self):
            self.join("lobby")
            self.broadcast_to_room("lobby", "entered", self.context)

    with session({"/chat": lambda *args, **kwargs: Chat("context", *args, **kwargs)}) as on:
        assert on.tell("1::/chat", event("enter", endpoint="/chat")) == [
            "1::/chat",
            '5::/chat:{"args":["context"],"name":"entered"}',
        ]


def test_a_namespace_may_call_the_hooks_of_the_base_class_by_name():
    class Chat(BaseNamespace):
        def initialize(self):
            BaseNamespace.initialize(self)

        def recv_connect(self):
            return super().recv_connect()

        def disconnect(self, *args, **kwargs):
            self.session["left"] = True
            BaseNamespace.disconnect(self, *args, **kwargs)

        def recv_disconnect(self):
            return super().recv_disconnect()

    with session({"/a": Chat, "/b": Chat}) as on:
        assert on.tell("1::/a", "1::/b", "0::/a") == ["1::/a", "1::/b"]
        assert on.socket.session["left"]


def test_a_client_that_may_not_come_in_is_sent_away_in_recv_connect():
    class Chat(BaseNamespace):
        def get_initial_acl(self):
            return {"recv_connect", "recv_disconnect"}

        def recv_connect(self):
            self.emit("connect_failed", "Authentication failed")
            self.disconnect(silent=False)

    with session({"/chat": Chat, "/news": Echo}) as on:
        on.tell("1::/news")
        assert on.tell("1::/chat") == [
            "1::/chat",
            '5::/chat:{"args":["Authentication failed"],"name":"connect_failed"}',
            "0::/chat",
        ]
        assert list(on.socket.active_ns) == ["/news"]
        assert on.socket.connected


class SentAway(BaseNamespace):
    """Sends its client away before it is in; where, its subclasses say."""

    ran = Recorder()

    def recv_connect(self):
        self.ran("recv_connect")

    def on_anything(self):
        self.ran("on_anything")


class SentAwayByConstructor(SentAway):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.disconnect()


class SentAwayByAcl(SentAway):
    def get_initial_acl(self):
        self.disconnect()


class SentAwayByInitialize(SentAway):
    def initialize(self):
        self.disconnect()


@pytest.mark.parametrize("cls", [SentAwayByConstructor, SentAwayByAcl, SentAwayByInitialize])
@pytest.mark.parametrize("first", ["1::/chat", event("anything", endpoint="/chat")])
def test_a_client_that_is_sent_away_while_its_namespace_is_made_does_not_come_in(cls, first):
    cls.ran.seen.clear()
    with session({"/chat": cls, "/news": Echo}) as on:
        on.tell("1::/news")
        assert on.tell(first) == ["0::/chat"]
        assert list(on.socket.active_ns) == ["/news"]
        assert cls.ran.seen == []


def test_a_namespace_may_look_for_others_of_the_same_client():
    class Chat(BaseNamespace):
        def on_forward(self, text):
            if "/news" in self.socket:
                self.socket["/news"].emit("forwarded", text)
            return sorted(self.socket.active_ns)

    with session({"/chat": Chat, "/news": Echo}) as on:
        on.tell("1::/chat")
        asked = event("forward", "x", endpoint="/chat", msgid="1+")
        assert on.tell(asked) == ['6::/chat:1+[["/chat"]]']
        on.tell("1::/news")
        assert on.tell(asked) == [
            '5::/news:{"args":["x"],"name":"forwarded"}',
            '6::/chat:1+[["/chat","/news"]]',
        ]


def test_recv_disconnect_may_clean_up_without_calling_anything_of_ours():
    cleaned = Recorder()

    class Chat(BaseNamespace):
        def recv_connect(self):
            self.job = self.spawn(gevent.sleep, 3600)

        def recv_disconnect(self):
            self.kill_local_jobs()
            cleaned(self.ns_name)

    with online({"/a": Chat, "/b": Chat}) as client:
        client.send("1::/a", "1::/b")
        wait_for(lambda: len(client.socket.active_ns) == 2)
        jobs = [ns.job for ns in client.socket.active_ns.values()]
        client.close()
        wait_for(lambda: over(client.socket))
        assert sorted(cleaned.seen) == ["/a", "/b"]
        assert all(job.dead for job in jobs)


@pytest.mark.parametrize("end", ["kill", "disconnect"])
@pytest.mark.parametrize("way", ["leaves", "is lost", "is sent away"])
def test_recv_disconnect_may_end_the_socket_and_is_called_once(way, end):
    told = Recorder()

    class Chat(BaseNamespace):
        def recv_disconnect(self):
            told(self.ns_name)
            getattr(self.socket, end)()

    with online({"/a": Chat, "/b": Chat}) as client:
        client.send("1::/a", "1::/b")
        wait_for(lambda: len(client.socket.active_ns) == 2)
        if way == "leaves":
            client.send("0::/a")
        elif way == "is sent away":
            client.socket.disconnect()
        client.close()
        wait_for(lambda: over(client.socket))
        assert sorted(told.seen) == ["/a", "/b"]


def test_events_may_have_the_names_of_the_library():
    class Chat(BaseNamespace):
        def on_connect(self):
            return "connect"

        def on_disconnect(self, why):
            return why

        def on_message(self, text):
            return text

        def on_error(self, *args):
            return args

    with session({"": Chat}) as on:
        asked = (
            event("connect", msgid="1+"),
            event("disconnect", "bye", msgid="2+"),
            event("message", "hi", msgid="3+"),
            event("error", 4, msgid="4+"),
        )
        assert on.tell(*asked) == [
            '6:::1+["connect"]',
            '6:::2+["bye"]',
            '6:::3+["hi"]',
            "6:::4+[4]",
        ]
        assert on.socket.connected


def test_a_loop_that_asks_whether_the_socket_is_connected_ends():
    class Chat(BaseNamespace):
        def on_watch(self):
            Chat.job = gevent.spawn(self.loop)  # not self.spawn(): nobody kills it

        def loop(self):
            while self.socket.connected:
                gevent.sleep(0)

    with online({"": Chat}) as client:
        client.send(event("watch"))
        wait_for(lambda: hasattr(Chat, "job"))
        assert not Chat.job.dead
        client.close()
        Chat.job.get(timeout=5)


def test_a_spawned_greenlet_may_be_killed_and_replaced_by_the_application():
    class Chat(BaseNamespace):
        def on_listen(self, channel):
            if hasattr(self, "job"):
                self.job.kill()
            self.job = self.spawn(gevent.sleep, 3600)

    with session({"": Chat}) as on:
        on.tell(*[event("listen", str(number)) for number in range(3)])
        ns = on.socket[""]
        wait_for(lambda: ns.jobs == [ns.job])
        assert not ns.job.dead


def test_the_application_s_keys_in_the_environ_reach_the_namespaces():
    # Shared lists are put there for each request.
    nicknames = []

    class Chat(BaseNamespace):
        def on_nickname(self, name):
            self.environ["nicknames"].append(name)
            self.environ.setdefault("more", []).append(name)
            return self.environ["more"]

    def app(environ, start_response):
        environ["nicknames"] = nicknames
        return make_app({"": Chat})(environ, start_response)

    with online(app) as client:
        client.send(event("nickname", "bob", msgid="1+"), event("nickname", "eve", msgid="2+"))
        assert [client.recv(), client.recv()] == ['6:::1+[["bob"]]', '6:::2+[["bob","eve"]]']
    assert nicknames == ["bob", "eve"]


def test_a_namespace_of_an_application_can_be_tested_alone():
    class Game(BaseNamespace, RoomsMixin, BroadcastMixin):
        def on_join(self, room):
            self.join(room)
            self.emit_to_room(room, "joined")
            self.emit("state", {"room": room})
            return True

        def recv_disconnect(self):
            self.broadcast_event("left")
            super().recv_disconnect()

    server = StandInServer()
    socket = Socket(server, {})
    socket.error = MagicMock()
    ns = Game({"socketio": socket}, "/game")
    ns.emit = MagicMock()
    ns.broadcast_event = MagicMock()
    assert ns.on_join("7") is True
    ns.emit.assert_called_with("state", {"room": "7"})
    assert socket.session["rooms"] == {"/game_7"}
    ns.recv_disconnect()
    ns.broadcast_event.assert_called_once_with("left")
    assert not socket.error.called


def test_a_namespace_can_be_tested_with_a_mock_for_a_socket():
    class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
        pass

    socket = MagicMock()
    ns = Chat({"socketio": socket}, "/chat")
    ns.join("lobby")
    ns.leave("lobby")
    ns.emit("x", 1)
    (sent,), _ = socket.send_packet.call_args
    assert (sent["name"], list(sent["args"]), sent["endpoint"]) == ("x", [1], "/chat")
    ns.error("name", "message")
    socket.error.assert_called_once_with(
        "name", "message", endpoint="/chat", msg_id=None, quiet=False
    )


# -- a framework on top, as the first Flask-SocketIO was -------------------------------------------


class Layer:
    """Registers functions for events, and makes the namespaces that call them."""

    def __init__(self):
        self.handlers = collections.defaultdict(dict)
        self.rooms = collections.defaultdict(set)

    def on(self, name, namespace=""):
        def register(function):
            self.handlers[namespace][name] = function
            return function

        return register

    def get_namespaces(self):
        layer = self

        class Generic(BaseNamespace):
            base_emit = BaseNamespace.emit

            def initialize(self):
                self.rooms = set()

            def process_event(self, packet):
                return layer.dispatch(self, packet["name"], packet["args"])

            def recv_connect(self):
                ret = super().recv_connect()
                layer.dispatch(self, "connect")
                return ret

            def recv_disconnect(self):
                layer.dispatch(self, "disconnect")
                for room in self.rooms.copy():
                    layer.rooms[room].discard(self)
                return super().recv_disconnect()

            def recv_message(self, data):
                return layer.dispatch(self, "message", [data])

            def emit(self, event, *args, **kwargs):
                room = kwargs.pop("room", None)
                if kwargs.pop("broadcast", False):
                    return layer.emit(event, *args, namespace=self.ns_name)
                if room:
                    return [ns.base_emit(event, *args) for ns in layer.rooms[room]]
                return self.base_emit(event, *args, **kwargs)

            def join_room(self, room):
                self.rooms.add(room)
                layer.rooms[room].add(self)

        return dict.fromkeys(self.handlers, Generic)

    def dispatch(self, namespace, name, args=()):
        handler = self.handlers[namespace.ns_name].get(name)
        if handler is None:
            return None
        seen = dict(namespace.session.items())
        try:
            return handler(namespace, *args)
        finally:
            for key, value in seen.items():
                namespace.session[key] = value

    def emit(self, event, *args, namespace=""):
        for _sessid, socket in self.server.sockets.items():
            if socket.active_ns.get(namespace):
                socket[namespace].base_emit(event, *args)

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].strip("/").startswith("socket.io"):
            socketio_manage(environ, self.get_namespaces(), self)
            return None
        start_response("200 OK", [])
        return [b"page"]


def test_a_framework_on_top_dispatches_broadcasts_and_cleans_up():
    layer, log = Layer(), Recorder()

    @layer.on("connect", "/chat")
    def connect(ns):
        log("connect", ns.request is layer)

    @layer.on("disconnect", "/chat")
    def disconnect(ns):
        log("disconnect", ns.ns_name)

    @layer.on("my event", "/chat")
    def my_event(ns, data):
        ns.join_room("lobby")
        ns.emit("answer", data)
        ns.emit("all", data, broadcast=True)
        ns.emit("room", data, room="lobby")
        return "done"

    @layer.on("message", "/chat")
    def message(ns, data):
        ns.error("name", "message", 7, False)
        ns.disconnect(False)

    with serving(layer) as server, client_of(server) as one, client_of(server) as two:
        layer.server = server
        for client in (one, two):
            client.send("1::/chat")
            assert client.recv() == "1::/chat"
        one.send(event("my event", 5, endpoint="/chat", msgid="1+"))
        assert [one.recv() for _ in range(4)] == [
            '5::/chat:{"args":[5],"name":"answer"}',
            '5::/chat:{"args":[5],"name":"all"}',
            '5::/chat:{"args":[5],"name":"room"}',
            '6::/chat:1+["done"]',
        ]
        assert two.recv() == '5::/chat:{"args":[5],"name":"all"}'
        two.send("3::/chat:leave")
        assert two.recv() == '5:7:/chat:{"args":["name","message"],"name":"error"}'
        assert two.recv() == "0::/chat"
        one.close()
        wait_for(lambda: ("disconnect", "/chat") in log.seen)
    assert log.seen == [("connect", True)] * 2 + [("disconnect", "/chat")]
    assert layer.rooms["lobby"] == set()
