"""The live stream: one greenlet for all listeners, and what each of them asks for."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from playwright.sync_api import Browser, expect

from examples.live_stream.stream import Feed, make_application
from socketio.testing import Event, TestClient, TestServer
from tests.examples.stage import DESKTOP, PHONE, Example, Person, person, run_example
from tests.subprograms import TOP, running

TEMPO = "600"
"""Lines per minute: soon enough for a test, and one line stays in the page for 20 seconds."""
TEXT = ["The jaws that bite", "the CLAWS that catch", "One, two!"]


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with run_example("live_stream", TEMPO=TEMPO) as example:
        yield example


@pytest.fixture
def feed() -> Feed:
    """A feed that publishes a line when it begins, and further ones when the test says so."""
    return Feed(TEXT, 3600)


def heard(client: TestClient) -> list[object]:
    """Return the numbers of the lines that have come since the last time."""
    return [it.args[0] for it in client.received() if isinstance(it, Event) and it.name == "line"]


# -- the server's side; before the browser has the thread ----------------------------------------


def test_one_greenlet_reads_for_all_and_ends_with_the_last_listener(feed: Feed) -> None:
    started: list[object] = []

    def spawned(greenlet: gevent.Greenlet) -> None:
        if getattr(greenlet._run, "__self__", None) is feed:
            started.append(greenlet)

    gevent.Greenlet.add_spawn_callback(spawned)
    try:
        with TestServer(make_application(feed)) as server:
            assert not feed.running
            ada, bob, cyd = (server.connect("/stream") for _ in range(3))
            assert feed.running
            ada.leave()
            bob.drop()
            assert feed.running
            cyd.disconnect()
            assert not feed.running
            server.connect("/stream")
            assert feed.running
        # Leaving it has ended the last session; it would complain about a greenlet that goes on.
        assert not feed.running
        assert len(started) == 2
    finally:
        gevent.Greenlet.remove_spawn_callback(spawned)


def test_lines_go_to_everybody_and_the_text_begins_again(feed: Feed) -> None:
    with TestServer(make_application(feed)) as server:
        ada = server.connect("/stream")
        ada.expect("line", 1, "The jaws that bite")
        bob = server.connect("/stream")
        for _ in range(3):
            feed.publish()
        assert heard(ada) == [2, 3, 4]
        assert bob.next().args == [2, "the CLAWS that catch"]
        assert bob.next().args == [3, "One, two!"]
        assert bob.next().args == [4, "The jaws that bite"]


def test_who_pauses_is_sent_nothing_and_learns_how_much_went_by(feed: Feed) -> None:
    with TestServer(make_application(feed)) as server:
        ada, bob = server.connect("/stream"), server.connect("/stream")
        assert heard(ada) == [1]
        for _ in range(2):  # the second time changes nothing
            assert ada.ask("pause") == [True]
        feed.publish()
        feed.publish()
        assert heard(ada) == []
        assert heard(bob) == [2, 3]
        assert ada.ask("resume") == [True, 2]
        assert ada.ask("resume") == [True, 0]
        feed.publish()
        assert heard(ada) == [4]


def test_a_filter_lets_lines_with_one_of_its_words_pass_for_one_client(feed: Feed) -> None:
    with TestServer(make_application(feed)) as server:
        ada, bob = server.connect("/stream"), server.connect("/stream")
        for _ in range(5):
            feed.publish()
        assert heard(ada) == [1, 2, 3, 4, 5, 6]
        found = [[2, "the CLAWS that catch"], [3, "One, two!"]]
        again = [[5, "the CLAWS that catch"], [6, "One, two!"]]
        assert ada.ask("filter", " Claws  two ") == [True, ["claws", "two"], [*found, *again]]
        for _ in range(3):
            feed.publish()
        assert heard(ada) == [8, 9]
        assert heard(bob) == [2, 3, 4, 5, 6, 7, 8, 9]
        assert ada.ask("pause") == [True]
        for _ in range(3):
            feed.publish()
        assert ada.ask("resume") == [True, 2]
        accepted, words, lines = ada.ask("filter", "")
        assert (accepted, words) == (True, [])
        assert [number for number, _ in lines] == list(range(1, 13))  # type: ignore[union-attr]


def test_a_new_filter_begins_to_count_anew(feed: Feed) -> None:
    with TestServer(make_application(feed)) as server:
        ada = server.connect("/stream")
        assert ada.ask("pause") == [True]
        for _ in range(3):
            feed.publish()
        assert ada.ask("filter", "jaws")[:2] == [True, ["jaws"]]
        for _ in range(3):
            feed.publish()
        assert ada.ask("resume") == [True, 1]


@pytest.mark.parametrize("text", [None, ["vorpal"], "a b c d e f", "x" * 31, " " * 156])
def test_what_is_no_filter_is_refused_and_changes_nothing(feed: Feed, text: object) -> None:
    with TestServer(make_application(feed)) as server:
        ada = server.connect("/stream")
        ada.ask("filter", "jaws")
        accepted, reason = ada.ask("filter", text)
        assert accepted is False
        assert reason == "A filter is at most 5 words of 30 letters."
        assert ada.namespace.words == ["jaws"]


# -- the page ------------------------------------------------------------------------------------


def newest(somebody: Person) -> int:
    """Return the number of the last line that is seen."""
    return int(somebody.page.locator("#lines .number").last.inner_text())


def wait_for_lines(somebody: Person, more: int) -> None:
    """Wait until so many more lines have been streamed."""
    somebody.page.wait_for_function(
        "wanted => Number([...document.querySelectorAll('.number')].pop().textContent) >= wanted",
        arg=newest(somebody) + more,
    )


def set_filter(somebody: Person, words: str) -> None:
    somebody.page.fill("#words", words)
    somebody.page.click("#apply")
    expect(somebody.page.locator("#facts")).to_have_text(f"Lines with {words}.")


def enter(somebody: Person) -> None:
    expect(somebody.page.locator("#facts")).to_have_text("All lines.")
    expect(somebody.page.locator("#lines .number").first).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_two_people_listen_to_different_things(
    browser: Browser, example: Example, dark: bool
) -> None:
    with (
        person(browser, example.url, DESKTOP, dark=dark) as ada,
        person(browser, f"{example.url}/?transport=xhr-polling", PHONE, dark=dark) as bob,
    ):
        expect(ada.page.locator("#status")).to_have_text("connected · websocket")
        expect(bob.page.locator("#status")).to_have_text("connected · xhr-polling")
        for somebody in (ada, bob):
            enter(somebody)
        wait_for_lines(ada, 14)
        set_filter(bob, "jabberwock")
        wait_for_lines(bob, 1)
        lines = bob.page.locator("#lines li").all_inner_texts()
        assert lines
        assert all("Jabberwock" in line for line in lines)
        marked = set(bob.page.locator("#lines mark").all_inner_texts())
        assert marked == {"Jabberwock"}
        assert ada.page.locator("#lines mark").count() == 0
        for somebody in (ada, bob):
            somebody.photograph(f"live_stream-{'night' if dark else 'day'}")


def test_who_pauses_hears_nothing_while_others_do(browser: Browser, example: Example) -> None:
    with (
        person(browser, example.url, DESKTOP) as ada,
        person(browser, example.url, PHONE, dark=True) as bob,
    ):
        enter(ada)
        enter(bob)
        bob.page.click("#pause")
        expect(bob.page.locator("#facts")).to_have_text("All lines, paused.")
        last = newest(bob)
        wait_for_lines(ada, 10)
        assert newest(bob) == last
        bob.page.click("#pause")
        expect(bob.page.locator("#facts")).to_have_text("All lines.")
        note = bob.page.locator("#lines .note")
        expect(note).to_have_text(re.compile(r"\d+ lines went by"))
        missed = int(note.inner_text().split()[0])
        after = bob.page.locator("#lines .note + li .number")
        expect(after).to_have_text(str(last + missed + 1))
        bob.photograph("live_stream-resumed")


def test_what_is_no_filter_is_refused_on_the_page(browser: Browser, example: Example) -> None:
    with person(browser, example.url, PHONE) as ada:
        enter(ada)
        ada.page.fill("#words", "one two three four five six")
        ada.page.press("#words", "Enter")
        expect(ada.page.locator("#facts")).to_have_text(
            "A filter is at most 5 words of 30 letters."
        )
        wait_for_lines(ada, 1)


def test_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    line = "<img src=x onerror=alert(1)> (a+b) & c"
    (tmp_path / "text").write_text(f"{line}\nnothing\n", encoding="utf-8")
    with (
        run_example("live_stream", TEMPO=TEMPO, TEXT=str(tmp_path / "text")) as example,
        person(browser, example.url) as ada,
    ):
        enter(ada)
        expect(ada.page.locator("#lines li span:not(.number)").first).to_have_text(line)
        ada.page.fill("#words", "(a+b) <IMG")
        ada.page.click("#apply")
        expect(ada.page.locator("#facts")).to_have_text("Lines with (a+b) or <img.")
        first = ada.page.locator("#lines li").first
        expect(first.locator("span:not(.number)")).to_have_text(line)
        assert first.locator("mark").all_inner_texts() == ["<img", "(a+b)"]


def test_pages_come_back_when_the_server_does_and_tell_it_what_they_want(browser: Browser) -> None:
    with run_example("live_stream", TEMPO=TEMPO) as first:
        port = first.url.rpartition(":")[2]
        with (
            person(browser, first.url, DESKTOP) as ada,
            person(browser, first.url, PHONE) as bob,
        ):
            enter(ada)
            enter(bob)
            set_filter(ada, "the")
            bob.page.click("#pause")
            expect(bob.page.locator("#facts")).to_have_text("All lines, paused.")
            before, still = (who.page.locator("#lines").inner_text() for who in (ada, bob))
            first.process.signal(signal.SIGTERM)
            assert first.process.wait() == 0
            for somebody in (ada, bob):
                expect(somebody.page.locator("#status")).to_have_text("reconnecting…")
                expect(somebody.page.locator("#pause")).to_be_disabled()
            with run_example("live_stream", TEMPO=TEMPO, PORT=port):
                for somebody in (ada, bob):
                    expect(somebody.page.locator("#status")).to_have_text("connected · websocket")
                expect(ada.page.locator("#lines")).not_to_have_text(before, use_inner_text=True)
                wait_for_lines(ada, 3)
                assert all(
                    "the" in line.lower()
                    for line in ada.page.locator("#lines li").all_inner_texts()
                )
                assert bob.page.locator("#lines").inner_text() == still
                bob.page.click("#pause")
                expect(bob.page.locator("#lines .note")).to_contain_text("went by")
                expect(bob.page.locator("#lines .note + li")).to_be_visible()
            for somebody in (ada, bob):
                refused = [text for text in somebody.complaints if "CONNECTION_REFUSED" in text]
                assert somebody.complaints == refused
                somebody.complaints.clear()


def test_a_text_that_is_not_there_or_empty_ends_the_program_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    for name, reason in (("gone.txt", "No such file"), ("empty.txt", "is empty")):
        argv = [sys.executable, TOP / "examples" / "live_stream"]
        with running(argv, env={"TEXT": str(tmp_path / name), "PORT": "0"}) as process:
            assert process.wait() == 1
            assert reason in process.output()
            assert len(process.output().splitlines()) == 1
