"""F24, F25 and F48: pages of other origins, on every way into the server."""

from __future__ import annotations

import itertools
from collections import Counter

from tests.trust.measured import MEASURED, Count
from tests.trust.origins import FOREIGN, GOOD, WAYS, Caller, end_named, let_in, lives, victim
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

# So many requests let in are enough to know.
_ENOUGH = 20

_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

LISTED = [
    *[("https://shop.example", True), ("https://shop.example:443", True)],
    *[("http://other.example:8000", True), ("HTTPS://SHOP.example", True)],
    *[("http://shop.example", False), ("https://shop.example:8000", False)],
    *[("http://other.example", False), ("https://shop.example.evil.example", False)],
    *[("https://www.shop.example", False), ("https://evilshop.example", False)],
    *[
        ("https://shop.example@evil.example", False),
        ("https://shop.example/", False),
        ("null", False),
    ],
]
"""Origins, and whether a server with the names of the first three in its list lets them in."""


def listed_mistakes(stage: Stage) -> tuple[int, int]:
    """Try a server with a list, and one for everyone; return the mistakes, and the requests.

    A star beside credentials is a mistake, also for everyone.
    """
    listed = stage.serve(origins=["https://shop.example", "http://other.example:8000"])
    anyone = stage.serve(origins="*")
    wrong, tried = 0, 0
    for place, open_to_all in ((listed, False), (anyone, True)):
        caller = Caller(place)
        for origin, may in LISTED:
            tried += 1
            answer = caller.ask("GET", "/1/", {"Origin": origin})
            wrong += (answer.status == 200) != (may or open_to_all)
            wrong += answer.headers.get("access-control-allow-origin") not in (None, origin)
            end_named(place, answer)
        caller.close()
    return wrong, tried


def own_accepted(place: Place) -> int:
    """Return how many of the own origins may shake hands, and read the answer with cookies."""
    caller, accepted = Caller(place), 0
    for origin, headers in GOOD:
        answer = caller.ask("GET", "/1/", {"Origin": origin, **headers})
        told = answer.headers.get("access-control-allow-origin", "")
        credentials = answer.headers.get("access-control-allow-credentials") == "true"
        sessid = answer.text.split(":")[0]
        accepted += answer.status == 200 and told not in ("", "*") and credentials
        caller.ask("GET", f"/1//{sessid}/?disconnect", {})
    caller.close()
    return accepted


@row(
    "F24",
    "foreign origins, default setting",
    passes="0 of all foreign origins let in on any way in, no access-control header for them; "
    "10 of 10 own origins let in; the session they know is untouched",
    original="every origin was reflected, with credentials",
)
def foreign_origins(stage: Stage) -> Figure:
    place = stage.shared()
    accepted = own_accepted(place)
    client, caller = victim(place), Caller(place)
    before, wrong, tried = place.stats(), Counter[str](), 0
    for origin, (method, target) in itertools.product(FOREIGN, WAYS):
        body = b"3:::stolen" if method == "POST" else b""
        target = target.replace("SID", client.sessid)
        answer = caller.ask(method, target, {"Origin": origin, "Cookie": "user=1"}, body)
        tried += 1
        if let_in(answer):
            wrong[origin] += 1
            end_named(place, answer)
        if wrong.total() >= _ENOUGH:
            break
    caller.close()
    after = place.stats()
    refused = after["refusals"].get("origin", 0) - before["refusals"].get("origin", 0)
    opened = after["sessions"]["opened"] - before["sessions"]["opened"]
    alive = lives(client)
    client.close()
    # Two more servers are too much for the short form.
    mistakes, more = listed_mistakes(stage) if stage.scale >= 1 else (0, 0)
    MEASURED["F24"] = Count(wrong.total() + mistakes, tried + more)
    text = (
        f"{len(wrong)} of {len(FOREIGN)} foreign origins accepted in {tried:,} requests "
        f"({refused:,} refused and counted, {opened} sessions opened), {accepted} of {len(GOOD)} "
        f"own ones accepted, the known session {'lives' if alive else 'IS HARMED'}"
    )
    if more:
        text += f"; with a list and with a star {mistakes} mistakes in {more} requests"
    sound = accepted == len(GOOD) and alive and refused == tried
    ok = sound and not (wrong or opened or mistakes)
    return Figure(ok, text + (f": {list(wrong)[:3]}" if wrong else ""))


def upgraded(caller: Caller, place: Place, name: str, headers: dict[str, str]) -> bool:
    """Tell whether a WebSocket upgrade for a fresh session is granted; ends that session."""
    sessid = caller.ask("GET", "/1/", {}).text.split(":")[0]
    answer = caller.ask("GET", f"/1/{name}/{sessid}", {**_UPGRADE, **headers})
    fresh = Caller(place)
    fresh.ask("GET", f"/1//{sessid}/?disconnect", {})
    fresh.close()
    return answer.status != 403


@row(
    "F25",
    "WebSocket upgrades by foreign origins",
    passes="403 before any 101, whichever header names the origin; 10 of 10 own origins upgraded",
    original="101 for every origin",
)
def hijacked_upgrades(stage: Stage) -> Figure:
    place, wrong, tried = stage.shared(), [], 0
    caller = Caller(place)
    ways = [
        (name, header)
        for name in ("websocket", "flashsocket")
        for header in ("Origin", "Sec-WebSocket-Origin")
    ]
    for origin in FOREIGN:
        for name, header in ways:
            tried += 1
            if upgraded(caller, place, name, {header: origin, "Cookie": "user=1"}):
                wrong.append(origin)
    accepted = sum(
        upgraded(caller, place, "websocket", {"Origin": origin, **headers})
        for origin, headers in GOOD
    )
    caller.close()
    MEASURED["F25"] = Count(len(wrong), tried)
    text = (
        f"{len(wrong)} of {tried:,} foreign upgrades ({len(FOREIGN)} origins) granted, "
        f"{accepted} of {len(GOOD)} own ones granted"
    )
    ok = not wrong and accepted == len(GOOD)
    return Figure(ok, text + (f": {wrong[:3]}" if wrong else ""))


_EVIL_SIGNS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
    {"Referer": "http://evil.example/page"},
    {"Referer": "http://127.0.0.1:PORT.evil.example/"},
    {"Referer": "http://evil.example/http://127.0.0.1:PORT/"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://evil.example", "Referer": "http://127.0.0.1:PORT/"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
]
"""What a browser says of a request that another site's page made."""


@row(
    "F48",
    "another site's page asks to disconnect a session it knows",
    passes="every request refused, the sessions live; the same request of the own page ends one",
    original="an image element ended any session whose id was known",
)
def forced_disconnects(stage: Stage) -> Figure:
    place = stage.shared()
    client, caller = victim(place), Caller(place)
    paths = [
        "/1//SID/?disconnect",
        "/1/xhr-polling/SID?disconnect=1",
        "/1/websocket/SID?disconnect",
    ]
    refused, tried = 0, 0
    for signs in _EVIL_SIGNS:
        for path in paths:
            for method in ("GET", "POST"):
                tried += 1
                target = path.replace("SID", client.sessid)
                refused += caller.ask(method, target, signs).status == 403
    alive = lives(client)
    own = {"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"}
    caller.ask("GET", f"/1//{client.sessid}/?disconnect", own)
    ended = not lives(client)
    client.close()
    caller.close()
    text = (
        f"{refused} of {tried} requests refused, the session "
        f"{'lived' if alive else 'was ended'}; the own page's request "
        f"{'ended it' if ended else 'did not end it'}"
    )
    return Figure(refused == tried and alive and ended, text)
