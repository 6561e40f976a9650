"""The chat with rooms: two people in one room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.examples.picture import enter, make_picture
from tests.examples.stage import DESKTOP, PHONE, Example, person, run_example


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with run_example("simple_chat") as example:
        yield example


@pytest.mark.parametrize("dark", [False, True])
def test_two_people_talk(browser: Browser, example: Example, dark: bool) -> None:
    room = "night" if dark else "day"
    with (
        person(browser, example.url, DESKTOP, dark=dark) as ada,
        person(browser, example.url, PHONE, dark=dark) as bob,
    ):
        enter(ada, f"Ada {room}", room)
        enter(bob, f"Bob {room}", room)
        ada.page.fill("#message", "Good morning!")
        ada.page.click("#send")
        expect(bob.page.locator("#log")).to_contain_text("Good morning!")
        bob.page.fill("#message", "Good morning, Ada.")
        bob.page.press("#message", "Enter")
        expect(ada.page.locator("#log")).to_contain_text("Good morning, Ada.")
        ada.photograph(f"simple_chat-{room}")
        bob.photograph(f"simple_chat-{room}")


def test_the_picture_of_the_documentation_can_be_made_again(
    browser: Browser, example: Example, tmp_path: Path
) -> None:
    file = tmp_path / "chat.png"
    make_picture(browser, example.url, file)
    assert 20_000 < file.stat().st_size < 120_000
