"""The page about delivery: what arrives, once or twice or not at all, and what nobody keeps."""

from __future__ import annotations

import contextlib
import re
import socket as stdsocket
import struct
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.testing import Event, TestServer
from tests.client import Recorder, event, serving, wait_for
from tests.docs.concepts import KINDS, SAMPLES, rows
from tests.docs.howto import load
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING

TABLE = {row[""]: row for row in rows("delivery.csv")}
ROWS = list(TABLE)


class Deliverer(BaseNamespace):
    """Notes what has come; ``record`` and ``gate`` are set by :func:`place`."""

    record: Recorder
    gate: Any

    def recv_message(self, data: str) -> None:
        self.gate.wait()
        self.record(data)


@contextlib.contextmanager
def place(transport: str) -> Iterator[tuple[Any, Any, Any]]:
    """Give a server with a client in ``/d``, its session, and what its namespace has noted."""
    gate = gevent.event.Event()
    gate.set()
    ns = type("DelivererHere", (Deliverer,), {"record": Recorder(), "gate": gate})
    with serving({"/d": ns}) as server:
        client = ALL_CLIENTS[transport](server).open()
        client.send("1::/d")
        assert client.recv() == "1::/d"
        try:
            yield client, server.sockets[client.sessid], ns
        finally:
            gate.set()
            client.close()


def of(row: str, transport: str) -> str:
    column = {"websocket": "WebSocket"}
    kind = next(kind for kind, names in KINDS.items() if transport in names)
    return TABLE[row][column.get(kind, kind)]


def numbers(texts: list[str]) -> list[int]:
    return [int(number) for text in texts for number in re.findall(r'"args":\[(\d+)\]', text)]


def reset(sock: Any) -> None:
    sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_the_table_has_a_cell_for_each_kind_of_transport() -> None:
    assert len(ROWS) == 5
    assert set().union(*KINDS.values()) == set(EVERY)


@pytest.mark.parametrize("transport", EVERY)
def test_packets_keep_their_order_in_both_directions(transport: str) -> None:
    assert of("order to the client", transport) == "kept"
    with place(transport) as (client, session, ns):
        for number in range(100):
            session["/d"].emit("n", number)
        assert numbers([client.recv() for _ in range(100)]) == list(range(100))
        for number in range(0, 30, 3):
            client.send(*(f"3::/d:{number + more}" for more in range(3)))
        wait_for(lambda: len(ns.record.seen) == 30)
        assert ns.record.seen == [str(number) for number in range(30)]


@pytest.mark.parametrize("transport", STREAMING)
def test_with_the_connection_of_a_stream_ends_its_session_and_the_rest_is_dropped(
    transport: str,
) -> None:
    assert of(ROWS[1], transport) == "lost"
    assert of("the session then", transport) == "ends"
    with place(transport) as (client, session, ns):
        server = client.server
        ns.gate.clear()
        client.send("3::/d:sent before")
        wait_for(lambda: session._receiver and not session.server_queue.qsize())
        reset(client.sock)
        wait_for(lambda: not session.state.live)
        session["/d"].emit("n", 1)
        assert session.disconnect_reason == "transport_lost"
        ns.gate.set()
        wait_for(lambda: not server.sockets)
        assert of(ROWS[4], transport) == "handled"
        assert ns.record.seen == ["sent before"]


@pytest.mark.parametrize("transport", POLLING)
@pytest.mark.parametrize("how", ["goes away", "resets before it has read"])
def test_what_a_broken_poll_had_comes_with_the_next(transport: str, how: str) -> None:
    assert of(ROWS[1], transport) == "comes with the next poll"
    assert of("the session then", transport) == "goes on"
    with place(transport) as (client, session, _ns):
        poll = client.start_poll()
        wait_for(lambda: session.transport)
        if how == "goes away":
            poll.close()
            gevent.sleep(0)
        for number in range(3):
            session["/d"].emit("n", number)
        if how != "goes away":
            wait_for(lambda: session.transport is None)
            reset(poll.sock)
        again = ALL_CLIENTS[transport](client.server, client.sessid)
        got: list[int] = []
        while len(got) < 3:
            got += numbers(again.poll())
        assert got == [0, 1, 2]
        assert session.connected
        again.close()


@pytest.mark.parametrize("transport", POLLING)
def test_only_a_reset_behind_an_answer_makes_it_come_twice(transport: str) -> None:
    assert of(ROWS[2], transport) == "if the client resets the connection behind the answer"
    with place(transport) as (client, session, _ns):
        session["/d"].emit("n", 1)
        assert numbers(client.poll()) == [1]
        client._poll.close()  # in order
        again = ALL_CLIENTS[transport](client.server, client.sessid)
        session["/d"].emit("n", 2)
        assert numbers(again.poll()) == [2]
        reset(again._poll.sock)
        third = ALL_CLIENTS[transport](client.server, client.sessid)
        session["/d"].emit("n", 3)
        assert numbers(third.poll()) in ([2, 3], [3])  # the reset, or the poll, may come first
        again.close()
        third.close()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_stream_says_nothing_twice(transport: str) -> None:
    assert of(ROWS[2], transport) == "never"
    with place(transport) as (client, session, _ns):
        session["/d"].emit("n", 1)
        assert numbers([client.recv()]) == [1]
        session["/d"].emit("n", 2)
        assert numbers([client.recv()]) == [2]


def test_a_post_is_handled_whole_or_not_at_all() -> None:
    with place("xhr-polling") as (client, _session, ns):
        broken = "\ufffd9\ufffd3::/d:one\ufffd9\ufffd3::/d".encode()
        assert client._post.request("POST", client.url, broken).status == 400
        client.send("3::/d:one", "3::/d:two")
        wait_for(lambda: len(ns.record.seen) == 2)
        assert ns.record.seen == ["one", "two"]


# -- across reconnects ---------------------------------------------------------------------------


def test_nothing_of_a_session_is_in_the_next_one() -> None:
    answers: list[Any] = []

    class Keeping(BaseNamespace, RoomsMixin):
        def on_begin(self) -> None:
            self.session["name"] = "Ada"
            self.join("lobby")
            self.emit("question", callback=answers.append)

    with TestServer({"/ns": Keeping}) as server:
        ada = server.connect("/ns")
        ada.emit("begin")
        old, instance = ada.socket, ada.namespace
        ada.received()
        ada.reading = False
        instance.emit("late")
        ada.reading = True
        ada.reading = False
        instance.emit("never")
        ada.drop()
        ada.reading = True
        ada.received()
        ada.reconnect()
        assert ada.socket.sessid != old.sessid
        assert ada.namespace is not instance
        assert "name" not in ada.session
        assert ada.namespace.rooms() == []
        ada.send_raw("6::/ns:1+[1]")
        assert answers == []
        ada.expect_nothing()


def test_recv_connect_runs_before_what_a_client_sends_ahead_of_its_connect_packet() -> None:
    order: list[str] = []

    class Ordered(BaseNamespace):
        def recv_connect(self) -> None:
            order.append("recv_connect()")

        def on_kept(self) -> None:
            order.append("on_kept()")

    with TestServer({"/ns": Ordered}) as server:
        ada = server.connect("")
        ada.send_raw(event("kept", endpoint="/ns"))
        ada.send_raw("1::/ns")
        assert order == ["recv_connect()", "on_kept()"]


# -- what applications do ----------------------------------------------------------------------


def test_a_client_that_names_its_last_number_gets_what_it_has_missed() -> None:
    sample = load(SAMPLES / "delivery.py")
    with TestServer({"/feed": sample.Feed}) as server:
        ada, bob = server.connect("/feed"), server.connect("/feed")
        bob.emit("publish", "one")
        assert ada.next() == Event("entry", [1, "one"])
        ada.drop()
        for text in ("two", "three"):
            bob.emit("publish", text)
        ada.reconnect()
        ada.expect_nothing()
        ada.emit("since", 1)
        assert [entry.args for entry in ada.received()] == [[2, "two"], [3, "three"]]


def test_an_order_that_is_repeated_is_done_once() -> None:
    sample = load(SAMPLES / "delivery.py")
    with TestServer({"/orders": sample.Orders}) as server:
        ada = server.connect("/orders")
        first = ada.ask("order", "7f3a", "hat")
        ada.reconnect()
        assert ada.ask("order", "7f3a", "hat") == first
        assert len(sample.Orders.done) == 1
