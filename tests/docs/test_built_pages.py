"""The documentation as it is built: every link within it leads somewhere, and it can be read."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.examples.stage import DESKTOP, PHONE, person
from tests.integration.chatting import needs
from tests.subprograms import TOP

# A build from nothing takes half a minute, and several on a busy machine.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documentation from nothing, as ``make docs`` does in a fresh clone."""
    needs("sphinx", "furo", "sphinx_design")
    target = tmp_path_factory.mktemp("docs")
    argv = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs"]
    done = subprocess.run(
        [*argv, str(target)], cwd=TOP, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return target


@pytest.fixture
def url(site: Path) -> Iterator[str]:
    """Serve the documentation, as a reader's web server would."""
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


class Links(HTMLParser):
    """What a page offers to link to, and where it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.targets: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == "id" or (tag == "a" and name == "name")):
                self.names.add(value)
            elif value and name in ("href", "src"):
                self.targets.add(value)


def dangling(site: Path) -> Iterator[str]:
    """Yield the links within the site that lead nowhere."""
    pages = {page.resolve(): Links(page) for page in site.rglob("*.html")}
    assert len(pages) > 30
    for page, links in pages.items():
        if "_modules" in page.parts:
            # Sources with links back to where a name is described, which viewcode guesses when a
            # package exports it.
            continue
        for target in links.targets:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            place = (page.parent / urllib.parse.unquote(parts.path)).resolve()
            place = place if parts.path else page
            fragment = urllib.parse.unquote(parts.fragment)
            if not place.exists():
                yield f"{page.relative_to(site)}: {target}"
            elif fragment and place in pages and fragment not in pages[place].names:
                yield f"{page.relative_to(site)}: {target}, no such place in the page"


def test_every_link_within_the_documentation_leads_somewhere(site: Path) -> None:
    assert list(dangling(site)) == []


READMES = [*TOP.glob("*.md"), *TOP.glob("examples/*.md"), *TOP.glob("examples/*/README.md")]


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_every_link_of_a_file_beside_it_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        parts = urllib.parse.urlsplit(target)
        if parts.scheme or not parts.path:
            continue
        assert (page.parent / parts.path).exists(), target


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_start_page_fits_a_phone_and_a_desktop(
    browser: Browser, url: str, viewport: dict[str, int], dark: bool
) -> None:
    with person(browser, url, viewport, dark=dark) as reader:
        expect(reader.page.locator("h1")).to_contain_text("gevent-socketio")
        reader.photograph("docs-start-dark" if dark else "docs-start")


@pytest.mark.parametrize(
    "name", ["tutorial/index", "concepts/disconnection", "reference/application"]
)
def test_other_pages_fit_a_phone(browser: Browser, url: str, name: str) -> None:
    with person(browser, f"{url}/{name}.html", PHONE) as reader:
        reader.photograph(f"docs-{name.replace('/', '-')}")


def test_the_search_finds_what_it_should(browser: Browser, url: str) -> None:
    with person(browser, f"{url}/search.html?q=recv_disconnect") as reader:
        expect(reader.page.locator("#search-results li").first).to_be_visible()
