"""Pages of which origins are let in, and what they may read (reliability decision 1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import Answer
from tests.integration.httpplace import (
    UPGRADE,
    Place,
    connected,
    header_lines,
    is_alive,
    open_session,
    place,
    raw,
)

REQUESTS = {
    "handshake": ("GET", "/socket.io/1/?t=1"),
    "handshake by POST": ("POST", "/socket.io/1/"),
    "poll": ("GET", "/socket.io/1/xhr-polling/SID"),
    "post": ("POST", "/socket.io/1/xhr-polling/SID"),
    "websocket": ("GET", "/socket.io/1/websocket/SID"),
    "disconnect": ("GET", "/socket.io/1//SID/?disconnect=1"),
}


REFUSED_REQUESTS = {
    **REQUESTS,
    "flashsocket": ("GET", "/socket.io/1/flashsocket/SID"),
    "jsonp poll": ("GET", "/socket.io/1/jsonp-polling/SID?i=1"),
    "jsonp post": ("POST", "/socket.io/1/jsonp-polling/SID?i=1"),
    "htmlfile": ("GET", "/socket.io/1/htmlfile/SID"),
    "htmlfile post": ("POST", "/socket.io/1/htmlfile/SID"),
    "multipart": ("GET", "/socket.io/1/xhr-multipart/SID"),
    "multipart post": ("POST", "/socket.io/1/xhr-multipart/SID"),
    "preflight": ("OPTIONS", "/socket.io/1/xhr-polling/SID"),
}


FOREIGN = [
    "http://evil.example",
    "http://evil.example:PORT",
    "null",
    "http://127.0.0.1:PORT.evil.example",
    "http://127.0.0.1.evil.example:PORT",
    "http://evil-127.0.0.1:PORT",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "http://127.0.0.1:PORT0",
    "https://127.0.0.1:PORT",
    "http://localhost:PORT",
    "http://evil@127.0.0.1:PORT",
    "127.0.0.1:1",
    "localhost:PORT",
    "*",
    "",
]


def ask_with(on: Place, kind: str, socket: Any, **headers: str) -> Answer:
    method, target = REFUSED_REQUESTS[kind]
    body = b"3:::hello" if kind.endswith("post") else b""
    if kind.endswith("socket"):
        headers = {**UPGRADE, **headers}
    return on.fetch(method, target.replace("SID", socket.sessid), body, **headers)


def own_origin(on: Place, origin: str) -> str:
    return origin.replace("PORT", str(on.server.server_port))


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("kind", REFUSED_REQUESTS)
def test_by_default_a_foreign_origin_is_refused_everywhere(kind: str, origin: str) -> None:
    with place() as on:
        url, socket = open_session(on)
        answer = ask_with(on, kind, socket, Origin=own_origin(on, origin))
        assert answer.status == 403
        assert "'origins'" in answer.text
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert list(on.server.sockets) == [socket.sessid]
        assert is_alive(on, url)
        assert on.site.record.seen == []


OWN = [
    ("http://127.0.0.1:PORT", {}),
    ("127.0.0.1:PORT", {}),  # node clients on an old ws
    ("http://public.example", {"X_Forwarded_Host": "public.example"}),
    ("https://public.example", {"X_Forwarded_Host": "public.example"}),
    (
        "https://public.example:8443",
        {"X_Forwarded_Host": "public.example:8443", "X_Forwarded_Proto": "https"},
    ),
]


@pytest.mark.parametrize(("origin", "headers"), OWN)
@pytest.mark.parametrize("kind", REQUESTS)
def test_the_own_origin_is_let_in_and_echoed_with_credentials(
    kind: str, origin: str, headers: dict[str, str]
) -> None:
    with place() as on:
        _, socket = on.new_session()
        origin = own_origin(on, origin)
        answer = ask_with(on, kind, socket, Origin=origin, **headers)
        assert answer.status == (101 if kind == "websocket" else 200)
        if kind not in ("websocket", "disconnect"):
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("order", [("OWN", "http://evil.example"), ("http://evil.example", "OWN")])
@pytest.mark.parametrize("kind", REQUESTS)
def test_of_two_origins_neither_is_the_own_one(kind: str, order: tuple[str, str]) -> None:
    with place() as on:
        _, socket = on.new_session()
        first, second = (origin.replace("OWN", f"http://{on.host}") for origin in order)
        method, target = REQUESTS[kind]
        lines = [f"Origin: {first}", f"Origin: {second}"]
        if kind == "websocket":
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in UPGRADE.items()]
        line = f"{method} {target.replace('SID', socket.sessid)} HTTP/1.1\r\n".encode()
        with connected(on) as connection:
            connection.send_raw(line + header_lines(on, *lines))
            assert connection.read_answer().status == 403
        assert socket.state == "NEW"


@pytest.mark.parametrize("kind", REQUESTS)
def test_behind_a_proxy_the_inner_host_is_no_own_origin(kind: str) -> None:
    with place() as on:
        _, socket = on.new_session()
        answer = ask_with(
            on, kind, socket, Origin=f"http://{on.host}", X_Forwarded_Host="public.example"
        )
        assert answer.status == 403


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_client_without_an_origin_is_let_in_and_gets_no_access_control(kind: str) -> None:
    with place() as on:
        _, socket = on.new_session()
        answer = ask_with(on, kind, socket)
        assert answer.status == (101 if kind == "websocket" else 200)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", REQUESTS)
def test_listed_origins_are_let_in_and_no_others(kind: str) -> None:
    with place(origins=["https://shop.example", "http://other.example:8000"]) as on:
        for origin, expected in (
            ("https://shop.example", 200),
            ("https://shop.example:443", 200),
            ("http://other.example:8000", 200),
            ("http://127.0.0.1:PORT", 200),
            ("http://shop.example", 403),
            ("https://shop.example:8000", 403),
            ("http://other.example", 403),
            ("https://shop.example.evil", 403),
            ("null", 403),
        ):
            _, socket = on.new_session()
            answer = ask_with(on, kind, socket, Origin=own_origin(on, origin))
            let_in = 101 if kind == "websocket" else 200
            assert answer.status == (let_in if expected == 200 else 403), origin


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("origin", FOREIGN[:4])
def test_a_star_lets_everyone_in_and_never_stands_beside_credentials(
    kind: str, origin: str
) -> None:
    with place(origins="*") as on:
        _, socket = on.new_session()
        origin = own_origin(on, origin)
        answer = ask_with(on, kind, socket, Origin=origin)
        assert answer.status == (101 if kind == "websocket" else 200)
        if kind not in ("websocket", "disconnect"):
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_handshake_for_a_page_of_another_origin_has_the_preflight_headers_too() -> None:
    with place(origins=["http://good.example"]) as on:
        answer = on.fetch("GET", "/socket.io/1/", Origin="http://good.example")
        assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
        assert answer.headers["access-control-max-age"] == "3600"
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_origin_may_read_that_its_session_is_unknown(method: str) -> None:
    # raw/unknown-session.txt: the answer has the access-control headers, as any other.
    with place(origins=["http://good.example"]) as on:
        answer = on.fetch(
            method, "/socket.io/1/xhr-polling/nosuch", b"3:::x", Origin="http://good.example"
        )
        assert answer.status == 400
        assert answer.headers["access-control-allow-origin"] == "http://good.example"
        assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_refused_jsonp_handshake_tells_the_page_in_a_script() -> None:
    with place() as on:
        answer = on.fetch("GET", "/socket.io/1/?jsonp=7", Origin="http://evil.example")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/javascript"
        assert answer.text == 'io.j[7](new Error("handshake bad origin"));'
        assert on.server.sockets == {}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Referer": "http://evil.example/page"}, False),
        ({"Referer": "http://HOST/page"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "same-site", "Referer": "http://evil.example/"}, False),
        ({"Sec_Fetch_Site": "same-origin", "Referer": "http://HOST/"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({}, True),
    ],
)
def test_what_a_script_or_an_image_can_fetch_is_judged_by_its_referer(
    headers: dict[str, str], allowed: bool
) -> None:
    with place() as on:
        headers = {name: value.replace("HOST", on.host) for name, value in headers.items()}
        script = on.fetch("GET", "/socket.io/1/?jsonp=1", **headers)
        assert ("new Error" in script.text) == (not allowed)
        url, socket = open_session(on)
        image = on.fetch("GET", f"/socket.io/1//{socket.sessid}/?disconnect=1", **headers)
        assert image.status == (200 if allowed else 403)
        assert socket.state.live == (not allowed)
        if not allowed:
            assert is_alive(on, url)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_what_the_browser_calls_a_foreign_request_is_refused_without_an_origin_too(
    kind: str, site: str
) -> None:
    with place() as on:
        url, socket = open_session(on)
        assert ask_with(on, kind, socket, Sec_Fetch_Site=site).status == 403
        assert is_alive(on, url)


def test_header_injection_through_the_origin_is_refused() -> None:
    with place(origins="*") as on:
        answer = raw(
            on,
            b"GET /socket.io/1/ HTTP/1.1\r\n" + header_lines(on, "Origin: http://a\rX-Evil: 1"),
        )
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"Evil" not in answer
