"""The clock of a test, which is turned by hand, and what the sessions do by it."""

import pytest

from socketio.namespace import BaseNamespace
from socketio.testing import ManualClock, TestServer


class Chat(BaseNamespace):
    pass


@pytest.fixture
def server():
    with TestServer({"/chat": Chat}) as running:
        yield running


def test_a_client_that_answers_heartbeats_lives_for_ever(server):
    ada = server.connect("/chat")
    server.clock.advance(3600)
    assert ada.connected
    assert ada.socket.heartbeats >= 100


def test_a_client_that_does_not_is_lost_in_time(server):
    ada = server.connect("/chat")
    ada.answers_heartbeats = False
    assert not ada.answers_heartbeats
    timeout = server.real.config.heartbeat_timeout
    server.clock.advance(timeout - 1)
    assert ada.connected
    server.clock.advance(2)
    assert ada.disconnected
    assert ada.socket.disconnect_reason == "heartbeat_timeout"


def test_a_handshake_that_nobody_follows_is_forgotten(server):
    socket = server.handshake(cookies={"a": "1"})
    assert socket.handshake_environ["HTTP_COOKIE"] == "a=1"
    assert repr(server) == "<TestServer with 1 sessions>"
    server.clock.advance(server.real.config.handshake_timeout + 1)
    assert socket.disconnect_reason == "handshake_timeout"
    assert not server.sockets


def test_deadlines_come_in_their_order_and_what_follows_from_each_before_the_next():
    done = []
    clock = ManualClock(lambda: done.append("settled"))
    for seconds in (2, 1, 2):
        clock.call_later(seconds, lambda s=seconds: done.append((s, clock.now())))
    gone = clock.call_later(1.5, lambda: done.append("cancelled"))
    clock.cancel(gone)
    clock.cancel(None)
    clock.advance(5)
    assert done == [(1, 1001), "settled", (2, 1002), (2, 1002), "settled"]
    assert clock.time == 1005


def test_a_clock_of_its_own_may_be_given():
    clock = ManualClock()
    with TestServer({}, clock=clock) as server:
        assert server.clock is server.real.clock is clock
