"""The chat with rooms: two people in one room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.examples.stage import DESKTOP, PHONE, Example, Person, person, run_example


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with run_example("simple_chat") as example:
        yield example


def enter(somebody: Person, name: str, room: str) -> None:
    page = somebody.page
    page.fill("#nickname", name)
    page.fill("#room", room)
    page.click("#join")
    expect(page.locator("#log")).to_contain_text(f"You are in #{room}.")


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
