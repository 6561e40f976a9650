"""The chat in Django, in the browser; what its handlers find in Django is in tests/integration."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.examples.stage import DESKTOP, PHONE, Example, Person, person, run_example
from tests.integration.chatting import needs

PASSWORD = "correct horse battery staple"


def start(folder: Path) -> contextlib.AbstractContextManager[Example]:
    needs("django")
    return run_example("django_chat", DJANGO_DATABASE=str(folder / "chat.sqlite3"))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    with start(tmp_path_factory.mktemp("django")) as example:
        yield example


def enter(somebody: Person, name: str) -> None:
    """Make an account and log in."""
    page = somebody.page
    page.get_by_role("link", name="Make one.").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Make it").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#status")).to_contain_text("Connected")


def say(somebody: Person, text: str) -> None:
    """Say something, and wait until the server has it."""
    somebody.page.get_by_label("Message", exact=True).fill(text)
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.get_by_label("Message", exact=True)).to_have_value("")
    expect(lines(somebody).last).to_contain_text(text)


def lines(somebody: Person) -> Locator:
    """Return what was said, without the notes about who comes and goes."""
    return somebody.page.locator("#messages li:not(.note)")


@pytest.mark.parametrize("dark", [False, True])
def test_two_people_with_accounts_talk(browser: Browser, example: Example, dark: bool) -> None:
    picture, end = ("django_chat-dark", ".night") if dark else ("django_chat", "")
    with (
        person(browser, example.url, DESKTOP, dark=dark) as ada,
        person(browser, example.url, PHONE, dark=dark) as bob,
    ):
        bob.photograph(f"{picture}-login")
        enter(ada, f"ada{end}")
        enter(bob, f"bob{end}")
        expect(ada.page.locator("#messages .note").last).to_have_text(f"bob{end} is here.")
        say(ada, "Has anybody seen <i>my</i> keys?")
        expect(lines(bob).last).to_contain_text(f"ada{end} Has anybody seen <i>my</i> keys?")
        say(bob, "On the piano.")
        expect(lines(ada).last).to_contain_text(f"bob{end} On the piano.")
        for somebody in (ada, bob):
            somebody.photograph(picture)
        bob.page.get_by_role("button", name="Log out").click()
        expect(bob.page.get_by_role("heading", name="Log in")).to_be_visible()
        expect(ada.page.locator("#messages .note").last).to_have_text(f"bob{end} is gone.")
        ada.page.goto(f"{example.url}/?transport=xhr-polling")
        expect(ada.page.locator("#status")).to_have_text("Connected · xhr-polling")
        expect(lines(ada).last).to_contain_text(f"bob{end} On the piano.")


def test_what_is_not_taken_can_be_said_again(browser: Browser, example: Example) -> None:
    with person(browser, example.url, PHONE) as ada:
        enter(ada, "carla")
        field, notes = ada.page.get_by_label("Message", exact=True), ada.page.locator(".note.bad")
        field.fill("  ")
        ada.page.keyboard.press("Enter")
        expect(notes).to_have_text("That was not taken.")
        expect(field).to_have_value("  ")
        ada.page.evaluate("io.connect('/chat').emit('say')")  # without the text
        expect(notes.last).to_have_text("The server could not do that.")
        say(ada, "As I said.")


def test_the_page_keeps_the_last_lines_and_leaves_who_reads_alone(
    browser: Browser, example: Example
) -> None:
    with person(browser, example.url, PHONE) as ada:
        enter(ada, "dora")
        page = ada.page
        page.evaluate("""() => {
          const chat = io.connect('/chat');
          window.hear = (text) => chat.$emit('said', {author: 'bob', text, written: 0});
          for (let i = 0; i < 600; i++) hear(i);
        }""")
        expect(lines(ada)).to_have_count(500)
        expect(lines(ada).last).to_be_in_viewport()
        log = page.locator("#log")
        log.evaluate("log => { log.scrollTop = 2000 }")
        page.evaluate("hear('more')")
        expect(lines(ada).last).to_contain_text("more")
        assert log.evaluate("log => log.scrollTop") < 3000


def test_a_password_that_is_mistyped_is_told_beside_its_field(
    browser: Browser, example: Example
) -> None:
    with person(browser, f"{example.url}/signup/", PHONE) as eve:
        eve.page.get_by_label("Username").fill("eve")
        eve.page.get_by_label("Password:", exact=True).fill(PASSWORD)
        eve.page.get_by_label("Password confirmation").fill(PASSWORD[:-1])
        eve.page.get_by_role("button", name="Make it").click()
        expect(eve.page.locator(".errorlist")).to_be_visible()
        eve.photograph("django_chat-signup")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path) as example:
        # At once: who reads where it serves may do so.
        example.process.signal(number)
        assert example.process.wait() == 0
        assert "Traceback" not in example.process.output()
