"""Pages of other origins, in Chromium: who is let in, who is not, and what strangers can do.

The pages come from one server and the sessions from others. All are this machine, under names that
the browser takes for different ports of one site or for different sites.

The 0.9 client does not try htmlfile across origins, and it never had xhr-multipart: of these two
the tests speak through a frame and through ``fetch()``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.integration.jsclients import (
    JS,
    Chromium,
    Server,
    install_packages,
    serving,
    wait_until,
)


class Place(NamedTuple):
    """Where a page is, and under which name it knows the server."""

    page: str
    server: str


PLACES = {
    "another-port": Place("127.0.0.1", "127.0.0.1"),
    "another-site": Place("127.0.0.1", "localhost"),
    # Chromium sends Sec-Fetch-Site only where it trusts the way: HTTPS, or to this machine.
    "another-site-without-sec-fetch": Place("page.test", "server.test"),
}

WAYS = {
    "websocket": {"transport": "websocket", "cors": True},
    "xhr-polling": {"transport": "xhr-polling", "cors": True},
    "jsonp-polling": {"transport": "jsonp-polling", "cors": True},
    "jsonp-polling-without-cors": {"transport": "jsonp-polling", "cors": False},
}
"""How the 0.9 client can talk to another origin; without CORS its handshake is a script too."""

LEARNED = {
    "image": "error",
    "quietImage": "error",
    "imageOfTransport": "error",
    "disconnect": [0, ""],
    "blindDisconnect": "opaque",
    "beacon": True,
    "script": ["error"],
    "quietScript": ["error"],
    "handshakeScript": ["load", "Error: handshake bad origin"],
    "quietHandshakeScript": ["load", "Error: handshake bad origin"],
    "form": "load",
    "poll": [0, ""],
    "pollWithCookies": [0, ""],
    "pollOfAnotherKind": [0, ""],
    "stream": [0, ""],
    "parts": [0, ""],
    "post": [0, ""],
    "preflight": [0, ""],
    "blindPost": "opaque",
    "blindPoll": "opaque",
    "handshake": [0, ""],
    "websocket": "error",
    "frame": "load",
}
"""All that a stranger's page tries (``strangers.js``), and what it learns by that: nothing."""

QUIET = ("quietImage", "quietScript", "quietHandshakeScript")
"""What tells neither an Origin nor a Referer. Where there is no Sec-Fetch-Site either, nothing
tells these requests from those of a client that is no browser, which is let in: left out there.
"""

ONLY_REFERER = ("blindPoll",)
"""What tells a Referer alone where there is no Sec-Fetch-Site: left out there, a limit (docs)."""


@pytest.fixture(scope="module")
def clients() -> Iterator[Chromium]:
    install_packages(JS)
    browser = Chromium()
    try:
        yield browser
    finally:
        browser.stop()


@pytest.fixture(scope="module")
def pages() -> Iterator[Server]:
    """Where the pages are."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def closed() -> Iterator[Server]:
    """A server with the default setting: its own pages only."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def listed(pages: Server) -> Iterator[Server]:
    """A server that allows the pages, by name."""
    origins = ",".join(pages.url_at(place.page) for place in PLACES.values())
    with serving(origins=origins) as server:
        yield server


@pytest.fixture(scope="module")
def anyone() -> Iterator[Server]:
    """A server that allows everyone."""
    with serving(origins="*") as server:
        yield server


@pytest.fixture(params=PLACES.values(), ids=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    return request.param


def visit(
    clients: Chromium, scenario: str, pages: Server, server: Server, place: Place, **more: Any
) -> Any:
    """Run a scenario in a page of another origin than the server's."""
    return clients.run(
        scenario,
        server.url_at(place.server),
        **{"transport": "", "page": pages.url_at(place.page) + "/"} | more,
    )


def converse(
    clients: Chromium, pages: Server, server: Server, place: Place, **more: Any
) -> dict[str, dict[str, Any]]:
    """Have the 0.9 client of a page exchange events with acks in all `WAYS`.

    Return what the server saw, by way.
    """
    with visit(clients, "each", pages, server, place, each="exchange", ways=WAYS, **more) as run:
        results = run.result()
        sessions = {name: server.session(f"{run.token}-{name}") for name in WAYS}
    for name, way in WAYS.items():
        result, session = results[name], sessions[name]
        assert (result["sum"], result["thanks"]) == ([5], [1])
        assert session["seen"] == [["", "add", 2, 3], ["", "answered", 42]]
        assert session["transport"] == result["transport"] == way["transport"]
        assert session["sessid"] == result["sessid"]
    return sessions


def be_refused(
    clients: Chromium, pages: Server, server: Server, place: Place, **more: Any
) -> dict[str, Any]:
    """Have the 0.9 client of a page try to connect in all `WAYS`, and the server see nothing of it.

    Return the errors that it got, by way.
    """
    with visit(clients, "each", pages, server, place, each="refused", ways=WAYS, **more) as run:
        results = run.result()
        for name in WAYS:
            assert server.ask("/sessions", f"{run.token}-{name}") == [0, 0]
            assert server.sessions(f"{run.token}-{name}") == []
    for result in results.values():
        assert result["log"] == [["error", result["error"]]]
        assert not result["connected"]
        assert not result["open"]
    return {name: result["error"] for name, result in results.items()}


def learned(place: Place) -> dict[str, Any]:
    """Return what a stranger tries there, and what each comes to."""
    tells_site = place != PLACES["another-site-without-sec-fetch"]
    left_out = () if tells_site else QUIET + ONLY_REFERER
    return {name: what for name, what in LEARNED.items() if name not in left_out}


def page_of(whose: str, pages: Server, server: Server, place: Place) -> str:
    """Return a page that the server allows: of itself, or of another origin."""
    its_own = whose == "its-own"
    return f"{server.url_at(place.server) if its_own else pages.url_at(place.page)}/"


def new_token() -> str:
    """Return a token for a session that no scenario begins."""
    return uuid.uuid4().hex


def cookies_of(server: Server, place: Place) -> list[str]:
    """Return what a browser visits first when it is to have cookies of the server."""
    return [server.url_at(place.server) + "/cookies"]


# -- Clients -----------------------------------------------------------------------------------


def test_a_page_of_a_listed_origin_connects_and_exchanges_events(
    clients: Chromium, pages: Server, listed: Server, place: Place
) -> None:
    sessions = converse(clients, pages, listed, place)
    for name, way in WAYS.items():
        # A script element says nothing of its page but the Referer.
        origin = pages.url_at(place.page) if way["cors"] else None
        assert sessions[name]["origin"] == origin
        assert sessions[name]["cookie"] is None


def test_a_page_of_any_origin_connects_where_everyone_may(
    clients: Chromium, pages: Server, anyone: Server
) -> None:
    sessions = converse(clients, pages, anyone, PLACES["another-site"])
    assert {session["cookie"] for session in sessions.values()} == {None}


def test_a_page_of_another_origin_gets_an_error_and_no_session(
    clients: Chromium, pages: Server, closed: Server, place: Place
) -> None:
    cookies = cookies_of(closed, place)  # the browser knows the server
    errors = be_refused(clients, pages, closed, place, visits=cookies)
    # Across origins only a script can be told why.
    assert errors == {
        name: "" if way["cors"] else "handshake bad origin" for name, way in WAYS.items()
    }


def test_a_page_of_no_origin_connects_where_everyone_may(
    clients: Chromium, pages: Server, anyone: Server
) -> None:
    here = PLACES["another-site"]
    page = pages.url_at(here.page) + "/sandboxed"
    sessions = converse(clients, pages, anyone, here, page=page)
    for name, way in WAYS.items():
        assert sessions[name]["origin"] == ("null" if way["cors"] else None)


@pytest.mark.parametrize("whose", ["its-own", "a-listed"])
def test_a_page_of_no_origin_is_refused_elsewhere(
    clients: Chromium, pages: Server, listed: Server, whose: str
) -> None:
    here = PLACES["another-site"]
    page = page_of(whose, pages, listed, here) + "sandboxed"
    be_refused(clients, pages, listed, here, page=page)


# -- Cookies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["listed", "anyone"])
def test_a_handshake_brings_the_cookies_that_the_browser_has_for_the_server(
    clients: Chromium, pages: Server, request: pytest.FixtureRequest, name: str
) -> None:
    server: Server = request.getfixturevalue(name)
    here = PLACES["another-port"]  # a port makes no other site
    sessions = converse(clients, pages, server, here, visits=cookies_of(server, here))
    for session in sessions.values():
        assert sorted(session["cookie"].split("; ")) == ["lax=Lax", "none=None", "strict=Strict"]


def test_a_page_of_another_site_connects_without_the_cookies_that_its_browser_keeps_back(
    clients: Chromium, pages: Server, listed: Server
) -> None:
    here = PLACES["another-site"]
    sessions = converse(clients, pages, listed, here, visits=cookies_of(listed, here))
    # Whether the third one comes is up to the browser's setting for third parties.
    assert {session["cookie"] for session in sessions.values()} <= {None, "none=None"}


# -- The transports that no client speaks across origins -----------------------------------------


def test_a_listed_page_speaks_xhr_multipart(
    clients: Chromium, pages: Server, listed: Server, place: Place
) -> None:
    with visit(clients, "multipart", pages, listed, place) as run:
        result = run.result()
        session = listed.session(run.token)
    assert result["answered"] == "1"
    assert result["type"] == 'multipart/x-mixed-replace;boundary="socketio"'
    assert session["transport"] == "xhr-multipart"
    assert session["sessid"] == result["sessid"]
    assert session["seen"] == [["", "add", 20, 22]]


def test_an_htmlfile_frame_of_a_listed_page_opens_a_session(
    clients: Chromium, pages: Server, listed: Server, place: Place
) -> None:
    token = new_token()
    sessid = listed.handshake(token)
    with visit(clients, "frame", pages, listed, place, sessid=sessid, token=token) as run:
        run.result()
        session = wait_until(lambda: listed.sessions(token), "the session of the frame")[0]
    assert (session["sessid"], session["transport"]) == (sessid, "htmlfile")


# -- Strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "transport"),
    [
        *((where, "xhr-polling") for where in PLACES),
        *(("another-site", other) for other in ("websocket", "jsonp-polling", "htmlfile")),
    ],
)
def test_a_stranger_who_knows_a_session_can_neither_end_nor_read_nor_write_it(
    clients: Chromium, pages: Server, closed: Server, where: str, transport: str
) -> None:
    place = PLACES[where]
    expected = learned(place)
    with clients.run("idle", closed.url, transport) as victim:
        victim.wait_for("idle")
        more = {
            "sessid": closed.session(victim.token)["sessid"],
            "visits": cookies_of(closed, place),
            "probes": list(expected),
        }
        with visit(clients, "probe", pages, closed, place, **more) as stranger:
            assert stranger.result() == expected
            assert closed.ask("/sessions", stranger.token) == [0, 0]
        assert closed.session(victim.token)["alive"]
        assert closed.ask("/finish", victim.token) == 1
        result = victim.result()
        session = closed.session(victim.token)
    assert result["log"] == [["connect"], ["finish"]]
    assert (result["before"], result["after"]) == ([3], [7])
    assert session["alive"]
    assert session["seen"] == [["", "add", 1, 2], ["", "add", 3, 4]]


def test_a_stranger_who_knows_a_session_that_is_nobodys_yet_cannot_begin_it(
    clients: Chromium, pages: Server, closed: Server, place: Place
) -> None:
    expected = learned(place)
    token = new_token()
    more = {"sessid": closed.handshake(token), "token": token, "probes": list(expected)}
    with visit(clients, "probe", pages, closed, place, **more) as run:
        assert run.result() == expected
        assert closed.sessions(token) == []
        assert closed.ask("/sessions", token) == [1, 1]  # the one that is nobody's


@pytest.mark.parametrize("probe", ["image", "disconnect"])
@pytest.mark.parametrize("whose", ["its-own", "a-listed"])
def test_an_allowed_page_ends_a_session_by_its_disconnect_address(
    clients: Chromium, pages: Server, listed: Server, whose: str, probe: str
) -> None:
    here = PLACES["another-site"]
    with clients.run("idle", listed.url, "xhr-polling") as victim:
        victim.wait_for("idle")
        more = {
            "sessid": listed.session(victim.token)["sessid"],
            "page": page_of(whose, pages, listed, here),
            "probes": [probe],
        }
        with visit(clients, "probe", pages, listed, here, **more) as run:
            run.result()
            session = listed.ended_session(victim.token)
    assert session["reason"] == "peer_left"
    assert session["disconnects"] == {"": ["peer_left"]}


@pytest.mark.parametrize("whose", ["its-own", "a-listed"])
def test_an_allowed_page_begins_and_reads_a_session_by_script(
    clients: Chromium, pages: Server, listed: Server, whose: str
) -> None:
    here = PLACES["another-site"]
    token = new_token()
    sessid = listed.handshake(token)
    page = page_of(whose, pages, listed, here)
    more = {"sessid": sessid, "token": token, "page": page, "probes": ["script"]}
    with visit(clients, "probe", pages, listed, here, **more) as run:
        assert run.result() == {"script": ["load", "1::"]}
        session = wait_until(lambda: listed.sessions(token), "the session of the script")[0]
    assert (session["sessid"], session["transport"]) == (sessid, "jsonp-polling")
