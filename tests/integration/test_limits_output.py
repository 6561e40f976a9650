"""What may wait for a client, and how much the server may ask of it: at each limit, and above."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gevent.event import Event

from socketio.namespace import BaseNamespace
from tests.client import Recorder, serving, wait_for
from tests.integration.stalled import connect_stalled, message
from tests.streams import ALL_CLIENTS, EVERY, POLLING

# -- what waits for the client ---------------------------------------------------------------------

OUTBOUND = {
    "max_outbound_packets": (20, ["x"] * 20),
    "max_outbound_size": (1000, ["x" * 96] * 10),  # and 4 for the head of each
}
"""Setting -> its value, and messages that just reach it."""


@pytest.mark.parametrize("setting", OUTBOUND)
@pytest.mark.parametrize("transport", EVERY)
def test_as_much_as_the_outbound_limit_may_wait(transport: str, setting: str) -> None:
    value, messages = OUTBOUND[setting]
    with serving({"": BaseNamespace}, **{setting: value * 1000}) as server:
        client, socket = connect_stalled(server, transport)
        socket.config = {**socket.config, setting: value}
        for text in messages:
            message(socket, text)
        assert socket.connected
        assert socket.client_queue.size == sum(len(text) + 4 for text in messages)
        assert server.stats()["limits"] == {}
        assert server.stats()["queues"]["outbound_longest"] == len(messages)
        if transport in POLLING:
            assert client.poll() == [f"3:::{text}" for text in messages]
        client.close()


@pytest.mark.parametrize("setting", OUTBOUND)
@pytest.mark.parametrize("transport", EVERY)
def test_one_more_than_the_outbound_limit_ends_the_session(transport: str, setting: str) -> None:
    value, messages = OUTBOUND[setting]
    with serving({"": BaseNamespace}, **{setting: value * 1000}) as server:
        client, socket = connect_stalled(server, transport)
        socket.config = {**socket.config, setting: value}
        for text in messages:
            message(socket, text)
        message(socket, "")
        assert not socket.state.live
        assert socket.client_queue.size == 0
        message(socket, "into the void")
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "slow_peer"
        assert server.stats()["limits"] == {setting: 1}
        assert server.stats()["disconnects"] == {"slow_peer": 1}
        client.close()
        wait_for(lambda: not server._connections)


@pytest.mark.parametrize("transport", POLLING)
def test_one_text_alone_may_be_longer_than_max_outbound_size(transport: str) -> None:
    with serving({"": BaseNamespace}, max_outbound_size=1000) as server:
        client, socket = connect_stalled(server, transport)
        message(socket, "x" * 5000)
        assert socket.connected
        assert client.poll() == ["3:::" + "x" * 5000]
        wait_for(lambda: socket.transport is None)
        message(socket, "x" * 5000)
        message(socket, "")
        assert not socket.state.live
        assert server.stats()["limits"] == {"max_outbound_size": 1}
        client.close()


def test_a_text_with_other_letters_than_ascii_weighs_four_bytes_each() -> None:
    with serving({"": BaseNamespace}, max_outbound_size=1000) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        for _ in range(2):
            message(socket, "\u20ac" + "x" * 120)  # 125 characters with their head
        assert server.stats()["queues"]["outbound_size"] == 1000
        assert socket.connected
        message(socket, "")
        assert not socket.state.live
        client.close()


# -- what waits for a namespace that has not decided yet -------------------------------------------

# Settings, and messages that they let wait beside the answer to the connect; one more is too much.
UNDECIDED = {
    "packets": ({"max_outbound_packets": 20}, [""] * 19),
    "size": (
        {"max_outbound_size": 1000},
        ["x" * 90] * 10,
    ),  # 9 for the head of each, 8 for the answer
}


@contextmanager
def undecided(kind: str) -> Iterator[tuple[Any, Any]]:
    """A session with a namespace that takes its time; as much waits for it as may."""
    settings, messages = UNDECIDED[kind]
    gate = Event()

    class Slow(BaseNamespace):
        def recv_connect(self) -> None:
            gate.wait()

    with serving({"/slow": Slow}, **settings) as server:
        client = ALL_CLIENTS["websocket"](server).open()
        socket = server.sockets[client.sessid]
        client.send("1::/slow")
        wait_for(lambda: socket._opening)
        for text in messages:
            say(socket, text)
        try:
            yield server, socket
        finally:
            gate.set()
            client.close()


def say(socket: Any, text: str) -> None:
    socket.send_packet({"type": "message", "data": text, "endpoint": "/slow"})


@pytest.mark.parametrize("kind", UNDECIDED)
def test_as_much_as_the_outbound_limit_may_wait_for_the_decision_of_a_namespace(kind: str) -> None:
    with undecided(kind) as (server, socket):
        assert socket.connected
        assert server.stats()["limits"] == {}


@pytest.mark.parametrize("kind", UNDECIDED)
def test_one_more_than_the_outbound_limit_does_not_wait_for_a_decision(kind: str) -> None:
    with undecided(kind) as (server, socket):
        say(socket, "")
        assert not socket.state.live
        assert server.stats()["limits"] == {f"max_outbound_{kind}": 1}


# -- acks ------------------------------------------------------------------------------------------


def ask(server: Any, transport: str, count: int) -> tuple[Any, list[str], Recorder]:
    """Ask a client for ``count`` acks; return it, the ids it was sent, and what comes back."""
    client = ALL_CLIENTS[transport](server).open()
    socket = server.sockets[client.sessid]
    client.send("1::/acks")
    assert client.recv() == "1::/acks"
    answers = Recorder()
    ids = []
    for number in range(count):
        socket["/acks"].emit("ask", number, callback=lambda n=number: answers(n))
        ids.append(client.recv().split(":")[1].rstrip("+"))
    return client, ids, answers


@pytest.mark.parametrize("transport", EVERY)
def test_as_many_as_max_pending_acks_may_be_waited_for(transport: str) -> None:
    with serving({"/acks": BaseNamespace}, max_pending_acks=3) as server:
        client, ids, answers = ask(server, transport, 3)
        client.send(*[f"6::/acks:{msgid}" for msgid in ids])
        wait_for(lambda: answers.seen == [0, 1, 2])
        assert server.stats()["limits"] == {}
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_of_one_more_than_max_pending_acks_the_oldest_is_forgotten(transport: str) -> None:
    with serving({"/acks": BaseNamespace}, max_pending_acks=3) as server:
        client, ids, answers = ask(server, transport, 4)
        socket = server.sockets[client.sessid]
        assert len(socket.ack_callbacks) == 3
        client.send(*[f"6::/acks:{msgid}" for msgid in ids])
        wait_for(lambda: answers.seen == [1, 2, 3])
        assert socket.connected
        client.close()


def test_an_ack_that_is_pushed_out_is_counted() -> None:
    with serving({"/acks": BaseNamespace}, max_pending_acks=3) as server:
        client, _, _ = ask(server, "websocket", 5)
        client.close()
        assert server.stats()["limits"] == {"max_pending_acks": 2}
