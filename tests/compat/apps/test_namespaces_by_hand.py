"""Unit tests as applications had them: namespaces built by hand, stand-ins for the rest."""

import unittest
from unittest import mock

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.virtsocket import Socket


class ChatNamespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    def initialize(self):
        self.nick = None

    def get_initial_acl(self):
        return ["on_login"]

    def on_login(self, nick):
        self.nick = self.session["nick"] = nick
        self.lift_acl_restrictions()
        self.join("lobby")
        self.broadcast_event_not_me("joined", nick)
        return True

    def on_say(self, text):
        self.emit_to_room("lobby", "said", self.nick, text)
        self.emit("sent", text, callback=self.sent)

    def sent(self, *args):
        self.session["last_ack"] = args

    def on_kick(self, packet):
        self.error("not_allowed", "you are no moderator", msg_id=packet.get("id"))


class MockSocketIOServer(object):
    """Mock a SocketIO server"""

    def __init__(self, *args, **kwargs):
        self.sockets = {}

    def get_socket(self, socket_id=""):
        return self.sockets.get(socket_id)


class MockSocket(Socket):
    pass


class MockNamespaceTest(unittest.TestCase):
    def setUp(self):
        self.server = MockSocketIOServer()
        self.nss = [self.make() for _ in range(3)]

    def make(self, **config):
        socket = MockSocket(self.server, config)
        socket.error = mock.Mock()
        socket.send_packet = mock.Mock()
        socket.state = socket.STATE_CONNECTED
        self.server.sockets[socket.sessid] = socket
        environ = {"socketio": socket}
        socket._set_environ(environ)
        ns = ChatNamespace(environ, "/chat", request={"user": None})
        ns.initialize()  # which the socket does for those it makes itself
        socket.active_ns["/chat"] = ns
        return ns

    def sent_to(self, ns):
        return [
            (call[0][0]["name"], list(call[0][0]["args"]))
            for call in ns.socket.send_packet.call_args_list
        ]

    def event(self, name, *args, **more):
        return dict(
            {"type": "event", "name": name, "args": list(args), "endpoint": "/chat"}, **more
        )

    def test_building_one_starts_and_sends_nothing(self):
        ns = self.nss[0]
        self.assertEqual((ns.nick, ns.ns_name, ns.request), (None, "/chat", {"user": None}))
        self.assertIs(ns.session, ns.socket.session)
        self.assertEqual(ns.socket.jobs, [])
        self.assertFalse(ns.socket.send_packet.called)

    def test_login_and_room(self):
        one, two, three = self.nss
        self.assertTrue(one.process_packet(self.event("login", "ada")))
        self.assertTrue(two.process_packet(self.event("login", "bob")))
        self.assertEqual(self.sent_to(three), [("joined", ["ada"]), ("joined", ["bob"])])
        two.process_packet(self.event("say", "hi"))
        self.assertEqual(self.sent_to(one), [("joined", ["bob"]), ("said", ["bob", "hi"])])
        self.assertEqual(self.sent_to(three)[2:], [])

    def test_the_acl_is_kept_and_lifted(self):
        ns = self.nss[0]
        ns.process_packet(self.event("say", "hi"))
        args = ns.socket.error.call_args
        self.assertEqual(args[0][0], "method_access_denied")
        self.assertEqual(args[1]["endpoint"], "/chat")
        self.assertFalse(ns.is_method_allowed("on_say"))
        ns.process_packet(self.event("login", "ada"))
        self.assertIsNone(ns.allowed_methods)

    def test_the_callback_of_an_emit_is_called_by_an_ack_packet(self):
        ns = self.nss[0]
        ns.process_packet(self.event("login", "ada"))
        ns.process_packet(self.event("say", "hi"))
        packet = ns.socket.send_packet.call_args[0][0]
        self.assertEqual((packet["name"], packet["ack"]), ("sent", "data"))
        ns.process_packet(
            {"type": "ack", "ackId": packet["id"], "endpoint": "/chat", "args": [1, 2]}
        )
        self.assertEqual(ns.session["last_ack"], (1, 2))

    def test_a_handler_that_takes_the_packet_gets_it(self):
        ns = self.nss[0]
        ns.lift_acl_restrictions()
        ns.process_packet(self.event("kick", "bob", id=7))
        ns.socket.error.assert_called_once_with(
            "not_allowed", "you are no moderator", endpoint="/chat", msg_id=7, quiet=False
        )

    def test_emit_can_be_replaced_and_asserted_on(self):
        ns = self.nss[0]
        ns.emit = mock.Mock()
        ns.emit_to_room = mock.Mock()
        ns.on_say("hi")
        ns.emit_to_room.assert_called_once_with("lobby", "said", None, "hi")
        ns.emit.assert_called_once_with("sent", "hi", callback=ns.sent)

    def test_it_leaves_by_itself(self):
        ns = self.nss[0]
        ns.disconnect()
        self.assertEqual(ns.socket.active_ns, {})

    def test_a_mock_serves_for_a_socket_with_a_session_of_its_own(self):
        socket = mock.MagicMock(session={"nick": "eve"}, server=self.server)
        ns = ChatNamespace({"socketio": socket}, "/chat")
        ns.join("lobby")
        self.assertEqual(socket.session["rooms"], {"/chat_lobby"})
        self.assertEqual(socket.session["nick"], "eve")
