"""What the command needs beside the suite: something that echoes, and a judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gevent import socket as gsocket

from tests.autobahn.__main__ import main
from tests.autobahn.echo import echoing
from tests.autobahn.suites import SECTIONS, command
from tests.autobahn.verdicts import Case, passes, read_index, summary
from tests.unit.websocket.frames import BINARY, Peer, close_frame, frame, text
from tests.unit.websocket.handshakes import upgrade


def test_what_the_suite_talks_to_echoes_text_as_text_and_binary_as_binary() -> None:
    with echoing() as server:
        peer = Peer(gsocket.create_connection(("127.0.0.1", server.server_port)))
        peer.send(upgrade(target="/"), text("one"), frame(BINARY, b"\xff"))
        assert " 101 " in peer.read_head()
        assert peer.read_text() == "one"
        assert peer.read_frame() == (BINARY, b"\xff")
        peer.send(close_frame(1000))
        assert peer.read_close() == 1000
        peer.close()


OK = [Case(f"1.1.{number}", "OK", "OK") for number in range(1, 4)]
NON_STRICT = [Case(f"6.4.{number}", "NON-STRICT", "OK") for number in range(11)]
JUDGED = [
    ([], False),
    (OK, True),
    ([*OK, Case("7.13.1", "INFORMATIONAL", "INFORMATIONAL")], True),
    ([*OK, *NON_STRICT], True),
    ([*OK, *NON_STRICT, Case("3.2", "NON-STRICT", "OK")], False),
    ([*OK, Case("7.1.5", "FAILED", "WRONG CODE")], True),
    ([*OK, Case("7.1.4", "FAILED", "OK")], False),
    ([*OK, Case("7.1.4", "OK", "FAILED BY CLIENT")], False),
    ([*OK, Case("7.1.4", "UNIMPLEMENTED", "OK")], False),
    ([*OK, Case("7.1.4", "OK", "UNCLEAN")], False),
]


@pytest.mark.parametrize(("cases", "verdict"), JUDGED)
def test_the_goal_is_none_failed_at_most_11_non_strict_and_none_unclean(
    cases: list[Case], verdict: bool
) -> None:
    assert passes(cases) is verdict


def test_the_report_is_read_in_the_order_of_the_cases_and_the_bad_ones_are_listed(
    tmp_path: Path,
) -> None:
    fine = {"behavior": "OK", "behaviorClose": "OK"}
    bad = {"behavior": "FAILED", "behaviorClose": "UNCLEAN"}
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"agent": {"1.10": fine, "1.9": bad}}))
    assert summary(read_index(index)) == [
        "2 cases",
        "  behavior: 1 FAILED, 1 OK",
        "  close:    1 UNCLEAN, 1 OK",
        "  1.9      FAILED         close UNCLEAN",
    ]


def test_the_suite_gets_the_sections_of_the_goal_and_its_port_gets_the_same(tmp_path: Path) -> None:
    argv = command(Path("/bin/wstest"), "ws://h", SECTIONS, tmp_path)
    spec = json.loads((tmp_path / "spec.json").read_text())
    assert argv[-1] == str(tmp_path / "spec.json")
    assert spec["cases"] == ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
    assert spec["servers"][0]["url"] == "ws://h"
    argv = command(Path("/bin/kosoku"), "ws://h", ["1.*"], tmp_path)
    assert argv[3:5] == ["--include", "1.*"]
    assert argv[-1] == "ws://h"


def test_without_a_suite_the_command_says_in_a_sentence_what_to_install(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--suite", "/nowhere/wstest"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("There is no /nowhere/wstest: pip install kosoku")
    assert said.err.count("\n") == 1
