"""What a line of the access log gives away, and what a client can write into it."""

from __future__ import annotations

import io
import logging
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from socketio.namespace import BaseNamespace
from tests.client import Connection, event, fetch, handshake, serving, wait_for
from tests.streams import ALL_CLIENTS, EVERY

LINE = re.compile(r'127\.0\.0\.1 - - \[[-: 0-9]{19}\] "(.*)" (\d{3}) (?:\d+|-) (?:[\d.]+|-)', re.A)
LONGEST = 1_100

Sink = tuple[dict[str, Any], Callable[[], str]]


def to_stream(_folder: Path) -> Sink:
    stream = io.StringIO()
    return {"log": stream}, stream.getvalue


def to_logger(_folder: Path) -> Sink:
    stream = io.StringIO()
    logger = logging.Logger("of.the.application")  # noqa: LOG001 - of this test alone
    logger.addHandler(logging.StreamHandler(stream))
    return {"log": logger}, stream.getvalue


def to_file(folder: Path) -> Sink:
    path = folder / "access.log"
    return {"log_file": str(path)}, lambda: path.read_text(encoding="utf-8")


SINKS = {"log= a stream": to_stream, "log= a logger": to_logger, "log_file=": to_file}


def lines_of(text: str) -> list[tuple[str, str]]:
    """Return request line and status of each line, all of which must be whole and printable."""
    found = []
    for line in text.rstrip("\n").split("\n"):
        assert line.isascii(), ascii(line)
        assert line.isprintable(), ascii(line)
        match = LINE.fullmatch(line)
        assert match, line
        found.append((match[1], match[2]))
    return found


def logged_of(data: bytes) -> list[tuple[str, str]]:
    """Send ``data`` on a connection of its own and return what is logged of it."""
    stream = io.StringIO()
    with serving({}, log=stream) as server:
        connection = Connection(server)
        connection.send_raw(data)
        connection.sock.shutdown(socket.SHUT_WR)
        connection.read_to_end()
        connection.close()
        wait_for(lambda: not server._connections)
    return lines_of(stream.getvalue())


# -- session ids -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("transport", EVERY)
def test_a_session_id_is_shortened_in_the_lines_of_every_transport(
    transport: str, sink: str, tmp_path: Path
) -> None:
    where, read = SINKS[sink](tmp_path)
    with serving({"": BaseNamespace}, **where) as server:
        client = ALL_CLIENTS[transport](server).open()
        client.send(event("nothing"))
        client.close()
        wait_for(lambda: not server._connections)
    named = [line for line, _ in lines_of(read()) if f"/1/{transport}/" in line]
    assert named
    for line in named:
        assert f"/1/{transport}/{client.sessid[:6]}..." in line
    assert client.sessid[:7] not in read()


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("end", ["/?disconnect=1", "?disconnect=1", "/?t=1&disconnect"])
def test_a_session_id_is_shortened_in_the_line_of_the_disconnect_url(
    end: str, sink: str, tmp_path: Path
) -> None:
    where, read = SINKS[sink](tmp_path)
    with serving({"": BaseNamespace}, **where) as server:
        sessid = handshake(server)
        fetch(server, "GET", f"/socket.io/1/xhr-polling/{sessid}{end}")
        wait_for(lambda: not server._connections)
    assert f"GET /socket.io/1/xhr-polling/{sessid[:6]}...{end} HTTP/1.1" in read()
    assert sessid[:7] not in read()


@pytest.mark.parametrize("shown", [6, 7, 20, 39])
def test_a_session_id_at_which_a_line_is_cut_is_not_shown_either(shown: int) -> None:
    head = "GET /?".ljust(1000 - shown - 1, "x") + "="
    ((logged, _),) = logged_of(f"{head}{'1234567890' * 4} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert "1234567" not in logged


def test_other_numbers_of_a_request_stay_as_they_are() -> None:
    target = f"/?t=1700000000000&short={'1' * 39}&long={'2' * 41}"
    assert logged_of(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()) == [
        (f"GET {target} HTTP/1.1", "200")
    ]


# -- what a client writes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        (b"GET /\r127.0.0.1 - - forged HTTP/1.1\r\n", r"GET /\r127.0.0.1 - - forged HTTP/1.1"),
        (b"GET /\x1b[2J\x1b[31m HTTP/1.1\r\n", r"GET /\x1b[2J\x1b[31m HTTP/1.1"),
        (b"GET /\n127.0.0.1 - - forged\r\n", "GET /"),
        (b"GET /\r\r\r\n", "GET /"),
        (b"GET /voil\xe0\x85\xff HTTP/1.1\r\n", r"GET /voil\xe0\x85\xff HTTP/1.1"),
        (b"GET /\x00\x07\x7f HTTP/1.1\r\n", r"GET /\x00\x07\x7f HTTP/1.1"),
        (rb"GET \x1b HTTP/1.1" + b"\r\n", r"GET \\x1b HTTP/1.1"),
    ],
    ids=ascii,
)
def test_a_refused_request_line_makes_one_line_that_is_escaped(line: bytes, logged: str) -> None:
    assert logged_of(line + b"Host: x\r\n\r\n") == [(logged, "400")]


@pytest.mark.parametrize("byte", [b"a", b"\r", b"\x1b", b"\xff", b"\\", b"'", b'"'], ids=ascii)
def test_a_long_request_line_is_cut(byte: bytes) -> None:
    ((logged, status),) = logged_of(b"GET /" + byte * 5000 + b"x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status in ("200", "400")
    assert len(logged) <= LONGEST


def test_a_refused_request_behind_a_good_one_is_logged_with_its_own_status() -> None:
    good = b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n"
    logged = logged_of(good + b"GET /\x1b HTTP/1.1\r\nHost: x\r\n\r\n")
    assert logged == [("GET /page HTTP/1.1", "200"), (r"GET /\x1b HTTP/1.1", "400")]


def test_a_header_that_comes_too_late_behind_a_good_request_is_logged_as_408() -> None:
    stream = io.StringIO()
    with serving({}, log=stream, header_timeout=0.1) as server:
        connection = Connection(server)
        assert connection.request("GET", "/page").status == 200
        connection.send_raw(b"GET /late HTTP/1.1\r\nHost: x\r\n")
        assert connection.read_answer().status == 408
        connection.close()
        wait_for(lambda: not server._connections)
    assert lines_of(stream.getvalue()) == [
        ("GET /page HTTP/1.1", "200"),
        ("GET /late HTTP/1.1", "408"),
    ]
