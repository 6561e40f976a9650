"""An answer in one piece."""

from __future__ import annotations

import pytest

from socketio.wire.answer import encode_headers, encode_status, join_answer

SECOND = 784111777
DATE = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")


def headers_of(*headers: tuple[str, str], connection: str | None = None) -> list[tuple[str, str]]:
    fields = encode_headers(headers, SECOND, connection)
    for field in fields:
        assert field.line == b"%b: %b\r\n" % field.pair
        assert field.key == field.pair[0].decode("latin-1").lower()
    pairs = [field.pair for field in fields]
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]


def test_an_answer_says_its_date_unless_it_has_one() -> None:
    assert headers_of(("A", "b")) == [("A", "b"), DATE]
    assert headers_of(("date", "today")) == [("date", "today")]


def test_an_answer_says_what_becomes_of_the_connection_unless_it_has_said_so() -> None:
    assert headers_of(connection="close") == [("Connection", "close"), DATE]
    given = ("connection", "keep-alive")
    assert headers_of(given, connection="close") == [given, DATE]


def test_the_date_is_that_of_each_second() -> None:
    dates = [encode_headers([], SECOND + more, None)[0].line for more in (0, 1, 0)]
    assert dates[0] == dates[2] == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    assert dates[1] == b"Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\nX: y"])
def test_a_line_end_gets_into_no_header_and_no_status(end: str) -> None:
    for _ in range(2):  # nor when it was refused before
        with pytest.raises(ValueError, match="line end"):
            encode_headers([("A", f"b{end}")], SECOND, None)
        with pytest.raises(ValueError, match="line end"):
            encode_headers([(f"A{end}", "b")], SECOND, None)
        with pytest.raises(ValueError, match="line end"):
            encode_status(f"200 OK{end}")


def test_what_is_no_latin_1_is_refused() -> None:
    with pytest.raises(UnicodeError):
        encode_headers([("A", "\u2603")], SECOND, None)
    with pytest.raises(UnicodeError):
        encode_status("200 \u2603")


def test_a_status_has_its_number() -> None:
    status = encode_status("404 Not Found")
    assert (status.code, status.encoded) == (404, b"404 Not Found")
    with pytest.raises(ValueError, match="invalid literal"):
        encode_status("Not Found")


def test_the_pieces_make_an_answer() -> None:
    fields = encode_headers([("A", "\xe9")], SECOND, None)
    assert join_answer(encode_status("200 OK"), fields, b"body") == (
        b"HTTP/1.1 200 OK\r\nA: \xe9\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbody"
    )
