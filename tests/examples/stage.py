"""The examples as programs, and the people who use them in a browser.

The browser is Chromium, driven through Playwright. Every person has a context of their own: no
cookie and no cache is shared.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from tests.integration.jsclients import find_chromium, install_packages
from tests.subprograms import TOP, Subprogram, running

__all__ = ["DESKTOP", "PHONE", "Example", "Person", "launch", "person", "run_example"]

EXAMPLES = TOP / "examples"
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", TOP / "artifacts" / "screenshots"))
"""Where pictures go; they are there to be looked at."""

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
WIDTHS = {PHONE["width"]: "phone", DESKTOP["width"]: "desktop"}
DEADLINE = 30_000
"""Milliseconds that anything in a page may take; never a measure of speed."""
expect.set_options(timeout=DEADLINE)  # the one of a context does not reach it

_FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
    *["--disable-background-networking", "--disable-component-update"],
]


class Example:
    """An example that serves."""

    def __init__(self, process: Subprogram, url: str) -> None:
        self.process = process
        self.url = url


@contextlib.contextmanager
def run_example(name: str, **env: str) -> Iterator[Example]:
    """Run ``python examples/NAME`` on a free port; it serves when this is entered."""
    install_packages(EXAMPLES)
    argv = [sys.executable, EXAMPLES / name]
    with running(argv, env={"PORT": "0", **env}, cwd=TOP) as process:
        yield Example(process, process.wait_for_line(r"(https?://[^/\s]+)")[1])


def launch(playwright: Playwright) -> Browser:
    """Start the browser."""
    return playwright.chromium.launch(executable_path=find_chromium(), args=_FLAGS)


class Person:
    """Somebody in front of a page, and what went wrong there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def photograph(self, name: str) -> Path:
        """Keep a picture of what is seen now, for people to look at; the page must fit its width.

        Args:
            name: Of the example, and what is seen: ``flask_chat`` or ``flask_chat-login``.
        """
        assert re.fullmatch(r"[\w-]+", name)
        viewport = self.page.viewport_size
        assert viewport is not None
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"], f"{name} is {wide} pixels wide, the window is not"
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        file = SCREENSHOTS / f"{name}-{WIDTHS[viewport['width']]}.png"
        self.page.screenshot(path=file)
        return file


@contextlib.contextmanager
def person(
    browser: Browser, url: str, viewport: dict[str, int] = DESKTOP, *, dark: bool = False
) -> Iterator[Person]:
    """Open ``url`` in a browser context of its own; what goes wrong in the page fails the test."""
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        has_touch=viewport is PHONE,
        color_scheme="dark" if dark else "light",
    )
    context.set_default_timeout(DEADLINE)
    try:
        somebody = Person(context.new_page())
        somebody.page.goto(url)
        yield somebody
        assert somebody.complaints == []
    finally:
        context.close()
