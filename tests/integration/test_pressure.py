"""Sessions under pressure: full queues, slow ends, application code that fails in between."""

from __future__ import annotations

import socket as stdsocket
import struct
from typing import Any

import gevent
import pytest

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.session.lifecycle import DisconnectReason, Event
from tests.client import (
    PollingClient,
    WebSocketClient,
    event,
    fetch,
    handshake,
    serving,
    wait_for,
)
from tests.integration.endings import scene, wait_until_gone
from tests.streams import ALL_CLIENTS, EVERY


def over(socket: Any) -> bool:
    return socket.state == "DISCONNECTED"


@pytest.mark.parametrize("owner", ["namespace", "socket"])
def test_a_greenlet_of_the_session_that_ends_it_tells_the_namespaces_to_the_end(owner: str) -> None:
    seen: list[str] = []

    class Slow(BaseNamespace):
        def on_go(self) -> None:
            (self if owner == "namespace" else self.socket).spawn(self.end_it)

        def end_it(self) -> None:
            self.socket.disconnect()
            seen.append("job went on")

        def recv_disconnect(self) -> None:
            seen.append("begin")
            for _ in range(5):
                gevent.sleep(0.01)
            seen.append("end")
            super().recv_disconnect()
            gevent.sleep(0.01)
            seen.append("even later")

    with serving({"/c": Slow}) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        client.send("1::/c", event("go", endpoint="/c"))
        wait_for(lambda: over(socket))
        assert seen == ["begin", "end", "even later", "job went on"]
        client.close()


def test_a_kick_does_not_cut_off_what_a_leaving_client_started() -> None:
    seen: list[str] = []

    class Slow(BaseNamespace):
        def recv_disconnect(self) -> None:
            seen.append("begin")
            for _ in range(5):
                gevent.sleep(0.01)
            seen.append("end")

    with serving({"/c": Slow, "/d": BaseNamespace}) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        client.send("1::/c", "1::/d", "0::/c")
        wait_for(lambda: seen)
        socket.disconnect()
        wait_for(lambda: over(socket))
        assert seen == ["begin", "end"]
        client.close()


def test_every_packet_in_front_of_a_close_frame_is_handled_however_many_they_are() -> None:
    seen: list[int] = []

    class Counting(BaseNamespace):
        def on_n(self, number: int) -> None:
            seen.append(number)

    with serving({"": Counting}) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        for number in range(1500):
            client.core.send_text(event("n", number).encode())
        client.core.send_close(1000)
        client._flush()
        wait_for(lambda: over(socket))
        assert seen == list(range(1500))
        client.close()


def test_a_client_that_says_goodbye_and_reads_nothing_is_gone_after_the_linger() -> None:
    class Big(BaseNamespace):
        def on_big(self) -> None:
            self.emit("big", "x" * 6_000_000)

    with serving({"": Big}, max_inbound_packets=5, linger_timeout=0.2) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        client.send(event("big"), "0::", *["8::"] * 20)
        wait_for(lambda: over(socket))
        wait_for(lambda: not server._connections)
        client.close()


def test_a_dead_client_whose_handler_is_stuck_and_whose_queue_is_full_is_noticed() -> None:
    class Stuck(BaseNamespace):
        def on_stuck(self) -> None:
            gevent.sleep(3600)

    settings = {"max_inbound_packets": 5, "heartbeat_interval": 0.1, "heartbeat_timeout": 0.5}
    with serving({"": Stuck}, **settings) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        client.send(event("stuck"), *["3:::x"] * 30)
        wait_for(lambda: socket.server_queue.qsize() >= 5)
        linger = struct.pack("ii", 1, 0)
        client.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
        client.close()
        wait_for(lambda: over(socket))
        wait_for(lambda: not server._connections)
        assert socket.disconnect_reason == "heartbeat_timeout"


def test_a_burst_over_the_limit_reaches_a_client_that_reads() -> None:
    class Burst(BaseNamespace):
        def on_go(self) -> None:
            for number in range(500):
                self.emit("n", number)

    with serving({"": Burst}, max_outbound_packets=50) as server:
        client = WebSocketClient(server).open()
        client.send(event("go"))
        got = [client.recv() for _ in range(500)]
        assert got[-1] == '5:::{"args":[499],"name":"n"}'
        assert server.sockets[client.sessid].connected
        client.close()


def test_a_poll_whose_answer_cannot_be_made_does_not_keep_its_session_for_ever() -> None:
    with scene("xhr-polling", close_timeout=0.2) as on:
        on.socket.client_queue.put_nowait(b"no text")
        assert fetch(on.server, "GET", on.client.url).status == 500
        assert on.socket.transport is None
        wait_until_gone(on)
        assert on.socket.disconnect_reason == "close_timeout"


def test_a_post_to_a_session_that_is_ending_is_refused_not_swallowed() -> None:
    with scene("xhr-polling") as on:
        on.socket.disconnect()
        answer = on.client.post("3::/chat:lost")
        assert (answer.status, answer.text) == (400, "session unknown or over")
        assert on.client.poll() == ["0::"]


@pytest.mark.parametrize("transport", EVERY)
def test_a_timeout_in_the_view_ends_the_session(transport: str) -> None:
    def app(_environ: Any, _start_response: Any) -> list[bytes]:
        with gevent.Timeout(0.01):
            gevent.sleep(60)
        return []

    with serving(app) as server:
        sessid = handshake(server)
        socket = server.sockets[sessid]
        client = ALL_CLIENTS[transport](server, sessid).open()
        wait_for(lambda: over(socket))
        assert socket.disconnect_reason == "app_ended"
        client.close()


def test_one_receiver_that_fails_does_not_keep_a_broadcast_from_the_others() -> None:
    class Chat(BaseNamespace, BroadcastMixin):
        def on_say(self) -> None:
            self.broadcast_event("said")

    with serving({"/c": Chat}) as server:
        clients = [WebSocketClient(server).open() for _ in range(3)]
        for client in clients:
            client.send("1::/c")
            assert client.recv() == "1::/c"

        def broken(_pkt: Any) -> None:
            raise ValueError("broken")

        server.sockets[clients[0].sessid].send_packet = broken  # type: ignore[method-assign]
        clients[1].send(event("say", endpoint="/c"))
        assert clients[1].recv() == clients[2].recv() == '5::/c:{"name":"said"}'
        for client in clients:
            client.close()


def test_an_idle_connection_is_closed_after_the_keepalive_timeout() -> None:
    with serving({}, keepalive_timeout=0.1) as server:
        client = PollingClient(server)
        wait_for(lambda: not server._connections)
        client.close()


# -- an end that comes while the server is busy ----------------------------------------------------


def test_what_a_client_sent_before_it_was_lost_is_handled_however_long_the_linger() -> None:
    told: list[Any] = []

    class Slow(BaseNamespace):
        def on_slow(self, number: int) -> None:
            gevent.sleep(0.15)
            told.append(number)

        def recv_disconnect(self) -> None:
            told.append("disconnect")

    # The grace of a busy handler is longer than the test: nobody is interrupted.
    with serving({"": Slow}, linger_timeout=0.1, close_timeout=600) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        client.send(*[event("slow", number) for number in range(3)])
        client.sock.shutdown(stdsocket.SHUT_WR)
        wait_for(lambda: over(socket), socket)
        assert told == [0, 1, 2, "disconnect"]
        client.close()


def test_a_loop_that_stalls_longer_than_the_linger_does_not_keep_a_lost_session() -> None:
    with serving({"": BaseNamespace}, close_timeout=600) as server:
        client = WebSocketClient(server).open()
        socket = server.sockets[client.sessid]
        socket._signal(Event.TRANSPORT_LOST, DisconnectReason.TRANSPORT_LOST)
        # After a stall the deadline rings before the receiver has been woken by its end marker.
        socket._stop_lingering()
        wait_for(lambda: over(socket), socket)
        client.close()
