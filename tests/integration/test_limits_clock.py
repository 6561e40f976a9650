"""Seconds on the server's clock: a moment before the time is up all is well, then it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from socketio.testing import ManualClock
from tests.client import event, fetch, handshake, wait_for
from tests.integration.httpplace import Place, place
from tests.integration.stalled import connect_stalled, message
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING

TICK = 0.125
"""A moment; a power of two, so that times add up exactly."""


@contextlib.contextmanager
def timed(**settings: float) -> Iterator[tuple[Place, ManualClock]]:
    """A server whose clock stands still."""
    clock = ManualClock()
    with place(clock=clock, **settings) as on:
        yield on, clock
        clock.advance(1_000_000)  # nothing waits for it any more


def enter(on: Place, transport: str) -> tuple[Any, Any]:
    """Connect a client, and go on when it has polled."""
    client = ALL_CLIENTS[transport](on.server).open()
    on.clients.append(client)
    socket = on.server.sockets[client.sessid]
    if transport in POLLING:
        wait_for(lambda: socket.transport is None)
    return client, socket


def works(client: Any) -> bool:
    client.send(event("echo", 1, msgid="7+"))
    return bool(client.recv() == "6:::7+[1]")


def ended(on: Place, socket: Any, reason: str) -> bool:
    wait_for(lambda: socket.state == "DISCONNECTED")
    wait_for(lambda: socket.sessid not in on.server.sockets)
    return socket.disconnect_reason == reason


# -- handshakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_a_client_that_comes_within_the_handshake_timeout_is_served(transport: str) -> None:
    with timed(handshake_timeout=30) as (on, clock):
        sessid = handshake(on.server)
        clock.advance(30 - TICK)
        client = ALL_CLIENTS[transport](on.server, sessid).open()
        on.clients.append(client)
        clock.advance(TICK)
        assert works(client)


@pytest.mark.parametrize("transport", EVERY)
def test_a_client_that_comes_after_the_handshake_timeout_is_unknown(transport: str) -> None:
    with timed(handshake_timeout=30) as (on, clock):
        sessid = handshake(on.server)
        socket = on.server.sockets[sessid]
        clock.advance(30)
        assert ended(on, socket, "handshake_timeout")
        target = f"/socket.io/1/{transport}/{sessid}"
        answer = fetch(on.server, "GET", target)
        assert (answer.status, "1::" in answer.text) in [(400, False), (200, False)]
        assert on.server.stats()["disconnects"] == {"handshake_timeout": 1}
        assert on.server.stats()["sessions"]["pending"] == 0


# -- heartbeats ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", STREAMING)
def test_a_heartbeat_comes_after_the_heartbeat_interval_and_not_before(transport: str) -> None:
    with timed(heartbeat_interval=25) as (on, clock):
        client, socket = enter(on, transport)
        for _ in range(2):
            clock.advance(25 - TICK)
            assert socket.client_queue.qsize() == 0
            clock.advance(TICK)
            assert client.recv() == "2::"


@pytest.mark.parametrize("transport", STREAMING)
def test_a_client_that_answers_within_the_heartbeat_timeout_is_served(transport: str) -> None:
    with timed(heartbeat_timeout=60, heartbeat_interval=1000) as (on, clock):
        client, socket = enter(on, transport)
        for number in range(1, 4):
            clock.advance(60 - TICK)
            client.send("2::")
            wait_for(lambda n=number: socket.heartbeats == n)
        assert works(client)


@pytest.mark.parametrize("transport", STREAMING)
def test_a_client_that_is_silent_for_the_heartbeat_timeout_is_cut_off(transport: str) -> None:
    with timed(heartbeat_timeout=60, heartbeat_interval=1000) as (on, clock):
        client, socket = enter(on, transport)
        clock.advance(60 - TICK)
        assert socket.connected
        clock.advance(TICK)
        assert ended(on, socket, "heartbeat_timeout")
        with pytest.raises((EOFError, ConnectionError)):
            client.recv()
        assert on.server.stats()["disconnects"] == {"heartbeat_timeout": 1}


# -- polling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", POLLING)
def test_a_client_that_polls_again_within_the_close_timeout_is_served(transport: str) -> None:
    with timed(close_timeout=60) as (on, clock):
        client, socket = enter(on, transport)
        for number in range(3):
            clock.advance(60 - TICK)
            message(socket, f"{number}")
            assert client.poll() == [f"3:::{number}"]
            wait_for(lambda: socket.transport is None)
        assert works(client)


@pytest.mark.parametrize("transport", POLLING)
def test_a_client_that_does_not_poll_for_the_close_timeout_is_forgotten(transport: str) -> None:
    with timed(close_timeout=60) as (on, clock):
        _, socket = enter(on, transport)
        clock.advance(60 - TICK)
        assert socket.connected
        clock.advance(TICK)
        assert ended(on, socket, "close_timeout")
        assert on.server.stats()["disconnects"] == {"close_timeout": 1}


@pytest.mark.parametrize("transport", POLLING)
def test_a_poll_that_is_held_keeps_its_session_beyond_the_close_timeout(transport: str) -> None:
    with timed(close_timeout=60, polling_duration=3600) as (on, clock):
        client, socket = enter(on, transport)
        client.start_poll()
        wait_for(lambda: socket.transport)
        clock.advance(3 * 60)
        message(socket, "late")
        assert client.end_poll() == ["3:::late"]


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize("in_time", [True, False])
def test_a_busy_handler_of_a_client_that_left_has_the_close_timeout_as_its_grace(
    transport: str, in_time: bool
) -> None:
    with timed(close_timeout=60, linger_timeout=3600) as (on, clock):
        client, socket = enter(on, transport)
        client.send(event("hold"), "3:::said before")
        wait_for(lambda: "held" in on.site.record.seen)
        wait_for(lambda: socket.server_queue.qsize() == 1)
        fetch(on.server, "GET", f"/socket.io/1//{client.sessid}/?disconnect=1")
        clock.advance(60 - TICK)
        if in_time:
            on.site.gate.set()
            wait_for(lambda: "said before" in on.site.record.seen)
        clock.advance(TICK)
        wait_for(lambda: "disconnect" in on.site.record.seen)
        assert ("said before" in on.site.record.seen) is in_time


@pytest.mark.parametrize("transport", POLLING)
@pytest.mark.parametrize("in_time", [True, False])
def test_the_last_packets_of_a_session_wait_for_the_linger_timeout(
    transport: str, in_time: bool
) -> None:
    with timed(linger_timeout=10) as (on, clock):
        client, socket = enter(on, transport)
        message(socket, "last")
        socket.disconnect()
        clock.advance(10 - TICK)
        assert socket.state == "DISCONNECTING"
        if in_time:
            assert client.poll() == ["3:::last", "0::"]
        else:
            clock.advance(TICK)
        assert ended(on, socket, "kicked")


@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_that_takes_nothing_is_cut_at_the_linger_timeout(transport: str) -> None:
    with timed(linger_timeout=10) as (on, clock):
        client, socket = connect_stalled(on.server, transport)
        on.clients.append(client)
        connection = socket.wsgi_app_greenlet
        message(socket, "last")
        socket.disconnect()
        clock.advance(10 - TICK)
        assert socket.state == "DISCONNECTING"
        clock.advance(TICK)
        assert ended(on, socket, "kicked")
        wait_for(lambda: connection.dead)
