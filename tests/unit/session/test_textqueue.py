"""What both queues of a session do, with gevent's queue as their judge."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.queue import Empty, Queue
from hypothesis import given
from hypothesis import strategies as st

from socketio.session.outbox import Inbox, weight_of
from tests.client import DEADLINE, wait_for

from .queues import SNOWMAN, drained, holding, outbox

BOTH = pytest.mark.parametrize("make", [Inbox, outbox], ids=["inbox", "outbox"])

# -- what gevent's queue has, too ------------------------------------------------------------------

TEXTS = st.one_of(st.text(max_size=5), st.none())
SHARED = st.one_of(
    st.tuples(st.sampled_from(["put", "put_nowait"]), st.tuples(TEXTS)),
    st.tuples(st.just("put"), st.tuples(TEXTS, st.booleans(), st.just(0.001))),
    st.tuples(st.sampled_from(["get_nowait", "peek_nowait", "full"]), st.just(())),
    st.tuples(
        st.sampled_from(["get", "peek"]), st.sampled_from([(False,), (False, 0.001), (True, 0)])
    ),
    st.tuples(st.sampled_from(["qsize", "empty", "__len__", "__bool__"]), st.just(())),
)


def outcome(queue: Any, name: str, args: tuple[Any, ...]) -> Any:
    try:
        return getattr(queue, name)(*args)
    except Empty:
        return Empty


@BOTH
@given(steps=st.lists(SHARED, max_size=30))
def test_they_answer_as_gevent_s_queue_does(make: Any, steps: list[Any]) -> None:
    ours, theirs = make(), Queue[Any]()
    for name, args in steps:
        assert outcome(ours, name, args) == outcome(theirs, name, args), (name, args)
        assert list(ours.queue) == list(theirs.queue)
        assert ours.size == sum(map(weight_of, ours.queue))


@BOTH
@pytest.mark.parametrize("method", ["get", "peek"])
def test_who_waits_gets_what_comes(make: Any, method: str) -> None:
    queue = make()
    waiting: Any = gevent.spawn(getattr(queue, method))
    patient: Any = gevent.spawn(getattr(queue, method), timeout=DEADLINE)
    gevent.idle()
    holding(queue, "one", "two")
    gevent.joinall([waiting, patient], timeout=DEADLINE, raise_error=True)
    expected = {"one", "two"} if method == "get" else {"one"}
    assert {waiting.value, patient.value} == expected


@BOTH
def test_to_look_is_not_to_take(make: Any) -> None:
    queue = holding(make(), "one")
    assert [queue.peek(), queue.peek_nowait(), queue.peek(timeout=0.001)] == ["one"] * 3
    assert drained(queue) == ["one"]
    with pytest.raises(Empty):
        queue.peek_nowait()


@BOTH
def test_a_wait_in_vain_ends_with_empty(make: Any) -> None:
    for method in (make().get, make().peek):
        with pytest.raises(Empty):
            method(timeout=0.001)


@BOTH
def test_a_wait_that_its_greenlet_gives_up_leaves_the_queue_as_it_was(make: Any) -> None:
    queue = make()
    with gevent.Timeout(0.001, False):  # type: ignore[arg-type]  # stubs: False is allowed
        queue.get()
    waiting = gevent.spawn(queue.get)
    gevent.idle()
    holding(queue, "later")
    assert waiting.get(timeout=DEADLINE) == "later"


@BOTH
def test_a_text_that_another_takes_first_is_not_taken_twice(make: Any) -> None:
    queue = make()
    waiting: Any = gevent.spawn(queue.get)
    patient: Any = gevent.spawn(queue.get, timeout=DEADLINE)
    gevent.idle()
    holding(queue, "first")
    assert queue.get_nowait() == "first"  # both were woken for it, and have to wait on
    gevent.idle()
    assert not waiting.dead
    assert not patient.dead
    holding(queue, "second", "third")
    gevent.joinall([waiting, patient], timeout=DEADLINE, raise_error=True)
    assert {waiting.value, patient.value} == {"second", "third"}


@BOTH
def test_a_put_from_another_thread_wakes_who_waits(make: Any) -> None:
    queue = make()
    waiting = gevent.spawn(queue.get)
    gevent.idle()
    gevent.get_hub().threadpool.apply(queue.put_nowait, ("from a thread",))
    assert waiting.get(timeout=DEADLINE) == "from a thread"
    again = gevent.spawn(queue.get)
    gevent.idle()
    holding(queue, "from here")
    assert again.get(timeout=DEADLINE) == "from here"


@BOTH
def test_a_put_in_the_hub_wakes_who_waits(make: Any) -> None:
    queue = make()
    waiting = gevent.spawn(queue.get)
    gevent.idle()
    gevent.get_hub().loop.run_callback(queue.put_nowait, "from the hub")
    assert waiting.get(timeout=DEADLINE) == "from the hub"


@BOTH
def test_clear_drops_everything(make: Any) -> None:
    queue = holding(make(), "one", None, "two" + SNOWMAN)
    queue.clear()
    assert (queue.qsize(), queue.size) == (0, 0)
    assert drained(holding(queue, "new")) == ["new"]


# -- many who wait, and some who are killed --------------------------------------------------------

CROWD = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([None, DEADLINE])),
        st.tuples(st.just("put"), st.sampled_from(["here", "in the hub", "if room"])),
        st.tuples(st.just("kill"), st.integers(0, 5)),
        st.tuples(st.just("look"), st.none()),
        st.tuples(st.just("rest"), st.none()),
    ),
    max_size=25,
)


class Crowd:
    """Greenlets that take one text each from one inbox."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.everybody: list[Any] = []
        self.taken: list[str] = []
        self.put = 0

    def living(self) -> list[Any]:
        return [one for one in self.everybody if not one.dead]

    def wait(self, timeout: float | None) -> None:
        """Have one more wait."""
        self.everybody.append(
            gevent.spawn(lambda: self.taken.append(self.inbox.get(True, timeout)))
        )

    def add(self, how: str) -> None:
        """Put one text in, by one of the ways there are."""
        item, self.put = str(self.put), self.put + 1
        run_callback = gevent.get_hub().loop.run_callback
        if how == "here":
            self.inbox.put_nowait(item)
        elif how == "in the hub":
            run_callback(self.inbox.put_nowait, item)
        else:
            run_callback(self._deliver, item)
        wait_for(lambda: int(item) < len(self.taken) + self.inbox.qsize())

    def _deliver(self, item: str) -> None:
        assert self.inbox.put_if_room([item], 1000, 1000)
        self.inbox.switch_to_getter()

    def kill(self, number: int) -> None:
        living = self.living()
        if living:
            living[number % len(living)].kill(block=False)

    def look(self, _nothing: None) -> None:
        if self.inbox.qsize():
            self.taken.append(self.inbox.get(False))

    def rest(self, _nothing: None) -> None:
        """Let everybody run who can: then nobody waits for what is there."""
        wait_for(lambda: self.inbox.empty() or not self.living(), "somebody sleeps")


@given(CROWD)
def test_each_text_is_taken_once_and_nobody_sleeps_beside_one(steps: list[Any]) -> None:
    crowd = Crowd()
    act: dict[str, Any] = {"wait": crowd.wait, "put": crowd.add, "kill": crowd.kill}
    act.update(look=crowd.look, rest=crowd.rest)
    for name, argument in steps:
        act[name](argument)
    for _ in crowd.living():
        crowd.add("here")
    gevent.joinall(crowd.everybody, timeout=DEADLINE)
    assert not crowd.living()
    crowd.taken += drained(crowd.inbox)
    assert sorted(crowd.taken, key=int) == [str(number) for number in range(crowd.put)]
