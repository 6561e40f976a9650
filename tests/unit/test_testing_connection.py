"""How the sessions of a test's clients end, come again, and stand still."""

import pytest

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.testing import Event, Refused, TestServer


class Chat(BaseNamespace, BroadcastMixin):
    def recv_connect(self, packet):
        self.emit("query", packet["qs"])

    def on_tell(self, *args):
        self.broadcast_event_not_me("told", *args)

    def on_kick(self):
        self.socket.disconnect()


@pytest.fixture
def server():
    with TestServer({"": Chat, "/chat": Chat, "/curious": Chat}) as running:
        yield running


@pytest.fixture
def ada(server):
    client = server.connect("/chat")
    client.expect("query", "")
    return client


@pytest.fixture
def bob(server):
    return server.connect("/chat")


def test_a_client_that_says_good_bye_is_gone(server, ada):
    ada.disconnect()
    assert ada.disconnected
    assert ada.socket.disconnect_reason == "peer_left"
    assert not server.sockets
    ada.disconnect()


def test_a_client_that_vanishes_is_lost(server, ada):
    ada.drop()
    assert ada.disconnected
    assert not ada.sent_away
    assert ada.socket.disconnect_reason == "transport_lost"
    assert not server.sockets
    with pytest.raises(AssertionError, match="not connected"):
        ada.emit("echo")


def test_what_a_client_has_said_before_it_vanished_is_heard(ada, bob):
    packet = {"type": "event", "name": "tell", "args": ["last"], "endpoint": "/chat"}
    ada._connection.send_packet(packet)
    ada.drop()
    bob.expect("told", "last")


def test_a_client_is_sent_away(server, ada):
    ada.emit("kick")
    assert ada.sent_away
    assert ada.disconnected
    assert not server.sockets


def test_a_session_that_is_ended_silently_does_not_keep_its_client_away(ada):
    ada.socket.disconnect(silent=True)
    assert ada.disconnected
    assert not ada.sent_away


def test_a_client_comes_back_into_its_namespaces(server, ada, bob):
    main = ada.of("")
    other = ada.of("/curious?x=1")
    other.leave()
    before = ada.socket
    ada.session["name"] = "Ada"
    ada.reconnect()
    assert before.disconnect_reason == "transport_lost"
    assert ada.socket is not before
    assert "name" not in ada.session
    assert ada.connected
    assert main.connected
    assert other.disconnected
    bob.emit("tell", "hello")
    ada.expect("told", "hello")


def test_a_client_that_was_sent_away_may_come_back_all_the_same(ada):
    ada.emit("kick")
    ada.reconnect()
    assert ada.connected
    assert not ada.sent_away


def test_a_client_that_does_not_come_in_again_says_so(server, ada):
    server.real.authorize = lambda environ: False
    with pytest.raises(Refused):
        ada.reconnect()
    assert ada.disconnected


def test_a_client_that_does_not_read_gets_everything_later(ada, bob):
    ada.reading = False
    bob.emit("tell", 1)
    bob.emit("tell", 2)
    ada.expect_nothing()
    assert not ada.reading
    ada.reading = True
    assert ada.received() == [Event("told", [1]), Event("told", [2])]


def test_a_client_that_reads_too_slowly_is_given_up():
    with TestServer({"/chat": Chat}, max_outbound_packets=3) as server:
        ada, bob = server.connect("/chat"), server.connect("/chat")
        ada.reading = False
        for number in range(4):
            bob.emit("tell", number)
        assert ada.disconnected
        assert ada.socket.disconnect_reason == "slow_peer"


def test_a_client_that_reads_takes_more_than_the_queue_holds():
    with TestServer({"/chat": Chat}, max_outbound_packets=3) as server:
        ada = server.connect("/chat")
        ada.received()
        chat = ada.namespace
        for number in range(50):
            chat.emit("x", number)
        assert ada.received() == [Event("x", [number]) for number in range(50)]
