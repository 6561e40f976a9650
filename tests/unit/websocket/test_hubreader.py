"""Reading in the hub: what is delivered, what ends it, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from socketio.websocket.hubreader import HubReader
from tests.client import DEADLINE, wait_for

from .frames import BINARY, PING, close_frame, fragments, frame, text
from .test_connection import Ends


class Reading(Ends):
    """A WebSocket that is read in the hub, by a greenlet of its own."""

    def __init__(self, *, room: int = 1000, **kw: Any) -> None:
        super().__init__(**kw)
        self.room = room
        self.batches: list[list[Any]] = []
        self.callers: set[Any] = set()
        self.on_delivery: Callable[[], object] = lambda: None
        self.reader = HubReader(self.ws, self._deliver)
        self.start()

    def start(self) -> None:
        """Read in the hub, until that ends."""
        self.greenlet = gevent.spawn(self.reader.run)
        wait_for(lambda: self.watching or self.greenlet.dead)

    @property
    def watching(self) -> bool:
        watcher = self.ws.read_watcher
        return watcher is not None and watcher.active

    @property
    def delivered(self) -> list[Any]:
        return [message for batch in self.batches for message in batch]

    def _deliver(self, messages: list[Any]) -> bool:
        self.callers.add(gevent.getcurrent())
        if len(messages) > self.room:
            return False
        self.batches.append(messages)
        self.on_delivery()
        return True

    def end(self) -> None:
        """Wait until it stops reading; nothing of it is left then."""
        self.greenlet.join(timeout=DEADLINE)
        assert self.greenlet.dead
        assert not self.watching


@pytest.fixture
def reading() -> Iterator[Callable[..., Reading]]:
    made: list[Reading] = []

    def make(**kw: Any) -> Reading:
        made.append(Reading(**kw))
        return made[-1]

    yield make
    for one in made:
        one.greenlet.kill()
        one.close()


# -- as long as it goes on -------------------------------------------------------------------------


def test_messages_are_delivered_in_the_hub_as_they_come(reading: Any) -> None:
    on = reading()
    on.peer.send(text("one"), text("two"))
    wait_for(lambda: on.delivered == ["one", "two"])
    on.peer.send(text("three"))
    wait_for(lambda: on.delivered == ["one", "two", "three"])
    assert on.callers == {gevent.get_hub()}
    assert on.watching


def test_half_a_frame_waits_for_its_other_half(reading: Any) -> None:
    on = reading()
    wire = text("x" * 40_000)
    on.peer.send(text("before"), wire[:3])
    wait_for(lambda: on.delivered == ["before"])
    on.peer.send(wire[3:20_000])
    on.peer.send(wire[20_000:], text("behind"))
    wait_for(lambda: on.delivered == ["before", "x" * 40_000, "behind"])
    assert on.watching


def test_nothing_to_read_is_no_end(reading: Any) -> None:
    on = reading()
    assert on.ws.read_now() == []  # as when the hub was told of what is gone by now
    on.peer.send(text("later"))
    wait_for(lambda: on.delivered == ["later"])


# -- what ends it ----------------------------------------------------------------------------------

OTHERS: dict[str, tuple[bytes, list[Any]]] = {
    "binary": (frame(BINARY, b"b"), [b"b"]),
    "ping": (frame(PING) + text("behind"), ["behind"]),
    "fragments": (b"".join(fragments(1, [b"a", b"b"])), ["ab"]),
    "close": (close_frame(1000), []),
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_than_plain_frames_is_left_with_what_came_before_it(
    reading: Any, name: str
) -> None:
    on = reading()
    other, messages = OTHERS[name]
    on.peer.send(text("alone"))
    wait_for(lambda: on.delivered == ["alone"])
    on.peer.send(text("before"), other)
    on.end()
    assert on.delivered == ["alone"]
    assert on.ws.receive_batch() == ["before", *messages]
    assert not on.ws.reads_plainly


def test_a_breach_is_left_with_what_came_before_it(reading: Any) -> None:
    on = reading()
    on.peer.send(text("before"), text("unmasked", masked=False))
    on.end()
    assert on.ws.receive_batch() == ["before"]
    assert on.ws.receive_batch() == []
    assert on.ws.failed_with == 1002
    assert on.peer.read_close() == 1002


@pytest.mark.parametrize("half", [b"", text("half")[:-1]], ids=["clean", "in a frame"])
def test_the_end_of_the_connection_ends_it(reading: Any, half: bytes) -> None:
    on = reading()
    on.peer.send(text("last"), half)
    on.peer.close()
    on.end()
    assert on.delivered == ["last"]
    assert not on.ws.reads_plainly
    assert on.ws.receive_batch() == []
    assert not on.ws.failed


def test_a_reset_ends_it_and_is_noted(reading: Any) -> None:
    on = reading()
    on.sock.sendall(b"what the peer leaves unread")
    on.peer.close()
    on.end()
    assert on.ws.writer.lost
    assert on.ws.receive_batch() == []


def test_a_socket_that_is_closed_under_it_ends_it(reading: Any) -> None:
    on = reading()
    on.sock.close()
    on.end()
    assert not on.ws.reads_plainly
    assert on.ws.receive_batch() == []


def test_a_cut_ends_it(reading: Any) -> None:
    on = reading()
    on.ws.cut()
    on.end()
    assert on.ws.receive_batch() == []


# -- when nobody takes what was read ---------------------------------------------------------------


def test_what_found_no_room_is_left_in_its_order_and_reading_pauses(reading: Any) -> None:
    on = reading(room=2)
    on.peer.send(text("one"), text("two"), text("three"))
    on.end()
    on.peer.send(text("four"))
    assert on.delivered == []
    assert on.ws.reads_plainly
    assert on.ws.take_received() == ["one", "two", "three"]
    on.start()
    wait_for(lambda: on.delivered == ["four"])


def test_what_is_given_back_comes_in_front(reading: Any) -> None:
    on = reading()
    on.ws.give_back(["three"])
    on.ws.give_back(["one", "two"])
    assert on.ws.receive_batch() == ["one", "two", "three"]


def test_a_delivery_that_fails_is_logged_and_ends_the_connection(
    reading: Any, caplog: pytest.LogCaptureFixture
) -> None:
    on = reading()
    on.on_delivery = lambda: 1 // 0
    on.peer.send(text("one"))
    on.end()
    assert "ZeroDivisionError" in caplog.text
    assert on.ws.receive_batch() == []
    assert on.peer.at_end()


# -- when its greenlet is killed -------------------------------------------------------------------


def test_a_kill_ends_it_and_loses_nothing(reading: Any) -> None:
    on = reading()
    on.greenlet.kill()
    on.end()
    on.peer.send(text("later"))
    assert on.ws.receive_batch() == ["later"]


@pytest.mark.parametrize("now", [True, False], ids=["at once", "soon"])
@pytest.mark.parametrize("then", [b"", close_frame(1000)], ids=["nothing", "the end"])
def test_a_kill_by_what_was_delivered_ends_it_once(reading: Any, now: bool, then: bytes) -> None:
    on = reading()
    on.on_delivery = on.greenlet.throw if now else lambda: on.greenlet.kill(block=False)
    on.peer.send(text("fatal"))
    on.end()
    on.peer.send(then)
    assert on.delivered == ["fatal"]
    assert isinstance(on.greenlet.value, gevent.GreenletExit)


def test_a_kill_before_what_cannot_be_delivered_switches_to_nobody(
    reading: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    on = reading(room=0)

    def refuse() -> bool:
        on.greenlet.throw()
        return False

    on.reader = HubReader(on.ws, lambda _messages: refuse())
    on.greenlet.kill()
    on.start()
    on.peer.send(text("one"))
    on.end()
    assert on.ws.take_received() == ["one"]
    assert capsys.readouterr().err == "", "the hub had nothing to complain about"


def test_to_wake_who_does_not_read_is_nothing() -> None:
    HubReader(None, list).throw(OSError())  # type: ignore[arg-type]  # never read


def test_who_is_switched_to_by_others_reads_on(reading: Any) -> None:
    on = reading()
    for _ in range(3):
        gevent.get_hub().loop.run_callback(on.greenlet.switch)
        gevent.idle()
    assert on.watching
    on.peer.send(text("one"))
    wait_for(lambda: on.delivered == ["one"])


def test_what_a_raw_greenlet_raises_does_not_stop_the_hub(
    reading: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    on = reading()
    on.greenlet.kill()

    def read() -> None:
        on.reader.run()
        raise ValueError("after the end")

    gevent.spawn_raw(read)
    wait_for(lambda: on.watching)
    on.peer.close()
    wait_for(lambda: not on.watching)
    assert "ValueError: after the end" in capsys.readouterr().err
