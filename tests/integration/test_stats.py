"""``server.stats()``: sessions, queues, traffic and connections, in every situation."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import gevent
import pytest
from geventwebsocket.handler import WebSocketHandler

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.stats import ServerStats
from socketio.testing import ManualClock
from tests.client import Connection, WebSocketClient, event, fetch, handshake, serving, wait_for
from tests.integration.httpplace import place
from tests.integration.stalled import connect_stalled, message
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING, WEBSOCKETS

NOTHING = {
    "sessions": {
        "total": 0,
        "pending": 0,
        "by_state": {},
        "by_transport": {},
        "opened": 0,
        "connected": 0,
    },
    "queues": {
        "inbound_packets": 0,
        "inbound_size": 0,
        "inbound_longest": 0,
        "outbound_packets": 0,
        "outbound_size": 0,
        "outbound_longest": 0,
    },
    "traffic": {
        "packets_received": 0,
        "packets_sent": 0,
        "packets_dropped": 0,
        "bytes_received": 0,
        "bytes_sent": 0,
    },
    "connections": 0,
    "greenlets": 0,
    "disconnects": {},
    "errors": {},
    "limits": {},
    "refusals": {},
}


def settled(server: SocketIOServer) -> Any:
    """Return the numbers when every request is over."""
    wait_for(lambda: not server._connections)
    return server.stats()


# -- the shape -------------------------------------------------------------------------------------


def fits(value: Any, kind: Any) -> bool:
    if hasattr(kind, "__total__"):  # a TypedDict
        hints = get_type_hints(kind)
        return list(value) == list(hints) and all(fits(value[key], hints[key]) for key in hints)
    if kind is int:
        return type(value) is int
    assert kind == dict[str, int]
    return all(type(key) is str and type(number) is int for key, number in value.items())


def test_a_server_that_was_not_started_has_done_nothing() -> None:
    assert SocketIOServer(("127.0.0.1", 0), None).stats() == NOTHING


def test_the_numbers_have_the_types_they_are_declared_with_and_can_be_written_as_json() -> None:
    with place(max_sessions=2) as on:
        on.websocket().send(event("no such"), "broken", "3:::x")
        on.polling().open()
        assert on.fetch("GET", "/socket.io/1/").status == 503
        assert on.fetch("GET", "/socket.io/1/nothing/1").status == 400
        stats = on.server.stats()
        assert fits(stats, ServerStats)
        assert json.loads(json.dumps(stats)) == stats


def test_the_numbers_of_a_moment_do_not_change_later() -> None:
    with place() as on:
        before = on.server.stats()
        assert before["limits"] is not on.server.journal.limits
        on.websocket()
        assert before == NOTHING


def test_asking_never_lets_another_greenlet_run() -> None:
    ran = []
    with place() as on:
        on.websocket()
        on.polling().open()
        other = gevent.spawn(ran.append, 1)
        for _ in range(100):
            on.server.stats()
        assert ran == []
        other.join()


def test_ten_thousand_sessions_are_counted() -> None:
    with serving({}, clock=ManualClock()) as server:
        for number in range(10_000):
            socket = server.get_socket()
            if number % 2:
                server.expect_client(socket)
            socket.server_queue.put_nowait("12345")
        stats = server.stats()
        assert stats["sessions"]["total"] == 10_000
        assert stats["sessions"]["pending"] == 5000
        assert stats["sessions"]["by_state"] == {"NEW": 10_000}
        assert stats["sessions"]["by_transport"] == {"none": 10_000}
        assert stats["queues"]["inbound_packets"] == 10_000
        assert stats["queues"]["inbound_size"] == 50_000
        assert stats["queues"]["inbound_longest"] == 1


# -- sessions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_a_session_is_counted_by_its_state_and_its_transport(transport: str) -> None:
    with serving({"": BaseNamespace}) as server:
        sessid = handshake(server)
        new = server.stats()["sessions"]
        assert new == {
            "total": 1,
            "pending": 1,
            "by_state": {"NEW": 1},
            "by_transport": {"none": 1},
            "opened": 1,
            "connected": 0,
        }
        client = ALL_CLIENTS[transport](server, sessid).open()
        socket = server.sockets[sessid]
        if transport in POLLING:
            wait_for(lambda: socket.transport is None)
            assert server.stats()["sessions"]["by_transport"] == {"none": 1}
            client.start_poll()
            wait_for(lambda: socket.transport)
        assert server.stats()["sessions"] == {
            "total": 1,
            "pending": 0,
            "by_state": {"CONNECTED": 1},
            "by_transport": {transport: 1},
            "opened": 1,
            "connected": 1,
        }
        client.close()
        if transport in POLLING:
            socket.kill()
        wait_for(lambda: not server.sockets)
        assert server.stats()["sessions"] == {**NOTHING["sessions"], "opened": 1, "connected": 1}  # type: ignore[dict-item]


def test_sessions_of_all_transports_and_states_stand_side_by_side() -> None:
    with serving({"": BaseNamespace}) as server:
        clients = [ALL_CLIENTS[transport](server).open() for transport in EVERY]
        handshake(server)
        connecting = server.sockets[handshake(server)]
        connecting.state = "CONNECTING"
        leaving, socket = connect_stalled(server, "xhr-polling")
        message(socket, "last")
        socket.disconnect()
        streams = dict.fromkeys(STREAMING, 1)
        wait_for(lambda: server.stats()["sessions"]["by_transport"] == {**streams, "none": 5})
        stats = server.stats()["sessions"]
        assert stats["by_state"] == {"CONNECTED": 6, "NEW": 1, "CONNECTING": 1, "DISCONNECTING": 1}
        assert stats["total"] == stats["opened"] == 9
        assert stats["connected"] == 7
        for client in (*clients, leaving):
            client.close()


def test_a_session_that_changes_its_transport_is_counted_by_the_new_one() -> None:
    with serving({"": BaseNamespace}) as server:
        poller, socket = connect_stalled(server, "xhr-polling")
        client = WebSocketClient(server, socket.sessid)
        wait_for(lambda: server.stats()["sessions"]["by_transport"] == {"websocket": 1})
        assert server.stats()["sessions"]["connected"] == 1
        for each in (client, poller):
            each.close()


def test_a_server_that_stops_tells_how_far_it_is() -> None:
    with place() as on:
        client = on.websocket()
        client.send(event("hold"))
        wait_for(lambda: "held" in on.site.record.seen)
        stopping = gevent.spawn(on.server.stop, 60)
        wait_for(lambda: on.server.stopping)
        stats = on.server.stats()
        assert stats["sessions"]["by_state"] == {"DISCONNECTING": 1}
        assert fits(stats, ServerStats)
        on.site.gate.set()
        stopping.join()
        stats = on.server.stats()
        assert stats["sessions"] == {**NOTHING["sessions"], "opened": 1, "connected": 1}  # type: ignore[dict-item]
        assert stats["disconnects"] == {"server_stopping": 1}
        assert (stats["connections"], stats["greenlets"]) == (0, 0)


def test_the_counters_go_on_when_a_server_is_started_again() -> None:
    with serving({"": BaseNamespace}) as server:
        handshake(server)
        server.stop()
        assert server.stats()["sessions"]["opened"] == 1
        # Its port is closed for good; what it has counted is not.
        assert server.stats()["disconnects"] == {"server_stopping": 1}


# -- queues ----------------------------------------------------------------------------------------


def test_what_waits_for_handlers_is_summed_and_the_longest_is_named() -> None:
    with place() as on:
        for count in (3, 5):
            client = on.websocket()
            client.send(event("hold"))
            wait_for(lambda: on.site.record.count("held") == len(on.clients))
            client.send(*["3:::x"] * count)
        wait_for(lambda: on.server.stats()["queues"]["inbound_packets"] == 8)
        queues = on.server.stats()["queues"]
        assert queues == {
            **NOTHING["queues"],  # type: ignore[dict-item]
            "inbound_packets": 8,
            "inbound_size": 40,
            "inbound_longest": 5,
        }
        on.site.gate.set()
        wait_for(lambda: on.server.stats()["queues"] == NOTHING["queues"])


@pytest.mark.parametrize("transport", EVERY)
def test_what_waits_for_clients_is_summed_and_the_longest_is_named(transport: str) -> None:
    with serving({"": BaseNamespace}, linger_timeout=0.1) as server:
        stalled = [connect_stalled(server, transport) for _ in range(2)]
        for count, (_, socket) in zip((3, 5), stalled, strict=True):
            for _ in range(count):
                message(socket, "x")
        assert server.stats()["queues"] == {
            **NOTHING["queues"],  # type: ignore[dict-item]
            "outbound_packets": 8,
            "outbound_size": 40,
            "outbound_longest": 5,
        }
        for client, socket in stalled:
            client.close()
            socket.kill()
        wait_for(lambda: not server.sockets)
        assert server.stats()["queues"] == NOTHING["queues"]


# -- connections -----------------------------------------------------------------------------------


def test_connections_are_counted_whoever_uses_them() -> None:
    with place() as on:
        page = Connection(on.server)
        assert page.request("GET", "/page").status == 200
        assert on.server.stats()["connections"] == 1
        silent = Connection(on.server)
        wait_for(lambda: on.server.stats()["connections"] == 2)
        on.websocket()
        wait_for(lambda: on.server.stats()["connections"] == 3)
        for connection in (page, silent):
            connection.close()
        wait_for(lambda: on.server.stats()["connections"] == 1)
        assert fetch(on.server, "GET", "/page").status == 200


def test_the_websocket_handler_of_an_application_is_counted_like_ours() -> None:
    with serving({"": BaseNamespace}, ws_handler_class=WebSocketHandler) as server:
        client = WebSocketClient(server).open()
        assert server.stats()["sessions"]["by_transport"] == {WEBSOCKETS[0]: 1}
        client.close()
        wait_for(lambda: not server.sockets)
        assert settled(server)["disconnects"] == {"transport_lost": 1}
