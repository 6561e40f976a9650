"""What features cost: arithmetic, setups, the documentation's tables, and a few real rounds."""

import json
import runpy
import ssl
from pathlib import Path

import pytest

from benchmarks import features
from benchmarks.client import Tally
from benchmarks.errors import BenchError, NotMeasuredError
from benchmarks.features import FEATURES, Effort
from benchmarks.features_figures import Cost, Costs, Pair, grid, warnings
from benchmarks.features_tls import make_certificate
from benchmarks.rows import ROWS
from benchmarks.servers.features import SETUPS, make_server

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pair(without_us, having_us, load_cpu=0.2):
    return Pair(
        Tally(1_000_000, 1.0, without_us, load_cpu), Tally(500_000, 1.0, having_us / 2, load_cpu)
    )


def costs():
    cost = Cost("acl", "get_initial_acl()", "websocket", [pair(10, 12), pair(20, 20), pair(10, 11)])
    return Costs({"cores": 2}, [cost], {"tls": "trustme is missing"})


# -- the arithmetic --------------------------------------------------------------------------------


def test_the_change_is_that_of_the_time_for_one_echo():
    assert pair(10, 12).change == pytest.approx(0.2)
    assert pair(10, 9).change == pytest.approx(-0.1)


def test_changes_are_taken_round_by_round_and_not_from_the_medians():
    cost = costs().costs[0]
    assert (cost.without_us, cost.having_us) == (10.0, 12.0)
    assert cost.changes == pytest.approx([0.0, 0.1, 0.2])


def test_the_table_has_the_median_and_the_outer_rounds():
    head, line = grid(costs())
    assert len(head) == len(line)
    assert line == [
        *("get_initial_acl()", "websocket", "10.0", "12.0"),
        *("+10 %", "+0 to +20", "20%"),
    ]


def test_a_tiny_gain_is_no_negative_zero():
    found = Costs({}, [Cost("a", "a", "websocket", [pair(1000, 999)])])
    assert grid(found)[1][4] == "+0 %"


def test_what_was_not_measured_is_said_and_has_no_line():
    found = costs()
    found.costs.append(Cost("tls", "TLS", "websocket"))
    assert len(grid(found)) == 2
    assert warnings(found) == ["tls: not measured: trustme is missing"]


def test_a_busy_load_generator_is_warned_of():
    found = Costs({}, [Cost("a", "a", "websocket", [pair(10, 10, load_cpu=0.71)])])
    assert warnings(found) == ["WARNING: a: the load generator had 71% of a core"]


def test_figures_come_back_from_json_as_they_were():
    assert Costs.from_plain(json.loads(json.dumps(costs().plain()))) == costs()


# -- the run ---------------------------------------------------------------------------------------


def test_the_first_rows_compare_a_server_with_itself():
    first, second, *others = FEATURES.values()
    assert (first.setup, second.setup) == ("plain", "plain")
    assert (first.by, second.by) == ("websocket", "xhr-polling")
    assert "plain" not in {feature.setup for feature in others}


def test_every_setup_has_a_row_and_every_row_a_setup():
    assert {feature.setup for feature in FEATURES.values()} == set(SETUPS)
    assert all(feature.name == name for name, feature in FEATURES.items())


@pytest.mark.parametrize("failure", [NotMeasuredError("no such thing"), BenchError("it died")])
def test_a_feature_that_fails_is_a_gap_and_the_others_go_on(monkeypatch, failure):
    def measure_pair(feature, effort, folder, *, having_first):
        orders.append(having_first)
        if feature.name == "tls":
            raise failure
        return pair(10, 11)

    orders = []
    monkeypatch.setattr(features, "measure_pair", measure_pair)
    found = features.run([FEATURES["tls"], FEATURES["acl"]], rounds=2)
    assert found.gaps == {"tls": str(failure)}
    assert [(cost.feature, len(cost.rounds)) for cost in found.costs] == [("acl", 2)]
    assert orders == [False, False, True]


@pytest.mark.parametrize("name", ["plain", "metrics", "tls"])
def test_a_real_round_finds_figures(tmp_path, name):
    feature = next(feature for feature in FEATURES.values() if feature.setup == name)
    found = features.measure_pair(
        feature, Effort(warm_up=0.01, turn=0.05), tmp_path, having_first=name == "tls"
    )
    assert min(found.without.answers, found.having.answers) >= features.CONNECTIONS


# -- the servers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SETUPS if name not in ("orjson", "debug")])
def test_the_library_knows_every_feature_by_that_name(tmp_path, name):
    make_certificate(tmp_path)
    server = make_server(SETUPS[name](tmp_path))
    server.stop()


def test_the_certificate_is_one_that_a_client_can_check(tmp_path):
    make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    assert len(context.get_ca_certs()) == 1


# -- the documentation -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def conf():
    return runpy.run_path(str(DOCS / "conf.py"))


def test_the_documentation_has_a_name_for_every_row(conf):
    assert set(conf["_ROWS"]) == set(ROWS)
    for name, row in ROWS.items():
        assert conf["_ROWS"][name][1].startswith(row.unit)


@pytest.mark.parametrize("kind", ["bench", "growth", "features"])
def test_the_figures_in_the_repository_become_tables(conf, tmp_path, kind):
    target = tmp_path / "table.rst"
    conf[f"_write_{kind}"](DOCS / f"{kind}.json", target)
    text = target.read_text()
    assert text.startswith("Measured on ")
    assert ".. list-table::" in text


def bench_file(tmp_path, figures):
    found = {
        "machine": {"cores": 2, "processor": "P"},
        "checkout": "abc",
        "versions": {"ours": {"python": "3.11"}, "node-4.8": {"node": "20"}},
        "absent": {"original": "no Python 2.7"},
        "figures": [
            {"round": 0, "row": row, "server": server, "value": value}
            for (row, server), value in figures.items()
        ],
    }
    (tmp_path / "bench.json").write_text(json.dumps(found))
    return tmp_path / "bench.json"


def test_where_others_are_ahead_is_said_and_less_memory_is_ahead_too(conf, tmp_path):
    source = bench_file(
        tmp_path,
        {
            ("echo32x1", "ours"): 50.0,
            ("echo32x1", "node-4.8"): 100.0,
            ("echo4k", "ours"): 200.0,
            ("echo4k", "node-4.8"): 100.0,
            ("memory", "ours"): 30.0,
            ("memory", "node-4.8"): 20.0,
        },
    )
    conf["_write_bench"](source, tmp_path / "table.rst")
    text = (tmp_path / "table.rst").read_text()
    assert text.endswith(
        "* ``node-4.8``: echo, 32 B, 1 in flight (0.50); memory of an idle WebSocket (1.50).\n"
    )
    assert "original: not measured: no Python 2.7" in text


def test_nobody_ahead_is_said_too(conf, tmp_path):
    source = bench_file(tmp_path, {("echo4k", "ours"): 100.0, ("echo4k", "node-4.8"): 101.0})
    conf["_write_bench"](source, tmp_path / "table.rst")
    assert "Nowhere by more than" in (tmp_path / "table.rst").read_text()
