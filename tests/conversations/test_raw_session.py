"""The polling session that was driven by hand against the reference server, with us instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import PollingClient, Recorder, handshake, serving, wait_for
from tests.conversations.raw import Exchange, ask, damaged, expect, load
from tests.conversations.raw_differences import NAMESPACES, POLLING, Ours, our_answer
from tests.conversations.recording import Response
from tests.conversations.wire import Wire

EXCHANGES = load(POLLING)


class Talks(BaseNamespace):
    record: Recorder

    def recv_message(self, data: str) -> None:
        self.record(data)


class Refuses(BaseNamespace):
    def recv_connect(self) -> None:
        raise UnauthorizedError("nobody may enter")


class Fails(BaseNamespace):
    def recv_connect(self) -> None:
        raise RuntimeError("no database")


class Session:
    """The session, and the requests that were made for it.

    The recording leaves out what was posted between the polls; it is posted here by a client of
    our own.
    """

    def __init__(
        self, server: SocketIOServer, record: Recorder, ours: Ours, resources: ExitStack
    ) -> None:
        self.server, self.record, self.ours, self.resources = server, record, ours, resources
        self.sid = handshake(server)
        self.socket = server.sockets[self.sid]
        self.client = resources.enter_context(closing(PollingClient(server, self.sid)))

    def ask(self, exchange: Exchange) -> Wire:
        return self.resources.enter_context(closing(ask(self.server, exchange, self.sid)))

    def expect(self, wire: Wire, exchange: Exchange) -> Exchange:
        expect(wire, exchange, self.ours(POLLING, exchange))
        return exchange

    def exchange(self, exchange: Exchange) -> Exchange:
        return self.expect(self.ask(exchange), exchange)

    def begin(self, poll: Exchange) -> Wire:
        """Send a poll and return when the server has it."""
        hits = self.socket.hits
        wire = self.ask(poll)
        wait_for(lambda: self.socket.hits > hits, "the poll is there")
        return wire

    def play(self) -> Iterator[Exchange]:
        """Play the whole recording; yields each exchange after its answer was compared."""
        first, idle, queued, joined, posted, acked, options, put, *later = EXCHANGES
        older, newer, url, waiting, late = later
        yield self.exchange(first)
        yield self.wait_out(idle)
        root = self.queue_three()
        yield self.exchange(queued)
        self.join_all()
        yield self.exchange(joined)
        yield self.exchange(posted)
        wait_for(lambda: len(self.record.seen) == 3, "both messages are handled")
        assert self.record.seen[1:] == ["\U0001f600 x", "b"]
        yield self.exchange(acked)
        yield self.exchange(options)
        yield self.exchange(put)
        old_wire, new_wire = self.begin(older), self.begin(newer)
        yield self.expect(old_wire, older)
        root.send("hello")
        yield self.expect(new_wire, newer)
        wire = self.begin(waiting)
        yield self.exchange(url)
        yield self.expect(wire, waiting)
        assert self.socket.disconnect_reason == "peer_left"
        yield self.exchange(late)

    def wait_out(self, idle: Exchange) -> Exchange:
        """Make the one poll for which the polling duration was shortened."""
        usual = self.server.config
        self.server.config = replace(usual, polling_duration=0.3)
        self.exchange(idle)
        self.server.config = usual
        return idle

    def queue_three(self) -> Any:
        """Queue the three packets of the recording; returns the global namespace."""
        self.client.send("3:::the global namespace is in use")
        root = wait_for(lambda: self.socket.active_ns.get(""))
        root.send("a")
        root.emit("e", None, "\U0001f600")
        root.send(1, json=True)
        return root

    def join_all(self) -> None:
        self.client.send("1::/chat", "1::/nope", "1::/secret", "1::/err", "1::/chat:?a=b")
        queue = self.socket.client_queue
        wait_for(lambda: queue.qsize() == len(NAMESPACES), "all of them are answered")


def play_session(ours: Ours) -> list[Exchange]:
    """Play the session; returns what was compared, in that order."""
    record = Recorder()
    talks = type("Talks", (Talks,), {"record": record})
    namespaces = {"": talks, "/chat": Talks, "/secret": Refuses, "/err": Fails}
    with serving(namespaces, origins="*") as server, ExitStack() as resources:
        return list(Session(server, record, ours, resources).play())


def test_a_polling_session_driven_by_hand_is_answered_as_recorded() -> None:
    compared = play_session(our_answer)

    assert compared == EXCHANGES


@pytest.mark.parametrize("at", range(len(EXCHANGES)))
def test_a_session_that_is_changed_in_one_place_is_not_matched(at: int) -> None:
    wrong = EXCHANGES[at]

    def ours(file: str, exchange: Exchange) -> Response:
        answer = our_answer(file, exchange)
        return damaged(answer, "body") if exchange == wrong else answer

    with pytest.raises(AssertionError) as caught:
        play_session(ours)
    assert str(caught.value).startswith(f"{wrong.title}: ")
