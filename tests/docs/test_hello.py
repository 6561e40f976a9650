"""The hello world of the README and of the start page, in a browser."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.examples.stage import DESKTOP, PHONE, person
from tests.integration.jsclients import install_packages
from tests.subprograms import TOP, running

HELLO = TOP / "docs" / "samples" / "hello" / "hello.py"


def test_it_says_hello_to_everybody_who_opens_its_page(browser: Browser, tmp_path: Path) -> None:
    install_packages(TOP / "examples")
    (tmp_path / "node_modules").symlink_to(TOP / "examples" / "node_modules")
    (tmp_path / "hello.py").write_text(HELLO.read_text().replace("port=8080", "port=0"))
    with running([sys.executable, "hello.py"], cwd=tmp_path) as process:
        url = process.wait_for_line(r"serving on (\S+)")[1]
        with person(browser, url, PHONE) as ada, person(browser, url, DESKTOP) as bob:
            for somebody in (ada, bob):
                said = somebody.page.locator("#said")
                expect(said).to_have_text("Hello world! The greeting is on its way.")
