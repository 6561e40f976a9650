"""What the tests of the chats with the common page share: Flask, Bottle, Pyramid."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.examples.stage import DESKTOP, PHONE, Example, Person, person
from tests.subprograms import free_port

__all__ = [
    "KEPT",
    "Chat",
    "NewSecretConversations",
    "RoomConversations",
    "example",
    "folder",
    "stop",
]


KEPT = "the secret of the tests"
"""With it a server that is started anew knows the cookies of the one before."""


class Start(Protocol):
    """Runs one of the examples."""

    def __call__(
        self, folder: Path, secret: str | None = KEPT, port: int = 0
    ) -> contextlib.AbstractContextManager[Example]:
        """Run it with its database in ``folder``; no secret: a new one for each start."""


@dataclass
class Chat:
    """One of the examples; a test module has it as its fixture ``chat``."""

    name: str
    """Of the pictures."""
    start: Start


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the database of the module is."""
    return tmp_path_factory.mktemp("chat")


@pytest.fixture(scope="module")
def example(chat: Chat, folder: Path) -> Iterator[Example]:
    """Give one server for all who do not end it."""
    with chat.start(folder) as example:
        yield example


class RoomConversations:
    """What people do with each of them."""

    @pytest.mark.parametrize("dark", [False, True])
    def test_two_people_talk(
        self, browser: Browser, chat: Chat, example: Example, dark: bool
    ) -> None:
        picture, room = f"{chat.name}{'-dark' * dark}", "night shift" if dark else "tea & biscuits"
        with (
            person(browser, example.url, DESKTOP, dark=dark) as ada,
            person(browser, example.url, PHONE, dark=dark) as bob,
        ):
            bob.photograph(f"{picture}-enter")
            enter(ada, "Ada", room)
            enter(bob, "Bob", room)
            for somebody in (ada, bob):
                expect(somebody.page.locator("#people li")).to_have_text(["Ada", "Bob"])
            expect(ada.page.locator("#lines .note")).to_have_text("Bob is here.")
            say(ada, "Good morning, Bob! Is there any <b>cake</b> left?")
            expect(lines(bob)).to_have_text("Ada Good morning, Bob! Is there any <b>cake</b> left?")
            say(bob, "One piece.")
            say(bob, "Half a piece.")
            say(ada, "On my way ☺")
            for somebody in (ada, bob):
                expect(lines(somebody)).to_have_text(
                    [
                        "Ada Good morning, Bob! Is there any <b>cake</b> left?",
                        "Bob One piece.",
                        "Bob Half a piece.",
                        "Ada On my way ☺",
                    ]
                )
                somebody.photograph(picture)
            bob.page.close()
            expect(ada.page.locator("#lines .note").last).to_have_text("Bob is gone.")
            expect(ada.page.locator("#people li")).to_have_text(["Ada"])

    def test_a_transport_can_be_chosen_in_the_address(
        self, browser: Browser, example: Example
    ) -> None:
        with person(browser, f"{example.url}/?transport=xhr-polling", PHONE) as ada:
            enter(ada, "Ada", "polls")
            expect(ada.page.locator("#status")).to_have_text("Connected · xhr-polling")
            say(ada, "by post")

    def test_what_fails_at_the_door_is_told_and_can_be_tried_again(
        self, browser: Browser, example: Example
    ) -> None:
        with person(browser, example.url, PHONE) as ada:
            page = ada.page
            page.get_by_label("Your name").fill("   ")
            page.click("#enter button")
            expect(page.locator("#refusal")).to_contain_text("does not take this name")
            page.route("**/login", lambda route: route.abort())
            page.get_by_label("Your name").fill("Ada")
            page.click("#enter button")
            expect(page.locator("#status")).to_have_text("The server does not answer")
            page.unroute("**/login")
            for complaint in ada.complaints:
                assert "400" in complaint or "ERR_FAILED" in complaint, complaint
            ada.complaints.clear()
            enter(ada, "Ada", "door")

    def test_who_enters_twice_at_once_is_there_once(
        self, browser: Browser, example: Example
    ) -> None:
        with person(browser, example.url, DESKTOP) as ada:
            logins: list[str] = []
            ada.page.on(
                "request", lambda sent: logins.append(sent.url) if sent.method == "POST" else None
            )
            ada.page.get_by_label("Your name").fill("Ada")
            ada.page.evaluate("enter.requestSubmit(); enter.requestSubmit()")
            expect(ada.page.locator("#status")).to_contain_text("Connected")
            assert logins == [f"{example.url}/login"]

    def test_a_handler_that_fails_is_no_end_of_the_conversation(
        self, browser: Browser, example: Example
    ) -> None:
        with person(browser, example.url, DESKTOP) as ada:
            enter(ada, "Ada", "odd")
            ada.page.evaluate("chat.emit('join')")  # without the room
            expect(lines(ada)).to_have_count(0)
            expect(ada.page.locator("#lines .note")).to_have_text("The server could not do that.")
            expect(ada.page.locator("#status")).to_contain_text("Connected")
            ada.page.evaluate("chat.$emit('error', 'internal_error')")
            say(ada, "Never mind.")

    def test_what_is_not_taken_can_be_said_again(self, browser: Browser, example: Example) -> None:
        with person(browser, example.url, PHONE) as ada:
            enter(ada, "Ada", "refusals")
            field = ada.page.get_by_label("Say something")
            field.fill("\0")  # which the page takes for text, the server does not
            ada.page.keyboard.press("Enter")
            expect(ada.page.locator("#lines .note")).to_have_text("That was not taken.")
            expect(field).to_have_value("\0")
            say(ada, "As I said.")

    def test_the_page_keeps_the_last_lines_and_leaves_who_reads_alone(
        self, browser: Browser, example: Example
    ) -> None:
        with person(browser, example.url, PHONE) as ada:
            enter(ada, "Ada", "much")
            page = ada.page
            page.evaluate("for (let i = 0; i < 600; i++) said('Bob', i)")
            expect(lines(ada)).to_have_count(500)
            expect(lines(ada).first).to_have_text("Bob 100")
            expect(lines(ada).last).to_be_in_viewport()
            page.evaluate("log.scrollTop = 2000")
            page.evaluate("said('Bob', 'more')")
            expect(lines(ada)).to_have_count(500)
            assert page.evaluate("log.scrollTop") < 3000

    def test_a_server_that_is_started_anew_finds_people_in_their_room(
        self, browser: Browser, chat: Chat, tmp_path: Path
    ) -> None:
        port = free_port()
        with contextlib.ExitStack() as people:
            with chat.start(tmp_path, port=port) as example:
                ada = people.enter_context(person(browser, example.url, DESKTOP))
                bob = people.enter_context(person(browser, example.url, PHONE))
                for somebody, name in ((ada, "Ada"), (bob, "Bob")):
                    enter(somebody, name, "office")
                say(ada, "Back in a second.")
                stop(example)
                expect(ada.page.locator("#say button")).to_be_disabled()
            with chat.start(tmp_path, port=port):
                for somebody in (ada, bob):
                    expect(somebody.page.locator("#status")).to_contain_text("Connected")
                    expect(somebody.page.locator("#people li")).to_have_text(["Ada", "Bob"])
                    forgive_the_gap(somebody)
                expect(lines(bob)).to_have_text(["Ada Back in a second."])
                say(bob, "There you are.")
                expect(lines(ada)).to_have_text(["Ada Back in a second.", "Bob There you are."])


class NewSecretConversations:
    """What people do when the server has forgotten who they are."""

    def test_they_enter_again(self, browser: Browser, chat: Chat, tmp_path: Path) -> None:
        port = free_port()
        with contextlib.ExitStack() as people:
            with chat.start(tmp_path, None, port) as example:
                ada = people.enter_context(person(browser, example.url, PHONE))
                enter(ada, "Ada", "office")
                stop(example)
                expect(ada.page.locator("#status")).not_to_contain_text("Connected")
            with chat.start(tmp_path, None, port):
                expect(ada.page.locator("#refusal")).to_contain_text("enter again")
                forgive_the_gap(ada)
                ada.photograph(f"{chat.name}-refused")
                ada.page.click("#enter button")
                expect(ada.page.locator("#people li")).to_have_text(["Ada"])
                say(ada, "I am still Ada.")


def enter(somebody: Person, name: str, room: str) -> None:
    """Give a name and a room, and wait to be in."""
    page = somebody.page
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Room").fill(room)
    page.click("#enter button")
    expect(page.locator("#title")).to_have_text(room)
    expect(page.locator("#status")).to_contain_text("Connected")


def say(somebody: Person, text: str) -> None:
    """Say something, and wait until the server has it."""
    somebody.page.get_by_label("Say something").fill(text)
    somebody.page.keyboard.press("Enter")
    expect(lines(somebody).last).to_contain_text(text)


def lines(somebody: Person) -> Locator:
    """Return what was said, without the notes about who comes and goes."""
    return somebody.page.locator("#lines li:not(.note)")


def stop(example: Example) -> None:
    """End the server as a supervisor does."""
    example.process.signal(signal.SIGTERM)
    assert example.process.wait() == 0
    assert "Traceback" not in example.process.output()


def forgive_the_gap(somebody: Person) -> None:
    """Forget what the browser said while nobody listened; anything else is a fault."""
    for complaint in somebody.complaints:
        assert "ERR_CONNECTION_REFUSED" in complaint, complaint
    somebody.complaints.clear()
