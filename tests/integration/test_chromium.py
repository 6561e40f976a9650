"""Chromium with the 0.9.17 browser client talks to a live server, and to the chat example.

The client's htmlfile transport is made for Internet Explorer: ``tests/js/htmlfile.js`` is what
Chromium lacks for it. The stream itself runs in a frame, as it did there.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.integration.jsclients import (
    JS,
    ROOT,
    Chromium,
    Clients,
    Program,
    Server,
    install_packages,
    serving,
)
from tests.integration.jsconversations import TIMINGS, Conversations

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    install_packages(JS)
    browser = Chromium()
    try:
        yield browser
    finally:
        browser.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def brisk_server() -> Iterator[Server]:
    with serving(**TIMINGS) as server:
        yield server


@pytest.fixture(scope="module")
def polling_server() -> Iterator[Server]:
    with serving(transports="xhr-polling") as server:
        yield server


@pytest.fixture(params=["websocket", "xhr-polling", "jsonp-polling", "htmlfile"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@contextlib.contextmanager
def chatting() -> Iterator[str]:
    """Run the chat example; give the URL that it prints."""
    install_packages(EXAMPLES)
    program = Program([sys.executable], EXAMPLES / "simple_chat", "--port", "0")
    errors = ""
    try:
        yield program.read().split()[-1]
    finally:
        errors = program.stop(signal.SIGTERM)
    assert "Traceback" not in errors, errors


class TestChromium(Conversations):
    """Every conversation, with a client in a page."""


# Not over htmlfile: no browser takes it to the example, whose page is written for those of today.
@pytest.mark.parametrize("transport", ["websocket", "xhr-polling", "jsonp-polling"])
def test_people_in_separate_browsers_chat(clients: Clients, transport: str) -> None:
    texts = [
        'Hello Bob, it\'s <b>"me"</b> & 😀',
        "Zażółć gęślą jaźń\nin two lines \u2028 or three",
        *(f"{number} of five" for number in range(1, 6)),
    ]
    secret, welcome = "psst: 🤫 only you", "hello Eve"
    more = {"texts": texts, "secret": secret, "welcome": welcome}
    with chatting() as url, clients.run("chat", url, transport, **more) as run:
        result = run.result()
    assert result["present"] == {"ada": ["Ada", "Bob"], "bob": ["Ada", "Bob"], "eve": ["Eve"]}
    assert result["ada"] == {"own": [*texts, welcome], "private": [secret]}
    assert result["bob"] == {"room": [*texts, welcome], "private": [secret]}
    assert result["eve"] == [welcome]
    assert result["announced"] == [
        "You are in #cellar.",
        "Bob joined.",
        "Eve joined.",
        "Bob left.",
    ]
    assert result["left"] == ["Ada", "Eve"]
