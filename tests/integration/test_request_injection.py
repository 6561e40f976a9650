"""What stands in a URL or a header calls no function and writes no header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from gevent import socket as gsocket

from socketio.server import SocketIOServer
from tests.client import Answer, Connection, fetch, handshake, serving
from tests.integration.jsjudge import root, told

# -- What a URL holds ------------------------------------------------------------------------


BAD_INDEXES = [
    *["", " ", "-1", "+1", "1.0", "1e3", "0x1", "1_0", " 1", "1 ", "1\n", "1\r\n", "1\x00", "1;"],
    *["1234567890123", "9" * 4000, "\u0661", "\uff11", "\u00b2", "1\u2028", "1\u200b", "null"],
    *[
        "alert",
        "alert(1)",
        "0]);alert(1);//",
        "0](1);alert(1);io.j[0",
        "1)//",
        "1/*",
        "1,2",
        "0]=0;[",
    ],
    *["</script><script>alert(1)</script>", "<!--", "'", '"', "\\", "`${alert(1)}`", "constructor"],
    *["__proto__", "length", "['0']", "[]", "{}", "%31", "%0a1", "window", "io.j[1]", "\ufeff1"],
    *["1\r\nX-Injected: yes", "1\r\n\r\n<script>alert(1)</script>", "../1", "NaN", "Infinity"],
]


# Other names under which servers look for a callback; ours has none.
OTHER_KEYS = [
    *["callback", "cb", "jsonpcallback", "jsonpCallback", "_callback", "jsonp[]", "jsonp.x", "j"],
    *["JSONP", "I", "i[]", "jsonp%00", "%20jsonp", "jsonp;", "function"],
]


def refuse(environ: dict[str, Any]) -> bool:
    return "refuse" not in environ["QUERY_STRING"]


@pytest.fixture(scope="module")
def server() -> Iterator[SocketIOServer]:
    with serving(root(), authorize=refuse) as server:
        yield server


@pytest.fixture(scope="module")
def open_server() -> Iterator[SocketIOServer]:
    """One that echoes any origin."""
    with serving(root(), origins="*", authorize=refuse) as server:
        yield server


@pytest.fixture(scope="module")
def lenient_server() -> Iterator[SocketIOServer]:
    """One that echoes any origin and leaves the reading of requests to gevent."""
    with serving(root(), origins="*", authorize=refuse, strict_http=False) as server:
        yield server


def poll_url(sessid: str, query: str) -> str:
    return f"/socket.io/1/jsonp-polling/{sessid}?{query}"


def is_welcome(server: SocketIOServer, text: str) -> bool:
    sessid, *rest = text.split(":")
    return sessid in server.sockets and rest == ["60", "60", ",".join(server.transports)]


def test_there_are_enough_bad_indexes() -> None:
    assert len(set(BAD_INDEXES)) == len(BAD_INDEXES) >= 30


@pytest.mark.parametrize("value", BAD_INDEXES, ids=lambda value: ascii(value)[:40])
@pytest.mark.parametrize("template", ["jsonp={}", "t=1&jsonp={}&jsonp=1", "jsonp={}&i=1"])
def test_a_handshake_with_a_bad_index_is_answered_without_a_script(
    server: SocketIOServer, value: str, template: str
) -> None:
    query = template.format(quote(value, safe=""))
    answer = fetch(server, "GET", f"/socket.io/1/?{query}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert is_welcome(server, answer.text)
    refused = fetch(server, "GET", f"/socket.io/1/?{query}&refuse")
    assert (refused.status, refused.text) == (403, "handshake unauthorized")
    evil = fetch(server, "GET", f"/socket.io/1/?{query}", Referer="http://evil.example/")
    assert evil.headers["content-type"].startswith("text/plain")
    foreign = fetch(server, "GET", f"/socket.io/1/?{query}", Origin="http://evil.example")
    assert foreign.status == 403
    assert foreign.text.startswith("handshake bad origin")
    for one in (answer, refused, evil, foreign):
        assert "x-injected" not in one.headers
        assert "io.j" not in one.text
        assert "alert" not in one.text


@pytest.mark.parametrize("value", BAD_INDEXES, ids=lambda value: ascii(value)[:40])
@pytest.mark.parametrize("template", ["i={}", "t=1&i={}&i=5", "i={}&jsonp=5"])
def test_a_poll_with_a_bad_index_calls_the_callback_0(
    server: SocketIOServer, value: str, template: str
) -> None:
    query = template.format(quote(value, safe=""))
    url = poll_url(handshake(server), query)
    welcome = fetch(server, "GET", url)
    assert (welcome.status, welcome.text) == (200, 'io.j[0]("1::");')
    unknown = fetch(server, "GET", poll_url("nobody", query))
    assert (unknown.status, unknown.text) == (200, 'io.j[0]("7:::1+0");')
    for answer in (welcome, unknown):
        assert answer.headers["content-type"] == "text/javascript; charset=UTF-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-injected" not in answer.headers
    posted = fetch(server, "POST", url, b"d=%222%3A%3A%22")
    assert (posted.status, posted.text) == (200, "1")
    malformed = fetch(server, "POST", url, b"d=alert(1)")
    assert malformed.status == 400
    assert "alert" not in malformed.text


@pytest.mark.parametrize("key", OTHER_KEYS)
def test_no_other_key_names_a_callback(server: SocketIOServer, key: str) -> None:
    for value in ("alert", "1"):
        answer = fetch(server, "GET", f"/socket.io/1/?{key}={value}")
        assert answer.headers["content-type"] == "text/plain"
        assert is_welcome(server, answer.text)
        poll = fetch(server, "GET", poll_url(handshake(server), f"{key}={value}"))
        assert poll.text == 'io.j[0]("1::");'


def test_a_script_of_a_handshake_does_what_it_should_and_nothing_else(
    server: SocketIOServer,
) -> None:
    url = "/socket.io/1/?jsonp=7"
    answers = [
        fetch(server, "GET", url),
        fetch(server, "GET", f"{url}&refuse"),
        fetch(server, "GET", url, Origin="http://evil.example"),
        fetch(server, "GET", url, Referer="http://evil.example/<script>"),
    ]
    for answer in answers:
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/javascript"
        assert answer.headers["x-content-type-options"] == "nosniff"
    welcome, *refusals = told([answer.body.decode("ascii") for answer in answers], index="7")
    assert is_welcome(server, welcome)
    assert refusals == [
        {"error": "handshake unauthorized"},
        {"error": "handshake bad origin"},
        {"error": "handshake bad origin"},
    ]


# -- Headers ---------------------------------------------------------------------------------


# What some reader takes for the end of a line, and what becomes one when it is cut to a byte.
BREAKS = [
    *["\r\n", "\n", "\r", "\n\r", "\r\n\t", "\r\n ", "\x00\r\n", "\x0b", "\x0c", "\x00"],
    *["\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\u560a\u560d", "\\r\\n", "%0d%0a"],
]


TARGETS = {
    "handshake": "/socket.io/1/?t={}",
    "refused handshake": "/socket.io/1/?refuse&t={}",
    "script handshake": "/socket.io/1/?jsonp={}",
    "version": "/socket.io/2{}/",
    "number of a version": "/socket.io/2.{}/x",
    "newer client": "/socket.io/?EIO={}",
    "transport": "/socket.io/1/xhr{}/nobody",
    "session id": "/socket.io/1/xhr-polling/nobody{}",
    "session id of a script": "/socket.io/1/jsonp-polling/nobody{}?i=1",
    "session id of a page": "/socket.io/1/htmlfile/nobody{}",
    "session id of parts": "/socket.io/1/xhr-multipart/nobody{}",
    "session id of a socket": "/socket.io/1/websocket/nobody{}",
    "index of a poll": "/socket.io/1/jsonp-polling/nobody?i={}",
    "disconnect": "/socket.io/1//nobody{}/?disconnect",
    "client file": "/socket.io/socket.io.js?{}",
    "application": "/page{}",
}


NAMES = ["Origin", "Referer", "Host", "Cookie", "If-None-Match", "X-Forwarded-Host", "Accept", "X"]


def exchange(server: SocketIOServer, target: bytes, *lines: bytes) -> tuple[bytes, bytes]:
    """Send a request as it is and return the head and the body of the answer."""
    connection = Connection(server)
    try:
        host = [] if any(line.startswith(b"Host:") for line in lines) else [b"Host: example.com"]
        head = [b"GET " + target + b" HTTP/1.1", *host, *lines, b"Connection: close", b"", b""]
        connection.send_raw(b"\r\n".join(head))
        # A head that ends early, as some of these do, has no "Connection: close".
        connection.sock.shutdown(gsocket.SHUT_WR)
        answer_head, _, body = connection.read_to_end().partition(b"\r\n\r\n")
        if server.strict_http:
            assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", answer_head), answer_head
        return answer_head, body
    finally:
        connection.close()


def check_head(head: bytes, echoed: bytes | None = None) -> None:
    """Check that the head is one answer, of headers that we know, whoever reads it."""
    status, *lines = re.split(rb"[\r\n]+", head)
    assert re.fullmatch(rb"HTTP/1\.1 [1-5][0-9][0-9] [A-Za-z ]+", status)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(b": ")
        assert colon, line
        assert name.lower() in KNOWN, line
        if b"X-Injected" in value:
            assert (name, value) == (b"Access-Control-Allow-Origin", echoed)
        headers[name.lower()] = value
    if b"javascript" in headers.get(b"content-type", b""):
        assert headers[b"x-content-type-options"] == b"nosniff"


KNOWN = {
    *[b"content-type", b"content-length", b"connection", b"date", b"x-xss-protection", b"vary"],
    *[b"x-content-type-options", b"access-control-allow-origin", b"access-control-max-age"],
    *[b"access-control-allow-credentials", b"access-control-allow-methods", b"transfer-encoding"],
    *[b"x-accel-buffering"],
}


servers = pytest.mark.parametrize("which", ["server", "open_server", "lenient_server"])


@servers
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_in_a_url_becomes_a_header_or_is_repeated(
    request: pytest.FixtureRequest, which: str, target: str
) -> None:
    server = request.getfixturevalue(which)
    for mark in BREAKS:
        value = f"{mark}X-Injected: yes{mark}{mark}<script>alert(1)</script>"
        for written in (quote(value, safe=""), quote(quote(value, safe=""), safe="")):
            head, body = exchange(server, target.format(written).encode())
            check_head(head)
            assert b"X-Injected" not in body
            assert b"alert" not in body


@servers
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_stands_raw_in_a_request_line_becomes_no_header_either(
    request: pytest.FixtureRequest, which: str, target: str
) -> None:
    server = request.getfixturevalue(which)
    for mark in BREAKS:
        head, body = exchange(server, target.format(f"{mark}X-Injected:yes").encode())
        # gevent's own reading takes a line that ends early for a request of HTTP/0.9: that has
        # no head in its answer.
        if head.startswith(b"HTTP/"):
            check_head(head)
        assert b"X-Injected" not in head + body


@servers
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "target",
    ["/socket.io/1/", "/socket.io/1/?jsonp=1", "/socket.io/1/xhr-polling/nobody", "/socket.io/2/"],
)
def test_no_header_of_a_request_brings_one_into_the_answer(
    request: pytest.FixtureRequest, which: str, name: str, target: str
) -> None:
    server = request.getfixturevalue(which)
    for mark in BREAKS:
        value = f"http://example.com{mark}X-Injected: yes".encode()
        head, body = exchange(server, target.encode(), name.encode() + b": " + value)
        check_head(head, value if name == "Origin" else None)
        assert b"X-Injected" not in body


@servers
@pytest.mark.parametrize(
    "line",
    [
        b"Origin: http://example.com\r\n X-Injected: yes",
        b"Origin: http://example.com\r\n\tX-Injected: yes",
        b"Origin:\r\n X-Injected: yes",
        b"Origin: \r\nX-Injected: yes",
        b"Origin : http://example.com\r\nX-Injected: yes",
        b"Origin: http://example.com\r\r\nX-Injected: yes",
        b"Origin: =?utf-8?q?http://a=0D=0AX-Injected:_yes?=",
    ],
)
def test_no_folded_or_broken_header_brings_one_into_the_answer(
    request: pytest.FixtureRequest, which: str, line: bytes
) -> None:
    head, body = exchange(request.getfixturevalue(which), b"/socket.io/1/", line)
    check_head(head, line.partition(b":")[2].strip())
    assert b"X-Injected" not in body


@servers
@pytest.mark.parametrize("mark", BREAKS, ids=ascii)
@pytest.mark.parametrize("name", ["Origin", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"])
def test_an_upgrade_repeats_nothing_of_the_request(
    request: pytest.FixtureRequest, which: str, name: str, mark: str
) -> None:
    server = request.getfixturevalue(which)
    value = f"http://example.com{mark}X-Injected: yes"
    connection = Connection(server)
    lines = [
        f"GET /socket.io/1/websocket/{handshake(server)} HTTP/1.1",
        "Host: example.com",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"{name}: {value}",
    ]
    connection.send_raw("\r\n".join([*lines, "", ""]).encode())
    answer: Answer = connection.read_answer(head=True)
    connection.close()
    assert answer.status in (101, 400, 403)
    assert "x-injected" not in answer.headers
    assert not any("X-Injected" in value for value in answer.headers.values())
