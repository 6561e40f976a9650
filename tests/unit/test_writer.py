"""The writer of a WebSocket: one write for many messages, no greenlet at rest, no endless wait."""

from __future__ import annotations

import gc
import socket as stdsocket
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket as gsocket

import socketio.writer
from socketio.writer import NeedsGreenlet, Writer
from tests.client import wait_for

from .websocket.frames import BINARY, Peer, frame


class Watched:
    """A socket that counts what is done with it."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.sendings: list[int] = []
        self.in_hub: list[bool] = []
        self.shutdowns: list[int] = []

    def send(self, data: Any) -> int:
        return self.note(self.sock.send, data)

    def note(self, send: Callable[[Any], int], data: Any) -> int:
        self.in_hub.append(gevent.getcurrent() is gevent.get_hub())
        sent = send(data)
        self.sendings.append(sent)
        return sent

    @property
    def _sock(self) -> Any:
        """The socket below gevent's."""
        return WatchedBelow(self)

    def shutdown(self, how: int) -> None:
        self.shutdowns.append(how)
        self.sock.shutdown(how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


class WatchedBelow:
    def __init__(self, above: Watched) -> None:
        self.above = above

    def send(self, data: Any) -> int:
        return self.above.note(self.above.sock._sock.send, data)


class WatchedTls(Watched):
    """Has what a TLS socket has."""

    def do_handshake(self) -> None:
        """Never called."""


class Ends:
    """A writer and the peer it writes to."""

    def __init__(self, cls: type[Watched] = Watched, *, write_timeout: float = 30) -> None:
        ours, theirs = gsocket.socketpair()
        for sock in (ours, theirs):
            for option in (stdsocket.SO_SNDBUF, stdsocket.SO_RCVBUF):
                sock.setsockopt(stdsocket.SOL_SOCKET, option, 65536)
        self.sock = cls(ours)
        self.writer = Writer(self.sock, write_timeout=write_timeout)
        self.peer = Peer(theirs)

    def close(self) -> None:
        self.sock.sock.close()
        self.peer.close()


@pytest.fixture
def ends() -> Iterator[Callable[..., Ends]]:
    made: list[Ends] = []

    def make(*args: Any, **kwargs: Any) -> Ends:
        made.append(Ends(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()


def greenlets() -> set[gevent.Greenlet]:
    # Not isinstance(): it would ask weak proxies of other tests for their class.
    found = (o for o in gc.get_objects() if issubclass(type(o), gevent.Greenlet))
    return {each for each in found if not each.dead}


def read_or_wake(sock: Any) -> bytes:
    """Read from a connection that may be shut down under us, which gevent reports as an error."""
    try:
        return sock.recv(10)
    except OSError:
        return b""


def source_of(*pieces: bytes) -> Callable[[], bytes]:
    left = list(pieces)
    return lambda: left.pop(0) if left else b""


def test_a_thousand_frames_leave_in_one_write_and_no_greenlet_is_made(ends: Any) -> None:
    on, before = ends(), greenlets()
    for number in range(1000):
        on.writer.write_frame(b"%04d" % number)
    assert on.sock.sendings == []  # not in the greenlet of the caller
    assert on.peer.read(4000) == b"".join(b"%04d" % number for number in range(1000))
    assert on.sock.sendings == [4000]
    assert on.sock.in_hub == [True]
    assert greenlets() <= before  # others may end meanwhile


def test_a_source_is_read_until_it_has_nothing_left(ends: Any) -> None:
    on = ends()
    on.writer.read_from(source_of(b"one", b"two", b"three"))
    on.writer.wake()
    on.writer.wake()
    assert on.peer.read(11) == b"onetwothree"
    on.writer.read_from(source_of(b"four"))
    on.writer.wake()
    assert on.peer.read(4) == b"four"
    assert on.sock.sendings == [3, 3, 5, 4]


def test_frames_go_ahead_of_the_source(ends: Any) -> None:
    on = ends()
    on.writer.read_from(source_of(b"source"))
    on.writer.wake()
    on.writer.write_frame(b"pong")
    assert on.writer.backlog == 1
    assert on.peer.read(10) == b"pongsource"
    assert on.writer.backlog == 0


def test_a_slow_peer_gets_everything_in_order_from_one_drainer_that_ends(ends: Any) -> None:
    on, before = ends(), greenlets()
    pieces = [b"%06d" % number * 5000 for number in range(100)]
    on.writer.read_from(source_of(*pieces[:50]))
    on.writer.wake()
    wait_for(lambda: on.sock.sendings)
    wait_for(lambda: len(greenlets() - before) == 1)
    for piece in pieces[50:]:
        on.writer.write_frame(piece)  # waits behind what is half written
        on.writer.wake()
    assert len(greenlets() - before) == 1
    got = on.peer.read(sum(map(len, pieces)))
    halves = [got[at : at + 30_000] for at in range(0, len(got), 30_000)]
    assert sorted(halves) == pieces
    ours = [piece for piece in halves if piece in pieces[:50]]
    lane = [piece for piece in halves if piece in pieces[50:]]
    assert (ours, lane) == (pieces[:50], pieces[50:])
    wait_for(lambda: greenlets() <= before)


def test_frames_of_many_greenlets_stay_whole(ends: Any) -> None:
    on = ends()
    sent = [bytes([number]) * (1000 + 7000 * number) for number in range(50)]
    jobs = [gevent.spawn(on.writer.write_frame, frame(BINARY, data, masked=False)) for data in sent]
    gevent.joinall(jobs)
    got = [on.peer.read_frame() for _ in sent]
    assert sorted(got) == [(BINARY, data) for data in sent]


def test_waiting_ends_when_everything_was_handed_over(ends: Any) -> None:
    on = ends()
    on.writer.write_frame(b"x" * 1_000_000)
    waiter = gevent.spawn(on.writer.wait_until_written)
    got = on.peer.read(300_000)
    assert not waiter.ready()
    got += on.peer.read(700_000)
    waiter.join(10)
    assert waiter.ready()
    assert got == b"x" * 1_000_000


@pytest.mark.parametrize("write", [None, b"small"])
def test_waiting_for_little_or_nothing_ends_at_once(ends: Any, write: bytes | None) -> None:
    on = ends()
    if write:
        on.writer.write_frame(write)
    on.writer.wait_until_written()
    assert sum(on.sock.sendings) == len(write or b"")


def test_a_peer_that_stops_reading_is_cut_at_the_write_timeout(ends: Any) -> None:
    on, before = ends(write_timeout=0.1), greenlets()
    on.writer.write_frame(b"x" * 2_000_000)
    reader = gevent.spawn(read_or_wake, on.sock.sock)
    wait_for(lambda: on.writer.over)
    reader.join(10)
    assert reader.value == b""  # whoever reads from the connection wakes
    assert stdsocket.SHUT_RDWR in on.sock.shutdowns
    wait_for(lambda: greenlets() <= before)


def test_a_peer_that_reads_slowly_but_steadily_is_not_cut(ends: Any) -> None:
    on = ends(write_timeout=1)
    on.writer.write_frame(b"x" * 1_000_000)
    got = 0
    while got < 1_000_000:
        got += len(on.peer.sock.recv(20_000))
        gevent.sleep(0.001)
    assert not on.writer.over


def test_closing_writes_what_is_queued_then_the_last_frame_then_half_closes(ends: Any) -> None:
    on, over = ends(), []
    on.writer.on_over = lambda: over.append("over")
    on.writer.read_from(source_of(b"one ", b"two "))
    on.writer.write_frame(b"zero ")
    on.writer.close(b"goodbye")
    on.writer.close(b"again")
    on.writer.write_frame(b"late")
    assert on.peer.read(20) == b"zero one two goodbye"
    assert on.peer.at_end()
    assert on.writer.over
    assert over == ["over"]
    assert on.sock.shutdowns == [stdsocket.SHUT_WR]
    on.peer.send(b"the other half is open")
    assert on.sock.sock.recv(100) == b"the other half is open"


def test_closing_behind_a_slow_peer_waits_for_it(ends: Any) -> None:
    on, over = ends(), []
    on.writer.on_over = lambda: over.append("over")
    on.writer.read_from(source_of(b"x" * 1_000_000))
    on.writer.wake()
    on.writer.close(b"goodbye")
    assert on.peer.read(1_000_000) == b"x" * 1_000_000
    assert on.peer.read(7) == b"goodbye"
    assert on.peer.at_end()
    assert over == ["over"]


def test_a_source_may_ask_for_the_close_itself(ends: Any) -> None:
    on = ends()
    pieces = [b"last words "]

    def source() -> bytes:
        if pieces:
            return pieces.pop()
        on.writer.close(b"goodbye")
        return b""

    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(18) == b"last words goodbye"
    assert on.peer.at_end()


def test_closing_with_nothing_to_say_half_closes(ends: Any) -> None:
    on = ends()
    on.writer.close()
    assert on.peer.at_end()
    assert on.sock.sendings == []


@pytest.mark.parametrize("slow", [False, True])
def test_after_a_cut_nothing_more_is_written_and_readers_wake(ends: Any, slow: bool) -> None:
    on, before = ends(), greenlets()
    on.writer.write_frame(b"x" * (2_000_000 if slow else 10))
    if slow:
        wait_for(lambda: on.sock.sendings)
    reader = gevent.spawn(read_or_wake, on.sock.sock)
    gevent.sleep(0)
    sent = sum(on.sock.sendings)
    on.writer.cut()
    on.writer.cut()
    on.writer.write_frame(b"late")
    on.writer.close(b"late")
    on.writer.wake()
    on.writer.wait_until_written()
    assert sum(on.sock.sendings) == sent
    assert on.writer.over
    reader.join(10)
    assert reader.value == b""
    wait_for(lambda: greenlets() <= before)


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_peer_that_is_gone_ends_the_writing_without_a_word(
    ends: Any, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    on = ends()
    on.peer.close()
    while not on.writer.over:
        on.writer.write_frame(b"x" * size)
        on.writer.wait_until_written()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("in_hub", [True, False])
def test_a_source_that_fails_is_logged_and_ends_the_connection(
    ends: Any, in_hub: bool, caplog: pytest.LogCaptureFixture
) -> None:
    on = ends()
    if not in_hub:
        on.writer.leave_hub()

    def source() -> bytes:
        raise RuntimeError("the source is broken")

    on.writer.read_from(source)
    on.writer.wake()
    wait_for(lambda: on.writer.over)
    assert on.peer.at_end()
    assert "the source is broken" in caplog.text


def test_a_source_of_foreign_code_never_runs_in_the_hub_and_may_block(ends: Any) -> None:
    on, ran_in = ends(), []

    def source() -> bytes:
        gevent.sleep(0.001)
        ran_in.append(gevent.getcurrent())
        return b"x" if len(ran_in) < 4 else b""

    on.writer.leave_hub()
    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(3) == b"xxx"
    assert gevent.get_hub() not in ran_in
    assert on.sock.in_hub == [False] * 3


def test_over_tls_no_write_happens_in_the_hub_and_nothing_is_half_closed(ends: Any) -> None:
    on, over = ends(WatchedTls), []
    on.writer.on_over = lambda: over.append("over")
    on.writer.write_frame(b"hello ")
    on.writer.close(b"goodbye")
    assert on.peer.read(13) == b"hello goodbye"
    wait_for(lambda: on.writer.over)
    assert on.sock.in_hub == [False] * len(on.sock.in_hub)
    assert on.sock.shutdowns == []
    assert over == ["over"]


def test_a_socket_that_is_closed_under_the_writer_ends_it(ends: Any) -> None:
    on = ends()
    on.sock.sock.close()
    on.writer.write_frame(b"x")
    on.writer.wait_until_written()
    wait_for(lambda: on.writer.over)


def test_what_waits_together_with_a_frame_of_the_lane_is_written_with_it(ends: Any) -> None:
    on = ends()
    left = [b"first", b"second"]

    def source() -> bytes:
        data = left.pop(0)
        on.writer.dry = True  # says that there is no more
        return data

    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(5) == b"first"
    on.writer.wake()
    on.writer.write_frame(b"pong")
    assert on.peer.read(10) == b"pongsecond"


def test_a_source_that_has_given_all_is_not_asked_again_but_the_close_frame_follows(
    ends: Any,
) -> None:
    on, asked = ends(), []

    def source() -> bytes:
        asked.append(1)
        on.writer.dry = True
        return b"all"

    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(3) == b"all"
    assert len(asked) == 1
    on.writer.read_from(source_of(b"rest"))
    on.writer.close(b"close")
    assert on.peer.read(9) == b"restclose"


def test_who_waits_until_it_is_written_does_not_depend_on_others_before_it(
    ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, other = ends(), ends()
    other.writer._flusher = on.writer._flusher
    monkeypatch.setattr(socketio.writer, "_TURN", -1)  # one writer in each turn of the hub
    other.writer.write_frame(b"other")
    on.writer.write_frame(b"mine")
    on.writer.wait_until_written()
    assert on.sock.sendings == [4]
    assert on.peer.read(4) == b"mine"
    assert other.peer.read(5) == b"other"


def test_the_last_of_a_source_and_the_close_leave_in_one_write(ends: Any) -> None:
    on, left = ends(), [b"last ", b"one "]

    def source() -> bytes:
        data = left.pop()
        on.writer.dry = not left
        if not left:
            on.writer.close(b"goodbye")
        return data

    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(16) == b"one last goodbye"
    assert on.peer.at_end()
    assert on.sock.sendings == [4, 12]


@pytest.mark.parametrize("cls", [Watched, WatchedTls])
def test_behind_the_close_nothing_of_the_source_is_written(ends: Any, cls: Any) -> None:
    on = ends(cls)
    left = [b"too late", b"x" * 1_000_000]

    def source() -> bytes:
        data = left.pop()
        on.writer.dry = True
        on.writer.close(b"goodbye")
        return data

    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(1_000_007).endswith(b"xgoodbye")
    wait_for(lambda: on.writer.over)
    assert left == [b"too late"]


@pytest.mark.parametrize("in_time", [True, False])
def test_a_source_that_turns_out_to_be_foreign_does_not_run_in_the_hub(
    ends: Any, in_time: bool
) -> None:
    on, ran_in = ends(), []

    def source() -> bytes:
        ran_in.append(gevent.getcurrent())
        return b"x" if len(ran_in) < 4 else b""

    on.writer.read_from(source)
    if in_time:
        on.writer.wake()  # a turn of the hub is put down for it
    on.writer.leave_hub()
    on.writer.flush_now()
    assert on.peer.read(3) == b"xxx"
    assert gevent.get_hub() not in ran_in
    assert gevent.getcurrent() not in ran_in


def test_what_both_sides_have_closed_is_not_asked_for_what_is_on_its_way(
    ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on, asked = ends(), []

    def unacknowledged(_sock: Any, *, half_closed: bool = False) -> int:
        asked.append(half_closed)
        return 0

    monkeypatch.setattr(socketio.writer, "unacknowledged", unacknowledged)
    on.writer.close(b"goodbye")
    wait_for(lambda: on.writer.over)
    on.writer.note_end(reset=False)
    on.writer.cut()
    assert asked == [True]
    assert on.sock.shutdowns == [stdsocket.SHUT_WR]
    assert not on.writer.lost


def test_what_the_peer_may_not_have_is_lost_though_both_sides_have_closed(
    ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = ends()
    monkeypatch.setattr(socketio.writer, "unacknowledged", lambda _sock, **_kw: 1)
    on.writer.close(b"goodbye")
    wait_for(lambda: on.writer.over)
    on.writer.note_end(reset=False)
    assert on.writer.lost
    on.writer.cut()
    assert on.sock.shutdowns == [stdsocket.SHUT_WR, stdsocket.SHUT_RDWR]


@pytest.mark.parametrize("cls", [Watched, WatchedTls])
@pytest.mark.parametrize("data", [b"data ", b""])
def test_a_frame_queued_while_the_source_runs_leaves_before_the_close(
    ends: Any, cls: Any, data: bytes
) -> None:
    on = ends(cls)
    left = [data]

    def source() -> bytes:
        if not left:
            return b""
        on.writer.write_frame(b"pong ")
        on.writer.close(b"goodbye")
        on.writer.dry = True
        return left.pop()

    on.writer.read_from(source)
    on.writer.wake()
    assert on.peer.read(len(data) + 12) == data + b"pong goodbye"
    wait_for(lambda: on.writer.over)


@pytest.mark.parametrize("closing", [False, True])
def test_a_source_that_may_not_run_in_the_hub_is_asked_again_in_a_greenlet(
    ends: Any, closing: bool
) -> None:
    on, left, ran_in = ends(), [b"data "], list[Any]()

    def source() -> bytes:
        if on.writer.writes_in_hub:
            raise NeedsGreenlet
        ran_in.append(gevent.getcurrent())
        return left.pop() if left else b""

    on.writer.read_from(source)
    if closing:
        on.writer.close(b"goodbye")
    else:
        on.writer.wake()
    assert on.peer.read(5) == b"data "
    assert gevent.get_hub() not in ran_in
    on.writer.close(b"goodbye")
    assert on.peer.read(7) == b"goodbye"
    assert on.peer.at_end()
