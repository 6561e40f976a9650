"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import keep_coverage_to_ourselves

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_collection() -> None:
    """Called by pytest; the processes of xdist, which are to be measured, run by now."""
    keep_coverage_to_ourselves()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give Chromium. Of the module: while it runs, the thread cannot run another event loop."""
    # Imported here: most tests need none of it.
    from playwright.sync_api import sync_playwright

    from tests.examples.stage import launch

    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            yield browser
        finally:
            browser.close()
