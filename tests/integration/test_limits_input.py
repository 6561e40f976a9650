"""What a client may send: each limit is reached without harm, and one more is refused."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.client import Connection, event, wait_for
from tests.integration.httpplace import Place, connected, place, send_chunked
from tests.streams import ALL_CLIENTS, WEBSOCKETS

POSTING = ("xhr-polling", "jsonp-polling", "htmlfile", "xhr-multipart")
"""The transports whose clients send by POST."""
FORM = "application/x-www-form-urlencoded"


def enter(on: Place, transport: str) -> tuple[Any, Any]:
    """Connect a client and forget that it was seen; returns it and its session."""
    client = ALL_CLIENTS[transport](on.server).open()
    on.clients.append(client)
    return client, on.server.sockets[client.sessid]


def limits(on: Place) -> dict[str, int]:
    return on.server.stats()["limits"]


def seen(on: Place) -> list[Any]:
    return [what for what in on.site.record.seen if what not in ("connect", "disconnect")]


# -- the body of a POST ----------------------------------------------------------------------------


def body_of(transport: str, size: int) -> tuple[bytes, str]:
    """Return a body of ``size`` bytes in the dress of the transport, and its message."""
    dress = form if transport == "jsonp-polling" else str.encode
    text = "x" * (size - len(dress("3:::")))
    body = dress(f"3:::{text}")
    assert len(body) == size
    return body, text


def form(text: str) -> bytes:
    return urlencode({"d": json.dumps(text)}).encode()


@pytest.mark.parametrize("transport", POSTING)
def test_a_body_of_max_body_size_is_taken(transport: str) -> None:
    with place(max_body_size=200) as on:
        client, _ = enter(on, transport)
        body, text = body_of(transport, 200)
        answer = on.fetch("POST", client.url, body, Content_Type=FORM)
        assert (answer.status, answer.text) == (200, "1")
        wait_for(lambda: seen(on) == [text])
        assert limits(on) == {}


@pytest.mark.parametrize("transport", POSTING)
def test_a_body_of_one_byte_more_is_a_413(transport: str) -> None:
    with place(max_body_size=200) as on:
        client, socket = enter(on, transport)
        body, _ = body_of(transport, 201)
        answer = on.fetch("POST", client.url, body, Content_Type=FORM)
        assert answer.status == 413
        assert answer.headers["connection"] == "close"
        assert limits(on) == {"max_body_size": 1}
        assert socket.connected
        assert seen(on) == []


@pytest.mark.parametrize("size", [200, 201])
@pytest.mark.parametrize("transport", POSTING)
def test_max_body_size_counts_chunks_while_they_come(transport: str, size: int) -> None:
    with place(max_body_size=200) as on, connected(on) as connection:
        client, _ = enter(on, transport)
        body, text = body_of(transport, size)
        send_chunked(on, connection, client.url, [body[:150], body[150:]])
        if size == 200:  # over the limit the last chunk is not waited for
            connection.send_raw(b"0\r\n\r\n")
        assert connection.read_answer().status == (200 if size == 200 else 413)
        if size == 200:
            wait_for(lambda: seen(on) == [text])
        assert limits(on) == ({} if size == 200 else {"max_body_size": 1})


def test_a_length_far_over_max_body_size_is_refused_before_the_body_comes() -> None:
    with place(max_body_size=200) as on, connected(on) as connection:
        client, _ = enter(on, "xhr-polling")
        connection.send_raw(
            f"POST {client.url} HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n".encode()
        )
        assert connection.read_answer().status == 413
        assert limits(on) == {"max_body_size": 1}


def test_max_body_size_does_not_concern_the_application() -> None:
    with place(max_body_size=200) as on:
        assert on.fetch("POST", "/page", b"x" * 100_000).text.endswith("x" * 100_000)
        assert limits(on) == {}


# -- packets in a body -----------------------------------------------------------------------------


@pytest.mark.parametrize("transport", POSTING)
def test_max_payload_packets_fit_into_a_body(transport: str) -> None:
    with place(max_payload_packets=5) as on:
        client, _ = enter(on, transport)
        client.send(*[f"3:::{number}" for number in range(5)])
        wait_for(lambda: seen(on) == ["0", "1", "2", "3", "4"])
        assert limits(on) == {}


@pytest.mark.parametrize("transport", POSTING)
def test_one_packet_more_than_max_payload_packets_is_a_400_and_none_is_taken(
    transport: str,
) -> None:
    with place(max_payload_packets=5) as on:
        client, socket = enter(on, transport)
        answer = client.post(*[f"3:::{number}" for number in range(6)])
        assert answer.status == 400
        assert "more than 5 packets" in answer.text
        assert limits(on) == {"max_payload_packets": 1}
        assert socket.connected
        client.send("3:::later")
        wait_for(lambda: seen(on))
        assert seen(on) == ["later"]


# -- a WebSocket message ---------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "\u20ac"])
@pytest.mark.parametrize("transport", WEBSOCKETS)
def test_a_message_of_max_message_size_is_taken(transport: str, letter: str) -> None:
    with place(max_message_size=304) as on:  # bytes
        client, _ = enter(on, transport)
        text = letter * (300 // len(letter.encode()))
        client.send(f"3:::{text}")
        wait_for(lambda: seen(on) == [text])
        assert limits(on) == {}


@pytest.mark.parametrize("letter", ["x", "\u20ac"])
@pytest.mark.parametrize("fragmented", [False, True])
@pytest.mark.parametrize("transport", WEBSOCKETS)
def test_a_message_of_one_byte_more_than_max_message_size_closes_with_1009(
    transport: str, fragmented: bool, letter: str
) -> None:
    with place(max_message_size=304) as on:
        client, socket = enter(on, transport)
        data = ("3:::x" + letter * (300 // len(letter.encode()))).encode()
        assert len(data) == 305
        if fragmented:
            client.core.send_text(data[:200], fin=False)
            client.core.send_continuation(data[200:], fin=True)
        else:
            client.core.send_text(data)
        client._flush()
        with pytest.raises(EOFError, match=r"\\x03\\xf1"):  # 1009
            client.recv()
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert limits(on) == {"max_message_size": 1}
        assert on.server.stats()["errors"] == {}
        assert seen(on) == []


# -- what waits for the handlers -------------------------------------------------------------------

FULL = [("max_inbound_packets", 5, ["3:::x"] * 5), ("max_inbound_size", 25, ["3:::x"] * 5)]
"""Setting, its value, and packets that just reach it."""


def hold(on: Place, transport: str) -> tuple[Any, Any]:
    """Connect a client whose handler waits at the gate."""
    client, socket = enter(on, transport)
    client.send(event("hold"))
    wait_for(lambda: "held" in on.site.record.seen)
    return client, socket


def let_go(on: Place, count: int) -> None:
    """Open the gate; every packet that was taken is handled."""
    on.site.gate.set()
    wait_for(lambda: seen(on).count("x") == count)


@pytest.mark.parametrize(("setting", "value", "packets"), FULL)
@pytest.mark.parametrize("transport", ALL_CLIENTS)
def test_as_much_as_the_inbound_limit_may_wait(
    transport: str, setting: str, value: int, packets: list[str]
) -> None:
    with place(**{setting: value}) as on:
        client, socket = hold(on, transport)
        for packet in packets:
            client.send(packet)
        wait_for(lambda: socket.server_queue.qsize() == len(packets))
        assert limits(on) == {}
        let_go(on, len(packets))


@pytest.mark.parametrize(("setting", "value", "packets"), FULL)
@pytest.mark.parametrize("transport", WEBSOCKETS)
def test_with_the_inbound_limit_reached_nothing_more_is_read(
    transport: str, setting: str, value: int, packets: list[str]
) -> None:
    with place(**{setting: value}) as on:
        client, socket = hold(on, transport)
        client.send(*packets, "3:::x", "3:::x")
        wait_for(lambda: limits(on))
        on.fetch("GET", "/page")  # time passes
        assert socket.server_queue.qsize() == len(packets)
        assert limits(on) == {setting: 1}
        let_go(on, len(packets) + 2)
        assert socket.connected


def full_of_posts(on: Place, transport: str, packets: list[str]) -> tuple[Any, Connection]:
    """Reach the limit; returns the client and a connection on which one more POST waits."""
    client, socket = hold(on, transport)
    for packet in packets:
        client.send(packet)
    connection = Connection(on.server)
    on.clients.append(connection)
    dressed = form("3:::x") if transport == "jsonp-polling" else b"3:::x"
    connection.start("POST", client.url, dressed, {"Content-Type": FORM})
    wait_for(lambda: limits(on))
    assert socket.server_queue.qsize() == len(packets)
    return client, connection


@pytest.mark.parametrize(("setting", "value", "packets"), FULL)
@pytest.mark.parametrize("transport", POSTING)
def test_with_the_inbound_limit_reached_a_post_waits_for_room(
    transport: str, setting: str, value: int, packets: list[str]
) -> None:
    with place(**{setting: value}) as on:
        _, connection = full_of_posts(on, transport, packets)
        assert limits(on) == {setting: 1}
        on.site.gate.set()
        assert connection.read_answer().text == "1"
        let_go(on, len(packets) + 1)
        assert limits(on) == {setting: 1}


@pytest.mark.parametrize(("setting", "value", "packets"), FULL)
@pytest.mark.parametrize("transport", POSTING)
def test_a_post_that_finds_no_room_for_too_long_is_a_503(
    transport: str, setting: str, value: int, packets: list[str]
) -> None:
    with place(body_timeout=0.3, **{setting: value}) as on:
        client, connection = full_of_posts(on, transport, packets)
        answer = connection.read_answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        let_go(on, len(packets))
        client.send("3:::x")  # again, as it was told
        wait_for(lambda: seen(on).count("x") == len(packets) + 1)


@pytest.mark.parametrize(("setting", "value", "packets"), FULL)
def test_a_post_that_finds_no_room_is_counted_once(
    setting: str, value: int, packets: list[str]
) -> None:
    with place(body_timeout=0.3, **{setting: value}) as on:
        _, connection = full_of_posts(on, "xhr-polling", packets)
        assert connection.read_answer().status == 503
        on.site.gate.set()
        assert limits(on) == {setting: 1}


@pytest.mark.parametrize("transport", POSTING)
def test_of_the_posts_of_a_session_only_a_few_wait_for_room(transport: str) -> None:
    with place(max_inbound_packets=5) as on:
        client, connection = full_of_posts(on, transport, ["3:::x"] * 5)
        socket = on.server.sockets[client.sessid]
        others = [Connection(on.server) for _ in range(3)]
        on.clients += others
        dressed = form("3:::x") if transport == "jsonp-polling" else b"3:::x"
        for number, other in enumerate(others):
            other.start("POST", client.url, dressed, {"Content-Type": FORM})
            wait_for(lambda n=number: socket.server_queue.waiting == n + 2)
        answer = on.fetch("POST", client.url, dressed, Content_Type=FORM)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        on.site.gate.set()
        for each in (connection, *others):
            assert each.read_answer().text == "1"
        let_go(on, 5 + 4)
