"""docs/howto/tuning.rst: the settings it gives are settings, and do what it says."""

import pytest

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import Event, ManualClock, TestServer
from tests.client import PollingClient, fetch, serving
from tests.docs.howto import HOWTO, load

tuning = load(HOWTO / "tuning.py")
ALL = ["PHONES", "TELEVISIONS", "PRICES", "MANY_CLIENTS"]


class Chat(BaseNamespace, BroadcastMixin):
    pass


@pytest.mark.parametrize("name", ALL)
def test_a_server_takes_them(name):
    assert SocketIOServer(("127.0.0.1", 0), None, **getattr(tuning, name))


def test_the_client_is_told_both_timeouts_and_the_transports():
    with serving({"": Chat}, **tuning.PHONES, transports=["websocket", "xhr-polling"]) as server:
        answer = fetch(server, "GET", "/socket.io/1/").text
    assert answer.split(":")[1:] == ["50", "90", "websocket,xhr-polling"]


def test_who_is_lost_without_a_word_is_noticed_after_the_heartbeat_timeout():
    with TestServer({"/chat": Chat}, **tuning.PHONES) as server:
        ada = server.connect("/chat")
        ada.answers_heartbeats = False
        server.clock.advance(49)
        assert ada.connected
        server.clock.advance(2)
        assert ada.socket.disconnect_reason == "heartbeat_timeout"


def test_who_answers_late_stays_where_the_timeout_is_long():
    with TestServer({"/chat": Chat}, heartbeat_interval=20, heartbeat_timeout=120) as server:
        ada = server.connect("/chat")
        ada.answers_heartbeats = False
        server.clock.advance(90)
        ada.answers_heartbeats = True
        server.clock.advance(200)
        assert ada.connected


def test_who_polls_may_be_away_for_the_close_timeout():
    clock = ManualClock()
    with serving({"": Chat}, **tuning.PHONES, clock=clock) as server:
        ada = PollingClient(server).open()
        (socket,) = server.sockets.values()
        clock.advance(89)
        assert socket.connected
        socket.send_packet({"type": "message", "data": "hello again", "endpoint": ""})
        assert ada.recv() == "3:::hello again"
        clock.advance(91)
        assert socket.disconnect_reason == "close_timeout"
        ada.close()


def test_of_prices_the_newest_come_to_a_slow_client():
    with TestServer({"/prices": Chat}, **tuning.PRICES) as server:
        ada = server.connect("/prices")
        ada.reading = False
        for number in range(1000):
            server.emit("price", number, namespace="/prices")
        ada.reading = True
        got = [record.args[0] for record in ada.received() if isinstance(record, Event)]
        assert got == list(range(900, 1000))
        assert server.real.stats()["traffic"]["packets_dropped"] == 900
