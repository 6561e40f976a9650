"""The pages of the tutorial in Chromium: Ada at a desk, and Bob with a phone."""

from __future__ import annotations

import contextlib
import signal
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.docs.tutorialreader import Reader, at, saves, server_line, up_to
from tests.examples.stage import DEADLINE, DESKTOP, PHONE, Person, person


@contextlib.contextmanager
def two(browser: Browser, url: str) -> Iterator[tuple[Person, Person]]:
    """Ada at a desk, and Bob with a phone."""
    with person(browser, url, DESKTOP) as ada, person(browser, url, PHONE, dark=True) as bob:
        yield ada, bob


def say(somebody: Person, text: str) -> None:
    somebody.page.fill("#say input", text)
    somebody.page.press("#say input", "Enter")


def enter(somebody: Person, **fields: str) -> None:
    for name, value in fields.items():
        somebody.page.fill(f"[name={name}]", value)
    somebody.page.click("form:visible button")


def shows(somebody: Person, selector: str, text: str | list[str]) -> None:
    """Wait until a page has this text in that place, and no other."""
    expect(somebody.page.locator(selector)).to_have_text(text, timeout=DEADLINE)


def lines_of(somebody: Person, *lines: str) -> None:
    shows(somebody, "#lines li", list(lines))


def people_of(somebody: Person, names: str) -> None:
    shows(somebody, "#people", names)


def photograph(name: str, *people: Person) -> None:
    for somebody in people:
        somebody.photograph(f"tutorial-{name}")


def test_a_page_says_hello(browser: Browser, tmp_path: Path) -> None:
    with at("hello", tmp_path) as (_, url), two(browser, url) as people:
        for somebody in people:
            enter(somebody, who="Ada")
            shows(somebody, "#greeting", "Hello Ada, says the server.")
            shows(somebody, "#answer", "Your name has 3 letters.")
        photograph("hello", *people)


def test_two_people_chat(browser: Browser, tmp_path: Path) -> None:
    with at("chat", tmp_path) as (_, url), two(browser, url) as (ada, bob):
        enter(ada, name="Ada")
        enter(bob, name="Bob")
        people_of(ada, "Ada, Bob")
        say(ada, "Good morning!")
        say(bob, "<b>Good morning!</b>")
        for somebody in (ada, bob):
            expect(somebody.page.locator("#lines li")).to_have_count(2, timeout=DEADLINE)
            expect(somebody.page.locator("#lines")).to_contain_text("Bob: <b>Good morning!</b>")
        photograph("chat", ada, bob)
        bob.page.goto("about:blank")
        people_of(ada, "Ada")


def test_two_people_are_in_two_rooms(browser: Browser, tmp_path: Path) -> None:
    with at("rooms", tmp_path) as (_, url), two(browser, url) as (ada, bob):
        enter(ada, name="Ada")
        enter(bob, name="Bob")
        people_of(ada, "Ada, Bob")
        say(bob, "Who cooks?")
        lines_of(ada, "Bob: Who cooks?")
        photograph("rooms", ada, bob)
        ada.page.select_option("#room", "kitchen")
        people_of(ada, "Ada")
        people_of(bob, "Bob")
        say(bob, "She is gone.")
        lines_of(bob, "Bob: Who cooks?", "Bob: She is gone.")
        lines_of(ada)


def test_a_moderator_sends_somebody_away(browser: Browser, tmp_path: Path) -> None:
    with at("login", tmp_path) as (reader, url), two(browser, url) as (ada, bob):
        photograph("password", ada, bob)
        enter(ada, user="ada", password="engine")
        enter(bob, user="bob", password="shovel")
        people_of(ada, "ada, bob")
        # The beginning of the next chapter: what a break is like before it.
        ada.page.select_option("#room", "kitchen")
        say(ada, "hello")
        lines_of(ada, "ada: hello")
        reader.save(saves("login")[0])
        lines_of(ada)
        people_of(ada, "ada, bob")
        expect(ada.page.locator("#room")).to_have_value("lobby", timeout=DEADLINE)
        say(bob, "/kick ada")
        lines_of(bob, 'You do not have access to method "on_kick"')
        say(ada, "/kick bob")
        lines_of(bob, 'You do not have access to method "on_kick"', "You were sent away.")
        bob.page.reload()
        lines_of(bob, "You may not come in.")


def test_both_come_back_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    line = server_line("breaks")
    reader = Reader(tmp_path)
    reader.read(*up_to("breaks"))
    with contextlib.ExitStack() as life:
        program, url = life.enter_context(reader.serving(line))
        ada, bob = life.enter_context(two(browser, url))
        for somebody, user, password in [(ada, "ada", "engine"), (bob, "bob", "shovel")]:
            enter(somebody, user=user, password=password)
            shows(somebody, "#status", "Connected")
            somebody.page.select_option("#room", "kitchen")
        people_of(ada, "ada, bob")
        say(bob, "Who cooks?")
        lines_of(ada, "bob: Who cooks?")
        photograph("breaks", ada, bob)
        program.signal(signal.SIGINT)
        program.wait()
        for somebody in (ada, bob):
            shows(somebody, "#status", "Reconnecting…")
        say(ada, "Not me.")
        lines_of(ada, "bob: Who cooks?")
        life.enter_context(reader.serving(line, port=urllib.parse.urlsplit(url).port or 0))
        for somebody in (ada, bob):
            lines_of(somebody, "ada: Not me.")
            people_of(somebody, "ada, bob")
            expect(somebody.page.locator("#room")).to_have_value("kitchen", timeout=DEADLINE)
        say(bob, "Nor me.")
        lines_of(ada, "ada: Not me.", "bob: Nor me.")
        for somebody in (ada, bob):
            somebody.page.goto("about:blank")  # before the server ends once more
            # What the page told its console of the server that was not there.
            somebody.complaints[:] = [
                text for text in somebody.complaints if "net::ERR_" not in text
            ]
