"""The harness notices what it is there for: each of its checks is seen to fail."""

from __future__ import annotations

import contextlib
import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import WebSocketClient, event, fetch, wait_for
from tests.trust.__main__ import run_row
from tests.trust.rows import Figure, Row
from tests.trust.soak import Broken, Soak
from tests.trust.stage import Fault, Stage

_BROKEN = "tests.trust.apps_broken"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    # What is never given back is waited for in vain.
    monkeypatch.setattr("tests.trust.stage._GIVEN_BACK_SECONDS", 3.0)
    stage = Stage(0.02)
    yield stage
    stage.end()
    # Where the harness notices something, it ends its clients wherever they are.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def result_of(stage: Stage, action: Any) -> dict[str, Any]:
    return run_row(Row("F1", "a title", "a figure", "", True, action), stage)


def misbehave(stage: Stage, *events: str) -> Figure:
    """Have a server do what it may not, and claim that all is well."""
    place = stage.serve(f"{_BROKEN}:misbehaving")
    client = WebSocketClient(place).open()
    client.send(*map(event, events), event("nothing", msgid="1"))
    try:
        while client.recv() != "6:::1":
            pass
    except (EOFError, OSError):
        wait_for(lambda: not place.child.alive)
    client.close()
    return Figure(True, "all is well")


def test_a_row_that_holds_is_told_so(stage: Stage) -> None:
    result = result_of(stage, lambda stage: misbehave(stage))
    assert (result["ok"], result["figure"]) == (True, "all is well")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("die", "the server's process has died"),
        ("print", "on the server's standard error: Traceback"),
        ("block", "the canary waited"),
        ("keep", "not given back"),
    ],
)
def test_what_holds_for_every_row_is_checked(stage: Stage, fault: str, told: str) -> None:
    result = result_of(stage, lambda stage: misbehave(stage, fault))
    assert not result["ok"]
    assert told in result["figure"]


def test_a_session_that_is_left_behind_is_noticed(stage: Stage) -> None:
    clients: list[WebSocketClient] = []

    def leave_one(stage: Stage) -> Figure:
        clients.append(WebSocketClient(stage.serve()).open())  # type: ignore[arg-type]
        return Figure(True, "")

    assert "not given back" in result_of(stage, leave_one)["figure"]
    clients[0].close()


def test_a_row_that_falls_short_or_raises_is_told_so(stage: Stage) -> None:
    assert not result_of(stage, lambda stage: Figure(False, "1 of 2"))["ok"]
    result = result_of(stage, lambda stage: 1 / 0)
    assert (result["ok"], result["figure"]) == (False, "ZeroDivisionError: division by zero")


def test_the_next_row_has_a_server_though_the_last_one_broke_it(stage: Stage) -> None:
    def break_it(stage: Stage) -> Figure:
        stage.shared().child.process.kill()
        return Figure(True, "")

    def use_it(stage: Stage) -> Figure:
        return Figure(fetch(stage.shared(), "GET", "/").status == 200, "it serves")  # type: ignore[arg-type]

    assert not result_of(stage, break_it)["ok"]
    assert result_of(stage, use_it)["ok"]


def soaked(stage: Stage, name: str) -> Soak:
    place = stage.serve(f"{_BROKEN}:{name}", close_timeout=2, handshake_timeout=2)
    soak = Soak(place, seconds=2, clients=10, seed=1)
    soak.run()
    return soak


@pytest.mark.parametrize(("name", "told"), [("losing", "4 after 2"), ("repeating", "2 after 2")])
def test_the_soak_notices_what_is_lost_and_what_comes_twice(
    stage: Stage, name: str, told: str
) -> None:
    with pytest.raises((Broken, Fault), match=told):
        stage.run(lambda stage: soaked(stage, name))


@pytest.mark.parametrize(
    ("name", "told"), [("forgetting", "4 after 2"), ("telling_twice", "reported 2 times")]
)
def test_the_soak_notices_what_the_server_knows(stage: Stage, name: str, told: str) -> None:
    found: list[str] = []

    def run(stage: Stage) -> None:
        found.extend(soaked(stage, name).violations)

    with contextlib.suppress(Fault):  # the machine may be too busy for the canary
        stage.run(run)
    assert any(told in violation for violation in found), found[:5]
