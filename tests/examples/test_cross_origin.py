"""The page with its sockets on another port: who is let in, who is not, and which cookies go."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.examples.stage import DESKTOP, PHONE, Example, Person, person, run_example

TRANSPORTS = ["websocket", "xhr-polling", "jsonp-polling"]
FREE_PORTS = {"SOCKET_PORT": "0", "STRANGER_PORT": "0"}
COOKIES = ["Strict", "Lax", "None; Secure"]
ALL, NONE = ["✓"] * 3, ["–"] * 3


class Places(NamedTuple):
    """Where the three servers of the example are."""

    page: str
    sockets: str
    stranger: str


def places_of(example: Example) -> Places:
    lines = example.process.output().splitlines()
    return Places(*(line.rpartition(" ")[2] for line in lines[:3]))


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with run_example("cross_origin", **FREE_PORTS) as example:
        example.process.wait_for_line("refused at")
        yield example


def wait_for_connection(somebody: Person, transport: str = "websocket") -> None:
    expect(somebody.page.locator("#status")).to_have_text(f"Connected · {transport}")


def cookies(somebody: Person, column: int) -> list[str]:
    """Return the marks of one column of the table; the first one is 1."""
    return somebody.page.locator(f"#cookies tr > :nth-child({column + 1})").all_inner_texts()


def forgive_refusals(somebody: Person) -> None:
    """Chromium writes each refusal into the console of its page: so be it, and nothing else."""
    assert somebody.complaints
    for complaint in somebody.complaints:
        assert "has been blocked by CORS policy" in complaint or "net::ERR_FAILED" in complaint
    somebody.complaints.clear()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_page_connects_to_sockets_on_another_port(
    browser: Browser, example: Example, transport: str
) -> None:
    places = places_of(example)
    assert len({urlsplit(place).port for place in places}) == 3
    with person(browser, places.page, PHONE) as ada:
        ada.page.select_option("[name=transport]", transport)
        wait_for_connection(ada, transport)
        assert ada.page.input_value("[name=transport]") == transport
        expect(ada.page.locator("#here")).to_have_text(places.page)
        expect(ada.page.locator("#there")).to_have_text(places.sockets)
        expect(ada.page.locator("#origin")).to_have_text(places.page)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cookies_know_no_ports_and_polls_bring_none(
    browser: Browser, example: Example, transport: str
) -> None:
    with person(browser, f"{example.url}/?transport={transport}") as ada:
        wait_for_connection(ada, transport)
        expect(ada.page.locator("#origin")).not_to_have_text("–")
        assert (cookies(ada, 1), cookies(ada, 2)) == (NONE, NONE)
        ada.page.click("#set-cookies")
        expect(ada.page.locator("#cookies")).to_contain_text("✓")
        wait_for_connection(ada, transport)
        # The client asks for credentials in its handshake only; XMLHttpRequest needs to be asked.
        assert cookies(ada, 1) == ALL
        assert cookies(ada, 2) == (NONE if transport == "xhr-polling" else ALL)


def test_another_site_gets_no_cookies_that_are_for_its_own_pages(
    browser: Browser, example: Example
) -> None:
    sockets = places_of(example).sockets.replace("127.0.0.1", "localhost")
    with person(browser, example.url) as ada:
        ada.page.select_option("[name=site]", "another")
        expect(ada.page.locator("#there")).to_have_text(sockets)
        with ada.page.expect_response(lambda response: "/cookies" in response.url) as response:
            ada.page.click("#set-cookies")
        headers = response.value.headers_array()
        given = [it["value"] for it in headers if it["name"].lower() == "set-cookie"]
        assert [cookie.partition("SameSite=")[2] for cookie in given] == COOKIES
        wait_for_connection(ada)
        expect(ada.page.locator("#there")).to_have_text(sockets)
        expect(ada.page.locator("#origin")).to_have_text(example.url)
        # Whether the third one comes is up to the browser's setting for third parties.
        assert (cookies(ada, 1)[:2], cookies(ada, 2)[:2]) == (NONE[:2], NONE[:2])


@pytest.mark.parametrize("dark", [False, True])
def test_a_page_that_is_not_allowed_is_refused_and_everybody_sees_why(
    browser: Browser, dark: bool
) -> None:
    with run_example("cross_origin", **FREE_PORTS) as example:
        example.process.wait_for_line("refused at")
        places = places_of(example)
        with (
            person(browser, places.page, DESKTOP, dark=dark) as ada,
            person(browser, places.page, PHONE, dark=dark) as bob,
        ):
            wait_for_connection(ada)
            wait_for_connection(bob)
            ada.page.click("#open")
            stranger = ada.page.frame_locator("#stranger")
            expect(stranger.locator("#status")).to_have_text("Refused")
            expect(stranger.locator("#log li")).to_have_text(
                ['By request: event error, its text is ""']
            )
            stranger.locator("#by-script").click()
            expect(stranger.locator("#log li").last).to_have_text(
                'By script: event error, its text is "handshake bad origin"'
            )
            for somebody in (ada, bob):
                expect(somebody.page.locator("#log")).to_contain_text(
                    f"refused the origin '{places.stranger}': allow it with origins=[...]"
                )
            forgive_refusals(ada)
            name = f"cross_origin-{'night' if dark else 'day'}"
            ada.photograph(f"{name}-refused")
            for somebody in (ada, bob):
                somebody.page.evaluate("scrollTo(0, 0)")
                somebody.photograph(name)


def test_the_answer_to_a_page_that_is_not_allowed_names_the_setting(example: Example) -> None:
    places = places_of(example)
    for origin, status in ((places.page, 200), (places.stranger, 403)):
        connection = http.client.HTTPConnection(urlsplit(places.sockets).netloc, timeout=30)
        connection.request("GET", "/socket.io/1/", headers={"Origin": origin})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == status
        assert ("handshake bad origin: this server allows" in text) == (status == 403)
        allowed = answer.headers["Access-Control-Allow-Origin"]
        assert allowed == (origin if status == 200 else None)


def test_origins_can_be_opened_to_everybody_and_the_program_ends_with_status_0(
    browser: Browser,
) -> None:
    with run_example("cross_origin", ORIGINS="*", **FREE_PORTS) as example:
        example.process.wait_for_line("refused at")
        with person(browser, places_of(example).stranger, PHONE) as eve:
            expect(eve.page.locator("#status")).to_have_text("Connected")
        example.process.signal(signal.SIGTERM)
        assert example.process.wait() == 0
