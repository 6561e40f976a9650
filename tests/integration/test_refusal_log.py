"""What the log tells about refused clients: one line of a kind in ten seconds."""

from __future__ import annotations

import logging

import pytest

from socketio.server import SocketIOServer
from socketio.testing import ManualClock
from tests.client import fetch, serving

KINDS = {
    "version": ["/socket.io/?EIO=4&transport=polling", "/socket.io/2/?t=1"],
    "transport": ["/socket.io/1/nothing/123"],
    "origin": ["/socket.io/1/?t=1"],
    "authorize": ["/socket.io/1/?t=1"],
}


def ask(server: SocketIOServer, kind: str, times: int) -> None:
    for number in range(times):
        target = KINDS[kind][number % len(KINDS[kind])]
        headers = {"Origin": "http://evil.example"} if kind == "origin" else {}
        assert fetch(server, "GET", target, **headers).status in (400, 403)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [r for r in caplog.records if r.name == "socketio.handler"]
    assert all(record.levelno == logging.WARNING for record in found)
    return [record.getMessage() for record in found]


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_gets_a_line_in_ten_seconds_and_the_count_is_full(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    with serving({}, clock=clock, authorize=lambda _: False) as server:
        ask(server, kind, 30)
        assert len(lines(caplog)) == 1
        clock.advance(9.9)
        ask(server, kind, 10)
        (first,) = lines(caplog)
        assert first.startswith("refused ")
        assert "more like it" not in first
        clock.advance(0.2)
        ask(server, kind, 5)
        _, second = lines(caplog)
        assert second.endswith("(39 more like it before)")
        clock.advance(10.1)
        ask(server, kind, 1)
        assert lines(caplog)[2].endswith("(4 more like it before)")
        assert server.journal.refusals == {kind: 46}


def test_one_kind_does_not_silence_another(caplog: pytest.LogCaptureFixture) -> None:
    with serving({}, clock=ManualClock(), authorize=lambda _: False) as server:
        for kind in KINDS:
            ask(server, kind, 3)
        assert len(lines(caplog)) == len(KINDS)
        assert server.journal.refusals == dict.fromkeys(KINDS, 3)


@pytest.mark.parametrize(
    "target",
    [
        "/socket.io/?EIO=%0aFAKE%20LINE" + "x" * 3000,
        "/socket.io/1/%0d%0aFAKE%20LINE" + "x" * 3000 + "/123",
        "/socket.io/" + "9" * 3000 + "/",
        "/socket.io/1/%1b%5b31mred/123",
    ],
)
def test_what_a_client_writes_is_short_and_harmless_in_the_log(
    target: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving({}) as server:
        assert fetch(server, "GET", target).status == 400
    (line,) = lines(caplog)
    assert line.isprintable()
    assert len(line) < 300


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("version", "Socket.IO 0.9 (version 1)"),
        ("transport", "offered are websocket, flashsocket, htmlfile, xhr-polling"),
        ("origin", "origins=["),
    ],
)
def test_the_line_says_what_is_offered_or_what_to_set(
    kind: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving({}) as server:
        ask(server, kind, 1)
    assert told in lines(caplog)[0]
