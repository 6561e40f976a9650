"""Requests that come slowly or are refused before they are whole (reliability design)."""

from __future__ import annotations

import contextlib
import socket as stdsocket
from typing import Any

import gevent
import pytest

from tests.client import Connection, fetch, serving, wait_for
from tests.integration.httpplace import (
    connected,
    header_lines,
    is_alive,
    open_session,
    place,
    read_to_end,
    send_chunked,
)

# -- time (decision 9) -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        b"G",
        b"GET / HT",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: aaa",
        b"POST /socket.io/1/ HTTP/1.1\r\nHost: x\r\n",
    ],
)
@pytest.mark.parametrize("trickle", [False, True])
def test_a_header_that_does_not_come_in_time_is_a_408(start: bytes, trickle: bool) -> None:
    with place(header_timeout=0.2) as on, connected(on) as connection:
        connection.send_raw(start)
        sender = gevent.spawn(send_slowly, connection) if trickle else None
        answer = connection.read_answer()
        assert answer.status == 408
        assert answer.headers["connection"] == "close"
        if sender is not None:
            sender.kill()
        assert on.site.visits.seen == []


def send_slowly(connection: Connection) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.send_raw(b"a")
            gevent.sleep(0.01)


def test_a_slow_header_behind_a_good_request_is_a_408_too() -> None:
    with place(header_timeout=0.2) as on, connected(on) as connection:
        assert connection.request("GET", "/page").status == 200
        connection.send_raw(b"GET /pa")
        assert connection.read_answer().status == 408
        assert read_to_end(connection) == b""


def test_the_time_between_two_requests_does_not_count() -> None:
    with place(header_timeout=0.1) as on, connected(on) as idle, connected(on) as slow:
        assert idle.request("GET", "/page").status == 200
        slow.send_raw(b"G")
        assert slow.read_answer().status == 408
        assert idle.request("GET", "/page").status == 200


def test_the_time_of_the_application_does_not_count() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        gevent.sleep(0.15)
        start_response("200 OK", [])
        return [b"slow page"]

    with serving(app, header_timeout=0.05, body_timeout=0.05) as server:
        assert fetch(server, "GET", "/").text == "slow page"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("trickle", [False, True])
def test_a_body_that_does_not_come_in_time_is_a_408_and_the_session_goes_on(
    chunked: bool, trickle: bool
) -> None:
    with place(body_timeout=0.2) as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            if chunked:
                send_chunked(on, connection, url, [b"3:::x"])
                connection.send_raw(b"fffff\r\n")
            else:
                connection.send_raw(
                    f"POST {url} HTTP/1.1\r\n".encode()
                    + header_lines(on, "Content-Length: 100000")
                    + b"3:::x"
                )
            sender = gevent.spawn(send_slowly, connection) if trickle else None
            answer = connection.read_answer()
            assert answer.status == 408
            assert answer.headers["connection"] == "close"
            if sender is not None:
                sender.kill()
        assert is_alive(on, url)
        assert on.site.record.seen == []


def test_a_client_that_does_not_read_its_poll_is_given_up_at_the_write_timeout() -> None:
    # F17; the packets may be kept for the next poll or end the session, but hold nothing.
    with place(write_timeout=0.2, linger_timeout=0.2, max_outbound_size=8_000_000) as on:
        url, socket = open_session(on)
        for _ in range(7):
            socket.put_client_msg("3:::" + "x" * 1_100_000)
        with connected(on) as connection:
            connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
            connection.start("GET", url)
            wait_for(lambda: socket.transport)
            wait_for(lambda: not on.server._connections, "the connection is given up")


# -- refusals while the body is still coming (decision 7, F2) --------------------------------------


REFUSED = {
    "unknown session": ("POST", "/socket.io/1/xhr-polling/nosuch", {}, 400),
    "unknown transport": ("POST", "/socket.io/1/nope/SID", {}, 400),
    "other version": ("POST", "/socket.io/2/", {}, 400),
    "method of a session": ("PUT", "/socket.io/1/xhr-polling/SID", {}, 405),
    "method of a handshake": ("PUT", "/socket.io/1/", {}, 405),
    "method of a disconnect": ("PUT", "/socket.io/1//SID?disconnect", {}, 405),
    "origin of a handshake": ("POST", "/socket.io/1/", {"Origin": "http://evil.example"}, 403),
    "origin of a post": (
        "POST",
        "/socket.io/1/xhr-polling/SID",
        {"Origin": "http://evil.example"},
        403,
    ),
    "too large": ("POST", "/socket.io/1/xhr-polling/SID", {}, 413),
    "no upgrade": ("POST", "/socket.io/1/websocket/SID", {}, 400),
    "ambiguous": ("POST", "/page", {"X-A": "b\r\n folded"}, 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_does_not_wait_for_the_body_and_ends_the_connection(case: str) -> None:
    method, target, headers, status = REFUSED[case]
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            lines = header_lines(
                on,
                "Content-Length: 10000000",
                *(f"{name}: {value}" for name, value in headers.items()),
            )
            line = f"{method} {target.replace('SID', socket.sessid)} HTTP/1.1\r\n"
            connection.send_raw(line.encode() + lines + b"the beginning")
            assert connection.read_answer().status == status
            assert read_to_end(connection) == b""
        wait_for(lambda: not on.server._connections)
        assert is_alive(on, url)


@pytest.mark.parametrize("case", REFUSED)
def test_a_client_that_sends_its_whole_body_reads_the_refusal_without_a_reset(case: str) -> None:
    method, target, headers, status = REFUSED[case]
    with place(max_body_size=100_000) as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            body = b"x" * 200_000
            connection.start(method, target.replace("SID", socket.sessid), body, headers)
            assert connection.read_answer().status == status
            assert read_to_end(connection) == b""
        assert is_alive(on, url)


def test_a_body_that_nobody_reads_does_not_hold_the_answer_to_a_poll() -> None:
    with place() as on:
        url, _ = on.new_session()
        with connected(on) as connection:
            lines = header_lines(on, "Content-Length: 10000000")
            connection.send_raw(f"GET {url} HTTP/1.1\r\n".encode() + lines + b"the beginning")
            assert connection.read_answer().text == "1::"
            assert read_to_end(connection) == b""
