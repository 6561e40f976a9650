"""Every session ends, once, with a reason, whatever ends it, and everything is given back."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from socketio.testing import ManualClock
from tests.client import (
    PollingClient,
    WebSocketClient,
    event,
    fetch,
    handshake,
    make_app,
    serving,
    wait_for,
)
from tests.integration.endings import (
    CASES,
    Scene,
    client_says_goodbye,
    reason_of,
    scene,
    server_leaves_last_namespace,
    settings_of,
    wait_until_gone,
)
from tests.streams import EVERY, POLLING, STREAMING, WEBSOCKETS

every = pytest.mark.parametrize("transport", EVERY)


@pytest.mark.parametrize(("ending", "transport"), CASES, ids=lambda c: getattr(c, "__name__", c))
def test_every_namespace_is_told_exactly_once_and_the_reason_is_recorded(
    ending: Any, transport: str
) -> None:
    with scene(transport, **settings_of(ending)) as on:
        ending(on)
        wait_until_gone(on)
        assert on.record.count(("connect", "/chat")) == 1
        assert on.record.count(("connect", "/news")) == 1
        assert on.record.count(("disconnect", "/news")) == 1
        # A namespace that the application leaves by itself is not told what it did.
        told = 0 if ending is server_leaves_last_namespace else 1
        assert on.record.count(("disconnect", "/chat")) == told
        assert on.socket.disconnect_reason == reason_of(ending, transport)
        assert on.socket.active_ns == {}
        assert on.socket.jobs == []
        assert on.socket._receiver.dead


@pytest.mark.parametrize("handler", ["kick", "kill", "leave"])
@every
def test_code_behind_the_end_of_its_own_session_still_runs(transport: str, handler: str) -> None:
    with scene(transport, linger_timeout=0.2) as on:
        on.client.send("0::/news", event(handler, endpoint="/chat"))
        wait_until_gone(on)
        assert on.record.seen[-1] == ("after", "/chat")


@every
def test_a_kick_is_the_last_thing_the_client_hears(transport: str) -> None:
    with scene(transport) as on:
        on.socket["/chat"].emit("before")
        on.socket.disconnect()
        assert on.client.recv() == '5::/chat:{"name":"before"}'
        assert on.client.recv() == "0::"
        wait_until_gone(on)


@every
def test_a_silent_disconnect_does_not_tell_the_client_to_stay_away(transport: str) -> None:
    with scene(transport, linger_timeout=0.2) as on:
        on.socket.disconnect(silent=True)
        if transport in STREAMING:
            with pytest.raises(EOFError):
                on.client.recv()
        wait_until_gone(on)
        assert on.client.server.sockets == {}


def test_a_kick_between_two_polls_waits_for_the_next_poll() -> None:
    with scene("xhr-polling") as on:
        on.socket.disconnect()
        gevent.sleep(0)
        assert on.socket.state == "DISCONNECTING"
        assert on.client.poll() == ["0::"]
        wait_until_gone(on)


def test_a_client_that_says_goodbye_over_a_websocket_is_answered() -> None:
    with scene("websocket") as on:
        client_says_goodbye(on)
        assert on.client.recv() == "0::"
        with pytest.raises(EOFError, match=r"close frame b'.x03.xe8'"):
            on.client.recv()


def test_a_goodbye_that_is_read_together_with_the_end_of_the_connection_counts() -> None:
    with scene("websocket") as on:
        on.client.core.send_text(b"0::")
        on.client.core.send_close(1000)
        on.client._flush()
        on.client.close()
        wait_until_gone(on)
        assert on.socket.disconnect_reason == "peer_left"


def test_a_poll_that_waits_hears_the_disconnect_url() -> None:
    with scene("xhr-polling") as on:
        poll = on.client.start_poll()
        wait_for(lambda: on.socket.transport)
        assert (
            fetch(on.server, "GET", f"/socket.io/1//{on.socket.sessid}/?disconnect=1").body == b""
        )
        assert poll.read_answer().text == "0::"
        wait_until_gone(on)


@every
def test_a_stopping_server_lets_its_clients_come_back(transport: str) -> None:
    with scene(transport) as on:
        if transport in POLLING:
            on.client.start_poll()
            wait_for(lambda: on.socket.transport)
        stopper = gevent.spawn(on.server.stop, 5)
        if transport in POLLING:
            assert on.client.end_poll() == ["8::"]
        else:
            how = r"close frame b'.x03.xe9'" if transport in WEBSOCKETS else "has ended"
            with pytest.raises(EOFError, match=how):
                on.client.recv()
        on.client.close()
        wait_until_gone(on)
        stopper.join(5)
        assert stopper.dead
        assert not on.server._connections


@every
def test_a_server_that_stops_with_goodbye_tells_its_clients_to_stay_away(transport: str) -> None:
    with scene(transport) as on:
        if transport in POLLING:
            on.client.start_poll()
            wait_for(lambda: on.socket.transport)
        gevent.spawn(on.server.stop, 5, goodbye=True)
        said = on.client.end_poll() if transport in POLLING else [on.client.recv()]
        assert said == ["0::"]


def test_a_stopped_server_can_be_started_again_on_its_port() -> None:
    with serving({}) as server:
        port = server.server_port
        server.stop()
        with serving({}) as second:
            assert second.server_port != 0
        again = type(server)(("127.0.0.1", port), make_app({}), log=None)
        again.start()
        try:
            assert handshake(again)
        finally:
            again.stop()


# -- handshakes ----------------------------------------------------------------------------------


def test_a_handshake_that_nobody_continues_is_forgotten() -> None:
    clock = ManualClock()
    with serving({}, clock=clock) as server:
        sessid = handshake(server)
        socket = server.sockets[sessid]
        clock.advance(29.9)
        assert socket.state == "NEW"
        clock.advance(0.2)
        wait_for(lambda: not server.sockets)
        assert socket.disconnect_reason == "handshake_timeout"
        assert not server._pending
        assert fetch(server, "GET", f"/socket.io/1/xhr-polling/{sessid}").status == 400


def test_handshakes_over_the_limit_are_told_to_come_later() -> None:
    with serving({}, max_handshakes=2) as server:
        handshake(server)
        second = handshake(server)
        refused = fetch(server, "GET", "/socket.io/1/")
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        PollingClient(server, second).open().close()
        assert handshake(server)


def test_sessions_over_the_limit_are_told_to_come_later() -> None:
    with serving({}, max_sessions=1) as server:
        handshake(server)
        assert fetch(server, "GET", "/socket.io/1/").status == 503


# -- one session, several links ------------------------------------------------------------------


def test_a_second_poll_ends_the_first_with_a_noop_and_gets_the_packets() -> None:
    with scene("xhr-polling") as on:
        first = on.client.start_poll()
        wait_for(lambda: on.socket.transport)
        link = on.socket._link
        second = PollingClient(on.server, on.client.sessid)
        waiting = second.start_poll()
        wait_for(lambda: on.socket._link is not link)
        assert first.read_answer().text == "8::"
        on.socket["/chat"].emit("here")
        assert waiting.read_answer().text == '5::/chat:{"name":"here"}'
        second.close()


def test_a_second_websocket_takes_over_and_the_first_is_closed() -> None:
    with scene("websocket") as on:
        second = WebSocketClient(on.server, on.client.sessid)
        assert second.response.status_code == 101
        with pytest.raises(EOFError):
            on.client.recv()
        on.client.close()
        for number in range(5):
            on.socket["/chat"].emit("n", number)
        got = [second.recv() for _ in range(5)]
        assert got == [f'5::/chat:{{"args":[{n}],"name":"n"}}' for n in range(5)]
        second.send("0::")
        wait_until_gone(on)
        assert on.record.count(("disconnect", "/chat")) == 1
        second.close()


def test_a_client_that_vanished_in_its_poll_gets_its_packets_with_the_next() -> None:
    with scene("xhr-polling") as on:
        on.client.start_poll()
        wait_for(lambda: on.socket.transport)
        on.client.close()
        gevent.sleep(0)
        for number in range(100):
            on.socket["/chat"].emit("n", number)
        again = PollingClient(on.server, on.client.sessid)
        got: list[str] = []
        while len(got) < 100:
            got += [text for text in again.poll() if text != "8::"]
        assert got == [f'5::/chat:{{"args":[{n}],"name":"n"}}' for n in range(100)]
        again.close()


# -- heartbeats ----------------------------------------------------------------------------------


def advance_to_beat(on: Scene, clock: ManualClock) -> None:
    clock.advance(on.server.config.heartbeat_interval)
    assert on.client.recv() == "2::"


def test_an_echoing_websocket_client_lives_and_a_silent_one_ends_by_a_hand_turned_clock() -> None:
    clock = ManualClock()
    with scene("websocket", clock=clock) as on:
        for _ in range(10):
            advance_to_beat(on, clock)
            beats = on.socket.heartbeats
            on.client.send("2::")
            wait_for(lambda before=beats: on.socket.heartbeats > before)
        assert on.socket.connected
        last = clock.time
        advance_to_beat(on, clock)
        advance_to_beat(on, clock)
        clock.advance(last + 60 - clock.time - 0.5)
        assert on.socket.connected
        clock.advance(1)
        wait_until_gone(on)
        assert on.socket.disconnect_reason == "heartbeat_timeout"
        with pytest.raises(EOFError):
            on.client.recv()


def test_any_packet_of_the_client_is_a_sign_of_life() -> None:
    clock = ManualClock()
    with scene("websocket", clock=clock) as on:
        for _ in range(20):
            clock.advance(24)
            queued = on.socket._last_seen
            on.client.send("3::/chat:still here")
            wait_for(lambda before=queued: on.socket._last_seen > before)
        assert on.socket.connected


def test_a_held_poll_keeps_a_session_and_the_gap_after_it_ends_it_by_a_hand_turned_clock() -> None:
    clock = ManualClock()
    with scene("xhr-polling", clock=clock) as on:
        poll = on.client.start_poll()
        wait_for(lambda: on.socket.transport)
        clock.advance(500)
        assert on.socket.connected
        on.socket["/chat"].emit("x")
        poll.read_answer()
        wait_for(lambda: on.socket.transport is None)
        clock.advance(59)
        assert on.socket.connected
        clock.advance(2)
        wait_until_gone(on)
        assert on.socket.disconnect_reason == "close_timeout"


@every
def test_heartbeats_in_real_time_keep_an_answering_client_and_end_a_silent_one(
    transport: str,
) -> None:
    settings = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.4, "close_timeout": 0.4}
    with scene(transport, **settings) as on:
        for _ in range(20):  # twenty intervals are more than twice the timeout
            if transport in STREAMING:
                assert on.client.recv() == "2::"
                on.client.send("2::")
            else:
                assert on.client.poll() == ["8::"]
        assert on.socket.connected
        wait_until_gone(on)
        assert on.socket.disconnect_reason == reason_of_silence(transport)


def reason_of_silence(transport: str) -> str:
    return "heartbeat_timeout" if transport in STREAMING else "close_timeout"
