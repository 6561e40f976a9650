"""The header of a request in its light form, and what of it a WSGI environment has."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.wire.headers import (
    Headers,
    add_headers,
    read_block,
    read_headers,
    wants_close,
)
from socketio.wire.httpcheck import find_header_fault

SAMPLE = [("Host", "h"), ("Cookie", "a=1"), ("X-Mine", "one"), ("cookie", "b=2")]


def block(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


# -- found by name ---------------------------------------------------------------------------------


def test_a_header_is_found_in_any_case() -> None:
    headers = Headers(list(SAMPLE))
    assert headers["HOST"] == headers.get("host") == headers.getheader("hOST") == "h"
    assert "x-mine" in headers
    assert "y" not in headers
    assert 5 not in headers
    assert headers["y"] is headers.get("y") is None
    assert headers.get("y", "none") == "none"


def test_of_two_lines_the_first_counts_and_both_are_there() -> None:
    headers = Headers(list(SAMPLE))
    assert headers["Cookie"] == "a=1"
    assert headers.get_all("Cookie") == ["a=1", "b=2"]
    assert headers.get_all("y") is None
    assert headers.get_all("y", []) == []


def test_lines_keep_their_order_and_their_case() -> None:
    headers = Headers(list(SAMPLE))
    assert headers.items() == SAMPLE
    assert headers.keys() == list(headers) == [name for name, _ in SAMPLE]
    assert headers.values() == [value for _, value in SAMPLE]
    assert len(headers) == 4
    assert next(iter(headers.headers)) == "Host: h\r\n"
    assert (headers.typeheader, headers.status) == (None, "")


def test_a_line_may_be_added_and_taken_away_and_a_copy_is_another() -> None:
    headers = Headers(list(SAMPLE))
    other = headers.copy()
    other["Content-Type"] = "text/css"
    del other["COOKIE"]
    del other["y"]
    assert other.typeheader == "text/css"
    assert other.items() == [*SAMPLE[:1], SAMPLE[2], ("Content-Type", "text/css")]
    assert "cookie" not in other
    assert headers.items() == SAMPLE
    assert headers["cookie"] == "a=1"


# -- read ------------------------------------------------------------------------------------------


def test_values_lose_the_blanks_around_them_and_no_other_character() -> None:
    read = read_headers(block("Host: h", "A:\t b c\t", "B:", "C: \xa0\x85"), "HTTP/1.1")
    assert read.items() == [("Host", "h"), ("A", "b c"), ("B", ""), ("C", "\xa0\x85")]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["A : b", "Host: h"], "malformed header name"),
        (["Host: h", "A"], "header line without a colon"),
        (["Host: h", "A: \x0b"], "control character in a header value"),
        (["A: b"], "no Host"),
        (["Host: h", "host: h"], "more than one Host"),
        (["Host: h", "Content-Length: +5"], "malformed Content-Length"),
        (["Host: h", "Transfer-Encoding: gzip"], "Transfer-Encoding other than chunked"),
        (["Host: h", *(f"X-{n}: 1" for n in range(100))], "too many headers"),
    ],
)
def test_a_header_that_could_be_read_differently_is_refused(lines: list[str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_headers(block(*lines), "HTTP/1.1")


names = st.sampled_from(
    ["Host", "host", "Content-Length", "Transfer-Encoding", "X-A", "X A", "", "x_a", "Content-Type"]
)
values = st.one_of(
    st.sampled_from(["5", "+5", "chunked", "h", "h:80", " 5\t", "h h"]),
    st.text(st.characters(max_codepoint=255), max_size=6),
)
ends = st.sampled_from(["\r\n"] * 15 + ["\n", "\r", "\r\r\n"])


@given(
    st.lists(st.tuples(names, st.sampled_from([": ", ":", " : ", ""]), values, ends), max_size=5),
    st.sampled_from(["HTTP/1.1", "HTTP/1.0"]),
)
def test_it_lets_through_what_the_check_of_each_line_does(
    lines: list[tuple[str, str, str, str]], version: str
) -> None:
    text = "".join(map("".join, lines))
    data = text.encode("latin-1") + b"\r\n"
    # As it is read from a connection: up to the first empty line.
    data = data if data.startswith(b"\r\n") else data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    data = b"\r\n" if data.startswith(b"\r\n") else data
    fault = find_header_fault(data, version)
    if fault is not None:
        with pytest.raises(ValueError, match=re.escape(fault)):
            read_headers(data, version)
        return
    read = read_headers(data, version).items()
    split = [line.decode("latin-1").partition(":") for line in data.split(b"\r\n")[:-2]]
    assert read == [(name, value.strip(" \t")) for name, _, value in split]


# -- from a connection -----------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [b"", b"x", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_block_that_is_there_is_taken_in_one_piece(behind: bytes) -> None:
    rfile = io.BufferedReader(io.BytesIO(b"line\r\n" + block("A: b") + behind))
    assert rfile.readline() == b"line\r\n"
    assert read_block(rfile) == (block("A: b"), len(behind))
    assert rfile.read() == behind


@pytest.mark.parametrize("wrap", [io.BufferedReader, lambda raw: raw], ids=["buffered", "plain"])
def test_a_block_without_a_header_is_its_empty_line(wrap: Any) -> None:
    rfile = wrap(io.BytesIO(b"\r\nbody\r\n\r\n"))
    assert read_block(rfile) == (b"\r\n", -1)
    assert rfile.read() == b"body\r\n\r\n"


def test_a_block_of_which_a_part_is_there_is_read_line_by_line() -> None:
    lines = block("A: " + "b" * 9000, "C: d")
    rfile = io.BufferedReader(io.BytesIO(lines + b"x"))
    assert read_block(rfile) == (lines, -1)
    assert rfile.read() == b"x"


@pytest.mark.parametrize(
    "data", [b"A: " + b"b" * 70_000, b"A: b\r\n" * 11_000], ids=["line", "lines"]
)
def test_a_block_is_only_so_large(data: bytes) -> None:
    with pytest.raises(ValueError, match="header too large"):
        read_block(io.BufferedReader(io.BytesIO(data)))


# -- what it means ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([], (False, True)),
        (["keep-alive"], (False, False)),
        (["Keep-Alive"], (False, False)),
        (["close"], (True, True)),
        (["CLOSE"], (True, True)),
        (["keep-alive, close"], (True, True)),
        (["keep-alive", "\tclose"], (True, True)),
        (["closed"], (False, True)),
        (["Upgrade"], (False, True)),
        ([""], (False, True)),
    ],
)
def test_who_keeps_the_connection(values: list[str], ends: tuple[bool, bool]) -> None:
    headers = Headers([("Connection", value) for value in values])
    assert (wants_close(headers, "HTTP/1.1"), wants_close(headers, "HTTP/1.0")) == ends


def test_an_environment_has_the_headers_as_pywsgi_puts_them() -> None:
    environ: dict[str, Any] = {"HTTP_X_GIVEN": "by the server"}
    lines = [
        *[("Host", "h"), ("content-TYPE", "a/b\xa0"), ("Content-Length", "5")],
        *[("X-Given", "too"), ("Cookie", "a=1"), ("COOKIE", "b=2"), ("Accept", "x")],
        *[("accept", "y"), ("X_Accept", "forged"), ("X-Blank", "\xa0z\x85")],
    ]
    add_headers(environ, Headers(lines))
    assert environ == {
        "HTTP_HOST": "h",
        "CONTENT_TYPE": "a/b\xa0",
        "CONTENT_LENGTH": "5",
        "HTTP_X_GIVEN": "by the server,too",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_ACCEPT": "x,y",
        "HTTP_X_BLANK": "z",
    }


# -- work that grows with the length only ---------------------------------------------------------

MILLION = 1_000_000


@pytest.mark.parametrize(
    "line",
    [
        "a" * MILLION,  # no colon
        "a:" * MILLION,
        "a" * MILLION + ":\x00",
        "a:" * MILLION + "\x00",
        " " * MILLION,
        "a: b\n" * MILLION,
    ],
    ids=["no colon", "colons", "name and NUL", "colons and NUL", "spaces", "line feeds"],
)
def test_a_long_line_that_is_none_is_looked_at_once(line: str) -> None:
    try:
        headers = read_headers(block("Host: h", line), "HTTP/1.1")
    except ValueError:
        return
    assert len(headers) == 2
