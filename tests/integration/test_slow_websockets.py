"""WebSocket sessions whose handlers or peers are slow."""

from __future__ import annotations

import socket as stdsocket
from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.integration.wsstage import has_ended, stage, works
from tests.unit.websocket.frames import PING, PONG, TEXT, Peer, frame, text

# -- slow handlers ---------------------------------------------------------------------------------


def test_reading_stops_at_the_inbound_limit_and_goes_on_with_nothing_lost() -> None:
    gate = Event()
    seen: list[str] = []

    class Slow(BaseNamespace):
        def recv_message(self, data: str) -> None:
            gate.wait()
            seen.append(data)

    with stage({"": Slow}, max_inbound_packets=10) as on:
        client = on.client()
        socket = on.server.sockets[client.sessid]
        client.send(*[f"3:::{number}" for number in range(1000)])
        wait_for(lambda: socket.server_queue.qsize() == 10)
        on.client()  # time passes, and nothing more is read
        assert socket.server_queue.qsize() == 10
        gate.set()
        wait_for(lambda: len(seen) == 1000)
        assert seen == [str(number) for number in range(1000)]


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_a_client_that_vanishes_from_a_busy_handler_with_a_full_inbox_is_noticed(
    transport: str,
) -> None:
    class Busy(BaseNamespace):
        def recv_message(self, data: str) -> None:
            gevent.sleep(3600)

    settings = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.3, "close_timeout": 0.3}
    with stage({"": Busy}, max_inbound_packets=10, linger_timeout=0.1, **settings) as on:
        client: Any = on.client() if transport == "websocket" else on.polling().open()
        socket = on.server.sockets[client.sessid]
        client.send(*[f"3:::{number}" for number in range(100)])
        wait_for(lambda: socket.server_queue.qsize() >= 10)
        client.close()
        reason = "heartbeat_timeout" if transport == "websocket" else "close_timeout"
        assert has_ended(socket, reason)
        wait_for(lambda: not on.server._connections)


# -- slow peers ------------------------------------------------------------------------------------


def narrow(peer: Peer) -> None:
    """Keep the peer's window small, so that the server has to wait for it."""
    peer.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 262_144)


def test_a_slow_reader_gets_everything_in_order() -> None:
    with stage() as on:
        peer, socket = on.connect()
        narrow(peer)
        for number in range(6000):
            socket.put_client_msg(f"3:::{number}:" + "x" * 1000)
        wait_for(lambda: 0 < socket.client_queue.qsize() < 6000, "the kernel takes no more")
        peer.send(frame(PING, b"overtakes what is queued, not what is half written"))
        frames = [peer.read_frame() for _ in range(6001)]
        assert [opcode for opcode, _ in frames].count(PONG) == 1
        texts = [payload for opcode, payload in frames if opcode == TEXT]
        assert [int(text.split(b":")[3]) for text in texts] == list(range(6000))
        assert works(peer)


def test_a_peer_that_stops_reading_is_cut_at_the_write_timeout_and_harms_nobody() -> None:
    with stage(write_timeout=0.3) as on:
        bystander, _ = on.connect()
        peer, socket = on.connect()
        peer.send(text("1::/chat"))
        assert peer.read_text() == "1::/chat"
        narrow(peer)
        for _ in range(75):
            socket.put_client_msg("3:::" + "x" * 100_000)
        assert works(bystander)
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == ["connect", "disconnect"]
        assert works(bystander)


def test_more_than_the_outbound_limit_ends_the_session_of_a_peer_that_does_not_read() -> None:
    with stage(max_outbound_size=5_000_000) as on:
        peer, socket = on.connect()
        narrow(peer)
        while socket.state.live:
            socket.put_client_msg("3:::" + "x" * 100_000)
            gevent.sleep(0)
        assert has_ended(socket, "slow_peer")
