"""The benchmark's arithmetic, frames and counting: everything that needs no server."""

import shlex
import subprocess
from pathlib import Path

import pytest

from benchmarks import __main__ as table_program
from benchmarks import growth
from benchmarks.client import Counter, Tally, measure
from benchmarks.errors import BenchError, NotMeasuredError
from benchmarks.install import SERVERS, Launch, Server
from benchmarks.polling import take_answer
from benchmarks.rows import ROWS, Effort, Figure, Row
from benchmarks.run import Run
from benchmarks.table import (
    BUSY_LOAD,
    Cell,
    Results,
    markdown,
    number,
    ratios,
    rst,
    spread,
    tables,
    warnings,
)
from benchmarks.wire import MASK, V09, V4, frame


def two_servers() -> Results:
    results = Results({"echo": ("echo", "per CPU second")}, ["ours", "other"])
    results.cell("echo", "ours").values = {0: 200.0, 1: 330.0, 2: 400.0}
    results.cell("echo", "other").values = {0: 100.0, 1: 110.0, 2: 100.0}
    return results


def unmasked(data: bytes) -> bytes:
    return bytes(byte ^ MASK[place % 4] for place, byte in enumerate(data))


def test_the_figure_is_the_median_with_half_the_spread_to_each_side():
    results = two_servers()
    _, figures = tables(results)[0]
    assert figures == [["", "ours", "other"], ["echo (per CPU second)", "330 ±30%", "100 ±5%"]]


def test_the_spread_is_the_range_as_a_part_of_the_median():
    assert spread([90.0, 100.0, 120.0]) == pytest.approx(0.3)
    assert spread([7.0]) == 0.0
    assert spread([0.0, 0.0]) == 0.0


def test_ratios_are_taken_round_by_round_and_not_from_the_medians():
    results = two_servers()
    _, grid = tables(results)[1]
    # The medians would say 3.30: the rounds say 2, 3 and 4.
    assert grid == [["", "other"], ["echo (per CPU second)", "3.00 (2.00 to 4.00)"]]


def test_a_round_that_only_one_of_the_two_has_gives_no_ratio():
    assert ratios({0: 2.0, 1: 3.0}, {1: 1.5, 2: 9.0}) == [2.0]


def test_figures_are_written_for_people():
    assert number(12345.6) == "12,346"
    assert number(36.87) == "36.9"


def test_a_single_server_has_no_table_of_ratios():
    results = Results({"echo": ("echo", "per CPU second")}, ["ours"])
    results.cell("echo", "ours").values = {0: 1000.0}
    assert [grid[1] for _, grid in tables(results)] == [
        ["echo (per CPU second)", "1,000"],
        ["echo (per CPU second)", "-"],
    ]


def test_the_shares_of_server_and_load_are_shown():
    results = two_servers()
    results.cell("echo", "ours").server_shares = [0.98, 1.0, 0.99]
    results.cell("echo", "ours").load_shares = [0.30, 0.32, 0.31]
    assert tables(results)[2][1][1] == ["echo (per CPU second)", "99% / 31%", "-"]


def test_a_busy_load_generator_is_warned_of_and_its_figure_marked():
    results = two_servers()
    results.cell("echo", "other").server_shares = [1.0, 0.9, 1.0]
    results.cell("echo", "other").load_shares = [0.5, 0.83, 0.5]
    assert tables(results)[0][1][1] == ["echo (per CPU second)", "330 ±30%", "! 100 ±5%"]
    (warning,) = warnings(results)
    assert warning.startswith("WARNING: other, echo: the load generator had 83% of a core")


def test_a_load_generator_at_the_limit_is_not_yet_busy():
    assert not Cell(load_shares=[BUSY_LOAD]).busy_load
    assert Cell(load_shares=[BUSY_LOAD + 0.01]).busy_load
    assert not Cell().busy_load


def test_a_machine_that_others_use_is_warned_of():
    results = two_servers()
    results.cell("echo", "ours").server_shares = [1.0, 0.5, 1.0]
    results.cell("echo", "ours").load_shares = [0.3, 0.1, 0.3]
    results.cell("echo", "other").server_shares = [0.6, 0.6, 0.6]
    results.cell("echo", "other").load_shares = [0.4, 0.4, 0.4]
    assert warnings(results) == ["WARNING: something else used the machine during ours echo"]


def test_who_could_not_be_installed_has_a_column_that_says_so():
    results = two_servers()
    results.servers.append("original")
    results.absent["original"] = "no Python 2.7"
    grids = [grid for _, grid in tables(results)]
    assert [grid[1][-1] for grid in grids] == ["not measured"] * 3
    assert warnings(results) == ["original: not measured: no Python 2.7"]


def test_one_failure_voids_the_figure_of_all_rounds():
    results = two_servers()
    results.cell("echo", "other").failure = "closed the connection"
    assert [grid[1][-1] for _, grid in tables(results)] == ["failed"] * 3
    assert warnings(results) == ["other, echo: failed: closed the connection"]


def test_a_failure_of_ours_leaves_no_ratio():
    results = two_servers()
    results.cell("echo", "ours").failure = "closed the connection"
    assert tables(results)[1][1][1] == ["echo (per CPU second)", "failed"]


def test_what_was_not_asked_for_is_a_dash():
    results = two_servers()
    results.servers.append("third")
    assert tables(results)[0][1][1][-1] == "-"


def test_tables_are_written_as_markdown():
    assert markdown([["", "ours"], ["echo", "12"]]).splitlines() == [
        "|      | ours |",
        "|------|------|",
        "| echo | 12   |",
    ]


def test_tables_are_written_as_restructured_text():
    assert rst([["", "ours"], ["echo", "12"]], "Title").splitlines() == [
        ".. list-table:: Title",
        "   :header-rows: 1",
        "",
        "   * -",
        "     - ours",
        "   * - echo",
        "     - 12",
    ]


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x80"),
        (125, b"\x81\xfd"),
        (126, b"\x81\xfe\x00\x7e"),
        (65535, b"\x81\xfe\xff\xff"),
        (65536, b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_has_the_shortest_length_and_is_masked(size, head):
    built = frame("x" * size)
    assert built.startswith(head + MASK)
    assert unmasked(built[len(head) + 4 :]) == b"x" * size


def test_an_event_of_09_is_one_packet_in_a_frame():
    assert unmasked(V09().event("echo", "hi", 1)[6:]) == b'5:1+::{"name":"echo","args":["hi"]}'
    assert unmasked(V09().event("cast", "hi")[6:]) == b'5:::{"name":"cast","args":["hi"]}'


def test_an_event_of_engine_io_4_is_one_packet_in_a_frame():
    assert unmasked(V4().event("echo", "hi", 1)[6:]) == b'421["echo","hi"]'
    assert unmasked(V4().event("cast", "hi")[6:]) == b'42["cast","hi"]'


@pytest.mark.parametrize(
    ("dialect", "ack", "event"),
    [
        (V09(), '6:::7+["hi"]', '5:::{"args":["hi"],"name":"cast"}'),
        (V4(), '437["hi"]', '42["cast","hi"]'),
    ],
)
def test_answers_are_told_from_other_packets(dialect, ack, event):
    assert ack.encode().startswith(dialect.ack_mark(7))
    assert dialect.parse_ack(ack, 7) == ["hi"]
    assert dialect.parse_event(event) == ("cast", ["hi"])
    for wrong in (event, ack.replace("7", "8"), ""):
        with pytest.raises(BenchError):
            dialect.parse_ack(wrong, 7)
    with pytest.raises(BenchError):
        dialect.parse_event(ack)


def test_the_counter_finds_each_mark_once_however_the_stream_is_cut():
    stream = b"\x81\x08" + b'6:::1+["6:::1"]' * 3 + b"6:::1" + b"+"
    for size in range(1, len(stream) + 1):
        counter = Counter(b"6:::1+")
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert sum(counter.feed(piece) for piece in pieces) == counter.seen == 4


def test_the_counter_takes_a_mark_of_one_byte():
    counter = Counter(b"!")
    assert [counter.feed(b"!!"), counter.feed(b""), counter.feed(b"a!")] == [2, 0, 1]


def test_a_rate_is_per_second_of_the_servers_time():
    tally = Tally(answers=3000, wall=2.0, server_cpu=1.5, load_cpu=0.5)
    assert (tally.rate, tally.server_share, tally.load_share) == (2000.0, 0.75, 0.25)


def test_stretches_of_load_add_up():
    both = Tally(3000, 2.0, 1.5, 0.5) + Tally(1000, 1.0, 0.5, 0.5)
    assert (both.rate, both.server_share, both.load_share) == (2000.0, 2 / 3, 1 / 3)


def test_the_servers_time_is_taken_around_the_work():
    clock = iter([10.0, 12.5])
    tally = measure(lambda: 100, lambda: next(clock))
    assert (tally.answers, tally.server_cpu) == (100, 2.5)


def test_an_http_answer_is_taken_when_it_is_whole():
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n1::"
    for end in range(len(answer)):
        assert take_answer(answer[:end]) is None
    assert take_answer(answer) == (b"1::", b"")
    assert take_answer(answer + b"HTTP") == (b"1::", b"HTTP")


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n1::"],
)
def test_another_http_answer_is_an_error(answer):
    with pytest.raises(BenchError):
        take_answer(answer)


def test_a_server_that_cannot_be_installed_does_not_end_the_run():
    def cannot() -> Launch:
        raise NotMeasuredError("no Python 2.7")

    said: list[str] = []
    absent = Server("original", V09(), cannot, lambda launch: {})
    run = Run([ROWS["echo32x1"]], [absent], Effort(), rounds=1, say=said.append)
    run.prepare()
    run.measure()
    assert run.results.absent == {"original": "no Python 2.7"}
    assert run.versions() == {}
    assert run.raw == []
    assert said == ["original: not measured: no Python 2.7"]


def test_rows_and_servers_are_known_by_their_names():
    assert next(iter(SERVERS)) == "ours"
    assert all(isinstance(row, Row) and row.name == name for name, row in ROWS.items())
    assert [name for name in ROWS if ROWS[name].takes(SERVERS["ours+orjson"])] == [
        "echo32x1",
        "echo32x4",
        "echo4k",
    ]
    for name in ("polling", "sessions"):
        takers = [server for server in SERVERS if ROWS[name].takes(SERVERS[server])]
        assert takers == ["ours", "original", "node-0.9"]


def test_a_figure_of_memory_has_no_tally():
    assert Figure(36.9).tally is None


# -- make bench ------------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [False, True])
def test_make_bench_calls_its_programs_with_options_they_know(quick: bool) -> None:
    make = ["make", "--dry-run", "--always-make", "bench", *(["QUICK=1"] if quick else [])]
    root = Path(growth.__file__).parents[1]
    told = subprocess.run(make, cwd=root, capture_output=True, text=True, check=True).stdout
    calls = {
        words[2]: words[3:]
        for words in (shlex.split(line) for line in told.splitlines() if " -m benchmarks" in line)
    }
    assert list(calls) == ["benchmarks", "benchmarks.growth", "benchmarks.guard"]
    assert table_program.parse(calls["benchmarks"]).quick is quick
    options = growth.parse(calls["benchmarks.growth"])
    assert options.quick is quick
    assert options.connections == ((10, 1000) if quick else None)
    assert calls["benchmarks.guard"] == []
