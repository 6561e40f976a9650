"""Sessions that the hub reads: what is handled, in which order, and when reading pauses."""

from __future__ import annotations

import socket as stdsocket
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.client import WebSocketClient, event, handshake, serving, wait_for
from tests.integration.hubstage import gated, reads_in_hub, wait_until_read_in_hub
from tests.integration.secure import Certificate, SecureConnection, SecureWebSocket
from tests.integration.wsstage import GREETING, Root, has_ended, stage, works
from tests.unit.websocket.frames import PING, PONG, close_frame, fragments, frame, text
from tests.unit.websocket.handshakes import upgrade


def numbered(count: int, padding: str = "") -> list[bytes]:
    """Return the frames of ``count`` events, the first with the number 0."""
    return [text(event("n", number) + padding) for number in range(count)]


def reset(peer: Any) -> None:
    """Break the connection off."""
    linger = struct.pack("ii", 1, 0)
    peer.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
    peer.sock.close()


def test_plain_frames_are_read_in_the_hub_and_handled_in_their_order() -> None:
    with gated() as (on, gate):
        gate.set()
        peer, socket = on.connect()
        for _ in range(20):
            wait_until_read_in_hub(socket)
            peer.send(*numbered(50))
        wait_for(lambda: len(on.record.seen) == 1000)
        assert on.record.seen == list(range(50)) * 20
        assert works(peer)


def test_what_a_handler_sends_before_it_waits_is_not_kept_back() -> None:
    with gated() as (on, gate):
        peer, socket = on.connect()
        wait_until_read_in_hub(socket)
        peer.send(text(event("two")))
        assert peer.read_text() == '5:::{"name":"first"}'
        assert not gate.is_set()
        gate.set()
        assert peer.read_text() == '5:::{"name":"second"}'


def test_a_handler_that_waits_stops_no_other_session() -> None:
    with gated() as (on, gate):
        waiting, socket = on.connect()
        wait_until_read_in_hub(socket)
        waiting.send(text(event("n", 1)))
        bystander, other = on.connect()
        wait_until_read_in_hub(other)
        assert works(bystander)
        assert on.record.seen == []
        gate.set()
        assert works(waiting)
        assert on.record.seen == [1]


# -- pauses ----------------------------------------------------------------------------------------

LIMITS = {
    "packets": ({"max_inbound_packets": 10}, ""),
    "size": ({"max_inbound_size": 1000}, " " * 100),
}


@pytest.mark.parametrize("name", LIMITS)
def test_reading_pauses_at_the_limit_of_the_inbox_and_is_resumed(name: str) -> None:
    settings, padding = LIMITS[name]
    with gated(**settings) as (on, gate):
        peer, socket = on.connect()
        for _ in range(3):
            gate.clear()
            wait_until_read_in_hub(socket)
            peer.send(*numbered(100, padding))
            wait_for(lambda: socket.server_queue.waiting == 1)
            assert not reads_in_hub(socket)
            assert socket.server_queue.qsize() <= 10
            gate.set()
            wait_for(lambda: len(on.record.seen) == 100)
            assert on.record.seen == list(range(100))
            on.record.seen.clear()
        wait_until_read_in_hub(socket)
        assert works(peer)
        assert on.server.journal.limits[f"max_inbound_{name}"] >= 3


@pytest.mark.parametrize("ending", ["eof", "half a frame", "reset", "close frame"])
def test_what_was_read_before_the_end_is_handled_also_after_a_pause(ending: str) -> None:
    with gated(max_inbound_packets=3) as (on, gate):
        peer, socket = on.connect()
        wait_until_read_in_hub(socket)
        peer.send(*numbered(20))
        wait_for(lambda: socket.server_queue.waiting == 1)
        if ending == "reset":
            reset(peer)
        else:
            last = {"half a frame": text("3:::x")[:-1], "close frame": close_frame()}
            peer.send(last.get(ending, b""))
            peer.sock.shutdown(stdsocket.SHUT_WR)
        gate.set()
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == [*range(20), "disconnect"]


def test_all_bytes_are_counted_also_those_that_found_no_room() -> None:
    with gated(max_inbound_packets=3) as (on, gate):
        peer, socket = on.connect()
        packets = [event("n", number) for number in range(20)]
        peer.send(*[text(packet) for packet in packets])
        peer.sock.shutdown(stdsocket.SHUT_WR)
        gate.set()
        assert has_ended(socket, "transport_lost")
        assert on.server.journal.bytes_received == sum(map(len, packets))
        assert on.server.journal.packets_received == 20


def test_a_message_that_is_larger_than_the_inbox_is_handled() -> None:
    with stage(max_inbound_size=1000) as on:
        peer, socket = on.connect()
        for _ in range(2):
            wait_until_read_in_hub(socket)
            peer.send(text("3:::" + "x" * 100_000))
        wait_for(lambda: on.record.count("x" * 100_000) == 2)


# -- other frames ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [frame(PING, b"p"), b"".join(fragments(1, [b"3:::1", b"9"])), frame(2, b"binary")],
    ids=["ping", "fragments", "binary"],
)
def test_from_another_frame_on_the_greenlet_reads_and_nothing_changes_place(other: bytes) -> None:
    with stage() as on:
        peer, socket = on.connect()
        wait_until_read_in_hub(socket)
        peer.send(text("3:::1"), other, text("3:::2"))
        if other[0] & 0xF == PING:
            assert peer.read_frame() == (PONG, b"p")
        assert works(peer)
        assert not reads_in_hub(socket)
        assert [seen for seen in on.record.seen if seen != "19"] == ["1", "2"]


@pytest.mark.parametrize(
    ("breach", "code"),
    [
        (text("3:::x", masked=False), 1002),
        (frame(1, b"\xff"), 1007),
        (text("x" * 1001), 1009),
    ],
    ids=["unmasked", "no UTF-8", "too large"],
)
def test_a_breach_is_told_and_what_came_in_front_of_it_is_handled(breach: bytes, code: int) -> None:
    with stage(max_message_size=1000) as on:
        bystander, other = on.connect()
        peer, socket = on.connect()
        wait_until_read_in_hub(socket)
        peer.send(text("3:::" + "x" * 996), breach, text("3:::behind"))
        assert peer.read_close() == code
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == ["x" * 996, "disconnect"]
        assert reads_in_hub(other)
        assert works(bystander)


# -- the beginning ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 3, -1])
@pytest.mark.parametrize("plain", [True, False])
def test_frames_that_came_with_the_request_come_first(cut: int, plain: bool) -> None:
    with stage() as on:
        wire = text("3:::1") + (b"" if plain else frame(PING)) + text("3:::2")
        sessid = handshake(on.server)
        peer = on.dial(upgrade(target=on.url(sessid)) + wire[: cut or len(wire)])
        assert " 101 " in peer.read_head()
        peer.send(wire[cut or len(wire) :], text("3:::3"))
        wait_for(lambda: on.record.count("3"))
        assert on.record.seen == ["1", "2", "3"]
        if plain:
            assert peer.read(5) == GREETING
            wait_until_read_in_hub(on.server.sockets[sessid])


def test_a_session_over_tls_is_read_by_its_greenlet(tmp_path: Path) -> None:
    certificate = Certificate.issue(tmp_path)
    with serving({"": Root}, **certificate.files()) as server:
        connection = SecureConnection(server, certificate)
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        peer = SecureWebSocket(server, certificate, sessid)
        for _ in range(3):
            assert works(peer)
            assert not reads_in_hub(server.sockets[sessid])
        peer.close()
        connection.close()


def test_what_a_broken_poll_had_comes_at_once_over_the_websocket_that_follows() -> None:
    with stage() as on:
        poller = on.polling().open()
        socket = on.server.sockets[poller.sessid]
        connection = on.connection()
        connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 2048)
        connection.start("GET", poller.url)
        wait_for(lambda: socket._link is not None)
        socket.send_packet({"type": "message", "data": "x" * 30_000})
        wait_for(lambda: socket._link is None)
        reset(connection)
        assert socket._delivery is not None
        wait_for(socket._delivery.failed)
        client = WebSocketClient(on.server, poller.sessid)
        assert client.recv() == "3:::" + "x" * 30_000
        client.close()
