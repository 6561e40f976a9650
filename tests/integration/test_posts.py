"""What a post may hold, and what is left when one is cut off (protocol sections 6, 8.2)."""

from __future__ import annotations

import contextlib
import socket as stdsocket

import gevent
import pytest

from socketio.wire.payload import encode_payload
from tests.client import Connection, event, wait_for
from tests.integration.httpplace import (
    connected,
    header_lines,
    is_alive,
    open_session,
    place,
    read_to_end,
    reset_on_close,
    send_chunked,
)


def test_the_answer_to_a_post_has_the_headers_of_the_reference_server() -> None:
    with place() as on:
        url, _ = open_session(on)
        answer = on.fetch("POST", url, b"3:::x")
        assert answer.body == b"1"
        assert answer.headers.pop("date")
        assert answer.headers == {
            "content-type": "text/plain; charset=UTF-8",
            "content-length": "1",
        }


@pytest.mark.parametrize(
    "messages",
    [
        ["3:::one line\nand another\r\nand a third\n"],
        ["3:::\n"],
        ["3:::a\nb", "3:::\r", "3:::c"],
        ["3:::\u2603 \U0001f600\U0001f600", "3:::\ufffd5\ufffd3:::x", "3:::e\u0301"],
        ["3:::\u2028\u2029\x00\x1f\x7f\ufeff", "3:::\uffff"],
        ["3:::" + "x" * 100_000],
        [f"3:::{number}" for number in range(1000)],
    ],
    ids=lambda messages: ascii(messages[0][:20]) + f"x{len(messages)}",
)
@pytest.mark.parametrize("chunked", [False, True])
def test_every_packet_of_a_post_arrives_whole_and_in_order(
    messages: list[str], chunked: bool
) -> None:
    with place() as on:
        url, _ = open_session(on)
        body = encode_payload(messages).encode()
        if chunked:
            with connected(on) as connection:
                send_chunked(on, connection, url, [body[at : at + 7] for at in range(0, 70, 7)])
                if rest := body[70:]:
                    connection.send_raw(b"%x\r\n%b\r\n" % (len(rest), rest))
                connection.send_raw(b"0\r\n\r\n")
                assert connection.read_answer().text == "1"
        else:
            assert on.fetch("POST", url, body).text == "1"
        wait_for(lambda: len(on.site.record.seen) == len(messages))
        assert on.site.record.seen == [text[4:] for text in messages]


def test_chunks_with_extensions_and_trailers_are_read() -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            send_chunked(on, connection, url, [])
            connection.send_raw(b'5;name="value"\r\n3:::x\r\n0\r\nX-Trailer: y\r\n\r\n')
            assert connection.read_answer().text == "1"
            assert connection.request("POST", url, b"3:::y").text == "1"
        wait_for(lambda: on.site.record.seen == ["x", "y"])


MALFORMED = [
    b"",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbd\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd-4\xef\xbf\xbd",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd-5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd6\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd4\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::xjunk",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x ",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd5",
    b"\xef\xbf\xbd5 \xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd+5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd0_5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd0x5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5.0\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd\xd9\xa5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd99999999999999999999\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd" + b"9" * 10_000 + b"\xef\xbf\xbd3:::x",
    # Lengths in code points, as gevent-socketio counts them.
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::\xf0\x9f\x98\x80\xef\xbf\xbd5\xef\xbf\xbd3:::b",
    # Invalid UTF-8: alone, in a good payload, cut short, over-long, a surrogate.
    b"3:::\xff",
    b"3:::x\x80",
    b"3:::\xe2\x98",
    b"3:::\xc0\xaf",
    b"3:::\xed\xa0\x80",
    b"3:::\xf4\x90\x80\x80",
    b"\xff\xfe3\x00:\x00",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd5\xef\xbf\xbd3:::\xff",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: ascii(body[:40]))
def test_a_malformed_payload_is_refused_whole_and_the_session_goes_on(body: bytes) -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            answer = connection.request("POST", url, body)
            assert answer.status == 400
            assert answer.text
            assert connection.request("POST", url, b"3:::next").text == "1"
        wait_for(lambda: on.site.record.seen)
        assert on.site.record.seen == ["next"]
        assert is_alive(on, url)


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_have_the_limit_and_not_a_byte_more(chunked: bool, over: int) -> None:
    with place(max_body_size=1000) as on:
        url, _ = open_session(on)
        body = b"3:::" + b"x" * (996 + over)
        with connected(on) as connection:
            if chunked:
                send_chunked(on, connection, url, [body])
                connection.send_raw(b"0\r\n\r\n")
            else:
                connection.start("POST", url, body)
            answer = connection.read_answer()
            if over:
                assert answer.status == 413
                assert "1000 bytes" in answer.text
                assert answer.headers["connection"] == "close"
                assert read_to_end(connection) == b""
            else:
                assert (answer.status, answer.text) == (200, "1")
        assert is_alive(on, url)
        assert on.site.record.seen == ([] if over else ["x" * 996])


def test_the_default_limit_of_a_body_is_a_million_bytes() -> None:
    with place() as on:
        url, _ = open_session(on)
        assert on.fetch("POST", url, b"3:::" + b"x" * 999_996).text == "1"
        with connected(on) as connection:
            connection.start("POST", url, b"")
            connection.read_answer()
            connection.send_raw(
                f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, "Content-Length: 1000001")
            )
            assert connection.read_answer().status == 413


@pytest.mark.parametrize("length", [1_000_001, 10**9, 10**17])
@pytest.mark.parametrize("expect", [False, True])
def test_a_body_that_is_declared_too_large_is_refused_before_it_comes(
    length: int, expect: bool
) -> None:
    with place() as on:
        url, _ = open_session(on)
        lines = [f"Content-Length: {length}", *(["Expect: 100-continue"] if expect else [])]
        with connected(on) as connection:
            connection.send_raw(f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, *lines))
            assert connection.read_answer().status == 413  # and no 100 before it
            connection.sock.shutdown(stdsocket.SHUT_WR)
            assert read_to_end(connection) == b""
        assert is_alive(on, url)


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            lines = header_lines(on, "Content-Length: 5", "Expect: 100-continue")
            connection.send_raw(f"POST {url} HTTP/1.1\r\n".encode() + lines)
            go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
            assert connection.sock.recv(len(go_on)) == go_on
            connection.send_raw(b"3:::x")
            assert connection.read_answer().text == "1"


def test_a_body_without_an_end_is_refused_at_the_limit() -> None:
    with place(max_body_size=100_000) as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            send_chunked(on, connection, url, [])
            chunk = b"%x\r\n%b\r\n" % (1000, b"x" * 1000)
            sender = gevent.spawn(send_until_refused, connection, chunk)
            assert connection.read_answer().status == 413
            sender.kill()
        assert is_alive(on, url)


def send_until_refused(connection: Connection, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.send_raw(data)
            gevent.sleep(0)


@pytest.mark.parametrize("over", [0, 1])
def test_a_payload_may_have_the_limit_of_packets_and_not_one_more(over: int) -> None:
    with place() as on:
        url, _ = open_session(on)
        messages = [f"3:::{number}" for number in range(1000 + over)]
        answer = on.fetch("POST", url, encode_payload(messages).encode())
        assert answer.status == (400 if over else 200)
        assert is_alive(on, url)
        assert len(on.site.record.seen) == (0 if over else 1000)


@pytest.mark.parametrize(
    "garbage", [b"zz\r\n", b"-5\r\n3:::x\r\n", b"5\r\n3:::xx\r\n", b"\r\n", b"f" * 17, b"5\n"]
)
def test_bad_chunks_are_refused_and_nothing_of_them_is_applied(garbage: bytes) -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            send_chunked(on, connection, url, [])
            connection.send_raw(garbage)
            connection.sock.shutdown(stdsocket.SHUT_WR)
            assert connection.read_answer().status == 400
            assert read_to_end(connection) == b""
        assert is_alive(on, url)
        assert on.site.record.seen == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_vanishes_in_its_post_leaves_no_packet_and_no_traceback(
    chunked: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with place() as on:
        url, socket = open_session(on)
        hits = socket.hits
        with connected(on) as connection:
            length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100"
            head = f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, length)
            connection.send_raw(head + (b"64\r\n" if chunked else b"") + b"3:::part")
            wait_for(lambda: socket.hits > hits)
        wait_for(lambda: not on.server._connections)
        assert is_alive(on, url)
        assert on.site.record.seen == []
    assert "Traceback" not in "".join(capfd.readouterr())


POST_BODY = encode_payload(["3:::one", "3:::\u2603"]).encode()


EXCHANGES = {
    "a poll": ("GET", [], b""),
    "a post": ("POST", [f"Content-Length: {len(POST_BODY)}"], POST_BODY),
    "a post in chunks": (
        "POST",
        ["Transfer-Encoding: chunked"],
        b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (POST_BODY[:5], len(POST_BODY) - 5, POST_BODY[5:]),
    ),
}


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_request_cut_off_at_any_byte_does_nothing_and_leaves_no_traceback(
    exchange: str, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with place() as on:
        url, socket = open_session(on)
        method, lines, body = EXCHANGES[exchange]
        whole = f"{method} {url} HTTP/1.1\r\n".encode() + header_lines(on, *lines) + body
        hits = socket.hits
        for length in range(len(whole)):
            with connected(on) as connection:
                connection.send_raw(whole[:length])
                if how == "RST":
                    gevent.sleep(0)  # what was sent goes out, or the reset takes it back
                    reset_on_close(connection)
        wait_for(lambda: not on.server._connections)
        assert on.site.record.seen == []
        assert (socket.hits > hits) == (method == "POST")  # some came up to the body
        assert is_alive(on, url)
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("case", ["refused", "taken", "held", "the application's"])
def test_a_client_that_resets_its_connection_behind_a_request_leaves_no_traceback(
    case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with place(polling_duration=0.05) as on:
        url, _ = open_session(on)
        target = {"refused": "/socket.io/1/nope/x", "the application's": "/page"}.get(case, url)
        for _ in range(20):
            with connected(on) as connection:
                body = b"" if case == "held" else b"3:::x" * 1000
                connection.start("GET" if case == "held" else "POST", target, body)
                reset_on_close(connection)
            gevent.sleep(0)
        wait_for(lambda: not on.server._connections)
        assert is_alive(on, url)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_many_posts_at_once_are_all_handled_once_and_each_connection_keeps_its_order() -> None:
    with place() as on:
        url, _ = open_session(on)

        def post(number: int) -> None:
            with connected(on) as connection:
                for part in range(10):
                    assert (
                        connection.request("POST", url, f"3:::{number}.{part}".encode()).text == "1"
                    )

        gevent.joinall([gevent.spawn(post, number) for number in range(10)], raise_error=True)
        wait_for(lambda: len(on.site.record.seen) == 100)
        for number in range(10):
            own = [text for text in on.site.record.seen if text.startswith(f"{number}.")]
            assert own == [f"{number}.{part}" for part in range(10)]


def test_posts_of_a_session_with_too_much_to_do_wait_and_are_then_told_to_come_later() -> None:
    with place(max_inbound_packets=2, body_timeout=0.2) as on:
        url, _ = open_session(on)
        on.fetch("POST", url, event("hold").encode())
        wait_for(lambda: on.site.record.seen == ["held"])
        assert on.fetch("POST", url, encode_payload(["3:::one", "3:::two"]).encode()).text == "1"
        refused = on.fetch("POST", url, b"3:::three")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        on.site.gate.set()
        assert on.fetch("POST", url, b"3:::four").text == "1"
        wait_for(lambda: on.site.record.seen == ["held", "one", "two", "four"])
