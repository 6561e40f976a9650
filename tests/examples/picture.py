"""Makes the picture of the README and of the documentation's start page, docs/_static/chat.png.

``python -m tests.examples.picture``: the chat as one of three people sees it. Run it when the look
of the chat has changed, and look at what it has made.
"""

from __future__ import annotations

import contextlib
import sys
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from tests.examples.stage import Person, launch, person, run_example
from tests.subprograms import TOP

__all__ = ["CONVERSATION", "PICTURE", "make_picture"]

PICTURE = TOP / "docs" / "_static" / "chat.png"
SIZE = {"width": 1280, "height": 800}
MORNING = datetime(2026, 5, 8, 9, 41)  # wherever the picture is made

CONVERSATION = [
    ("Bob", "Good morning! The tomatoes on the roof are ripe. All at once."),
    ("Mia", "How many is all?"),
    ("Bob", "I stopped counting at two buckets."),
    ("Ada", "Soup tonight, then. I have a pot for forty people."),
    ("Mia", "And I have bread, and two hungry children."),
    ("Ada", "Seven o'clock, under the lanterns?"),
]
ASIDE = "Between us: it was four buckets."
"""From Bob to Ada."""
ROOMS = {"Ada": "garden", "Bob": "garden", "Mia": "garden", "Olga": "kitchen", "Yuki": "kitchen"}
ROOMS |= {"Hana": "night shift"}


def enter(somebody: Person, name: str, room: str) -> None:
    page = somebody.page
    page.fill("#nickname", name)
    page.fill("#room", room)
    page.click("#join")
    expect(page.locator("#log")).to_contain_text(f"You are in #{room}.")


def say(somebody: Person, text: str) -> None:
    somebody.page.fill("#message", text)
    somebody.page.press("#message", "Enter")
    expect(somebody.page.locator(".message[data-mine]").last).to_contain_text("✓")


def make_picture(browser: Browser, url: str, file: Path) -> None:
    """Have three people talk in ``browser``; write what Ada sees to ``file``."""
    with contextlib.ExitStack() as stack:
        people: dict[str, Person] = {}
        for name, room in ROOMS.items():
            people[name] = stack.enter_context(person(browser, url, SIZE))
            people[name].page.clock.set_fixed_time(MORNING)
            enter(people[name], name, room)
        ada, bob = people["Ada"].page, people["Bob"]
        for number, (name, text) in enumerate(CONVERSATION):
            ada.clock.set_fixed_time(MORNING + timedelta(minutes=number))
            say(people[name], text)
            expect(ada.locator("#log")).to_contain_text(text)
            if number == 2:
                bob.page.click("#people li[data-nick=Ada] button")
                say(bob, ASIDE)
                expect(ada.locator("#log")).to_contain_text(ASIDE)
                bob.page.click("#to-room")
        bob.page.locator("#message").press_sequentially("What if it was five?")
        expect(ada.locator("#typing")).to_have_text("Bob is typing…")
        ada.mouse.move(640, 100)
        file.parent.mkdir(parents=True, exist_ok=True)
        ada.screenshot(path=file)


def main() -> int:
    """Make the picture."""
    with run_example("simple_chat") as example, sync_playwright() as playwright:
        browser = launch(playwright)
        make_picture(browser, example.url, PICTURE)
        browser.close()
    sys.stdout.write(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
