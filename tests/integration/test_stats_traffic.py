"""``server.stats()``: packets and bytes, each way, over every transport."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from geventwebsocket.handler import WebSocketHandler

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.wire.payload import encode_payload
from tests.client import PollingClient, WebSocketClient, serving, wait_for
from tests.integration.stalled import message
from tests.streams import ALL_CLIENTS, EVERY, POLLING, WEBSOCKETS


@contextmanager
def session(transport: str, **settings: Any) -> Iterator[tuple[SocketIOServer, Any, Any]]:
    """A server, a client that was greeted, and its session."""
    with serving({"": BaseNamespace}, **settings) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        if transport in POLLING:
            wait_for(lambda: socket.transport is None)
        try:
            yield server, client, socket
        finally:
            client.close()


def traffic(server: SocketIOServer, name: str) -> int:
    return int(server.stats()["traffic"][name])  # type: ignore[literal-required]


def body_of(transport: str, packets: list[str]) -> bytes:
    """Return the body of the POST that carries ``packets``."""
    payload = encode_payload(packets)
    if transport == "jsonp-polling":
        return urlencode({"d": json.dumps(payload, ensure_ascii=False)}).encode()
    return payload.encode()


# -- from clients ----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize(
    "packets", [["3:::x"], ["3:::\u20ac\U0001f600"], ["3:::one", "2::", "8::", "nonsense"]]
)
def test_packets_and_bytes_of_clients_are_counted(transport: str, packets: list[str]) -> None:
    with session(transport) as (server, client, _):
        assert traffic(server, "packets_received") == traffic(server, "bytes_received") == 0
        client.send(*packets)
        wait_for(lambda: traffic(server, "packets_received") == len(packets))
        expected = (
            sum(len(text.encode()) for text in packets)
            if transport in WEBSOCKETS
            else len(body_of(transport, packets))
        )
        assert traffic(server, "bytes_received") == expected


def test_packets_that_are_refused_are_no_packets_but_their_bytes_came() -> None:
    with session("xhr-polling", max_payload_packets=2) as (server, client, _):
        packets = ["3:::x"] * 3
        assert client.post(*packets).status == 400
        assert traffic(server, "packets_received") == 0
        assert traffic(server, "bytes_received") == len(body_of("xhr-polling", packets))


def test_bytes_of_clients_are_counted_with_the_websocket_handler_of_an_application() -> None:
    with session("websocket", ws_handler_class=WebSocketHandler) as (server, client, _):
        client.send("3:::\u20ac")
        wait_for(lambda: traffic(server, "packets_received") == 1)
        assert traffic(server, "bytes_received") == 7


# -- to clients ------------------------------------------------------------------------------------


def bytes_of(transport: str, client: Any, text: str) -> int:
    """Return how many bytes carried ``text``, the last that the client received."""
    if transport in WEBSOCKETS:
        return len(text.encode()) + 2  # a short frame of a server
    if transport == "xhr-polling":
        return len(text.encode())
    if transport == "jsonp-polling":
        return len(f"io.j[1]({json.dumps(text)});")
    chunk = client.stream.chunks[-1]
    return len(b"%x\r\n%b\r\n" % (len(chunk), chunk))


@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize("text", ["hello", "\u20ac\U0001f600"])
def test_packets_and_bytes_to_clients_are_counted(transport: str, text: str) -> None:
    with session(transport) as (server, client, socket):
        packets, size = traffic(server, "packets_sent"), traffic(server, "bytes_sent")
        message(socket, text)
        assert client.recv() == f"3:::{text}"
        assert traffic(server, "packets_sent") - packets == 1
        assert traffic(server, "bytes_sent") - size == bytes_of(transport, client, f"3:::{text}")


@pytest.mark.parametrize("transport", EVERY)
def test_many_packets_are_counted_each(transport: str) -> None:
    with session(transport) as (server, client, socket):
        before = traffic(server, "packets_sent")
        for number in range(100):
            message(socket, str(number))
        for number in range(100):
            assert client.recv() == f"3:::{number}"
        assert traffic(server, "packets_sent") - before == 100


@pytest.mark.parametrize("transport", EVERY)
def test_the_greeting_is_a_packet_like_any_other(transport: str) -> None:
    with session(transport) as (server, _, _):
        assert traffic(server, "packets_sent") == 1
        assert traffic(server, "bytes_sent") >= 3


def test_a_noop_that_ends_a_poll_is_no_packet() -> None:
    with session("xhr-polling", polling_duration=0.05) as (server, client, _):
        before = traffic(server, "packets_sent")
        assert client.poll() == ["8::"]
        assert traffic(server, "packets_sent") == before


def test_what_comes_again_after_a_lost_poll_counts_again() -> None:
    with session("xhr-polling", max_outbound_size=10**9) as (server, client, socket):
        before = traffic(server, "packets_sent")
        for _ in range(100):
            message(socket, "x" * 65536)
        lost = PollingClient(server, client.sessid)
        lost.start_poll().sock.recv(100)
        wait_for(lambda: traffic(server, "packets_sent") == before + 100)
        lost.close()
        wait_for(lambda: socket.transport is None)
        assert len(client.poll()) == 100
        assert traffic(server, "packets_sent") == before + 200


def test_traffic_of_all_sessions_is_summed_and_outlives_them() -> None:
    with serving({"": BaseNamespace}) as server:
        for number in range(1, 4):
            client = WebSocketClient(server).open()
            client.send(*["3:::x"] * number)
            client.send("0::")
            wait_for(lambda: not server.sockets)
            client.close()
        assert traffic(server, "packets_received") == 1 + 2 + 3 + 3  # with three farewells
        assert traffic(server, "bytes_received") == 6 * 5 + 3 * 3
