"""What many small things may keep together: handshakes, POSTs, packets for a client."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from unittest.mock import MagicMock, Mock

import gevent
import pytest
from gevent.event import Event
from gevent.queue import Queue
from hypothesis import given
from hypothesis import strategies as st

from socketio import handshake as handshakes
from socketio.namespace import BaseNamespace
from socketio.session.outbox import Outbox
from socketio.virtsocket import Socket
from tests.client import Connection, PollingClient, event, serving, wait_for
from tests.integration.httpplace import connected, open_session, place, read_to_end
from tests.integration.stalled import connect_stalled, message
from tests.integration.wsstage import stage
from tests.streams import EVERY
from tests.unit.websocket.frames import text

MANY = 300
LARGE = {"Cookie": "c" * 3900, **{f"X-Large-{number}": str(number) * 3900 for number in range(3)}}


# -- what is kept of handshakes --------------------------------------------------------------------


def shake_hands(server: Any) -> Any:
    """Make a handshake with large headers and return its session."""
    connection = Connection(server)
    connection.start("GET", "/socket.io/1/?t=1", headers=LARGE)
    answer = connection.read_answer()
    connection.close()
    return server.sockets[answer.text.split(":")[0]]


def weight(socket: Any) -> int:
    return sum(map(len, socket.handshake_environ.values()))


def test_one_handshake_alone_keeps_its_cookies() -> None:
    with serving({}) as server:
        assert shake_hands(server).handshake_environ["HTTP_COOKIE"] == LARGE["Cookie"]


def test_many_handshakes_nobody_came_for_keep_no_more_together_than_a_few() -> None:
    with serving({}) as server:
        sockets = [shake_hands(server) for _ in range(MANY)]
        assert server.pending_handshakes == MANY
        assert sum(map(weight, sockets)) < handshakes._MAX_KEPT_BY_ALL
        assert sockets[0].handshake_environ["HTTP_COOKIE"] == LARGE["Cookie"]


def test_a_session_whose_client_came_keeps_what_it_has_and_leaves_room_for_others() -> None:
    with serving({"": BaseNamespace}) as server:
        came = shake_hands(server)
        client = PollingClient(server, came.sessid).open()
        before = dict(came.handshake_environ)
        for _ in range(MANY):
            shake_hands(server)
        assert came.handshake_environ == before
        assert before["HTTP_COOKIE"] == LARGE["Cookie"]
        client.send("2::")
        client.close()
        for socket in list(server.sockets.values()):
            if socket is not came:
                socket.disconnect()
        wait_for(lambda: server.pending_handshakes == 0)
        assert shake_hands(server).handshake_environ["HTTP_COOKIE"] == LARGE["Cookie"]


# -- POSTs that wait for room ----------------------------------------------------------------------


def test_of_posts_whose_bodies_come_together_four_wait_and_the_others_come_again() -> None:
    with place(max_inbound_packets=1) as on, contextlib.ExitStack() as stack:
        url, socket = open_session(on)
        on.fetch("POST", url, event("hold").encode())
        wait_for(lambda: on.site.record.seen == ["held"])
        assert on.fetch("POST", url, b"3:::first").text == "1"
        hits = socket.hits
        posts = [stack.enter_context(connected(on)) for _ in range(12)]
        for number, post in enumerate(posts):
            head = f"POST {url} HTTP/1.1\r\nHost: {on.host}\r\nContent-Length: 6\r\n\r\n3:::"
            post.send_raw(head.encode())
            wait_for(lambda number=number: socket.hits == hits + number + 1)
        for number, post in enumerate(posts):
            post.send_raw(b"%02d" % number)
        refused: list[int] = []
        readers = [gevent.spawn(post.read_answer) for post in posts]
        wait_for(lambda: sum(reader.ready() for reader in readers) == 8)
        assert socket.server_queue.waiting == 4
        for number, reader in enumerate(readers):
            if reader.ready():
                answer = reader.get()
                assert (answer.status, answer.headers["retry-after"]) == (503, "1")
                assert answer.headers.get("connection", "keep-alive") != "close"
                refused.append(number)
        assert on.site.record.seen == ["held"]
        on.site.gate.set()
        gevent.joinall(readers, raise_error=True)
        taken = [number for number in range(12) if number not in refused]
        assert [readers[number].get().text for number in taken] == ["1"] * 4
        for number in refused:
            assert posts[number].request("POST", url, b"3:::%02d" % number).text == "1"
        wait_for(lambda: len(on.site.record.seen) == 14)
        assert on.site.record.seen[:2] == ["held", "first"]
        assert sorted(on.site.record.seen[2:6]) == [f"{number:02d}" for number in taken]
        assert on.site.record.seen[6:] == [f"{number:02d}" for number in refused]


# -- the outbox ------------------------------------------------------------------------------------


class Expendable:
    """Tells which texts may be dropped, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, text: str) -> bool:
        self.asked += 1
        return text.startswith("3")


def test_packets_that_may_not_be_dropped_are_not_looked_at_again_and_again() -> None:
    outbox, expendable = Outbox(lambda: None, lambda: None), Expendable()
    firm = [f"6:::{number}" for number in range(5000)]
    for item in firm:
        outbox.put_nowait(item)
    for number in range(2000):
        outbox.put_nowait(f"3:::{number}")
        outbox.drop_oldest(expendable, 5010, 10**9)
    assert list(outbox.queue) == [*firm, *[f"3:::{number}" for number in range(1990, 2000)]]
    assert expendable.asked <= 5000 + 2 * 2000


def drop_of_a_list(texts: list[str], packets: int) -> list[str]:
    over = len(texts) - packets
    kept = []
    for item in texts:
        if over > 0 and item.startswith("3"):
            over -= 1
        else:
            kept.append(item)
    return kept


STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("36")),
    st.tuples(st.just("drop"), st.integers(0, 12)),
    st.tuples(st.just("take"), st.integers(1, 6)),
    st.tuples(st.just("put back"), st.lists(st.sampled_from("36"), max_size=4)),
    st.tuples(st.just("clear"), st.none()),
)


@given(st.lists(STEPS, max_size=60))
def test_what_is_dropped_is_what_a_plain_list_would_drop(steps: list[tuple[str, Any]]) -> None:
    outbox, model = Outbox(lambda: None, lambda: None), list[str]()
    for number, (step, value) in enumerate(steps):
        if step == "put":
            outbox.put_nowait(f"{value}:::{number}")
            model.append(f"{value}:::{number}")
        elif step == "drop":
            before, model = len(model), drop_of_a_list(model, value)
            dropped = outbox.drop_oldest(Expendable(), value, 10**9)
            assert dropped == before - len(model)
        elif step == "take":
            for _ in range(min(value, len(model))):
                assert outbox.get_nowait() == model.pop(0)
        elif step == "put back":
            back = [f"{kind}:::{number}.{at}" for at, kind in enumerate(value)]
            outbox.put_front(back)
            model = [*back, *model]
        else:
            outbox.clear()
            model = []
        assert list(outbox.queue) == model
        assert outbox.size == sum(map(len, model))


# -- a policy that takes its time ------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize("limit", [{"max_outbound_packets": 20}, {"max_outbound_size": 20_000}])
def test_while_a_policy_blocks_a_session_ends_at_twice_its_limit(
    limit: dict[str, int], transport: str
) -> None:
    gate, asked = Event(), Event()

    def policy(_socket: Any) -> str:
        asked.set()
        gate.wait()
        return "drop_oldest"

    with serving({"": BaseNamespace}, slow_peer=policy) as server:
        client, socket = connect_stalled(server, transport)
        socket.config = {**socket.config, **limit}
        writer = gevent.spawn(lambda: [message(socket, "x" * 996) for _ in range(25)])
        wait_for(asked.is_set)
        assert socket.connected
        most = 0
        for _ in range(100):
            message(socket, "x" * 996)
            most = max(most, socket.client_queue.qsize())
        assert not socket.state.live
        assert socket.disconnect_reason == "slow_peer"
        assert 35 <= most <= 42
        assert server.stats()["limits"] == {next(iter(limit)): 1}
        gate.set()
        writer.join()
        wait_for(lambda: socket.state == "DISCONNECTED")
        client.close()


def test_statistics_survive_a_queue_of_the_applications() -> None:
    with serving({"": BaseNamespace}) as server:
        client = PollingClient(server).open()
        socket = server.sockets[client.sessid]
        own = socket.client_queue, socket.server_queue
        socket.client_queue, socket.server_queue = Queue(), Queue()
        socket.client_queue.put("3:::x")
        queues = server.stats()["queues"]
        assert (queues["outbound_packets"], queues["outbound_size"]) == (1, 0)
        assert (queues["inbound_packets"], queues["inbound_size"]) == (0, 0)
        socket.client_queue, socket.server_queue = own
        client.close()


# -- sessions of tests -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Mock, MagicMock])
def test_a_session_of_a_mock_reports_an_error_to_its_client(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = kind()
    socket = Socket(server, {})
    for _ in range(2):
        socket.error("no_such_method", "There is none", endpoint="/chat", msg_id=3)
        sent = socket.client_queue.get_nowait()
        assert sent.startswith("5:3:/chat:")
        packet = json.loads(sent.removeprefix("5:3:/chat:"))
        assert packet == {"name": "error", "args": ["no_such_method", "There is none"]}
    line = f"session {socket.short_id}: no_such_method on '/chat': 'There is none'"
    assert caplog.messages == [line] * 2
    socket.error("quiet", "Nobody is told", quiet=True)
    assert socket.client_queue.qsize() == 0


# -- a breach behind a full inbox ------------------------------------------------------------------


def test_a_breach_behind_a_full_inbox_is_answered_and_the_session_ends() -> None:
    gate = Event()

    class Busy(BaseNamespace):
        def on_hold(self) -> None:
            gate.wait()

    settings = {"max_inbound_packets": 1, "heartbeat_timeout": 0.2, "close_timeout": 0.2}
    with stage({"": Busy}, linger_timeout=0.2, **settings) as on:
        peer, socket = on.connect()
        peer.send(text(event("hold")))
        wait_for(lambda: socket.server_queue.qsize() == 0 and socket._receiver is not None)
        peer.send(*[text(f"3:::{number}") for number in range(5)], text("x", masked=False))
        assert peer.read_close() == 1002
        assert read_to_end(peer) == b""
        wait_for(lambda: not socket.state.live)
        wait_for(lambda: not on.server.sockets)
        gate.set()
