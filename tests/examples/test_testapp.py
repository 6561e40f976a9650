"""The page with every feature: each button, and what it puts on the wire (spec of the protocol)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, WebSocket, expect

from socketio.wire.payload import decode_payload
from tests.examples.stage import DEADLINE, DESKTOP, PHONE, Example, Person, person, run_example

TRANSPORTS = ["websocket", "xhr-polling"]

EXCHANGES = """
count         > 5:#+::{"name":"count"}
              < 6:::#+[2]
message       > 3:::Hello
              < 3:::Hello
receipt       > 3:#::Hello
              < 6:::#
              < 3:::Hello
sign          > 5:::{"name":"sign"}
              < 3:#::Sign for this
              > 6:::#
              < 5:::{"name":"signed"}
json          > 4:::{"list":[1,2.5,null],"yes":true}
              < 4:::{"list":[1,2.5,null],"yes":true}
text          > 3:::Grüße, Привет, 世界, مرحبا, 👩‍🚀: a colon¶and a second line
              < 3:::Grüße, Привет, 世界, مرحبا, 👩‍🚀: a colon¶and a second line
big           > 3:::01234567890123456789*… (100004 characters)
              < 3:::01234567890123456789*… (100004 characters)
greet         > 5:::{"name":"greet","args":["Ada",{"how":"warmly"},3]}
              < 5:::{"args":[3,{"how":"warmly"},"Ada"],"name":"greeted"}
add           > 5:#+::{"name":"add","args":[2,3]}
              < 6:::#+[5,"is the sum"]
ask_me        > 5:::{"name":"ask_me"}
              < 5:#+::{"args":["How many windows are open?"],"name":"question"}
              > 6:::#+["This one."]
              < 5:::{"args":["This one."],"name":"thanks"}
join          > 1::/news
              < 1::/news
              < 5::/news:{"args":["Somebody reads the news"],"name":"headline"}
leave         > 0::/news
send_me_out   > 5::/news:{"name":"send_me_out"}
              < 5::/news:{"args":["Somebody reads the news"],"name":"headline"}
              < 0::/news
vault         > 1::/vault
              < 7::/vault:2
nowhere       > 1::/nowhere
              < 5::/nowhere:{"args":["no_such_namespace","* exist: /nowhere"],"name":"error"}
to_all        > 5:::{"name":"to_all"}
              < 5:::{"args":["This is for all."],"name":"heard"}
to_others     > 5:::{"name":"to_others"}
enter_room    > 5:#+::{"name":"enter_room"}
              < 6:::#+[1]
leave_room    > 5:#+::{"name":"leave_room"}
              < 6:::#+[0]
to_room       > 5:::{"name":"to_room"}
guarded       > 1::/guarded
              < 1::/guarded
secret        > 5:#+:/guarded:{"name":"secret"}
              < 5::/guarded:{"args":["method_access_denied","You do not *"],"name":"error"}
              < 6::/guarded:#+[null]
unlock        > 5::/guarded:{"name":"unlock"}
unknown       > 5:::{"name":"nobody_knows"}
              < 5:::{"args":["no_such_method","The method * was not found"],"name":"error"}
wrong         > 5:#+::{"name":"add","args":[1,2,3,4]}
              < 5:#::{"args":["invalid_args","* does not take 4 arguments"],"name":"error"}
              < 6:::#+[null]
fail          > 5:::{"name":"fail"}
              < 5:::{"args":["internal_error","The server failed *"],"name":"error"}
error_packet  > 5:::{"name":"error_packet"}
              < 7:::0
"""
"""What each button puts on the wire, in the order of the page: each is pressed in this order.

``>`` is what the client sends, ``<`` what the server does. ``#`` is an id, the same one wherever it
stands in an exchange; ``*`` is whatever the line has there, and a pilcrow a line end.
"""

BUTTONS: dict[str, list[str]] = {}
for line in EXCHANGES.strip().splitlines():
    name, packet = line[:14].strip(), line[14:].replace("¶", "\n")
    BUTTONS.setdefault(name or [*BUTTONS][-1], []).append(packet)

OPENED = ['> 5:#+:/guarded:{"name":"secret"}', "< 6::/guarded:#+[*132 random bits*]"]
"""What the button ``secret`` does behind ``unlock``."""

CONNECTED = ["< 1::", '> 5:#+::{"name":"count"}', "< 6:::#+[1]"]
ENDINGS = {
    "cut": ['> 5:::{"name":"cut"}', *CONNECTED],
    "boot": ['> 5:::{"name":"boot"}', "< 0::"],
    "connect": CONNECTED,
    "disconnect": ["> 0::"],
}
"""Likewise, of the buttons that end the session and begin one."""


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with run_example("testapp", HEARTBEAT="1") as example:
        yield example


# -- The log -----------------------------------------------------------------------------------


def packets(page: Page, *, heartbeats: bool = False) -> list[str]:
    """Return the packets in the log, without those that come by themselves."""
    lines: list[dict[str, str]] = page.eval_on_selector_all(
        "#log li:not([data-way=note])",
        """lines => lines.map(line => (
          {...line.dataset, text: line.querySelector(".body").textContent}))""",
    )
    return [
        f"{'>' if line['way'] == 'out' else '<'} {line['text']}"
        for line in lines
        if heartbeats or line["type"] not in ("heartbeat", "noop")
    ]


def wait_until(page: Page, condition: Callable[[], Any], seen: Callable[[], Any]) -> None:
    give_up = time.monotonic() + DEADLINE / 1000
    while not condition():
        assert time.monotonic() < give_up, f"waited in vain; there is {seen()}"
        page.wait_for_timeout(20)  # has the browser's news in, between two looks


def pattern_of(exchange: list[str]) -> re.Pattern[str]:
    """Return what matches an exchange: ``#`` is an id, ``*`` whatever comes."""
    text = re.escape("\n".join(exchange)).replace(r"\*", ".*")
    return re.compile(text.replace(r"\#", "([1-9][0-9]*)", 1).replace(r"\#", r"\1"))


def press(page: Page, name: str, exchange: list[str]) -> None:
    """Press a button; this and nothing else has to be on the wire then."""
    pattern = pattern_of(exchange)
    page.evaluate(
        """selectors => { for (const it of selectors) document.querySelector(it).click(); }""",
        ["#clear", f'[data-do="{name}"]:enabled'],
    )
    wait_until(page, lambda: pattern.fullmatch("\n".join(packets(page))), lambda: packets(page))


def wait_for_packet(page: Page, packet: str) -> None:
    wait_until(page, lambda: packet in packets(page), lambda: packets(page))


def wait_for_connection(somebody: Person) -> None:
    expect(somebody.page.locator("#status")).to_have_attribute("data-state", "connected")
    wait_until(somebody.page, lambda: len(packets(somebody.page)) == 3, lambda: "no greeting")


# -- The tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_button_puts_on_the_wire_what_the_protocol_has(
    browser: Browser, example: Example, transport: str
) -> None:
    with person(browser, f"{example.url}/?transport={transport}") as ada:
        page = ada.page
        wait_for_connection(ada)
        expect(page.locator("#status")).to_have_text(f"Connected · {transport}")
        assert pattern_of(CONNECTED).fullmatch("\n".join(packets(page)))
        names = page.eval_on_selector_all("[data-do]", "all => all.map(one => one.dataset.do)")
        assert sorted(names) == sorted([*BUTTONS, *ENDINGS])
        for name, exchange in BUTTONS.items():
            press(page, name, exchange)
        press(page, "secret", OPENED)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_session_ends_in_every_way_and_another_one_begins(
    browser: Browser, example: Example, transport: str
) -> None:
    with person(browser, f"{example.url}/?transport={transport}", PHONE) as ada:
        page = ada.page
        wait_for_connection(ada)
        for name in ["cut", "boot", "connect", "disconnect", "connect"]:
            press(page, name, ENDINGS[name])
        expect(page.locator("#log [data-way=note]", has_text="fires connect")).to_have_count(1)
        expect(page.locator('[data-do="connect"]')).to_be_disabled()
        # A poll of the session that was cut; the client tells its end by that.
        assert all("400 (Bad Request)" in complaint for complaint in ada.complaints)
        assert len(ada.complaints) <= (transport != "websocket")
        ada.complaints.clear()


class Tapped:
    """What a page really sends and gets, over any transport: the browser itself is asked."""

    def __init__(self, page: Page) -> None:
        self.frames: list[str] = []
        self.requests: list[Request] = []
        page.on("websocket", self._on_websocket)
        page.on("requestfinished", lambda request: self.requests.append(request))

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.frames.append(f"> {frame}"))
        socket.on("framereceived", lambda frame: self.frames.append(f"< {frame}"))

    def packets(self, way: str) -> list[str]:
        found = [frame for frame in self.frames if frame.startswith(way)]
        for request in self.requests:
            if "/1/xhr-polling/" not in request.url or (request.method == "POST") != (way == ">"):
                continue
            response = request.response()
            assert response is not None
            body = request.post_data if way == ">" else response.text()
            assert body is not None
            found += [f"{way} {packet}" for packet in decode_payload(body)]
        return found


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_log_shows_the_very_packets_that_the_browser_sends_and_gets(
    browser: Browser, example: Example, transport: str
) -> None:
    with person(browser, "about:blank") as ada:
        tapped, page = Tapped(ada.page), ada.page
        page.goto(f"{example.url}/?transport={transport}")
        wait_for_connection(ada)
        for name in ("join", "text", "add", "ask_me", "wrong", "vault", "greet", "sign"):
            page.click(f'[data-do="{name}"]')
        wait_for_packet(page, '< 5:::{"name":"signed"}')

        def logged(way: str) -> list[str]:
            return [line for line in packets(page, heartbeats=True) if line.startswith(way)]

        for way in "<>":
            wait_until(
                page,
                lambda way=way: tapped.packets(way) == logged(way),
                lambda way=way: (tapped.packets(way), logged(way)),
            )


def test_heartbeats_are_seen_and_can_be_hidden(browser: Browser, example: Example) -> None:
    with (
        person(browser, f"{example.url}/?transport=websocket") as ada,
        person(browser, f"{example.url}/?transport=xhr-polling", PHONE) as bob,
    ):
        for way in ("in", "out"):
            heartbeat = ada.page.locator(f"#log [data-way={way}][data-type=heartbeat]").first
            expect(heartbeat).to_contain_text("2::")
        noop = bob.page.locator("#log [data-way=in][data-type=noop]").first
        expect(noop).to_contain_text("8::")
        for page, line in ((ada.page, heartbeat), (bob.page, noop)):
            page.check("#quiet")
            expect(line).to_be_hidden()
            page.uncheck("#quiet")
            expect(line).to_be_visible()


def test_the_log_can_be_filtered_and_cleared_and_is_bounded(
    browser: Browser, example: Example
) -> None:
    with person(browser, f"{example.url}/?transport=websocket", PHONE) as ada:
        page, shown = ada.page, ada.page.locator("#log li:visible")
        wait_for_connection(ada)
        page.fill("#filter", "GREET")
        page.click('[data-do="message"]')
        page.click('[data-do="greet"]')
        expect(shown).to_have_count(2)
        page.fill("#filter", "")
        expect(page.locator("#log", has_text="3:::Hello")).to_be_visible()
        page.evaluate(
            "for (let i = 0; i < 400; i++) document.querySelector('[data-do=sign]').click()"
        )
        wait_until(
            page,
            lambda: page.eval_on_selector("#log", "log => log.childElementCount") == 300,
            lambda: page.locator("#log li").count(),
        )
        page.check("#quiet")
        page.fill("#filter", "nothing has this")
        page.click("#clear")
        expect(page.locator("#log li:visible")).to_have_count(0)


def test_the_page_offers_the_transports_that_the_browser_has(
    browser: Browser, example: Example
) -> None:
    with person(browser, example.url) as ada:
        wait_for_connection(ada)
        page = ada.page
        expect(page.locator("#status")).to_have_text("Connected · websocket")
        # Chromium never had what the Internet Explorer's transport is made of.
        assert page.locator("#transport option:disabled").all_inner_texts() == ["htmlfile"]
        for transport in ("jsonp-polling", "xhr-polling", "websocket"):
            page.select_option("#transport", transport)
            expect(page.locator("#status")).to_have_text(f"Connected · {transport}")
            assert page.input_value("#transport") == transport
            wait_for_connection(ada)
            press(page, "text", BUTTONS["text"])


@pytest.mark.parametrize("dark", [False, True])
def test_two_windows_hear_what_is_for_all_for_the_others_and_for_the_room(
    browser: Browser, example: Example, dark: bool
) -> None:
    with (
        person(browser, example.url, DESKTOP, dark=dark) as ada,
        person(browser, f"{example.url}/?transport=xhr-polling", PHONE, dark=dark) as bob,
    ):
        for somebody in (ada, bob):
            wait_for_connection(somebody)
            press(somebody.page, "enter_room", ['> 5:#+::{"name":"enter_room"}', "< 6:::#*"])
        for pressing, button, hearing, words in (
            (ada, "to_all", bob, "all"),
            (bob, "to_others", ada, "all the others"),
            (ada, "to_room", bob, "the others in the room"),
        ):
            press(pressing.page, button, BUTTONS[button])
            heard = f'< 5:::{{"args":["This is for {words}."],"name":"heard"}}'
            wait_for_packet(hearing.page, heard)
        for somebody in (ada, bob):
            for name in ("message", "add", "ask_me", "join", "vault", "unknown"):
                somebody.page.click(f'[data-do="{name}"]')
            expect(somebody.page.locator("#log")).to_contain_text("was not found")
            somebody.page.evaluate("scrollTo(0, 0)")
            somebody.photograph(f"testapp-{'night' if dark else 'day'}")
