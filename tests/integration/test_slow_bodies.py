"""Bodies of the application's own requests that pause, or are not read at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import bottle
import pytest

from tests.client import Recorder, fetch, serving, wait_for
from tests.integration.bodies import (
    READERS,
    SHORT,
    counted,
    posting,
    reading,
    refused,
    watch_tracebacks,
)


@pytest.fixture
def tracebacks(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return watch_tracebacks(monkeypatch)


# -- a body that pauses ----------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("start", [b"", b"one\ntw"])
def test_a_body_that_pauses_is_a_408_and_ends_the_connection(
    reader: str, start: bytes, tracebacks: Recorder
) -> None:
    with serving(reading(READERS[reader]), **SHORT) as server:
        with posting(server, "Content-Length: 100", body=start) as connection:
            assert refused(connection)
        assert counted(server)
        assert tracebacks.seen == []
        assert fetch(server, "POST", "/page", b"whole").body == b"whole"


CHUNKED = {
    "before the first chunk": b"",
    "in a length": b"1",
    "in an extension": b"5;name=",
    "in a chunk": b"5\r\non",
    "behind a chunk": b"5\r\none\r\n",
    "between two chunks": b"5\r\none\r\n\r\n",
    "before the last line": b"3\r\none\r\n0\r\n",
    "in a trailer": b"3\r\none\r\n0\r\nX-A: ",
}


@pytest.mark.parametrize("reader", ["read", "readline"])
@pytest.mark.parametrize("place", CHUNKED)
def test_a_chunked_body_may_pause_nowhere(place: str, reader: str, tracebacks: Recorder) -> None:
    with serving(reading(READERS[reader]), **SHORT) as server:
        with posting(server, "Transfer-Encoding: chunked", body=CHUNKED[place]) as connection:
            assert refused(connection)
        assert counted(server)
        assert tracebacks.seen == []


def test_an_application_that_handles_the_pause_gives_its_own_answer_and_the_connection_ends(
    tracebacks: Recorder,
) -> None:
    caught = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as exc:
            caught(str(exc))
        start_response("422 Unprocessable Content", [("Content-Length", "5")])
        return [b"sorry"]

    with serving(app, **SHORT) as server:
        with posting(server, "Content-Length: 100", body=b"one") as connection:
            answer = connection.read_answer()
            assert (answer.status, answer.text) == (422, "sorry")
            assert connection.read_to_end() == b""
        assert counted(server)
        assert caught.seen == ["the client did not send its body in time"]
        assert tracebacks.seen == []


def make_bottle() -> Any:
    app = bottle.Bottle()

    @app.post("/page")
    def page() -> bytes:
        data: bytes = bottle.request.body.read()
        return data

    return app


def test_a_framework_answers_as_it_does_to_a_connection_that_fails() -> None:
    with serving(make_bottle(), **SHORT) as server:
        with posting(server, "Content-Length: 100", body=b"one") as connection:
            assert connection.read_answer().status in (400, 408, 500)
            assert connection.read_to_end() == b""
        assert counted(server)
        assert fetch(server, "POST", "/page", b"whole").body == b"whole"


def answering_early(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """An application that begins its answer before it reads the body."""
    start_response("200 OK", [])
    yield b"the beginning"
    yield environ["wsgi.input"].read()


def test_an_answer_that_was_begun_is_broken_off_where_the_body_pauses() -> None:
    with serving(answering_early, **SHORT) as server:
        with posting(server, "Content-Length: 100", body=b"one") as connection:
            answer = connection.read_to_end()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"d\r\nthe beginning\r\n")  # without a last chunk
        assert counted(server)


def test_a_pause_behind_the_beginning_of_an_answer_is_no_traceback(tracebacks: Recorder) -> None:
    with serving(answering_early, **SHORT) as server:
        with posting(server, "Content-Length: 100", body=b"one") as connection:
            connection.read_to_end()
        assert counted(server)
        assert tracebacks.seen == []


UNREAD = [("Content-Length: 100", b"one"), ("Transfer-Encoding: chunked", b"64\r\none")]


def not_reading(visits: Recorder) -> Any:
    """Return an application that answers without a look at the body."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        visits(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    return app


@pytest.mark.parametrize(("lines", "start"), UNREAD)
def test_what_comes_behind_a_pause_in_an_unread_body_is_no_second_request(
    lines: str, start: bytes, tracebacks: Recorder
) -> None:
    # Who waits the pause out must not be able to have the rest of the body taken for a request.
    visits = Recorder()
    with serving(not_reading(visits), **SHORT) as server:
        with posting(server, lines, body=start) as connection:
            assert connection.read_answer().text == "ok"
            assert connection.sock.recv(1) == b""
            with contextlib.suppress(OSError):
                connection.send_raw(b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
                connection.read_to_end()
        wait_for(lambda: not server._connections)
        assert visits.seen == ["/page"]
        assert tracebacks.seen == []


@pytest.mark.parametrize(("lines", "start"), UNREAD)
def test_a_pause_in_a_body_that_the_application_does_not_read_is_counted(
    lines: str, start: bytes
) -> None:
    with serving(not_reading(Recorder()), **SHORT) as server:
        with posting(server, lines, body=start) as connection:
            assert connection.read_answer().text == "ok"
            assert connection.sock.recv(1) == b""
        assert counted(server)
