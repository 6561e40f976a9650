"""The instruction guard and the growth curves: their arithmetic, and one real count if possible."""

from __future__ import annotations

import itertools
import shutil
from types import SimpleNamespace

import pytest

from benchmarks import guard
from benchmarks.growth_figures import Curves, Delays, Influx, Point, bins, percentile, tables
from benchmarks.growth_quiet import ATTEMPTS, least_disturbed
from benchmarks.guard import GuardError, Record, Row
from benchmarks.scenarios import SCENARIOS, measure

HERE = {
    "python": "3.11.7",
    "compiler": "GCC 12.2.0",
    "machine": "x86_64",
    "gevent": "24.11.1",
    "websockets": "15.0",
    "valgrind": "3.19.0",
}
CALLGRIND = """\
# callgrind format
version: 1
part: 2

desc: Trigger: --dump-before=getppid

positions: line
events: Ir
summary: 12260214

fn=(1) totals
0 12

totals: 12260214
"""


# -- the guard's arithmetic ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "now", "percent"),
    [
        (100, 105, 5.0),
        (200, 150, -25.0),
        (100, 100, 0.0),
        (None, 5, None),
        (5, None, None),
        (0, 5, None),
    ],
)
def test_drift_is_in_percent_of_what_is_recorded(recorded, now, percent):
    assert guard.drift(recorded, now) == percent


@pytest.mark.parametrize(("now", "too_much"), [(105, False), (106, True), (50, False)])
def test_more_than_the_tolerance_is_too_much_and_less_never_is(now, too_much):
    assert Row("decode", "packet", 100, now).too_much is too_much


def test_a_total_is_read_from_a_callgrind_file():
    assert guard.read_total(CALLGRIND) == 12260214
    assert guard.read_total("summary: 7\n") == 7


def test_a_file_without_a_total_is_refused():
    with pytest.raises(GuardError, match="without a total"):
        guard.read_total("events: Ir\nfn=(1) totals: 5\n")


def test_what_comes_once_is_in_no_figure():
    scenario = SCENARIOS["dispatch"]
    once = 1000 * scenario.steps * scenario.units
    assert guard.per_unit([999_999, 500 + once, 500 + 2 * once], "dispatch") == 1000


# -- whether figures can be compared ---------------------------------------------------------------


def test_the_same_conditions_can_be_compared():
    assert guard.differences(HERE, dict(HERE)) == ""


def test_other_versions_are_named_on_both_sides():
    there = {**HERE, "python": "3.12.1", "gevent": "23.9.0"}
    line = guard.differences(there, HERE)
    assert line == (
        "not comparable: recorded with Python 3.12.1, gevent 23.9.0; "
        "here Python 3.11.7, gevent 24.11.1"
    )


def test_an_empty_record_says_how_to_make_one():
    assert "--update" in guard.differences({}, HERE)


def test_a_condition_that_was_not_recorded_differs():
    there = {key: value for key, value in HERE.items() if key != "valgrind"}
    assert "Valgrind unknown" in guard.differences(there, HERE)


def test_only_comparable_figures_are_marked():
    rows = guard.compare(Record(HERE, {"decode": 100, "encode": 100}), {"decode": 120}, ["decode"])
    assert "<-" in guard.table(rows, judged=True)
    assert "<-" not in guard.table(rows, judged=False)
    assert "+20.0 %" in guard.table(rows, judged=False)


def test_a_large_gain_is_marked_and_missing_figures_are_dashes():
    assert "--update" in guard.table([Row("decode", "packet", 100, 80)], judged=True)
    text = guard.table([Row("decode", "packet", None, None)], judged=True)
    assert text.splitlines()[1].split() == ["decode", "packet", "-", "-"]


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = Record(HERE, {"decode": 100})
    record.save(tmp_path / "x.json")
    assert Record.load(tmp_path / "x.json") == record
    assert Record.load(tmp_path / "none.json") == Record({}, {})


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """What the counting would find; None means that it cannot be done."""
    found = SimpleNamespace(now={"decode": 100})

    def count(names):
        if found.now is None:
            raise GuardError("valgrind is missing")
        return {name: found.now[name] for name in names}

    monkeypatch.setattr(guard, "count", count)
    monkeypatch.setattr(guard, "conditions", lambda: dict(HERE))
    return found


def run(path, **how):
    return guard.run(["decode"], path, **{"update": False, "strict": False, **how})


def test_drift_fails_nothing_unless_strict(counted, tmp_path, capsys):
    path = tmp_path / "x.json"
    Record(HERE, {"decode": 80}).save(path)
    assert run(path) == 0
    assert run(path, strict=True) == 1
    assert "+25.0 %" in capsys.readouterr().out


def test_strict_is_satisfied_without_drift(counted, tmp_path):
    path = tmp_path / "x.json"
    Record(HERE, {"decode": 100}).save(path)
    assert run(path, strict=True) == 0


def test_without_valgrind_the_record_is_still_printed(counted, tmp_path, capsys):
    path = tmp_path / "x.json"
    Record(HERE, {"decode": 80}).save(path)
    counted.now = None
    assert run(path) == 0
    assert run(path, strict=True) == 2
    out = capsys.readouterr().out
    assert "80" in out
    assert "not compared: valgrind is missing" in out


def test_other_versions_are_no_verdict(counted, tmp_path, capsys):
    path = tmp_path / "x.json"
    Record({**HERE, "python": "3.12.1"}, {"decode": 1}).save(path)
    assert run(path) == 0
    assert run(path, strict=True) == 2
    assert "recorded with Python 3.12.1" in capsys.readouterr().out


def test_an_update_keeps_the_other_scenarios_of_the_same_conditions(counted, tmp_path):
    path = tmp_path / "x.json"
    Record(HERE, {"decode": 80, "read": 7}).save(path)
    assert run(path, update=True) == 0
    assert Record.load(path) == Record(HERE, {"decode": 100, "read": 7})


def test_an_update_under_other_conditions_begins_anew(counted, tmp_path):
    path = tmp_path / "x.json"
    Record({**HERE, "python": "3.12.1"}, {"decode": 80, "read": 7}).save(path)
    assert run(path, update=True) == 0
    assert Record.load(path) == Record(HERE, {"decode": 100})


def test_an_update_that_cannot_count_keeps_the_record(counted, tmp_path):
    path = tmp_path / "x.json"
    Record(HERE, {"decode": 80}).save(path)
    counted.now = None
    run(path, update=True)
    assert Record.load(path) == Record(HERE, {"decode": 80})


def test_valgrind_is_asked_for_by_its_package(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(GuardError, match="apt-get install valgrind"):
        guard.count(["decode"])
    assert guard.conditions()["valgrind"] == "missing"


# -- the scenarios ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_can_be_repeated(name):
    assert measure(name, 2 * SCENARIOS[name].units) > 0


def test_the_file_in_the_repository_has_every_scenario():
    record = Record.load(guard.RECORDED)
    assert set(record.instructions) == set(SCENARIOS)
    assert set(record.conditions) == set(HERE)


def test_instructions_are_counted_or_it_is_said_what_is_missing():
    if shutil.which("valgrind"):
        assert guard.count(["encode"])["encode"] > 1000
    else:
        with pytest.raises(guard.GuardError, match="apt-get install valgrind"):
            guard.count(["encode"])


# -- the growth curves -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_one_of_the_values(percent, value):
    assert percentile(range(100, 0, -1), percent) == value


def test_few_values_have_percentiles_too():
    assert {percentile([7.0], percent) for percent in (0, 50, 99, 100)} == {7.0}
    assert percentile([3, 1, 2], 50) == 2


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1], 101), ([1], -1)])
def test_there_is_no_percentile_of_nothing(values, percent):
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_a_series_has_median_and_worst_of_each_step():
    samples = [(-0.05, 1.0), (0.0, 2.0), (0.05, 4.0), (0.09, 3.0), (0.31, 5.0)]
    assert bins(samples, 0.1) == [(-0.1, 1.0, 1.0), (0.0, 3.0, 4.0), (0.3, 5.0, 5.0)]


def test_an_influx_tells_quiet_from_crowd():
    samples = [(-0.5, 0.001), (0.5, 0.020), (1.5, 0.030), (3.0, 0.002)]
    influx = Influx.of("ours", 1000, 1.6, samples, 0.0)
    assert (influx.before_p99, influx.during_p99) == (1.0, 30.0)
    assert len(influx.series) == 4


def curves():
    delays = Delays(1000.0, 500.0, 0.2, 1.5, 4.0, 0.1, 0.5, 0.01)
    point = Point("ours", 10_000, 8.25, 90.0, 10, 0.0123, 50.0, 20_000, delays)
    influx = Influx.of("ours", 1000, 1.2, [(-0.5, 0.001), (0.5, 0.002)], 0.0)
    return Curves({"cores": 2}, [point], [influx], {"node-0.9": "no node"})


def test_curves_come_back_from_json_as_they_were():
    assert Curves.from_plain(curves().plain()) == curves()
    assert curves().servers() == ["ours"]


def test_the_tables_have_a_cell_for_each_head():
    for _, grid in tables(curves()):
        assert len(grid) == 2
        assert len(grid[0]) == len(grid[1])
    growth = tables(curves())[0][1]
    assert growth[1] == ["ours", "10,000", "8.2", "90", "1.23", "400.0"]


def attempts_with(*shares):
    """Have the kernel report these waits for attempts that take a second each, in turn."""
    attempts, clock = itertools.count(), itertools.count(0.0, 1.0)
    delays = iter([value for share in shares for value in (0.0, 0.0, share, 0.0)])
    return lambda: next(attempts), lambda pid: next(delays), lambda: next(clock)


@pytest.mark.parametrize(
    ("shares", "chosen", "share"),
    [((0.0,), 0, 0.0), ((0.5, 0.01), 1, 0.01), ((0.5, 0.2, 0.3), 1, 0.2)],
)
def test_the_least_disturbed_attempt_counts(monkeypatch, shares, chosen, share):
    attempt, delay_of, clock = attempts_with(*shares)
    monkeypatch.setattr("benchmarks.growth_quiet.time.perf_counter", clock)
    assert len(shares) <= ATTEMPTS
    assert least_disturbed(attempt, 1, delay_of) == (chosen, share)
