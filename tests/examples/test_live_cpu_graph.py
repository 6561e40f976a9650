"""The live CPU graph: one sampler for all who watch, and what they see."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator

import gevent
import psutil
import pytest
from playwright.sync_api import Browser, expect

from examples.live_cpu_graph.cpu import Sampler, make_application
from socketio.testing import TestServer
from tests.examples.stage import DESKTOP, PHONE, Example, Person, person, run_example

CORES = len(psutil.cpu_percent(percpu=True))
INTERVAL = "0.5"
"""Seconds: the page takes two and a half of them for a hole, which a busy machine must not make."""


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with run_example("live_cpu_graph", INTERVAL=INTERVAL) as example:
        yield example


# -- the server's side; before the browser has the thread ----------------------------------------


def test_one_greenlet_measures_for_all_and_ends_with_the_last_viewer() -> None:
    sampler = Sampler(3600)
    started: list[object] = []

    def spawned(greenlet: gevent.Greenlet) -> None:
        if getattr(greenlet._run, "__self__", None) is sampler:
            started.append(greenlet)

    gevent.Greenlet.add_spawn_callback(spawned)
    try:
        with TestServer(make_application(sampler)) as server:
            assert not sampler.running
            ada, bob, cyd = (server.connect("/cpu") for _ in range(3))
            assert sampler.running
            ada.leave()
            bob.drop()
            assert sampler.running
            cyd.disconnect()
            assert not sampler.running
            server.connect("/cpu")
            assert sampler.running
        # Leaving it has ended the last session; it would complain about a greenlet that goes on.
        assert not sampler.running
        assert len(started) == 2
    finally:
        gevent.Greenlet.remove_spawn_callback(spawned)


def test_the_first_viewer_gets_a_sample_at_once_and_the_next_ones_the_history() -> None:
    sampler = Sampler(3600)
    with TestServer(make_application(sampler)) as server:
        ada = server.connect("/cpu")
        assert ada.next().args == [{"samples": [], "interval": 3600, "seconds": 3600 * 120}]
        sample = ada.next("sample").args[0]
        assert len(sample["cores"]) == CORES
        assert len(sample["load"]) == 3
        assert 0 <= sample["total"] <= max(sample["cores"]) <= 100
        bob = server.connect("/cpu")
        assert bob.next("history").args[0]["samples"] == [sample]
        bob.expect_nothing()


def test_who_comes_back_alone_does_not_make_the_sampler_measure_too_early() -> None:
    sampler = Sampler(0.2)
    with TestServer(make_application(sampler)) as server, gevent.Timeout(30):
        ada = server.connect("/cpu")
        while len(sampler.samples) < 5:
            gevent.sleep(0.05)
            ada.reconnect()
        times = [sample["time"] for sample in sampler.samples]
        assert min(after - before for before, after in itertools.pairwise(times)) > 0.15


def test_the_history_is_bounded() -> None:
    sampler = Sampler()
    sampler.samples.extend({"time": number} for number in range(1000))
    assert [sample["time"] for sample in sampler.samples] == list(range(880, 1000))


# -- the page ------------------------------------------------------------------------------------


def picture(somebody: Person) -> str:
    """Return what the chart looks like."""
    drawn: str = somebody.page.evaluate("document.querySelector('canvas').toDataURL()")
    return drawn


def wait_for_another(somebody: Person, before: str) -> None:
    somebody.page.wait_for_function(
        "before => document.querySelector('canvas').toDataURL() !== before", arg=before
    )


def wait_for_lines(somebody: Person, samples: int) -> None:
    """Wait until the lines of the chart are that many samples long."""
    somebody.page.wait_for_function(
        """samples => {
            const canvas = document.querySelector("canvas");
            const { width, height } = canvas;
            const copy = Object.assign(document.createElement("canvas"), { width, height });
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            const text = getComputedStyle(document.documentElement).getPropertyValue("--accent");
            const wanted = text.match(/[0-9a-f]{2}/g).map((byte) => parseInt(byte, 16));
            const { data } = context.getImageData(0, 0, width, height);
            const columns = new Set();
            for (let at = 0; at < data.length; at += 4) {
                if (wanted.every((byte, index) => data[at + index] === byte)) {
                    columns.add((at / 4) % width);
                }
            }
            return columns.size >= (width * samples) / 120 / 1.5;
        }""",
        arg=samples,
    )


@pytest.mark.parametrize("dark", [False, True])
def test_two_people_watch(browser: Browser, example: Example, dark: bool) -> None:
    with (
        person(browser, example.url, DESKTOP, dark=dark) as ada,
        person(browser, f"{example.url}/?transport=xhr-polling", PHONE, dark=dark) as bob,
    ):
        expect(ada.page.locator("#status")).to_have_text("connected · websocket")
        expect(bob.page.locator("#status")).to_have_text("connected · xhr-polling")
        for somebody in (ada, bob):
            expect(somebody.page.locator("#cores li")).to_have_count(CORES)
            expect(somebody.page.locator("#cores .used").first).to_contain_text("%")
            expect(somebody.page.locator("#load")).to_contain_text(",")
            wait_for_lines(somebody, 10)
            somebody.photograph(f"live_cpu_graph-{'night' if dark else 'day'}")


def test_who_pauses_sees_a_still_picture_while_others_go_on(
    browser: Browser, example: Example
) -> None:
    with (
        person(browser, example.url, DESKTOP) as ada,
        person(browser, example.url, PHONE) as bob,
    ):
        for somebody in (ada, bob):
            wait_for_lines(somebody, 2)
        bob.page.click("#pause")
        still = picture(bob)
        for _ in range(3):
            wait_for_another(ada, picture(ada))
        assert picture(bob) == still
        bob.page.click("#pause")
        wait_for_another(bob, still)


def test_the_chart_fits_the_window_when_that_changes(browser: Browser, example: Example) -> None:
    with person(browser, example.url, DESKTOP) as ada:
        wait_for_lines(ada, 2)
        ada.page.set_viewport_size({"width": 390, "height": 844})
        ada.page.wait_for_function("document.querySelector('canvas').clientWidth < 390")
        assert ada.page.evaluate("document.documentElement.scrollWidth") <= 390
        ada.page.set_viewport_size({"width": 1280, "height": 800})
        ada.page.wait_for_function("document.querySelector('canvas').clientWidth > 900")
        wait_for_lines(ada, 2)


def test_the_page_comes_back_when_the_server_does(browser: Browser) -> None:
    with run_example("live_cpu_graph", INTERVAL=INTERVAL) as first:
        port = first.url.rpartition(":")[2]
        with (
            person(browser, first.url, DESKTOP) as ada,
            person(browser, first.url, PHONE, dark=True) as bob,
        ):
            for somebody in (ada, bob):
                wait_for_lines(somebody, 4)
            first.process.signal(signal.SIGTERM)
            assert first.process.wait() == 0
            for somebody in (ada, bob):
                expect(somebody.page.locator("#status")).to_have_text("reconnecting…")
            still = picture(bob)
            with run_example("live_cpu_graph", INTERVAL=INTERVAL, PORT=port):
                for somebody in (ada, bob):
                    expect(somebody.page.locator("#status")).to_have_text("connected · websocket")
                wait_for_another(bob, still)
                # What was there before the break is there yet, left of a hole.
                wait_for_lines(bob, 6)
                bob.photograph("live_cpu_graph-back")
            for somebody in (ada, bob):
                refused = [text for text in somebody.complaints if "CONNECTION_REFUSED" in text]
                assert somebody.complaints == refused
                somebody.complaints.clear()
