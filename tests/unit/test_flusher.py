"""What writes for many connections with one callback of the hub."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.threadpool import ThreadPool

import socketio.writer
from socketio.writer import Flusher
from tests.client import wait_for


class Noted:
    """Stands in for a writer."""

    def __init__(self, notes: list[Any], name: Any, failure: BaseException | None = None) -> None:
        self.notes = notes
        self.name = name
        self.failure = failure

    def flush_now(self) -> None:
        self.notes.append(self.name)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def notes() -> list[Any]:
    return []


def add(flusher: Any, notes: list[Any], *names: Any) -> None:
    for name in names:
        flusher.add(Noted(notes, name))


def test_all_are_written_in_their_order_and_not_in_the_greenlet_that_adds_them(
    notes: list[Any],
) -> None:
    flusher = Flusher()
    add(flusher, notes, *range(100))
    assert notes == []
    wait_for(lambda: len(notes) == 100)
    assert notes == list(range(100))


def test_after_five_milliseconds_other_callbacks_have_their_turn(
    notes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def passing() -> float:
        now[0] += 0.002  # each look at the clock
        return now[0]

    monkeypatch.setattr(socketio.writer, "monotonic", passing)
    flusher = Flusher()
    add(flusher, notes, *range(9))
    gevent.get_hub().loop.run_callback(notes.append, "another")
    wait_for(lambda: len(notes) == 10)
    assert [note for note in notes if note != "another"] == list(range(9))
    assert 0 < notes.index("another") < 9


def test_what_is_added_meanwhile_comes_behind_what_was_left(
    notes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = iter([0.0, 1.0])  # the turn is over after the first
    monkeypatch.setattr(socketio.writer, "monotonic", lambda: next(late, 0.0))
    flusher = Flusher()

    class Adding(Noted):
        def flush_now(self) -> None:
            super().flush_now()
            add(flusher, notes, "late")

    flusher.add(Adding(notes, "first"))  # type: ignore[arg-type]  # a stand-in
    add(flusher, notes, "second", "third")
    wait_for(lambda: len(notes) == 4)
    assert notes == ["first", "second", "third", "late"]


def test_a_keyboard_interrupt_leaves_nobody_unwritten(
    notes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    flusher: Any = Flusher()
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "handle_error", lambda *_args: notes.append("told"))
    flusher.add(Noted(notes, "first", KeyboardInterrupt()))
    add(flusher, notes, "second")
    wait_for(lambda: "second" in notes)
    assert notes.count("first") == 1
    assert flusher._waiting == []


def test_another_thread_may_ask_and_the_hub_of_the_server_writes(notes: list[Any]) -> None:
    flusher: Any = Flusher()
    threads: list[Any] = []

    class Where(Noted):
        def flush_now(self) -> None:
            super().flush_now()
            threads.append(gevent.getcurrent() is flusher._hub)

    pool = ThreadPool(1)
    try:
        pool.apply(flusher.add, (Where(notes, "from a thread"),))
        wait_for(lambda: notes)
        flusher.add(Where(notes, "from here"))
        wait_for(lambda: len(notes) == 2)
    finally:
        pool.kill()
    assert notes == ["from a thread", "from here"]
    assert threads == [True, True]


def test_no_writer_is_forgotten_that_another_thread_adds_meanwhile(notes: list[Any]) -> None:
    flusher: Any = Flusher()
    waiting = flusher._waiting
    add(flusher, notes, "one")
    wait_for(lambda: notes == ["one"])
    waiting.append(Noted(notes, "two"))  # its list was looked up before the turn of the hub
    flusher._run()
    assert notes == ["one", "two"]
