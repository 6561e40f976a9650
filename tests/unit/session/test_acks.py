"""The table of awaited acks: each callback once, by its own namespace, and never too many."""

import pytest

from socketio.session.acks import AckTable


def test_ids_count_from_1_upwards():
    table = AckTable(limit=2)
    assert [table.next_id() for _ in range(5)] == [1, 2, 3, 4, 5]
    assert table.counter == 5


def test_a_callback_is_given_back_once():
    table = AckTable(limit=10)
    assert table.save(1, print)
    assert table.pop(1) is print
    assert table.pop(1) is None


@pytest.mark.parametrize("msgid", [0, -1, 2, 10**40])
def test_an_unknown_id_has_no_callback(msgid):
    table = AckTable(limit=10)
    table.save(1, print)
    assert table.pop(msgid) is None
    assert table.pop(msgid, "/chat") is None
    assert table.callbacks == {1: print}


def test_an_id_that_is_taken_is_not_given_to_another():
    table = AckTable(limit=1)
    assert table.save(1, print)
    assert not table.save(1, repr)
    assert not table.save(1, repr, "/chat")
    assert table.pop(1) is print
    assert table.save(1, repr)


@pytest.mark.parametrize(
    ("owner", "endpoint", "found"),
    [
        ("/chat", "/chat", True),
        ("/chat", "/news", False),
        ("/chat", "", False),
        ("/chat", None, True),
        ("", "", True),
        ("", "/chat", False),
        (None, "/chat", True),
        (None, "", True),
        (None, None, True),
    ],
)
def test_only_the_namespace_that_asked_is_answered(owner, endpoint, found):
    table = AckTable(limit=10)
    table.save(1, print, owner)
    assert (table.pop(1, endpoint) is print) is found
    # An ack of the wrong namespace takes nothing away from the right one.
    assert (table.pop(1, owner) is print) is not found


def test_one_more_than_the_limit_pushes_out_the_oldest():
    table = AckTable(limit=3)
    callbacks = dict(enumerate((print, repr, len, str, int), start=1))
    for msgid, callback in callbacks.items():
        assert table.save(msgid, callback, "/chat")
        assert len(table.callbacks) == len(table.owners) <= 3
    assert list(table.callbacks) == [3, 4, 5]
    assert table.pop(1, "/chat") is None
    assert table.pop(5, "/chat") is callbacks[5]


def test_at_the_limit_an_id_that_is_taken_pushes_nothing_out():
    table = AckTable(limit=2)
    table.save(1, print)
    table.save(2, repr)
    assert not table.save(2, print)
    assert list(table.callbacks) == [1, 2]


def test_a_lowered_limit_is_met_at_the_next_save():
    table = AckTable(limit=5)
    for msgid in range(5):
        table.save(msgid, print)
    table.limit = 2
    table.save(5, print)
    assert list(table.callbacks) == [4, 5]


def test_nothing_of_an_answered_id_is_left():
    table = AckTable(limit=5)
    table.save(1, print, "/chat")
    table.pop(1, "/chat")
    table.save(1, print)
    assert table.pop(1, "/news") is print
    assert table.callbacks == table.owners == {}


def test_clear_forgets_everything_but_the_count():
    table = AckTable(limit=5)
    table.save(table.next_id(), print, "/chat")
    table.clear()
    assert table.callbacks == table.owners == {}
    assert table.pop(1) is None
    assert table.next_id() == 2
