"""One log line for many of a kind, and a count of all of them."""

import logging

import pytest

from socketio.journal import Journal
from tests.clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def journal(clock):
    return Journal(clock)


@pytest.fixture
def lines(caplog):
    """Return a function that returns the new lines; there must be no other loggers' in it."""
    caplog.set_level(logging.DEBUG)

    def take():
        records, caplog.records[:] = list(caplog.records), []
        assert all((r.name, r.levelname) == ("socketio.handler", "WARNING") for r in records)
        return [record.getMessage() for record in records]

    return take


def test_the_first_of_a_kind_is_told_at_once(journal, lines):
    journal.refused("origin", "refused the origin %.5r of %s", "http://evil", "somebody")
    assert lines() == ["refused the origin 'http of somebody"]


def test_a_line_needs_no_arguments(journal, lines):
    journal.refused("authorize", "refused: 100% sure")
    assert lines() == ["refused: 100% sure"]


def test_more_of_a_kind_are_counted_in_silence_for_ten_seconds(journal, lines, clock):
    for _ in range(5):
        journal.refused("origin", "refused")
        clock.advance(1.99)
    assert lines() == ["refused"]
    assert journal.refusals == {"origin": 5}


@pytest.mark.parametrize(
    ("silent", "line"),
    [(0, "again"), (1, "again (1 more like it before)"), (999, "again (999 more like it before)")],
)
def test_the_next_line_says_how_many_were_not_told(journal, lines, clock, silent, line):
    for _ in range(silent + 1):
        journal.refused("origin", "refused")
    clock.advance(10)
    journal.refused("origin", "again")
    assert lines() == ["refused", line]
    assert journal.refusals["origin"] == silent + 2


def test_a_line_is_due_after_ten_seconds_and_not_before(journal, lines, clock):
    journal.refused("origin", "first")
    clock.advance(9.99)
    journal.refused("origin", "silent")
    clock.advance(0.01)
    journal.refused("origin", "second")
    clock.advance(9.99)
    journal.refused("origin", "silent")
    clock.advance(0.01)
    journal.refused("origin", "third")
    more = " (1 more like it before)"
    assert lines() == ["first", f"second{more}", f"third{more}"]


def test_what_was_told_once_is_not_told_again(journal, lines, clock):
    for _ in range(3):
        journal.refused("origin", "many")
    clock.advance(10)
    journal.refused("origin", "few")
    clock.advance(10)
    journal.refused("origin", "one")
    assert lines() == ["many", "few (2 more like it before)", "one"]


def test_each_kind_has_its_own_line_and_its_own_count(journal, lines, clock):
    journal.refused("origin", "an origin")
    journal.refused("version", "a version")
    clock.advance(5)
    journal.refused("transport", "a transport")
    journal.refused("origin", "silent")
    clock.advance(5)
    journal.refused("origin", "an origin")
    journal.refused("version", "a version")
    journal.refused("transport", "silent")
    assert lines() == [
        *["an origin", "a version", "a transport"],
        *["an origin (1 more like it before)", "a version"],
    ]
    assert journal.refusals == {"origin": 3, "version": 2, "transport": 2}


def test_a_percent_sign_of_a_client_is_no_template(journal, lines, clock):
    journal.refused("origin", "refused %.100r", "%s%d%n")
    journal.refused("origin", "refused %.100r", "%s%d%n")
    clock.advance(10)
    journal.refused("origin", "refused %.100r", "%s%d%n")
    assert lines() == ["refused '%s%d%n'", "refused '%s%d%n' (1 more like it before)"]


def test_a_line_end_of_a_client_makes_no_second_line(journal, lines):
    journal.refused("origin", "refused %.100r", "x\nWARNING all is well")
    assert lines() == [r"refused 'x\nWARNING all is well'"]


def test_the_clock_may_begin_below_zero(journal, lines, clock):
    # Of a Timekeeper's time only differences mean anything.
    clock.time = -100.0
    journal.refused("origin", "refused")
    assert lines() == ["refused"]


def test_a_line_nobody_reads_is_counted_all_the_same(journal, caplog):
    caplog.set_level(logging.ERROR, "socketio.handler")
    journal.refused("origin", "refused")
    assert caplog.records == []
    assert journal.refusals["origin"] == 1


def test_no_timer_is_left_behind(journal, clock):
    journal.refused("origin", "refused")
    assert clock.deadlines.next_due() is None
