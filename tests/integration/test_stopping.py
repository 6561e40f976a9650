"""stop() and close(), in every order and amid whatever a server can be doing."""

from __future__ import annotations

import ssl
from pathlib import Path

import gevent
import pytest
import trustme

from socketio.server import SocketIOServer
from tests.client import (
    Connection,
    PollingClient,
    WebSocketClient,
    event,
    fetch,
    handshake,
    wait_for,
)
from tests.integration.stopping import (
    LONG,
    SOON,
    gave_everything_back,
    made,
    nothing_on_stderr,
    seconds_of_stop,
    serving,
)
from tests.streams import ALL_CLIENTS, EVERY

__all__ = ["nothing_on_stderr"]  # a fixture of every test here


def serves(server: SocketIOServer) -> bool:
    """Tell whether sessions are answered, and the page."""
    for kind in (WebSocketClient, PollingClient):
        client = kind(server).open()
        client.send(event("echo", "here", msgid="1+"))
        assert client.recv() == '6:::1+["here"]'
        client.send("0::")
        client.close()
    return fetch(server, "GET", "/").text == "the application's page"


def refuses(server: SocketIOServer, port: int) -> bool:
    """Tell whether nobody listens on the port of a server that has stopped."""
    with pytest.raises(ConnectionRefusedError):
        gevent.socket.create_connection(("127.0.0.1", port))
    return not server.started


# -- started again ---------------------------------------------------------------------------------


def test_the_same_server_starts_again_on_its_port_many_times() -> None:
    with serving() as (server, _):
        port = server.server_port
        for _ in range(5):
            assert serves(server)
            server.stop(timeout=5)
            assert refuses(server, port)
            server.start()
            assert server.server_port == port
        assert serves(server)


def test_a_server_that_started_again_writes_its_access_log_on(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with serving(log_file=str(path)) as (server, _):
        fetch(server, "GET", "/first")
        wait_for(lambda: "/first" in path.read_text())
        server.stop(timeout=5)
        server.start()
        fetch(server, "GET", "/second")
        wait_for(lambda: "/second" in path.read_text())
        assert path.read_text().count("/first") == 1


def test_a_second_server_has_the_port_at_once() -> None:
    with serving() as (server, _):
        clients = [ALL_CLIENTS[transport](server).open() for transport in EVERY]
        port = server.server_port
        server.stop(timeout=5)
        with serving(port=port) as (second, _):
            assert serves(second)
        for client in clients:
            client.close()


def test_timers_of_a_server_that_started_again_ring() -> None:
    with serving(handshake_timeout=0.05) as (server, _):
        server.stop(timeout=5)
        server.start()
        PollingClient(server).close()
        wait_for(lambda: server.stats()["disconnects"] == {"handshake_timeout": 1})


# -- in every order --------------------------------------------------------------------------------


def test_stop_before_start_does_nothing() -> None:
    with made() as (server, _):
        server.stop(timeout=5)
        server.close()
        server.start()
        assert serves(server)


def test_stop_twice_is_stop() -> None:
    with serving() as (server, _):
        client = WebSocketClient(server).open()
        server.stop(timeout=5)
        assert seconds_of_stop(server) < SOON
        client.close()


def test_stop_twice_at_once_tells_everyone_once() -> None:
    with serving() as (server, busy):
        clients = [ALL_CLIENTS[transport](server).open() for transport in EVERY]
        for client in clients:
            client.send(event("echo"))
        wait_for(lambda: all(socket.active_ns for socket in server.sockets.values()))
        both = [gevent.spawn(server.stop, LONG) for _ in range(2)]
        gevent.joinall(both, timeout=SOON, raise_error=True)
        assert all(job.successful() for job in both)
        assert busy.record.seen == ["told"] * len(EVERY)
        assert gave_everything_back(server)
        for client in clients:
            client.close()


def test_close_does_not_block_and_stop_waits_for_the_rest() -> None:
    with serving() as (server, busy):
        client = WebSocketClient(server).open()
        client.send(event("hold"))
        wait_for(lambda: busy.record.seen == ["held"])
        port = server.server_port
        server.close()
        assert refuses(server, port)
        assert busy.record.seen == ["held"]
        busy.gate.set()
        assert seconds_of_stop(server) < SOON
        assert busy.record.seen == ["held", "finished", "told"]
        client.close()


def test_a_closed_server_can_start_again() -> None:
    with serving() as (server, _):
        server.close()
        server.start()
        assert serves(server)


# -- amid requests that have not come --------------------------------------------------------------

HALVES = {
    "header": b"GET / HTTP/1.1\r\nHos",
    "body": b"POST /there HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf",
    "nothing": b"",
}


@pytest.mark.parametrize("half", list(HALVES))
def test_half_a_request_holds_a_stop_no_longer_than_the_timeout(half: str) -> None:
    with serving() as (server, _):
        connection = Connection(server)
        connection.send_raw(HALVES[half])
        wait_for(lambda: [h for h in server._connections.values() if h.idle == (half != "body")])
        assert seconds_of_stop(server, timeout=0.1) < SOON
        connection.read_to_end()
        connection.close()


def test_a_tls_handshake_that_has_begun_does_not_hold_a_stop() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(ssl_context=context) as (server, _):
        connections = [Connection(server) for _ in range(2)]
        connections[0].send_raw(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a hello
        wait_for(lambda: len(server._shaking) == len(connections))
        assert seconds_of_stop(server) < SOON
        assert not server._shaking
        for connection in connections:
            assert connection.read_to_end() == b""
            connection.close()


def test_a_session_nobody_came_for_ends_with_the_server() -> None:
    with serving() as (server, _):
        handshake(server)
        assert seconds_of_stop(server) < SOON
        assert server.stats()["disconnects"] == {"server_stopping": 1}


def test_a_server_that_started_again_still_limits_its_connections() -> None:
    with serving(spawn=2) as (server, _):
        server.stop(timeout=5)
        server.start()
        clients = [WebSocketClient(server).open() for _ in range(2)]
        assert server.full()
        for client in clients:
            client.close()
