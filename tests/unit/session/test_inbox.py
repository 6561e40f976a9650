"""The inbox: what is let in, and who waits for room."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.exceptions import BlockingSwitchOutError

from socketio.session.outbox import Inbox, weight_of
from tests.client import DEADLINE, wait_for

from .queues import SNOWMAN, drained, holding


@pytest.mark.parametrize(
    ("before", "texts", "packets", "size", "fits"),
    [
        ([], [], 1, 1, True),
        ([], ["a"], 1, 1, True),
        ([], ["a", "b"], 1, 9, False),
        (["a"], ["b"], 1, 9, False),
        (["a"], ["b"], 2, 9, True),
        ([], ["abc"], 9, 3, True),
        ([], ["abcd"], 9, 3, False),
        (["abc"], ["d"], 9, 3, False),
        ([], [SNOWMAN], 9, 4, True),
        ([], [SNOWMAN], 9, 3, False),
    ],
)
def test_texts_are_let_in_all_or_none(
    before: list[str], texts: list[str], packets: int, size: int, fits: bool
) -> None:
    inbox = holding(Inbox(), *before)
    assert inbox.put_if_room(texts, packets, size) is fits
    inside = before + texts if fits else before
    assert inbox.size == sum(map(weight_of, inside))
    assert drained(inbox) == inside


def test_who_waits_for_a_text_runs_when_the_hub_switches_to_it() -> None:
    inbox, seen = Inbox(), list[Any]()

    def take() -> None:
        while (text := inbox.get()) is not None:
            seen.append(text)

    def deliver() -> None:
        assert inbox.put_if_room(["one", "two"], 9, 99)
        inbox.switch_to_getter()
        seen.append("back in the hub")
        inbox.switch_to_getter()  # it waits again, for nothing
        inbox.put_nowait(None)
        inbox.switch_to_getter()  # it is woken already
        seen.append("the end")

    taker = gevent.spawn(take)
    gevent.idle()
    gevent.get_hub().loop.run_callback(deliver)
    taker.join(timeout=DEADLINE)
    assert taker.dead
    assert seen == ["one", "two", "back in the hub", "the end"]


def test_after_a_kill_the_hub_switches_to_the_next_who_waits() -> None:
    inbox, seen = Inbox(), list[Any]()
    killed = gevent.spawn(inbox.get)
    gevent.idle()
    killed.kill()
    taker = gevent.spawn(lambda: seen.append(inbox.get()))
    gevent.idle()

    def deliver() -> None:
        assert inbox.put_if_room(["text"], 9, 99)
        inbox.switch_to_getter()
        seen.append("back in the hub")

    gevent.get_hub().loop.run_callback(deliver)
    taker.join(timeout=DEADLINE)
    wait_for(lambda: len(seen) == 2)
    assert seen == ["text", "back in the hub"]


def test_who_waits_with_a_time_limit_is_woken_by_what_is_let_in() -> None:
    inbox = Inbox()
    holding(inbox)
    patient = gevent.spawn(inbox.get, timeout=DEADLINE)
    gevent.idle()
    assert inbox.put_if_room(["text"], 9, 99)
    assert patient.get(timeout=DEADLINE) == "text"


def waiting_for_room(inbox: Inbox, *limits: Any) -> Any:
    """Return a greenlet that waits for room, when it does."""
    waiting = gevent.spawn(inbox.wait_for_room, *limits)
    wait_for(lambda: inbox.waiting or waiting.dead)
    return waiting


def test_there_is_room_up_to_both_limits() -> None:
    told: list[str] = []
    inbox = holding(Inbox(lambda: told.append("full")), "abc", "d")
    assert inbox.wait_for_room(3, 5)
    assert told == []
    assert not inbox.wait_for_room(2, 5, 0.001)
    assert not inbox.wait_for_room(3, 4, 0.001)
    assert told == ["full", "full"]
    assert inbox.waiting == 0


def test_whoever_takes_a_text_makes_room() -> None:
    inbox = holding(Inbox(), "one", "two")
    several = [waiting_for_room(inbox, 2, 99) for _ in range(3)]
    wait_for(lambda: inbox.waiting == 3)
    inbox.get()
    gevent.joinall(several, timeout=DEADLINE, raise_error=True)
    assert [one.value for one in several] == [True] * 3
    assert inbox.waiting == 0


def test_who_wakes_while_it_is_full_again_waits_on() -> None:
    inbox = holding(Inbox(), "one")
    waiting = waiting_for_room(inbox, 1, 99)
    inbox.get()
    holding(inbox, "two")
    gevent.idle()
    assert not waiting.dead
    inbox.clear()
    assert waiting.get(timeout=DEADLINE) is True


def test_nobody_waits_for_room_after_the_end_and_nothing_is_let_in() -> None:
    inbox = holding(Inbox(), "one")
    waiting = waiting_for_room(inbox, 1, 99)
    inbox.let_go()
    assert waiting.get(timeout=DEADLINE) is True
    assert inbox.wait_for_room(1, 1)
    assert not inbox.put_if_room(["more"], 99, 99)
    assert drained(inbox) == ["one"]
    Inbox().let_go()  # also when nobody ever waited


def test_who_is_killed_while_it_waits_for_room_is_not_counted() -> None:
    inbox = holding(Inbox(), "one")
    waiting_for_room(inbox, 1, 99).kill()
    assert inbox.waiting == 0


def test_a_wake_that_comes_too_late_disturbs_nobody() -> None:
    inbox, seen = Inbox(), list[Any]()

    def take_then_wait_for_something_else() -> None:
        try:
            inbox.get()
        finally:
            seen.append("killed")
            gevent.sleep(0.01)  # a switch from elsewhere would be an error of gevent's
            seen.append("slept")

    taker = gevent.spawn(take_then_wait_for_something_else)
    gevent.idle()
    taker.kill(block=False)
    inbox.put_nowait("text")  # its wake is put down behind the kill
    taker.join(timeout=DEADLINE)
    assert seen == ["killed", "slept"]
    assert inbox.get() == "text"
    later = gevent.spawn(inbox.get)
    gevent.idle()
    inbox.put_nowait("another")
    assert later.get(timeout=DEADLINE) == "another"


def test_who_is_switched_to_by_others_waits_on() -> None:
    inbox = Inbox()
    taker = gevent.spawn(inbox.get)
    gevent.idle()
    for _ in range(3):
        gevent.get_hub().loop.run_callback(taker.switch)
        gevent.idle()
    assert not taker.dead
    inbox.put_nowait("text")
    assert taker.get(timeout=DEADLINE) == "text"


def test_nobody_waits_in_the_hub() -> None:
    inbox, raised = Inbox(), list[BaseException]()

    def take() -> None:
        try:
            inbox.get()
        except BlockingSwitchOutError as exc:
            raised.append(exc)

    gevent.get_hub().loop.run_callback(take)
    wait_for(lambda: bool(raised))
    inbox.put_nowait("text")
    assert inbox.get() == "text"


def test_what_a_raw_greenlet_raises_does_not_reach_who_delivers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    inbox, seen = Inbox(), list[Any]()

    def take() -> None:
        raise ValueError(inbox.get())

    def deliver() -> None:
        inbox.put_nowait("a bad text")
        inbox.switch_to_getter()
        seen.append("back in the hub")

    gevent.spawn_raw(take)
    gevent.idle()
    gevent.get_hub().loop.run_callback(deliver)
    wait_for(lambda: seen == ["back in the hub"])
    assert "ValueError: a bad text" in capsys.readouterr().err
