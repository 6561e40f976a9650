"""What becomes of a client that does not take its packets: the setting ``slow_peer``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from socketio.errors import ConfigError
from socketio.namespace import BaseNamespace
from tests.client import event, serving, wait_for
from tests.integration.stalled import connect_stalled, message
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING

LIMIT = 20
DROP: dict[str, Any] = {"slow_peer": "drop_oldest"}


class Root(BaseNamespace):
    def on_echo(self, value: Any) -> Any:
        return value


def waiting(socket: Any) -> list[str]:
    """Return what waits for the client."""
    return [str(text) for text in socket.client_queue.queue if text is not None]


def tighten(socket: Any, **settings: Any) -> None:
    """Lower the limits of a session, whose client was stalled below the usual ones."""
    socket.config = {**socket.config, "max_outbound_packets": LIMIT, **settings}


# -- disconnect ------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"slow_peer": "disconnect"}])
@pytest.mark.parametrize("transport", EVERY)
def test_by_default_a_client_that_is_too_slow_is_disconnected(
    transport: str, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with serving({"": Root}, **settings) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket)
        for number in range(LIMIT + 1):
            message(socket, str(number))
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "slow_peer"
        assert socket.client_queue.qsize() == 0
        stats = server.stats()
        assert stats["limits"] == {"max_outbound_packets": 1}
        assert stats["traffic"]["packets_dropped"] == 0
        lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        assert lines == [f"session {socket.short_id}: the client does not take its packets"]
        client.close()
        wait_for(lambda: not server._connections)


# -- drop_oldest -----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_the_newest_are_kept_in_their_order(transport: str) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket)
        for number in range(100):
            message(socket, str(number))
        assert waiting(socket) == [f"3:::{number}" for number in range(100 - LIMIT, 100)]
        assert socket.connected
        stats = server.stats()
        assert stats["traffic"]["packets_dropped"] == 100 - LIMIT
        assert stats["limits"] == {"max_outbound_packets": 100 - LIMIT}
        assert stats["disconnects"] == {}
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_a_client_that_reads_again_gets_what_was_kept_and_goes_on(transport: str) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket)
        for number in range(100):
            message(socket, str(number))
        got: list[str] = []
        while not got or got[-1] != "3:::99":
            got.append(client.recv())
        assert got[-LIMIT:] == [f"3:::{number}" for number in range(100 - LIMIT, 100)]
        client.send(event("echo", "on", msgid="7+"))
        assert client.recv() == '6:::7+["on"]'
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_memory_is_bounded_by_the_size_too(transport: str) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket, max_outbound_packets=10**6, max_outbound_size=10_000)
        for number in range(1000):
            message(socket, f"{number:03d}" + "x" * 493)  # 500 characters with their head
            assert socket.client_queue.size <= 10_000
        assert [text[4:7] for text in waiting(socket)] == [str(n) for n in range(980, 1000)]
        assert server.stats()["queues"]["outbound_size"] == 10_000
        assert server.stats()["traffic"]["packets_dropped"] == 980
        assert server.stats()["limits"] == {"max_outbound_size": 980}
        client.close()


def test_a_text_longer_than_the_size_is_kept_alone() -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        tighten(socket, max_outbound_size=100)
        for text in ("old", "y" * 200, "z" * 200):
            message(socket, text)
        assert client.poll() == ["3:::" + "z" * 200]
        assert server.stats()["traffic"]["packets_dropped"] == 2
        client.close()


PROTOCOL: dict[str, Callable[[Any], object]] = {
    "0::/left": lambda s: s.send_packet({"type": "disconnect", "endpoint": "/left"}),
    "1::/new": lambda s: s.send_packet({"type": "connect", "endpoint": "/new", "qs": ""}),
    "2::": lambda s: s.put_client_msg(s.dialect.heartbeat),
    "6:::7": lambda s: s.send_packet({"type": "ack", "ackId": 7, "args": [], "endpoint": ""}),
    "7::/no:0": lambda s: s.send_packet(
        {"type": "error", "reason": "unauthorized", "advice": "", "endpoint": "/no"}
    ),
    "8::": lambda s: s.send_packet({"type": "noop", "endpoint": ""}),
}
"""Texts that keep the protocol going, and how they come into the queue."""

DATA: dict[str, Callable[[Any], object]] = {
    "3:::m": lambda s: message(s, "m"),
    '4:::{"a":1}': lambda s: s.send_packet({"type": "json", "data": {"a": 1}, "endpoint": ""}),
    '5:::{"name":"e"}': lambda s: s.send_packet(
        {"type": "event", "name": "e", "args": [], "endpoint": ""}
    ),
}


@pytest.mark.parametrize("text", PROTOCOL)
@pytest.mark.parametrize("transport", ["websocket", "xhr-polling", "htmlfile"])
def test_a_packet_of_the_protocol_is_never_dropped(transport: str, text: str) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket)
        message(socket, "in front")
        PROTOCOL[text](socket)
        kept = waiting(socket)[1]
        for number in range(100):
            message(socket, str(number))
        assert waiting(socket) == [kept, *[f"3:::{n}" for n in range(101 - LIMIT, 100)]]
        assert kept.split(":")[0] == text.split(":")[0]
        client.close()


@pytest.mark.parametrize("text", DATA)
def test_what_carries_data_may_be_dropped(text: str) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        tighten(socket)
        DATA[text](socket)
        assert waiting(socket) == [text]
        for number in range(LIMIT):
            message(socket, str(number))
        assert waiting(socket) == [f"3:::{number}" for number in range(LIMIT)]
        client.close()


def test_the_last_ack_of_a_client_that_asked_too_much_comes_at_its_turn() -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        tighten(socket)
        client.send(event("echo", "asked", msgid="7+"))
        wait_for(lambda: socket.client_queue.qsize())
        for number in range(100):
            message(socket, str(number))
        assert client.poll()[0] == '6:::7+["asked"]'
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_where_too_little_may_be_dropped_the_client_is_disconnected(transport: str) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket)
        for number in range(LIMIT):
            socket.send_packet({"type": "ack", "ackId": number, "args": [], "endpoint": ""})
        assert socket.connected
        message(socket, "dropped at once")
        assert socket.connected
        assert len(waiting(socket)) == LIMIT
        socket.send_packet({"type": "ack", "ackId": LIMIT, "args": [], "endpoint": ""})
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "slow_peer"
        client.close()


def test_the_end_of_a_session_is_not_dropped() -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        tighten(socket)
        for number in range(LIMIT):
            message(socket, str(number))
        socket.disconnect()
        assert client.poll() == [*[f"3:::{number}" for number in range(LIMIT)], "0::"]
        client.close()


@pytest.mark.parametrize("transport", [*STREAMING, *POLLING])
def test_drops_are_told_in_few_lines(transport: str, caplog: pytest.LogCaptureFixture) -> None:
    with serving({"": Root}, **DROP) as server:
        client, socket = connect_stalled(server, transport)
        tighten(socket)
        for number in range(1000):
            message(socket, str(number))
        lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        assert lines == [f"session {socket.short_id}: the oldest packets were dropped"] * 5
        client.close()


@pytest.mark.parametrize("transport", ["websocket", "htmlfile", "xhr-multipart", "flashsocket"])
def test_a_client_that_reads_loses_nothing_in_a_burst(transport: str) -> None:
    with serving({"": Root}, max_outbound_packets=LIMIT, **DROP) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        for number in range(500):
            message(socket, str(number))
        assert [client.recv() for _ in range(500)] == [f"3:::{number}" for number in range(500)]
        assert server.stats()["traffic"]["packets_dropped"] == 0
        client.close()


@pytest.mark.parametrize("value", ["drop", "", "DISCONNECT", "drop_newest", None, 1, b"disconnect"])
def test_another_word_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^slow_peer: "), serving({}, slow_peer=value):
        gevent.sleep(0)
