"""The chat with a memory: what was said is there for those who come later."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from examples.pyramid_backbone_redis_chat_persistence.messages import Messages
from tests.examples.redisplace import own_redis, redis_url
from tests.examples.stage import DESKTOP, PHONE, Person, person, run_example
from tests.remote import RemoteClients

NAME = "pyramid_backbone_redis_chat_persistence"


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_url() as url:
        yield url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chat.sqlite"


@pytest.fixture
def env(redis: str, file: Path) -> dict[str, str]:
    """What the processes of one chat have in common."""
    return {"REDIS_URL": redis, "ROOM": uuid.uuid4().hex, "DATABASE_URL": f"sqlite:///{file}"}


def enter(somebody: Person, nickname: str) -> None:
    expect(somebody.page.locator("#status")).to_have_attribute("data-state", "connected")
    somebody.page.fill("#nickname", nickname)
    somebody.page.click("#join")
    expect(somebody.page.locator("#writer")).to_have_text(nickname)


def say(somebody: Person, text: str) -> None:
    somebody.page.fill("#text", text)
    somebody.page.click("#say")


def texts(somebody: Person) -> list[str]:
    return somebody.page.locator("#messages li > span").all_inner_texts()


def test_what_was_said_is_there_after_a_restart(browser: Browser, env: dict[str, str]) -> None:
    with (
        run_example(NAME, **env) as one,
        run_example(NAME, **env) as two,
        person(browser, one.url, DESKTOP) as ada,
        person(browser, two.url, PHONE) as bob,
    ):
        enter(ada, "Ada")
        say(ada, "Who has the minutes of yesterday?")
        enter(bob, "Bob")
        expect(bob.page.locator("#messages")).to_contain_text("Who has the minutes of yesterday?")
        say(bob, "<i>I</i> have.")
        for somebody in (ada, bob):
            expect(somebody.page.locator("#messages")).to_contain_text("<i>I</i> have.")
            expect(somebody.page.locator("#people li")).to_contain_text(["Ada", "Bob"])
            somebody.photograph(NAME)
            somebody.page.emulate_media(color_scheme="dark")
            somebody.photograph(f"{NAME}-dark")
    with run_example(NAME, **env) as again, person(browser, again.url) as cleo:
        expect(cleo.page.locator("#messages li")).to_have_count(2)
        assert texts(cleo) == ["Who has the minutes of yesterday?", "<i>I</i> have."]


def test_earlier_messages_come_when_they_are_asked_for(
    browser: Browser, env: dict[str, str]
) -> None:
    with closing(Messages(env["DATABASE_URL"])) as messages:
        for number in range(1, 121):
            messages.add("Ada", f"Message {number}")
    with run_example(NAME, **env) as example, person(browser, example.url, PHONE) as bob:
        lines = bob.page.locator("#messages li")
        earlier = bob.page.locator("#earlier")
        expect(lines).to_have_count(50)
        expect(lines.last).to_be_in_viewport()
        expect(earlier).to_be_visible()
        bob.photograph(f"{NAME}-earlier")
        earlier.click()
        expect(lines).to_have_count(100)
        expect(earlier).to_be_visible()
        earlier.click()
        expect(lines).to_have_count(120)
        expect(earlier).to_be_hidden()
        assert texts(bob) == [f"Message {number}" for number in range(1, 121)]


def test_after_redis_was_away_everybody_reads_what_was_said_meanwhile(
    browser: Browser, env: dict[str, str]
) -> None:
    with ExitStack() as stack:
        place = stack.enter_context(own_redis())
        env = env | {"REDIS_URL": place.url}
        one = stack.enter_context(run_example(NAME, **env))
        two = stack.enter_context(run_example(NAME, **env))
        ada = stack.enter_context(person(browser, one.url))
        bob = stack.enter_context(person(browser, two.url, PHONE))
        enter(ada, "Ada")
        enter(bob, "Bob")
        say(ada, "before")
        expect(bob.page.locator("#messages li")).to_have_count(1)
        place.stop()
        for somebody in (ada, bob):
            expect(somebody.page.locator("#away")).to_be_visible()
        say(ada, "refused")
        expect(ada.page.locator("#refusal")).to_contain_text("Redis is away")
        # What a process has kept when it could not tell anybody any more.
        with closing(Messages(env["DATABASE_URL"])) as messages:
            messages.add("Cleo", "meanwhile")
        place.start()
        for somebody in (ada, bob):
            expect(somebody.page.locator("#away")).to_be_hidden()
            expect(somebody.page.locator("#messages li")).to_have_count(2)
        expect(bob.page.locator("#people li")).to_have_count(2)
        ada.page.fill("#text", "after")
        ada.page.click("#say")
        for somebody in (ada, bob):
            expect(somebody.page.locator("#messages li")).to_have_count(3)
        assert texts(bob) == texts(ada) == ["before", "meanwhile", "after"]


def test_clients_that_do_nothing_hold_nothing_of_the_database(
    env: dict[str, str], file: Path
) -> None:
    with run_example(NAME, **env) as example, RemoteClients("websocket") as clients:
        people = [clients.connect(example.url, "/chat") for _ in range(7)]
        for number, client in enumerate(people):
            assert client.ask("join", f"Person {number}")[0]
            assert client.ask("say", "Hello") == [True]
            accepted, found, more = client.ask("earlier")
            assert (accepted, len(found), more) == (True, number + 1, False)
        with closing(sqlite3.connect(file, timeout=0)) as other:
            other.execute("begin exclusive")  # fails when anybody reads or writes
            other.rollback()
        first = found[0]["id"]
        assert people[0].ask("earlier", first) == [True, [], False]
        for wrong in ["1", 0, -1, 2**53, 1.5, [], {}]:
            assert people[0].ask("earlier", wrong) == [False, "There is no message of that id."]


def test_each_transaction_gives_its_connection_back(tmp_path: Path) -> None:
    began = time.time()
    with closing(Messages(f"sqlite:///{tmp_path / 'chat.sqlite'}")) as messages:
        pool = messages._engine.pool
        first = messages.add("Ada", "one")
        second = messages.add("Bob", "\U0001f600 \u2028 'two'")
        assert began <= first["time"] <= second["time"] <= time.time()
        assert messages.before(None, 5) == [first, second]
        assert messages.before(None, 1) == [second]
        assert messages.before(second["id"], 5) == [first]
        assert pool.checkedout() == 0
