"""Few log lines for many of a kind, and a count of all of them."""

import logging

import pytest

from socketio.journal import Journal
from socketio.testing import ManualClock


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


# -- errors and limits -------------------------------------------------------------------------


log = logging.getLogger("socketio.somewhere")


def texts(caplog):
    return [record.getMessage() for record in caplog.records]


def fail(journal, message="failed", *args, **kw):
    journal.failed("handler_failed", log, message, *args, **kw)


def limit(journal, message="too much", *args):
    journal.limited("max_body_size", log, message, *args)


@pytest.mark.parametrize(("note", "counter"), [(fail, "errors"), (limit, "limits")])
def test_a_failure_and_a_limit_have_five_lines_in_ten_seconds(
    journal, caplog, clock, note, counter
):
    for _ in range(8):
        note(journal, "line of %s", "ours")
        clock.advance(1)
    assert texts(caplog) == ["line of ours"] * 5
    clock.advance(2)  # ten seconds after the first of them, not after the last
    for _ in range(7):
        note(journal, "again")
    assert texts(caplog)[5:] == ["again (3 more like it before)", *["again"] * 4]
    clock.advance(10)
    note(journal, "later")
    assert texts(caplog)[10:] == ["later (2 more like it before)"]
    (count,) = getattr(journal, counter).values()
    assert count == 16


def test_a_failure_goes_to_the_logger_and_with_the_level_that_are_asked_for(journal, caplog):
    caplog.set_level(logging.DEBUG)
    fail(journal)
    fail(journal, level=logging.ERROR)
    fail(journal, level=logging.DEBUG)
    limit(journal)
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("socketio.somewhere", level) for level in ("WARNING", "ERROR", "DEBUG", "WARNING")
    ]


def test_the_place_tells_the_lines_of_one_kind_apart_but_not_its_count(journal, caplog):
    for where in ("on_buy", "on_sell", None):
        for _ in range(7):
            fail(journal, "%s failed", where, where=where)
    assert texts(caplog) == [
        f"{where} failed" for where in ("on_buy", "on_sell", None) for _ in range(5)
    ]
    assert journal.errors == {"handler_failed": 21}


@pytest.mark.parametrize("wanted", [True, False])
def test_the_traceback_is_attached_where_it_is_asked_for(journal, caplog, wanted):
    try:
        raise LookupError("nothing there")
    except LookupError as exc:
        fail(journal, exc_info=wanted)
        caught = exc
    (record,) = caplog.records
    assert bool(record.exc_info) is wanted
    assert not wanted or record.exc_info[1] is caught


def test_a_line_names_the_place_it_is_written_from(journal, caplog):
    journal.failed("handler_failed", log, "failed")
    journal.limited("max_body_size", log, "too much")
    journal.refused("origin", "refused")
    assert {record.funcName for record in caplog.records} == {
        "test_a_line_names_the_place_it_is_written_from"
    }


def test_an_error_a_limit_and_a_refusal_of_one_name_are_three_things(journal, caplog):
    for _ in range(6):
        journal.failed("same", log, "an error")
        journal.limited("same", log, "a limit")
        journal.refused("same", "a refusal")
    counted = {text: texts(caplog).count(text) for text in ("an error", "a limit", "a refusal")}
    assert counted == {"an error": 5, "a limit": 5, "a refusal": 1}
    assert journal.errors == journal.limits == journal.refusals == {"same": 6}


def test_telling_counts_nothing(journal, caplog):
    for _ in range(9):
        journal.tell(log, "a key", "a line", lines=3)
    assert texts(caplog) == ["a line"] * 3
    assert not journal.errors
    assert not journal.limits
    assert not journal.refusals


@pytest.mark.parametrize("note", [fail, limit])
def test_a_hundred_thousand_events_are_counted_in_full_and_told_in_few_lines(
    journal, caplog, clock, note
):
    for _ in range(100_000):
        note(journal, "bad packet of %s", "somebody")
        clock.advance(1 / 1024)  # which adds up exactly; to 97.7 seconds
    assert len(caplog.records) == 50
    assert sum(journal.errors.values()) + sum(journal.limits.values()) == 100_000
    assert texts(caplog)[-5].endswith("(10235 more like it before)")


def test_what_is_remembered_of_the_lines_does_not_grow_with_the_events(journal):
    for number in range(1000):
        fail(journal, "failed %d", number, where="on_buy")
        limit(journal, "too much %d", number)
    assert len(journal._lines) == 2


def test_a_percent_sign_of_an_error_is_no_template_when_lines_were_left_out(journal, caplog, clock):
    for _ in range(7):
        fail(journal, "it said %.50r", "100%s of %(name)s")
    clock.advance(10)
    fail(journal, "it said %.50r", "100%s of %(name)s")
    assert texts(caplog)[-1] == "it said '100%s of %(name)s' (2 more like it before)"


def test_all_counters_begin_at_nothing(journal):
    counters = [name for name in Journal.__slots__ if not name.startswith("_")]
    assert len(counters) == 11
    assert not any(getattr(journal, name) for name in counters)


def test_places_without_end_leave_a_thousand_kinds_and_a_full_count(journal, caplog):
    for number in range(5000):
        fail(journal, "failed", where=("made at run time", number))
    assert len(journal._lines) <= 1000
    assert 999 <= len(caplog.records) <= 1005
    assert journal.errors == {"handler_failed": 5000}


def test_behind_a_thousand_kinds_the_others_share_their_lines(journal, caplog, clock):
    for number in range(5000):
        journal.tell(log, number, "a line")
    caplog.clear()
    clock.advance(10)
    journal.tell(log, 0, "one of the first")
    journal.tell(log, 5000, "one of the others")
    journal.tell(log, 5001, "another one")
    first, other, another = texts(caplog)
    assert (first, another) == ("one of the first", "another one")
    assert other.startswith("one of the others (39")
    assert len(journal._lines) <= 1000


def test_what_was_told_before_has_its_own_lines_behind_a_thousand_kinds(journal, caplog, clock):
    limit(journal)
    for number in range(5000):
        fail(journal, where=number)
    for _ in range(9):
        limit(journal)
    assert texts(caplog).count("too much") == 5
    assert journal.limits == {"max_body_size": 10}
