"""Seconds of a connection, in real time: who is quick enough is served, who is not is cut off.

Where a client has to be in time, the setting is many times what it takes; where it has to be late,
it waits until the server has lost its patience.
"""

from __future__ import annotations

import socket as stdsocket
import time
from typing import Any

import gevent
import pytest

from socketio.namespace import BaseNamespace
from tests.client import Connection, event, fetch, serving, wait_for
from tests.integration.bodies import posting, reading, refused
from tests.integration.httpplace import connected, is_alive, open_session, place, read_to_end
from tests.integration.secure import Certificate, SecureConnection, dial, read_until_closed
from tests.integration.stalled import CHUNK, connect_stalled, message
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING

LONG, SHORT = 30, 0.1
PAUSE = 0.05


def limits(server: Any) -> dict[str, int]:
    found: dict[str, int] = server.stats()["limits"]
    return found


# -- polls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", POLLING)
def test_a_poll_with_nothing_to_say_ends_after_the_polling_duration(transport: str) -> None:
    with place(polling_duration=SHORT) as on:
        client = ALL_CLIENTS[transport](on.server).open()
        on.clients.append(client)
        assert client.poll() == client.poll() == ["8::"]
        client.send(event("echo", 1, msgid="7+"))
        assert client.recv() == "6:::7+[1]"


@pytest.mark.parametrize("transport", POLLING)
def test_a_poll_within_its_polling_duration_is_answered_when_there_is_something(
    transport: str,
) -> None:
    with place(polling_duration=LONG) as on:
        client = ALL_CLIENTS[transport](on.server).open()
        on.clients.append(client)
        socket = on.server.sockets[client.sessid]
        client.start_poll()
        wait_for(lambda: socket.transport)
        gevent.sleep(PAUSE)
        message(socket, "news")
        assert client.end_poll() == ["3:::news"]


@pytest.mark.parametrize("transport", POLLING)
def test_without_a_polling_duration_it_is_the_heartbeat_interval(transport: str) -> None:
    with place(heartbeat_interval=SHORT) as on:
        client = ALL_CLIENTS[transport](on.server).open()
        on.clients.append(client)
        assert client.poll() == ["8::"]


# -- requests --------------------------------------------------------------------------------------


def test_a_connection_that_is_used_again_within_the_keepalive_timeout_goes_on() -> None:
    with place(keepalive_timeout=LONG) as on, connected(on) as connection:
        for _ in range(3):
            assert connection.request("GET", "/page").status == 200
            gevent.sleep(PAUSE)


@pytest.mark.parametrize("used", [False, True])
def test_a_connection_that_is_idle_for_the_keepalive_timeout_is_closed(used: bool) -> None:
    with place(keepalive_timeout=SHORT) as on, connected(on) as connection:
        if used:
            assert connection.request("GET", "/page").status == 200
        assert read_to_end(connection) == b""
        wait_for(lambda: not on.server._connections)
        assert limits(on.server) == {}, "which is no fault of anybody's"


def test_a_header_that_comes_within_the_header_timeout_is_served() -> None:
    with place(header_timeout=LONG) as on, connected(on) as connection:
        for piece in (b"GE", b"T /page HTTP/1.1\r\n", b"Host: x\r", b"\n\r\n"):
            connection.send_raw(piece)
            gevent.sleep(PAUSE)
        assert connection.read_answer().status == 200


def test_a_header_that_takes_longer_than_the_header_timeout_is_a_408() -> None:
    with place(header_timeout=SHORT) as on, connected(on) as connection:
        connection.send_raw(b"GET /page HTTP/1.1\r\nHost: x\r\n")
        assert refused(connection)
        assert limits(on.server) == {"header_timeout": 1}
        assert on.site.visits.seen == []


def test_a_body_of_ours_that_comes_within_the_body_timeout_is_taken() -> None:
    with place(body_timeout=LONG) as on, connected(on) as connection:
        url, _ = open_session(on)
        connection.send_raw(f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n".encode())
        for piece in (b"3::", b":sl", b"ow"):
            gevent.sleep(PAUSE)
            connection.send_raw(piece)
        assert connection.read_answer().text == "1"
        wait_for(lambda: "slow" in on.site.record.seen)


def test_a_body_of_ours_that_takes_longer_than_the_body_timeout_is_a_408() -> None:
    with place(body_timeout=SHORT) as on, connected(on) as connection:
        url, _ = open_session(on)
        connection.send_raw(f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n".encode())
        connection.send_raw(b"3:::slo")
        assert connection.read_answer().status == 408
        assert connection.read_to_end() == b""
        assert limits(on.server) == {"body_timeout": 1}
        assert is_alive(on, url)


def test_a_body_of_the_applications_may_take_pauses_within_the_body_timeout() -> None:
    with (
        serving(reading(lambda body: body.read()), body_timeout=LONG) as server,
        posting(server, "Content-Length: 6") as connection,
    ):
        for piece in (b"on", b"e t", b"w"):
            gevent.sleep(PAUSE)
            connection.send_raw(piece)
        assert connection.read_answer().text == "one tw"


def test_a_body_of_the_applications_that_pauses_for_the_body_timeout_is_a_408() -> None:
    with (
        serving(reading(lambda body: body.read()), body_timeout=SHORT) as server,
        posting(server, "Content-Length: 6", body=b"one t") as connection,
    ):
        assert refused(connection)
        wait_for(lambda: limits(server) == {"body_timeout": 1})


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.issue(tmp_path_factory.mktemp("tls"))


def test_a_tls_handshake_within_the_tls_handshake_timeout_is_served(
    certificate: Certificate,
) -> None:
    how = certificate.standard_context()
    with serving({}, tls_handshake_timeout=LONG, **how) as server:
        connection = Connection(server)
        wait_for(lambda: server._shaking)
        gevent.sleep(PAUSE)  # it was silent so far
        context = certificate.client_context()
        connection.sock = context.wrap_socket(connection.sock, server_hostname="127.0.0.1")
        assert connection.request("GET", "/page").status == 200
        connection.close()
        assert limits(server) == {}


def test_a_tls_handshake_that_takes_longer_than_the_tls_handshake_timeout_is_cut_off(
    certificate: Certificate,
) -> None:
    how = certificate.standard_context()
    with serving({}, tls_handshake_timeout=0.5, **how) as server:
        silent = dial(server)
        assert read_until_closed(silent) == b""
        silent.close()
        assert limits(server) == {"tls_handshake_timeout": 1}
        SecureConnection(server, certificate).close()


# -- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_a_client_that_reads_slowly_but_within_the_write_timeout_gets_everything(
    transport: str,
) -> None:
    with serving({"": BaseNamespace}, write_timeout=LONG, max_outbound_size=10**9) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        for number in range(150):
            message(socket, f"{number}:{CHUNK}")
        gevent.sleep(PAUSE)
        for number in range(150):
            assert client.recv() == f"3:::{number}:{CHUNK}"
            if number % 30 == 0:
                gevent.sleep(PAUSE)
        assert socket.connected
        assert limits(server) == {}
        client.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_that_is_not_read_for_the_write_timeout_is_lost(transport: str) -> None:
    with serving({"": BaseNamespace}, write_timeout=2, max_outbound_size=10**9) as server:
        client, socket = connect_stalled(server, transport)
        message(socket, "more")
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "transport_lost"
        assert limits(server) == {"write_timeout": 1}
        client.close()


@pytest.mark.parametrize("transport", POLLING)
def test_an_answer_to_a_poll_that_is_not_read_for_the_write_timeout_is_given_up(
    transport: str,
) -> None:
    with serving({"": BaseNamespace}, write_timeout=0.2, max_outbound_size=10**9) as server:
        client, socket = connect_stalled(server, transport)
        for _ in range(150):
            message(socket, CHUNK)
        connection = Connection(server)
        connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
        connection.start("GET", client.url)
        wait_for(lambda: limits(server) == {"write_timeout": 1})
        wait_for(lambda: socket.transport is None)
        assert socket.client_queue.qsize() == 150, "for the next poll"
        connection.close()
        client.close()


def test_a_page_that_is_not_read_for_the_write_timeout_is_given_up() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [CHUNK.encode()] * 150

    with serving(app, write_timeout=0.2) as server:
        connection = Connection(server)
        connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
        connection.start("GET", "/page")
        wait_for(lambda: limits(server) == {"write_timeout": 1})
        wait_for(lambda: not server._connections)
        connection.close()


# -- the process -----------------------------------------------------------------------------------


def busy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """An application that keeps everybody waiting."""
    time.sleep(0.5)
    start_response("200 OK", [("Content-Length", "0")])
    return []


def test_code_that_is_busy_for_less_than_block_warning_is_let_alone() -> None:
    with serving(busy, block_warning=LONG) as server:
        assert fetch(server, "GET", "/page").status == 200
        assert limits(server) == {}


def test_code_that_is_busy_for_longer_than_block_warning_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving(busy, block_warning=SHORT) as server:
        assert fetch(server, "GET", "/page").status == 200
        assert limits(server)["block_warning"] >= 1
        assert "time.sleep(0.5)" in caplog.text


def test_without_block_warning_nobody_looks() -> None:
    with serving(busy) as server:
        assert fetch(server, "GET", "/page").status == 200
        assert limits(server) == {}
