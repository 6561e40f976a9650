"""Answers that stall, break off or arrive too late: each packet arrives, or somebody is told."""

from __future__ import annotations

import os
import socket as stdsocket
import ssl
from typing import Any

import gevent
import pytest
import trustme
from gevent.ssl import SSLContext

from socketio.namespace import BaseNamespace
from socketio.transports.polling import Poll
from tests.client import Connection, PollingClient, serving, wait_for
from tests.streams import ALL_CLIENTS, POLLING, STREAMING

BIG = "x" * 4096


def message(socket: Any, text: str) -> None:
    socket.send_packet({"type": "message", "data": text})


def start_stalled(
    client: PollingClient, *headers: str, count: int = 1500, room: int = 4096
) -> Connection:
    """Poll for ``count`` large packets and do not read the answer; returns its connection."""
    socket = client.server.sockets[client.sessid]
    for number in range(count):
        message(socket, f"{number}:{BIG}")
    connection = Connection(client.server)
    connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, room)
    lines = [f"GET {client.url} HTTP/1.1", "Host: h", *headers]
    connection.send_raw("\r\n".join([*lines, "", ""]).encode())
    connection.sock.recv(100)
    return connection


def numbers(packets: list[str]) -> list[int]:
    return [int(text.split(":")[3]) for text in packets]


# -- sessions that end meanwhile -------------------------------------------------------------------


@pytest.mark.parametrize("transport", POLLING)
def test_a_kick_during_an_answer_that_stalls_keeps_nothing_for_ever(transport: str) -> None:
    with serving({"": BaseNamespace}, max_outbound_size=8_000_000, linger_timeout=0.1) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        stalled = start_stalled(client)
        assert socket._link.delivering
        socket.disconnect()
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.client_queue.qsize() == 0
        assert client.sessid not in server.sockets
        stalled.close()
        client.close()


@pytest.mark.parametrize("transport", POLLING)
def test_a_kick_during_an_answer_that_stalls_reaches_the_next_poll_behind_it(
    transport: str,
) -> None:
    with serving({"": BaseNamespace}, max_outbound_size=8_000_000) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        stalled = start_stalled(client)
        socket.disconnect()
        *batch, farewell = client.poll()
        assert numbers(batch) == list(range(1500))
        assert farewell == "0::"
        wait_for(lambda: socket.state == "DISCONNECTED")
        stalled.close()
        client.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_kick_while_a_replaced_stream_stalls_reaches_the_poll_that_waits(transport: str) -> None:
    with serving({"": BaseNamespace}, max_outbound_size=8_000_000) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        for number in range(1500):
            message(socket, f"{number}:{BIG}")
        wait_for(lambda: socket._link._writer.busy)
        newer = PollingClient(server, client.sessid)
        newer.start_poll()
        wait_for(lambda: isinstance(socket._link, Poll))
        socket.disconnect()
        assert newer.end_poll()[-1] == "0::"
        wait_for(lambda: socket.state == "DISCONNECTED")
        client.close()
        newer.close()


# -- what comes back -------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", STREAMING)
def test_a_batch_that_comes_back_is_not_judged_again_and_goes_out_whole(transport: str) -> None:
    with serving(
        {"": BaseNamespace}, max_outbound_size=8_000_000, max_outbound_packets=1600
    ) as server:
        poller = PollingClient(server).open()
        socket = server.sockets[poller.sessid]
        stalled = start_stalled(poller)
        for number in range(1500, 1800):
            message(socket, f"{number}:{BIG}")
        stalled.close()
        wait_for(lambda: socket._link is None)
        # More than the limit waits now, but each of them was let in once.
        client = ALL_CLIENTS[transport](server, poller.sessid)
        if hasattr(client, "connect"):
            client.connect()
        assert numbers([client.recv() for _ in range(1800)]) == list(range(1800))
        assert socket.connected
        client.close()
        poller.close()


@pytest.mark.parametrize("how", ["Connection: close", "X: keep-alive"])
def test_a_slow_client_that_goes_away_gets_its_batch_again(how: str) -> None:
    with serving({"": BaseNamespace}, max_outbound_size=8_000_000) as server:
        client = PollingClient(server).open()
        socket = server.sockets[client.sessid]
        # What the kernels hold together: all of it is written, not all of it has arrived.
        stalled = start_stalled(client, how, count=100)
        wait_for(lambda: socket._link is None)
        gevent.sleep(1.2)  # more than the moment we give to a client before we close
        message(socket, f"100:{BIG}")
        stalled.close()
        assert numbers(client.poll()) == list(range(101))
        client.close()


def test_a_slow_client_that_reads_on_gets_its_batch_once() -> None:
    with serving({"": BaseNamespace}, max_outbound_size=8_000_000) as server:
        client = PollingClient(server).open()
        socket = server.sockets[client.sessid]
        slow = start_stalled(client, "Connection: close", count=300, room=65536)
        wait_for(lambda: socket._link is None)
        gevent.sleep(1.2)
        assert f"299:{BIG}".encode() in slow.read_to_end()
        slow.close()
        message(socket, "300:")
        assert numbers(client.poll()) == [300]
        client.close()


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def context_of(authority: trustme.CA) -> SSLContext:
    context = SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class Secure(Connection):
    """A keep-alive connection over TLS."""

    def __init__(self, server: Any, authority: trustme.CA) -> None:
        super().__init__(server)
        context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(context)
        self.sock = context.wrap_socket(self.sock, server_hostname="127.0.0.1")


def end_below_tls(connection: Connection) -> None:
    with stdsocket.socket(fileno=os.dup(connection.sock.fileno())) as below:
        below.shutdown(stdsocket.SHUT_WR)


def test_over_tls_a_client_that_left_in_its_poll_finds_everything_in_the_next(
    authority: trustme.CA,
) -> None:
    with serving(
        {"": BaseNamespace}, max_outbound_size=8_000_000, ssl_context=context_of(authority)
    ) as server:
        connection = Secure(server, authority)
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        socket = server.sockets[sessid]
        url = f"/socket.io/1/xhr-polling/{sessid}"
        assert connection.request("GET", url).text == "1::"
        connection.start("GET", url)
        wait_for(lambda: socket._link)
        end_below_tls(connection)  # as a relay in between passes the end on
        link = socket._link
        gevent.sleep(0.05)
        message(socket, "1:")
        wait_for(lambda: socket._link is not link)
        message(socket, "2:")
        again = Secure(server, authority)
        text = again.request("GET", url).text
        assert "1:" in text
        assert "2:" in text
        for each in (connection, again):
            each.close()


@pytest.mark.parametrize("transport", ["htmlfile", "xhr-multipart"])
def test_a_stream_works_over_tls(authority: trustme.CA, transport: str) -> None:
    with serving(
        {"": BaseNamespace}, max_outbound_size=8_000_000, ssl_context=context_of(authority)
    ) as server:
        connection = Secure(server, authority)
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        connection.start("GET", f"/socket.io/1/{transport}/{sessid}")
        received = b""
        while b"1::" not in received:
            received += connection.sock.recv(65536)
        message(server.sockets[sessid], "over tls")
        while b"over tls" not in received:
            received += connection.sock.recv(65536)
        connection.close()
        wait_for(lambda: not server.sockets)
