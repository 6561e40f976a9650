"""The pure parts of a session against models that are slow and plain."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from socketio.session.acks import AckTable
from socketio.session.deadlines import Deadlines
from socketio.session.lifecycle import Event, InvalidTransition, State, next_state


@given(st.lists(st.sampled_from(Event), max_size=20))
def test_no_sequence_of_events_brings_a_session_back(events):
    order = list(State)
    state = State.NEW
    for event in events:
        before = state
        with contextlib.suppress(InvalidTransition):
            state = next_state(state, event)
        assert order.index(state) >= order.index(before)
        assert before.live or not state.live


moments = st.integers(0, 20)
deadline_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), moments),
        st.tuples(st.just("cancel"), st.integers(0, 300)),
        st.tuples(st.just("run"), moments),
    ),
    max_size=60,
)


@given(deadline_steps)
def test_the_queue_of_deadlines_is_a_sorted_list(steps):
    deadlines, entries, model, calls = Deadlines(), [], [], []
    for step, value in steps:
        if step == "add":
            number = len(entries)
            entries.append(deadlines.add(value, lambda number=number: calls.append(number)))
            model.append((value, number))
        elif step == "cancel" and entries:
            number = value % len(entries)
            deadlines.cancel(entries[number])
            model = [entry for entry in model if entry[1] != number]
        elif step == "run":
            calls.clear()
            while (callback := deadlines.pop_due(value)) is not None:
                callback()
            assert calls == [number for when, number in sorted(model) if when <= value]
            model = [entry for entry in model if entry[0] > value]
        assert len(deadlines) == len(model)
        assert deadlines.next_due() == (min(model)[0] if model else None)
        assert [entry.cancelled for entry in entries] == [
            number not in {entry[1] for entry in model} for number in range(len(entries))
        ]


@given(st.integers(0, 400), st.integers(1, 400))
def test_hundreds_of_cancelled_deadlines_leave_the_others_in_order(live, dead):
    deadlines, calls = Deadlines(), []
    entries = [deadlines.add(number % 7, lambda: None) for number in range(dead)]
    for number in range(live):
        deadlines.add(number % 5, lambda number=number: calls.append(number))
    for entry in entries:
        deadlines.cancel(entry)
    assert len(deadlines) == live
    while (callback := deadlines.pop_due(10)) is not None:
        callback()
    assert calls == sorted(range(live), key=lambda number: (number % 5, number))


names = st.sampled_from([None, "", "/a", "/b"])
ack_steps = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.integers(1, 8), names),
        st.tuples(st.just("pop"), st.integers(1, 8), names),
        st.tuples(st.just("clear"), st.just(0), st.none()),
    ),
    max_size=60,
)


@given(ack_steps, st.integers(1, 4))
def test_the_table_of_acks_is_a_short_list_of_the_newest(steps, limit):
    table, model = AckTable(limit), []
    for place, (step, msgid, endpoint) in enumerate(steps):
        held = [entry for entry in model if entry[0] == msgid]
        if step == "save":
            assert table.save(msgid, place, endpoint) is (not held)
            if not held:
                model = [*model, (msgid, place, endpoint)][-limit:]
        elif step == "pop":
            expected = None
            if held and (endpoint is None or held[0][2] in (None, endpoint)):
                expected = held[0][1]
                model.remove(held[0])
            assert table.pop(msgid, endpoint) == expected
        else:
            table.clear()
            model = []
        assert list(table.callbacks) == [entry[0] for entry in model]
        assert table.owners == {entry[0]: entry[2] for entry in model if entry[2] is not None}
