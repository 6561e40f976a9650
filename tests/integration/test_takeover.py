"""One session, several requests at once: one link delivers, in order, and nothing gets lost."""

from __future__ import annotations

import socket as stdsocket
from typing import Any

import gevent
import pytest

from socketio.namespace import BaseNamespace
from socketio.tcp import unacknowledged
from socketio.testing import ManualClock
from socketio.transports.polling import Poll
from tests.client import Connection, PollingClient, Recorder, fetch, serving, wait_for
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING

BIG = "x" * 4096


class Quiet(BaseNamespace):
    """Tells when it was left; ``record`` is set by :func:`place`."""

    record: Recorder

    def recv_connect(self) -> None:
        self.record("connect")

    def recv_disconnect(self) -> None:
        self.record("disconnect")

    def on_said(self, number: int) -> None:
        self.record(number)


def namespaces(record: Recorder) -> dict[str, Any]:
    return {"/n": type("QuietHere", (Quiet,), {"record": record})}


def begin(client: Any) -> None:
    """Begin the request that carries packets to ``client``; a WebSocket has begun already."""
    if isinstance(client, PollingClient):
        client.start_poll()
    elif hasattr(client, "connect"):
        client.connect()


def take_over(client: Any, transport: str, socket: Any) -> Any:
    """Begin another request of the same session; returns its client when it has taken over."""
    before = socket._link
    other = ALL_CLIENTS[transport](client.server, client.sessid)
    begin(other)
    wait_for(lambda: socket._link is not before and socket._link is not None)
    return other


def heard(client: Any, count: int) -> list[str]:
    """Return the next ``count`` packets that say something; a poll of the client is waiting."""
    found: list[str] = []
    if not isinstance(client, PollingClient):
        return [client.recv() for _ in range(count)]
    while len(found) < count:
        found += [text for text in client.end_poll() if text != "8::"]
        if len(found) < count:
            client.start_poll()
    return found


def ends_without_a_word(client: Any) -> None:
    """Check that the link of ``client`` ends as it should when another has taken its place."""
    if isinstance(client, PollingClient):
        assert client.end_poll() == ["8::"]
        return
    with pytest.raises(EOFError, match=r"has ended|close frame b'.x03.xe8'"):
        client.recv()
    client.close()  # as browsers do when the server has closed


def entered(server: Any, transport: str) -> tuple[Any, Any]:
    """Return a client in /n whose link waits, and its session."""
    client = ALL_CLIENTS[transport](server).open()
    socket = server.sockets[client.sessid]
    client.send("1::/n")
    assert client.recv() == "1::/n"
    if isinstance(client, PollingClient):
        client.start_poll()
        wait_for(lambda: socket._link)
    return client, socket


@pytest.mark.parametrize("newer", EVERY)
@pytest.mark.parametrize("older", EVERY)
def test_a_newer_link_takes_over_at_once_and_splits_nothing(older: str, newer: str) -> None:
    record = Recorder()
    with serving(namespaces(record)) as server:
        first, socket = entered(server, older)
        socket["/n"].send("before")
        assert heard(first, 1) == ["3::/n:before"]
        if isinstance(first, PollingClient):
            first.start_poll()
            wait_for(lambda: socket._link)
        other = take_over(first, newer, socket)
        old = gevent.spawn(ends_without_a_word, first)
        for number in range(20):
            socket["/n"].send(str(number))
            gevent.sleep(0)
        assert heard(other, 20) == [f"3::/n:{number}" for number in range(20)]
        old.get()
        wait_for(lambda: not socket._older)
        assert socket.connected
        assert record.seen == ["connect"]
        first.close()
        other.close()


@pytest.mark.parametrize("transport", EVERY)
def test_what_is_sent_while_the_older_link_ends_waits_for_the_newer(transport: str) -> None:
    with serving(namespaces(Recorder())) as server:
        first, socket = entered(server, transport)
        other = PollingClient(server, first.sessid)
        before = socket._link
        other.start_poll()
        # The older one has not been told yet: whatever comes now belongs to one of the two.
        for number in range(5):
            socket["/n"].send(str(number))
        wait_for(lambda: socket._link is not before)
        socket["/n"].send("5")
        old = [text for text in drain(first) if text != "8::"]
        new = heard(other, 6 - len(old))
        assert [*old, *new] == [f"3::/n:{number}" for number in range(6)]
        first.close()
        other.close()


def drain(client: Any) -> list[str]:
    """Return all that the link of ``client`` has to say until it ends."""
    if isinstance(client, PollingClient):
        return list(client.end_poll())
    found = []
    try:
        while True:
            found.append(client.recv())
    except EOFError:
        client.close()
        return found


# -- batches that could not be written -------------------------------------------------------------


def poll_that_reads(client: PollingClient, count: int) -> Connection:
    """Poll on a connection of its own, read ``count`` bytes of the answer, and close it."""
    connection = Connection(client.server)
    connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
    connection.start("GET", client.url)
    while count > 0:
        count -= len(connection.sock.recv(count))
    return connection


@pytest.mark.parametrize("transport", POLLING)
def test_a_poll_that_is_not_read_gives_its_batch_to_the_next_in_order(transport: str) -> None:
    with serving(namespaces(Recorder()), max_outbound_size=8_000_000) as server:
        client, socket = entered(server, transport)
        socket["/n"].send("go")
        assert heard(client, 1) == ["3::/n:go"]
        for number in range(1500):
            socket["/n"].send(f"{number}:{BIG}")
        stalled = poll_that_reads(client, 1000)
        assert socket._link.delivering
        for number in range(1500, 1510):
            socket["/n"].send(f"{number}:{BIG}")
        client.start_poll()
        numbers = [int(text.split(":")[3]) for text in heard(client, 1510)]
        assert numbers == list(range(1510))
        assert socket.connected
        stalled.close()
        client.close()


@pytest.mark.parametrize("transport", POLLING)
@pytest.mark.parametrize("newer", EVERY)
def test_a_batch_of_which_a_part_was_read_comes_again_with_the_next_link(
    transport: str, newer: str
) -> None:
    with serving(namespaces(Recorder())) as server:
        client, socket = entered(server, transport)
        socket["/n"].send("zero")
        assert [text for text in client.end_poll() if text != "8::"] == ["3::/n:zero"]
        for number in range(3):
            socket["/n"].send(str(number))
        poll_that_reads(client, 60).close()
        wait_for(lambda: not socket._link)
        socket["/n"].send("3")
        other = ALL_CLIENTS[newer](server, client.sessid)
        begin(other)
        assert heard(other, 4) == [f"3::/n:{number}" for number in range(4)]
        client.close()
        other.close()


@pytest.mark.parametrize("transport", POLLING)
def test_a_batch_that_was_read_to_the_end_does_not_come_again(transport: str) -> None:
    with serving(namespaces(Recorder())) as server:
        client, socket = entered(server, transport)
        for number in range(3):
            socket["/n"].send(str(number))
            assert heard(client, 1) == [f"3::/n:{number}"]
            client.close()
            client = ALL_CLIENTS[transport](server, client.sessid)
            client.start_poll()
        socket["/n"].send("last")
        assert heard(client, 1) == ["3::/n:last"]
        client.close()


@pytest.mark.parametrize("transport", POLLING)
def test_a_greeting_that_did_not_arrive_comes_again_once(transport: str) -> None:
    with serving(namespaces(Recorder())) as server:
        client = ALL_CLIENTS[transport](server)
        socket = server.sockets[client.sessid]
        poll_that_reads(client, 20).close()
        wait_for(lambda: socket.connected and not socket._link)
        assert client.poll() == ["1::"]
        client.send("1::/n")
        assert client.recv() == "1::/n"
        client.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_that_lost_something_when_it_was_replaced_ends_the_session(transport: str) -> None:
    record = Recorder()
    with serving(namespaces(record)) as server:
        client, socket = entered(server, transport)
        client.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
        for number in range(1500):
            socket["/n"].send(f"{number}:{BIG}")
        wait_for(lambda: socket._link._writer.busy)
        newer = PollingClient(server, client.sessid)
        newer.start_poll()
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "transport_lost"
        assert record.seen == ["connect", "disconnect"]
        newer._poll.read_answer()
        assert fetch(server, "GET", newer.url).status == 400
        client.close()
        newer.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_slow_stream_that_is_read_to_its_end_loses_nothing_when_it_is_replaced(
    transport: str,
) -> None:
    with serving(namespaces(Recorder())) as server:
        client, socket = entered(server, transport)
        for number in range(1500):
            socket["/n"].send(f"{number}:{BIG}")
        wait_for(lambda: socket._link._writer.busy)
        newer = PollingClient(server, client.sessid)
        newer.start_poll()
        wait_for(lambda: isinstance(socket._link, Poll))
        got = drain(client)
        client.close()
        got += heard(newer, 1500 - len(got))
        assert [int(text.split(":")[3]) for text in got] == list(range(1500))
        assert socket.connected
        newer.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_whose_end_nobody_reads_does_not_hold_up_the_newer_link(transport: str) -> None:
    clock = ManualClock()
    with serving(namespaces(Recorder()), clock=clock) as server:
        client, socket = entered(server, transport)
        newer = take_over(client, "xhr-polling", socket)
        socket["/n"].send("later")
        older = socket._older[0]
        wait_for(lambda: older.dead and not unacknowledged(socket_of(older)))
        assert socket._older == (older,)
        clock.advance(2)
        assert heard(newer, 1) == ["3::/n:later"]
        assert socket.connected
        client.close()
        newer.close()


def socket_of(link: Any) -> Any:
    """Return the server's socket of a streaming link."""
    return link._writer._sock


def test_nothing_of_a_superseded_link_is_kept() -> None:
    with serving(namespaces(Recorder())) as server:
        client, socket = entered(server, "xhr-polling")
        for transport in EVERY:
            other = take_over(client, transport, socket)
            drain(client)
            client.close()
            client = other
        client.close()
        wait_for(lambda: socket._older == ())
