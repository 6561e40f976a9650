"""What the tests of the examples share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.examples.stage import launch


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give Chromium. Of the module: while it runs, the thread cannot run another event loop."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            yield browser
        finally:
            browser.close()
