"""Several requests on one connection (F63 of the reliability design)."""

from __future__ import annotations

import pytest

from tests.client import event, wait_for
from tests.integration.httpplace import connected, header_lines, open_session, place, read_to_end


def test_fifty_handshakes_in_one_write_are_answered_in_order() -> None:
    with place() as on, connected(on) as connection:
        lines = b"".join(
            f"GET /socket.io/1/?jsonp={number} HTTP/1.1\r\n".encode() + header_lines(on)
            for number in range(50)
        )
        connection.send_raw(lines)
        answers = [connection.read_answer().text for _ in range(50)]
        assert [answer.split("(")[0] for answer in answers] == [f"io.j[{n}]" for n in range(50)]
        assert len(on.server.sockets) == 50


def test_requests_of_all_kinds_in_one_write_are_answered_in_order() -> None:
    with place() as on, connected(on) as connection:
        url, _ = on.new_session()

        def request(method: str, target: str, body: bytes = b"") -> bytes:
            length = [f"Content-Length: {len(body)}"] if body else []
            return f"{method} {target} HTTP/1.1\r\n".encode() + header_lines(on, *length) + body

        connection.send_raw(
            request("GET", url)
            + request("GET", "/one")
            + request("POST", url, b"3:::first")
            + request("POST", "/two", b"GET /three HTTP/1.1\r\n")
            + request("POST", url, event("echo", 1, msgid="5+").encode())
            + request("GET", url)
            + request("PUT", url)
            + request("OPTIONS", url)
            + request("POST", url, b"3:::last")
            + request("GET", "/socket.io/1//none/?disconnect=1")
            + request("GET", "/four")
        )
        answers = [connection.read_answer() for _ in range(11)]
        assert [(answer.status, answer.text) for answer in answers] == [
            (200, "1::"),
            (200, "the page of /one got "),
            (200, "1"),
            (200, "the page of /two got GET /three HTTP/1.1\r\n"),
            (200, "1"),
            (200, "6:::5+[1]"),
            (405, "use GET, POST or OPTIONS"),
            (200, ""),
            (200, "1"),
            (200, ""),
            (200, "the page of /four got "),
        ]
        wait_for(lambda: on.site.record.seen == ["first", "last"])


def test_a_poll_that_waits_holds_only_its_own_connection() -> None:
    with place() as on, connected(on) as first, connected(on) as second:
        url, socket = open_session(on)
        first.send_raw(
            f"GET {url} HTTP/1.1\r\n".encode()
            + header_lines(on)
            + b"GET /behind HTTP/1.1\r\n"
            + header_lines(on)
        )
        wait_for(lambda: socket.transport)
        assert second.request("GET", "/beside").status == 200
        socket.put_client_msg("3:::x")
        assert first.read_answer().text == "3:::x"
        assert first.read_answer().text == "the page of /behind got "
        assert on.site.visits.seen == [("GET", "/beside"), ("GET", "/behind")]


@pytest.mark.parametrize("target", ["/socket.io/1/", "/page", "POLL", "POST"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_connection_stays_open_or_ends_as_the_client_asks(target: str, version: str) -> None:
    with place() as on:
        url, _ = open_session(on)
        method = "POST" if target == "POST" else "GET"
        target = target if target.startswith("/") else url
        lines = [] if version == "1.0" else ["Connection: close"]
        if method == "GET" and target == url:
            on.server.sockets[url.split("/")[-1]].put_client_msg("3:::x")
        if method == "POST":
            lines.append("Content-Length: 5")
        body = b"3:::x" if method == "POST" else b""
        head = f"{method} {target} HTTP/{version}\r\n".encode() + header_lines(on, *lines)
        with connected(on) as connection:
            connection.send_raw(head + body)
            assert connection.read_answer().status == 200
            assert read_to_end(connection) == b""
