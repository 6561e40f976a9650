"""The real clock: one hub timer that goes on ringing, whatever its callbacks do."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import gevent
import pytest
from gevent import socket as gsocket

from socketio.clock import Clock
from tests.client import handshake, serving, wait_for


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    yield made
    made.stop()


def rings(clock: Clock) -> bool:
    """Tell whether a deadline that is queued now is called."""
    rung: list[bool] = []
    clock.call_later(0.001, lambda: rung.append(True))
    wait_for(lambda: rung)
    return True


def test_deadlines_are_called_in_their_order(clock: Clock) -> None:
    called: list[int] = []
    for number in (3, 1, 2):
        clock.call_later(number / 1000, lambda n=number: called.append(n))
    wait_for(lambda: len(called) == 3)
    assert called == [1, 2, 3]
    assert len(clock) == 0


def test_a_deadline_that_a_callback_queues_and_another_cancels_does_not_stop_it(
    clock: Clock,
) -> None:
    queued: list[object] = []
    clock.call_later(0.001, lambda: queued.append(clock.call_later(0.0005, lambda: None)))
    clock.call_later(0.001, lambda: clock.cancel(queued[0]))  # type: ignore[arg-type]
    wait_for(lambda: len(clock) == 0 and queued)
    assert rings(clock)
    assert rings(clock)


def test_a_callback_that_fails_does_not_stop_it(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.call_later(0.001, lambda: 1 / 0)  # type: ignore[arg-type]
    wait_for(lambda: len(clock) == 0)
    assert rings(clock)
    assert "ZeroDivisionError" in caplog.text


def test_it_can_be_stopped_and_used_again(clock: Clock) -> None:
    called: list[bool] = []
    clock.call_later(0.001, lambda: called.append(True))
    clock.stop()
    assert rings(clock)
    assert not called


def test_an_earlier_deadline_moves_the_timer_and_a_later_one_does_not(clock: Clock) -> None:
    clock.call_later(1000, lambda: None)
    clock.call_later(2000, lambda: None)
    assert rings(clock)
    assert len(clock) == 2


def test_each_server_has_a_clock_of_its_own_and_its_sessions_use_it() -> None:
    with serving({}) as one, serving({}) as other:
        assert one.clock is not other.clock
        for server in (one, other):
            socket = server.sockets[handshake(server)]
            assert socket.clock is server.clock


def test_a_clock_that_was_given_is_used_although_it_has_nothing_to_do_yet() -> None:
    clock = Clock()
    with serving({}, clock=clock) as server:
        assert server.clock is clock
    clock.stop()


def test_sessions_that_nobody_came_for_are_forgotten_one_after_the_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "socketio")
    with serving({}, handshake_timeout=0.02, linger_timeout=0.01) as server:
        for _ in range(5):
            socket = server.sockets[handshake(server)]
            wait_for(lambda s=socket: s.state == "DISCONNECTED")
            assert socket.disconnect_reason == "handshake_timeout"


def test_deadlines_that_are_far_share_a_ring_and_near_ones_are_exact(clock: Clock) -> None:
    begun = clock.now()
    far = [clock.call_later(25 + number / 1000, lambda: None) for number in range(10)]
    near = [clock.call_later(number / 10, lambda: None) for number in range(1, 11)]
    assert len({deadline.when for deadline in far}) <= 2
    assert len({deadline.when for deadline in near}) == 10
    for number, deadline in enumerate(far):  # late at most, never early
        assert begun + 25 + number / 1000 <= deadline.when <= clock.now() + 25.06 + number / 1000


def test_the_network_has_its_turn_while_much_is_due(clock: Clock) -> None:
    order: list[str] = []
    ours, theirs = gsocket.socketpair()

    def work(number: int) -> None:
        if number == 0:
            theirs.sendall(b"x")
        until = time.monotonic() + 0.0005
        while time.monotonic() < until:
            pass
        order.append("deadline")

    def read() -> None:
        ours.recv(1)
        order.append("network")

    reader = gevent.spawn(read)
    gevent.idle()
    for number in range(50):
        clock.call_later(0, lambda n=number: work(n))
    wait_for(lambda: len(order) == 51)
    assert order.index("network") < 25
    assert len(clock) == 0
    reader.join()
    ours.close()
    theirs.close()
