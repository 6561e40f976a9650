"""The queue of deadlines, with a clock turned by hand."""

import gc
import math

import pytest

from socketio.session.deadlines import Deadline, Deadlines


def run_until(deadlines, now):
    """Call everything that is due at ``now``, as the clock does."""
    while (callback := deadlines.pop_due(now)) is not None:
        callback()


def test_an_empty_queue_has_nothing_due():
    deadlines = Deadlines()
    assert len(deadlines) == 0
    assert deadlines.next_due() is None
    assert deadlines.pop_due(math.inf) is None


def test_callbacks_come_in_the_order_of_their_moments():
    deadlines, calls = Deadlines(), []
    for when in (3.0, 1.0, 2.0):
        deadlines.add(when, lambda when=when: calls.append(when))
    assert deadlines.next_due() == 1.0
    run_until(deadlines, 2.0)
    assert calls == [1.0, 2.0]
    assert len(deadlines) == 1
    run_until(deadlines, 10.0)
    assert calls == [1.0, 2.0, 3.0]
    assert deadlines.next_due() is None


def test_equal_moments_keep_the_order_of_their_coming():
    deadlines, calls = Deadlines(), []
    for number in range(20):
        deadlines.add(1.0, lambda number=number: calls.append(number))
    run_until(deadlines, 1.0)
    assert calls == list(range(20))


@pytest.mark.parametrize(("now", "due"), [(0.999, False), (1.0, True), (1.001, True)])
def test_a_deadline_is_due_from_its_moment_on(now, due):
    deadlines = Deadlines()
    deadlines.add(1.0, lambda: None)
    assert (deadlines.pop_due(now) is not None) is due
    assert len(deadlines) == (not due)


def test_a_cancelled_deadline_is_never_called():
    deadlines, calls = Deadlines(), []
    kept = deadlines.add(2.0, lambda: calls.append("kept"))
    gone = deadlines.add(1.0, lambda: calls.append("gone"))
    deadlines.cancel(gone)
    assert gone.cancelled
    assert not kept.cancelled
    assert len(deadlines) == 1
    assert deadlines.next_due() == 2.0
    run_until(deadlines, 5.0)
    assert calls == ["kept"]
    assert kept.cancelled


def test_cancelling_twice_or_after_the_call_changes_nothing():
    deadlines = Deadlines()
    first = deadlines.add(1.0, lambda: None)
    second = deadlines.add(2.0, lambda: None)
    assert deadlines.pop_due(1.0) is not None
    deadlines.cancel(first)
    assert len(deadlines) == 1
    deadlines.cancel(second)
    deadlines.cancel(second)
    assert len(deadlines) == 0
    assert deadlines.next_due() is None
    assert len(deadlines) == 0


def test_a_callback_may_add_and_cancel():
    deadlines, calls = Deadlines(), []
    later = deadlines.add(2.0, lambda: calls.append("never"))

    def first():
        calls.append("first")
        deadlines.cancel(later)
        deadlines.add(1.0, lambda: calls.append("added"))

    deadlines.add(1.0, first)
    run_until(deadlines, 3.0)
    assert calls == ["first", "added"]


def test_what_is_due_is_known_to_be_called_before_it_is():
    deadlines = Deadlines()
    deadline = deadlines.add(1.0, lambda: None)
    callback = deadlines.pop_due(1.0)
    assert deadline.cancelled
    callback()
    assert len(deadlines) == 0


@pytest.mark.parametrize("live", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("dead", [0, 1, 64, 65, 66, 200])
def test_whatever_share_is_cancelled_the_others_come_in_order(live, dead):
    deadlines, calls = Deadlines(), []
    total = live + dead
    entries = [
        deadlines.add(float(place * 7 % total), lambda place=place: calls.append(place))
        for place in range(total)
    ]
    doomed = set(range(total)[:: max(1, total // dead)][:dead]) if dead else set()
    for place in doomed:
        deadlines.cancel(entries[place])
    assert len(deadlines) == total - len(doomed)
    run_until(deadlines, math.inf)
    kept = [place for place in range(total) if place not in doomed]
    assert calls == sorted(kept, key=lambda place: (place * 7 % total, place))


def test_cancelled_deadlines_do_not_pile_up_behind_a_live_one():
    gc.collect()
    others = sum(type(thing) is Deadline for thing in gc.get_objects())
    deadlines = Deadlines()
    deadlines.add(0.0, lambda: None)
    for number in range(5000):
        deadlines.cancel(deadlines.add(1.0 + number, lambda: None))
    gc.collect()
    assert sum(type(thing) is Deadline for thing in gc.get_objects()) - others < 200
    assert len(deadlines) == 1


class Moment(float):
    """A moment that counts how often moments are compared."""

    __slots__ = ()
    comparisons = 0

    def __lt__(self, other):
        Moment.comparisons += 1
        return float(self) < float(other)

    def __eq__(self, other):
        Moment.comparisons += 1
        return float(self) == float(other)

    __hash__ = float.__hash__


@pytest.mark.parametrize("order", [1, -1])
def test_the_work_grows_with_n_log_n_however_many_are_cancelled(order):
    count = 4096
    deadlines = Deadlines()
    Moment.comparisons = 0
    entries = [deadlines.add(Moment(number), lambda: None) for number in range(count)][::order]
    for entry in entries[: count * 3 // 4]:
        deadlines.cancel(entry)
    while deadlines.pop_due(math.inf) is not None:
        pass
    # Two comparisons (equal? less?) a step, log2(4096) = 12 steps in and as many out, twice over.
    assert 0 < Moment.comparisons < 2 * 2 * 2 * 12 * count
