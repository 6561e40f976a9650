"""Five milliseconds of work are a turn, however many waits are in between."""

import pytest

import socketio.turn
from socketio.turn import Turn


class Hand:
    """The time, turned by hand, and how often somebody was let run."""

    def __init__(self):
        self.now = 1000.0
        self.yields = []

    def sleep(self, seconds):
        self.yields.append(seconds)


@pytest.fixture
def hand(monkeypatch):
    hand = Hand()
    monkeypatch.setattr(socketio.turn, "monotonic", lambda: hand.now)
    monkeypatch.setattr(socketio.turn.gevent, "sleep", hand.sleep)
    return hand


def work(turn, hand, seconds):
    """Work for ``seconds``, and tell whether others were let run behind it."""
    before = len(hand.yields)
    turn.begin()
    hand.now += seconds
    turn.end()
    return len(hand.yields) > before


def test_more_than_five_milliseconds_of_work_end_the_turn(hand):
    assert work(Turn(), hand, 0.0051)
    assert hand.yields == [0]


def test_less_than_five_milliseconds_of_work_do_not(hand):
    assert not work(Turn(), hand, 0.0049)


def test_short_pieces_of_work_add_up(hand):
    turn = Turn()
    assert [work(turn, hand, 0.002) for _ in range(6)] == [False, False, True] * 2


def test_waits_between_the_pieces_do_not_count(hand):
    turn = Turn()
    for _ in range(4):
        hand.now += 60
        assert not work(turn, hand, 0.001)
        hand.now += 60
    assert work(turn, hand, 0.002)


def test_a_turn_that_ended_begins_anew(hand):
    turn = Turn()
    assert work(turn, hand, 10)
    assert not work(turn, hand, 0.0049)
    assert work(turn, hand, 0.0049)


def test_an_end_without_a_beginning_is_nothing(hand):
    turn = Turn()
    turn.end()
    hand.now += 60
    turn.end()
    turn.begin()
    turn.end()
    hand.now += 60
    turn.end()
    assert hand.yields == []


def test_two_beginnings_count_from_the_second(hand):
    turn = Turn()
    turn.begin()
    hand.now += 60
    assert not work(turn, hand, 0.001)


def test_two_sessions_have_a_turn_each(hand):
    one, other = Turn(), Turn()
    assert not work(one, hand, 0.004)
    assert not work(other, hand, 0.004)
    assert work(one, hand, 0.002)
    assert not work(other, hand, 0.0005)


# -- one piece behind the other --------------------------------------------------------------------


def go_on(turn, hand, seconds):
    """Work for ``seconds`` with more to do behind it, and tell whether others were let run."""
    before = len(hand.yields)
    hand.now += seconds
    turn.go_on()
    return len(hand.yields) > before


def test_to_go_on_for_more_than_five_milliseconds_ends_the_turn(hand):
    turn = Turn()
    turn.go_on()
    assert [go_on(turn, hand, 0.002) for _ in range(6)] == [False, False, True] * 2
    assert hand.yields == [0, 0]


def test_the_first_of_many_pieces_of_work_begins_the_turn(hand):
    assert not go_on(Turn(), hand, 10)


def test_whoever_rested_begins_anew(hand):
    turn = Turn()
    turn.go_on()
    turn.rest()
    hand.now += 60
    turn.go_on()
    assert not go_on(turn, hand, 0.0049)
    assert go_on(turn, hand, 0.0002)


def test_what_others_do_in_the_meantime_does_not_count(hand, monkeypatch):
    def sleep(seconds):
        hand.sleep(seconds)
        hand.now += 60

    monkeypatch.setattr(socketio.turn.gevent, "sleep", sleep)
    turn = Turn()
    turn.go_on()
    assert go_on(turn, hand, 0.0051)
    assert not go_on(turn, hand, 0.0049)


def test_to_rest_without_having_begun_is_nothing(hand):
    turn = Turn()
    turn.rest()
    turn.end()
    assert hand.yields == []
