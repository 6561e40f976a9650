"""No request hides in another (reliability design: decision 9, b.3, F1, F3)."""

from __future__ import annotations

import re
import socket as stdsocket
from typing import Any

import pytest

from tests.client import handshake
from tests.integration.httpplace import connected, header_lines, is_alive, open_session, place, raw

CANARY = b"GET /canary HTTP/1.1\r\nHost: x\r\n\r\n"


SMUGGLING = {
    "two lengths": ["Content-Length: 0", "Content-Length: 38"],
    "two equal lengths": ["Content-Length: 0", "Content-Length: 0"],
    "a length list": ["Content-Length: 0, 38"],
    "a length with a sign": ["Content-Length: +0"],
    "a length with an underscore": ["Content-Length: 0_0"],
    "a negative length": ["Content-Length: -1"],
    "an empty length": ["Content-Length:"],
    "a length beside chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks beside a length": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "xchunked": ["Transfer-Encoding: xchunked"],
    "chunked twice": ["Transfer-Encoding: chunked, chunked"],
    "two codings": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "identity": ["Transfer-Encoding: identity"],
    "a quoted coding": ['Transfer-Encoding: "chunked"'],
    "a coding with a vertical tab": ["Transfer-Encoding: \x0bchunked"],
    "a space before the colon": ["Content-Length : 38"],
    "a tab before the colon": ["Transfer-Encoding\t: chunked"],
    "a space before the name": [" Content-Length: 38"],
    "a folded line": ["X-A: b", " c"],
    "a folded length": ["Content-Length:", " 38"],
    "a line without a colon": ["nonsense"],
    "an empty name": [": x"],
    "a NUL in a value": ["X-A: b\x00c"],
    "a CR in a value": ["X-A: b\rContent-Length: 38"],
    "a NUL in a name": ["X\x00A: b"],
    "two hosts": ["Host: evil.example"],
}


@pytest.mark.parametrize("target", ["/page", "/socket.io/1/", "/socket.io/1/xhr-polling/SID"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("case", SMUGGLING)
def test_an_ambiguous_request_is_a_400_and_what_is_behind_it_is_not_executed(
    case: str, method: str, target: str
) -> None:
    with place() as on:
        url, socket = open_session(on)
        target = target.replace("SID", socket.sessid)
        head = f"{method} {target} HTTP/1.1\r\n".encode() + header_lines(on, *SMUGGLING[case])
        answer = raw(on, head + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []
        assert list(on.server.sockets) == [socket.sessid]
        assert is_alive(on, url)


LINES = {
    "HTTP/0.9": b"GET /page\r\n",
    "HTTP/0.9 with a version": b"GET /page HTTP/0.9\r\n",
    "HTTP/1.1.1": b"GET /page HTTP/1.1.1\r\n",
    "HTTP/1.2": b"GET /page HTTP/1.2\r\n",
    "HTTP/2.0": b"GET /page HTTP/2.0\r\n",
    "no version number": b"GET /page HTTP/\r\n",
    "a lower-case method": b"get /page HTTP/1.1\r\n",
    "two blanks": b"GET  /page HTTP/1.1\r\n",
    "a tab": b"GET\t/page HTTP/1.1\r\n",
    "a blank in the target": b"GET /pa ge HTTP/1.1\r\n",
    "a blank behind": b"GET /page HTTP/1.1 \r\n",
    "a NUL in the target": b"GET /pa\x00ge HTTP/1.1\r\n",
    "a bare LF": b"GET /page HTTP/1.1\n",
    "a CR inside": b"GET /page\rHTTP/1.1\r\n",
    "no target": b"GET HTTP/1.1\r\n",
    "nonsense": b"nonsense\r\n",
    "only blanks": b"   \r\n",
    "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n",
}


@pytest.mark.parametrize("case", LINES)
def test_a_malformed_request_line_is_a_400_and_nothing_is_executed(case: str) -> None:
    with place() as on:
        answer = raw(on, LINES[case] + header_lines(on) + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET /page HTTP/1.1\r\n\r\n",
        b"GET /page HTTP/1.1\r\nX-Host: x\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: x\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: x\r\nX-A: b\n\r\n",
        b"GET /page HTTP/1.1\nHost: x\n\n",
        b"POST /page HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_header_without_a_host_or_with_bare_line_feeds_is_a_400(head: bytes) -> None:
    with place() as on:
        answer = raw(on, head + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/socket.io/1/", 200),
        ("POST", "/socket.io/1/?jsonp=1", 200),
        ("OPTIONS", "/socket.io/1/", 200),
        ("GET", "/socket.io/2/", 400),
        ("GET", "/socket.io/1//nosuch/?disconnect", 200),
        ("GET", "/socket.io/1/xhr-polling/nosuch", 400),
        ("POST", "/socket.io/1/xhr-polling/nosuch", 400),
        ("POST", "/socket.io/1/nope/nosuch", 400),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_nobody_reads_is_not_taken_for_a_request(
    method: str, target: str, status: int, chunked: bool
) -> None:
    with place() as on:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(CANARY)}"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CANARY), CANARY) if chunked else CANARY
        head = f"{method} {target} HTTP/1.1\r\n".encode() + header_lines(on, length)
        answer = raw(on, head + body + CANARY)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []


BODIES = {
    "length": (["Content-Length: 5"], b"hello"),
    "chunks": (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n"),
    "nothing": ([], b""),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "upgrade",
    [["Connection: upgrade"], ["Upgrade: websocket"], ["Connection: Upgrade", "Upgrade: h2c"]],
)
@pytest.mark.parametrize("size", [5, None])
def test_a_wish_for_an_upgrade_does_not_make_the_next_request_part_of_the_body(
    upgrade: list[str], body: str, size: int | None
) -> None:
    seen = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["PATH_INFO"], environ["wsgi.input"].read(size)))
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    lines, data = BODIES[body]
    with place(app) as on, connected(on) as connection:
        head = b"POST /page HTTP/1.1\r\n" + header_lines(on, *upgrade, *lines)
        behind = b"GET /canary HTTP/1.1\r\nHost: x\r\nX: GET /hidden HTTP/1.1\r\n\r\n"
        connection.send_raw(head + data + behind)
        for _ in range(2):
            assert connection.read_answer().status == 200
    assert seen == [("/page", b"hello" if data else b""), ("/canary", b"")]


@pytest.mark.parametrize("option", ["close", "close\t", "Close, TE", "keep-alive ,close"])
def test_nothing_behind_a_request_that_closes_the_connection_is_executed(option: str) -> None:
    with place() as on:
        head = b"GET /page HTTP/1.1\r\n" + header_lines(on, f"Connection: {option}")
        assert raw(on, head + CANARY).count(b"HTTP/1.1 200") == 1
        assert on.site.visits.seen == [("GET", "/page")]


def test_one_empty_line_before_a_request_is_skipped_and_two_are_not() -> None:
    with place() as on:
        head = b"GET /page HTTP/1.1\r\n" + header_lines(on)
        assert raw(on, b"\r\n" + head + b"\r\n" + CANARY + b"\r\n\r\n").count(b" 200 OK") == 2
        assert raw(on, b"\r\n\r\n" + head).startswith(b"HTTP/1.1 400 ")
    assert on.site.visits.seen == [("GET", "/page"), ("GET", "/canary")]


def test_the_host_in_a_target_takes_the_place_of_the_host_in_the_header() -> None:
    seen = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"]))
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    with place(app) as on, connected(on) as connection:
        for target in ("http://real.example:81/page?a", "/page?a"):
            assert connection.request("GET", target).status == 200
        assert seen == [("/page", "a", "real.example:81"), ("/page", "a", on.host)]
        assert connection.request("GET", f"http://{on.host}/socket.io/1/?t=1").status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_breaks_off_is_no_failure_of_the_application(
    chunked: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with place() as on, connected(on) as connection:
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 9"
        head = b"POST /page HTTP/1.1\r\n" + header_lines(on, length)
        connection.send_raw(head + (b"9\r\n" if chunked else b"") + b"hello")
        connection.sock.shutdown(stdsocket.SHUT_WR)
        assert connection.read_answer().status == 400
        assert on.site.visits.seen == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("line", [b"5;a\nb\r\n", b"5;\r\n", b"5 \r\n"])
def test_a_chunk_that_could_be_read_in_two_ways_ends_the_connection(line: bytes) -> None:
    with place() as on:
        head = b"POST /page HTTP/1.1\r\n" + header_lines(on, "Transfer-Encoding: chunked")
        answer = raw(on, head + line + b"hello\r\n0\r\n\r\n" + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert on.site.visits.seen == []


def test_trailers_have_a_bound() -> None:
    with place() as on:
        head = b"POST /page HTTP/1.1\r\n" + header_lines(on, "Transfer-Encoding: chunked")
        answer = raw(on, head + b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n" + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    "trailer",
    [b"Content-Length: 5\r\n", b"Host: x\r\n", b"X A: b\r\n", b"\x00: b\r\n", b"X\r\n: b\r\n"],
)
def test_a_bad_trailer_ends_the_connection_before_the_next_request(trailer: bytes) -> None:
    with place() as on:
        url, _ = open_session(on)
        for target in (url, "/page"):
            head = f"POST {target} HTTP/1.1\r\n".encode()
            body = b"5\r\n3:::x\r\n0\r\n" + trailer + b"\r\n"
            answer = raw(on, head + header_lines(on, "Transfer-Encoding: chunked") + body + CANARY)
            assert answer.startswith(b"HTTP/1.1 400 ")
        assert ("GET", "/canary") not in on.site.visits.seen
        assert is_alive(on, url)
        assert on.site.record.seen == []


def test_a_header_that_is_too_large_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with place() as on:
        for lines in (
            ["X-A: " + "b" * 70_000],
            [f"X-{n}: {'b' * 1000}" for n in range(90)],
            [f"X-{n}: b" for n in range(101)],
            ["X: y"] * 10_000,
        ):
            answer = raw(on, b"GET /page HTTP/1.1\r\n" + header_lines(on, *lines) + CANARY)
            assert re.match(rb"HTTP/1.1 4\d\d ", answer)
            assert on.site.visits.seen == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "data",
    [
        b"GET /page\r\n\r\n",
        b"get /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /page HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"GET /page HTTP/1.1\nHost: x\nConnection: close\n\n",
        b"\r\n".join(
            [
                b"POST /page HTTP/1.1",
                b"Host: x",
                b"Connection: close",
                b"Content-Length: 3",
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ]
        ),
    ],
)
def test_without_strict_http_such_requests_are_left_to_pywsgi(data: bytes) -> None:
    with place(strict_http=False) as on:
        assert b"the page of /page got " in raw(on, data)
        assert [path for _, path in on.site.visits.seen] == ["/page"]
        assert handshake(on.server)
    with place() as on:
        assert raw(on, data).startswith(b"HTTP/1.1 400 ")


def test_without_strict_http_a_slow_header_is_a_408_still() -> None:
    with place(strict_http=False, header_timeout=0.1) as on, connected(on) as connection:
        connection.send_raw(b"GET / HTTP/1.1\r\n")
        assert connection.read_answer().status == 408
