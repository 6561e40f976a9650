"""The outbox: what is told, taken, put back and dropped, with a plain list as its judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.session.outbox import Outbox, weight_of
from socketio.wire.message import WireMessage

from .queues import SNOWMAN, drained, holding, nothing, outbox

# -- weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "weight"),
    [
        (None, 0),
        ("", 0),
        ("3:::abc", 7),
        (WireMessage("3:::abc"), 7),
        ("\xe9", 4),
        ("ab" + SNOWMAN, 12),
        ("\U0001f600", 4),
        (b"no text", 0),
    ],
)
def test_a_text_weighs_a_byte_a_character_and_four_if_one_is_not_ascii(
    item: Any, weight: int
) -> None:
    assert weight_of(item) == weight


# -- the outbox ------------------------------------------------------------------------------------


class Told:
    """An outbox with limits, and what it said."""

    def __init__(self, packets: int, size: int) -> None:
        self.said: list[str] = []
        self.outbox = Outbox(lambda: self.said.append("put"), lambda: self.said.append("full"))
        self.outbox.limit(packets, size)


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (["a", "b"], ["put", "put"]),
        (["a", "b", "c"], ["put", "put", "full"]),
        (["12345"], ["put"]),
        (["123456"], ["put"]),  # alone it may be as long as it likes
        (["12345", "6"], ["put", "full"]),
        (["1234", "5"], ["put", "put"]),
        (["1", SNOWMAN], ["put", "put"]),
        (["12", SNOWMAN], ["put", "full"]),
        (["12345", None], ["put", "put"]),
    ],
)
def test_each_text_is_told_and_one_over_a_limit_otherwise(
    items: list[Any], said: list[str]
) -> None:
    told = Told(2, 5)
    holding(told.outbox, *items)
    assert told.said == said


def test_without_limits_it_is_never_full() -> None:
    told = Told(1, 1)
    outbox = Outbox(lambda: told.said.append("put"), nothing)
    holding(outbox, *["x" * 1000] * 1000)
    assert told.said == ["put"] * 1000


@pytest.mark.parametrize("way", ["put", "put_nowait"])
def test_whichever_way_a_text_comes_in_it_is_told(way: str) -> None:
    told = Told(9, 99)
    getattr(told.outbox, way)("text")
    assert told.said == ["put"]


@pytest.mark.parametrize(
    ("items", "size", "taken"),
    [
        ([], 9, []),
        (["abc", "d"], 4, ["abc", "d"]),
        (["abc", "d", "e"], 4, ["abc", "d"]),
        (["abc", "d", "e"], 3, ["abc"]),
        (["abc", "d", "e"], 2, ["abc"]),  # one more than fits
        (["a", SNOWMAN, "b"], 2, ["a", SNOWMAN]),
        (["a", None], 9, ["a", None]),
        (["a", None, "b"], 9, ["a", None]),
        ([None, "b", None], 9, [None]),
        (["abc", None], 2, ["abc"]),
        (["", ""], 0, ["", ""]),
    ],
)
def test_a_take_goes_up_to_its_size_and_ends_with_an_end_marker(
    items: list[Any], size: int, taken: list[Any]
) -> None:
    outbox_ = holding(outbox(), *items)
    assert outbox_.take(size) == taken
    rest = items[len(taken) :]
    assert outbox_.size == sum(map(weight_of, rest))
    assert drained(outbox_) == rest


def test_what_was_taken_is_not_touched_by_what_comes_later() -> None:
    outbox_ = holding(outbox(), "one")
    taken = outbox_.take(9)
    holding(outbox_, "two")
    taken.append("mine")
    assert drained(outbox_) == ["two"]


def test_what_is_put_back_comes_first_in_its_order_and_is_not_told() -> None:
    told = Told(1, 1)
    holding(told.outbox, "later")
    told.outbox.put_front(["one", None, "two" + SNOWMAN])
    told.outbox.put_front([])
    assert told.said == ["put"]
    assert told.outbox.size == 5 + 3 + 16
    assert drained(told.outbox) == ["one", None, "two" + SNOWMAN, "later"]


@pytest.mark.parametrize(
    ("items", "has"), [([], False), ([None, None], False), ([None, ""], True), (["x"], True)]
)
def test_end_markers_are_no_texts(items: list[Any], has: bool) -> None:
    assert holding(outbox(), *items).has_texts() is has


def is_lower(text: str) -> bool:
    """Tell whether a test means ``text`` to be expendable."""
    return text.islower()


@pytest.mark.parametrize(
    ("items", "packets", "size", "left"),
    [
        (["a", "b", "c"], 3, 3, ["a", "b", "c"]),
        (["a", "b", "c"], 2, 99, ["b", "c"]),
        (["a", "b", "c"], 9, 1, ["c"]),
        (["abc", "d"], 9, 3, ["d"]),
        (["abcd"], 9, 3, ["abcd"]),
        (["A", "b", "C", "d"], 2, 99, ["A", "C"]),
        (["A", "B", "c"], 1, 99, ["A", "B"]),
        ([None, "b", None], 1, 99, [None, None]),
        (["a", "B", "c", "d"], 3, 99, ["B", "c", "d"]),
    ],
)
def test_the_oldest_expendable_texts_go_until_the_rest_fits(
    items: list[Any], packets: int, size: int, left: list[Any]
) -> None:
    outbox_ = holding(outbox(), *items)
    assert outbox_.drop_oldest(is_lower, packets, size) == len(items) - len(left)
    assert outbox_.size == sum(map(weight_of, left))
    assert drained(outbox_) == left


@pytest.mark.parametrize(
    ("between", "left"),
    [
        (lambda outbox_: outbox_.get(), ["B"]),
        (lambda outbox_: outbox_.take(1), ["B"]),
        (lambda outbox_: outbox_.take(99), ["e"]),
        (lambda outbox_: outbox_.clear(), ["e"]),
        (lambda outbox_: outbox_.put_front(["f"]), ["A", "B"]),
    ],
    ids=["get", "take one", "take all", "clear", "put front"],
)
def test_what_comes_behind_texts_that_may_not_be_dropped_may_be(
    between: Callable[[Outbox], object], left: list[str]
) -> None:
    outbox_ = holding(outbox(), "A", "B", "c")
    assert outbox_.drop_oldest(is_lower, 2, 99) == 1  # it knows the first two now
    between(outbox_)
    holding(outbox_, "d", "e")
    outbox_.drop_oldest(is_lower, 1, 99)
    assert drained(outbox_) == left


LETTERS = st.one_of(st.none(), st.sampled_from(["a", "bc", "D", "EF", SNOWMAN, "abcdefgh"]))
OUTBOX_STEPS = st.one_of(
    st.tuples(st.just("put"), LETTERS),
    st.tuples(st.just("get"), st.none()),
    st.tuples(st.just("take"), st.integers(1, 12)),
    st.tuples(st.just("front"), st.lists(LETTERS, max_size=3)),
    st.tuples(st.just("drop"), st.tuples(st.integers(1, 5), st.integers(1, 12))),
    st.tuples(st.just("clear"), st.none()),
)


class Model:
    """An outbox as a plain list, without memory of what it has looked at."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def size(self) -> int:
        return sum(map(weight_of, self.items))

    def take(self, size: int) -> list[Any]:
        taken: list[Any] = []
        while self.items and sum(map(weight_of, taken)) < size:
            taken.append(self.items.pop(0))
            if taken[-1] is None:
                break
        return taken

    def drop(self, packets: int, size: int) -> int:
        before, place = len(self.items), 0
        while place < len(self.items) and (
            len(self.items) > packets or (self.size() > size and len(self.items) > 1)
        ):
            if self.items[place] is not None and is_lower(self.items[place]):
                del self.items[place]
            else:
                place += 1
        return before - len(self.items)


@given(st.lists(OUTBOX_STEPS, max_size=40))
def test_whatever_is_done_to_an_outbox_a_plain_list_would_hold_the_same(steps: list[Any]) -> None:
    real, model = outbox(), Model()
    for step, value in steps:
        if step == "put":
            real.put_nowait(value)
            model.items.append(value)
        elif step == "get" and model.items:
            assert real.get() == model.items.pop(0)
        elif step == "take":
            assert real.take(value) == model.take(value)
        elif step == "front":
            real.put_front(value)
            model.items[:0] = value
        elif step == "drop":
            assert real.drop_oldest(is_lower, *value) == model.drop(*value)
        elif step == "clear":
            real.clear()
            model.items.clear()
        assert list(real.queue) == model.items
        assert real.size == model.size()
