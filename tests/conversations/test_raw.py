"""The requests made by hand to the reference server, with us instead.

Our answer must be the recorded one to the byte, except for what ``raw_differences.py`` lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from socketio.errors import UnauthorizedError
from socketio.server import SocketIOServer
from tests.client import serving
from tests.conversations.headers import HeaderDifference
from tests.conversations.raw import FILES, Exchange, ask, damaged, expect, load
from tests.conversations.raw_differences import (
    AUTH,
    BODIES,
    PAGE,
    POLLING,
    RAW_DIFFERENCES,
    RAW_HEADERS,
    UNKNOWN,
    URLS,
    Ours,
    kind_of_answer,
    our_answer,
)
from tests.conversations.recording import Response

# The reference server lets every origin in by default, ours only its own.
ANY_ORIGIN = "*"


def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """An application that has nothing to do with Socket.IO."""
    body = PAGE.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def play(
    server: SocketIOServer, file: str, exchanges: Sequence[Exchange], ours: Ours = our_answer
) -> None:
    """Make one request after the other; each handshake that succeeds makes one session."""
    for exchange in exchanges:
        before, answer = len(server.sockets), ours(file, exchange)
        expect(ask(server, exchange), exchange, answer)
        assert len(server.sockets) - before == ("SID" in answer.body), exchange.title


def no() -> bool:
    return False


def no_with_a_reason() -> bool:
    raise UnauthorizedError("not this one")


def authorization(refuse: Callable[[], bool]) -> Callable[[dict[str, Any]], bool]:
    """Return the function of the recording: it decides by the query."""

    def authorize(environ: dict[str, Any]) -> bool:
        query = environ["QUERY_STRING"]
        if query.startswith("err="):
            raise RuntimeError("no database")
        return refuse() if query.startswith("no=") else True

    return authorize


NO = {"origins": ANY_ORIGIN, "authorize": authorization(no)}
NO_WITH_A_REASON = {"origins": ANY_ORIGIN, "authorize": authorization(no_with_a_reason)}
# The recording has good.example:*, any port; ours are origins to the letter.
GOOD = {"origins": ["http://good.example", "http://good.example:81"]}
PARTS: list[tuple[str, list[Exchange], dict[str, Any]]] = [
    (URLS, load(URLS), {"origins": ANY_ORIGIN}),
    (UNKNOWN, load(UNKNOWN), {"origins": ANY_ORIGIN}),
    (AUTH, load(AUTH)[:5], NO),
    (AUTH, load(AUTH)[:5], NO_WITH_A_REASON),
    (AUTH, load(AUTH)[5:], GOOD),
]
"""Exchanges that need the same settings, which are those of the recording in our terms."""


@pytest.mark.parametrize(
    ("file", "exchanges", "settings"),
    PARTS,
    ids=["urls", "unknown sessions", "refused", "refused with a reason", "origins"],
)
def test_requests_made_by_hand_are_answered_as_recorded(
    file: str, exchanges: list[Exchange], settings: dict[str, Any]
) -> None:
    with serving(page, **settings) as server:
        play(server, file, exchanges)


# -- the tables and the recordings -----------------------------------------------------------------

EVERY = [(file, exchange) for file in FILES for exchange in load(file)]
"""All exchanges, with their files."""


def test_all_exchanges_are_there() -> None:
    assert {file: len(load(file)) for file in FILES} == {
        AUTH: 11,
        URLS: 17,
        POLLING: 13,
        UNKNOWN: 10,
    }


def test_every_whole_difference_is_one_of_a_recorded_exchange() -> None:
    titles = [(file, exchange.title) for file, exchange in EVERY]
    assert len({(d.file, d.request) for d in RAW_DIFFERENCES}) == len(RAW_DIFFERENCES)
    for difference in RAW_DIFFERENCES:
        assert titles.count((difference.file, difference.request)) == 1, difference
        assert difference.why


def test_every_difference_in_a_header_or_a_body_is_one_of_a_recorded_answer() -> None:
    wholly_other = {(difference.file, difference.request) for difference in RAW_DIFFERENCES}
    headers, bodies = set(), set()
    for file, exchange in EVERY:
        if (file, exchange.title) not in wholly_other and isinstance(exchange.answer, Response):
            kind = kind_of_answer(exchange)
            headers |= {(kind, f"{name}: {value}") for name, value in exchange.answer.headers}
            bodies.add((kind, exchange.answer.body))
    entries: list[tuple[HeaderDifference, set[Any]]] = [(entry, headers) for entry in RAW_HEADERS]
    for entry, recorded in [*entries, *((entry, bodies) for entry in BODIES)]:
        assert (entry.kind, entry.recorded) in recorded, entry
        assert entry.ours not in (entry.recorded, (entry.recorded,))
        assert entry.why


@pytest.mark.parametrize("damage", ["status", "header", "body"])
def test_an_answer_that_is_changed_in_one_place_is_not_matched(damage: str) -> None:
    def ours(file: str, exchange: Exchange) -> Response:
        return damaged(our_answer(file, exchange), damage)

    for file, exchanges, settings in PARTS:
        with serving(page, **settings) as server:
            for exchange in exchanges:
                with pytest.raises(AssertionError, match=r"^[A-Z]+ /"):
                    play(server, file, [exchange], ours)
