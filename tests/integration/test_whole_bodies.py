"""Bodies of the application's own requests that come, however slowly, and clients that leave."""

from __future__ import annotations

import gevent
import pytest

from tests.client import Connection, Recorder, fetch, serving, wait_for
from tests.integration.bodies import (
    READERS,
    counted,
    posting,
    reading,
    refused,
    watch_tracebacks,
)


@pytest.fixture
def tracebacks(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return watch_tracebacks(monkeypatch)


@pytest.mark.parametrize("reader", READERS)
def test_a_body_that_comes_slowly_but_steadily_is_read_whole(reader: str) -> None:
    body = b"one\ntwo\n" * 4
    with serving(reading(READERS[reader]), body_timeout=1) as server:
        with posting(server, f"Content-Length: {len(body)}") as connection:
            for place in range(len(body)):
                connection.send_raw(body[place : place + 1])
                gevent.sleep(0.035)  # 1.1 seconds in all
            assert connection.read_answer().body == body
        assert server.stats()["limits"] == {}


@pytest.mark.parametrize("reader", ["read", "readline", "iterate"])
def test_a_chunked_body_that_comes_slowly_but_steadily_is_read_whole(reader: str) -> None:
    raw = b"4;a=b\r\none\n\r\n3\r\ntwo\r\n0\r\nX-A: b\r\n\r\n"
    with serving(reading(READERS[reader]), body_timeout=1) as server:
        with posting(server, "Transfer-Encoding: chunked") as connection:
            for place in range(len(raw)):
                connection.send_raw(raw[place : place + 1])
                gevent.sleep(0.03)  # 1.1 seconds in all
            assert connection.read_answer().body == b"one\ntwo"
        assert server.stats()["limits"] == {}


@pytest.mark.parametrize("reader", READERS)
def test_the_connection_goes_on_behind_a_good_body(reader: str) -> None:
    with serving(reading(READERS[reader])) as server:
        connection = Connection(server)
        for number in range(3):
            body = b"line\n" * 1000 * number
            assert connection.request("POST", "/page", body).body == body
            chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
            connection.start("GET", "/page", headers={"Transfer-Encoding": "chunked"})
            connection.send_raw(chunked)
            assert connection.read_answer().body == body
        connection.close()


def test_two_requests_sent_at_once_keep_their_bodies_apart() -> None:
    with serving(reading(READERS["read"])) as server:
        head = f"POST /page HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\nContent-Length: 3"
        connection = Connection(server)
        connection.send_raw(f"{head}\r\n\r\none{head}\r\n\r\ntwo".encode())
        assert [connection.read_answer().body for _ in range(2)] == [b"one", b"two"]
        connection.close()


@pytest.mark.parametrize("late", [False, True])
def test_a_client_that_waits_to_be_told_is_told_to_continue(late: bool) -> None:
    with (
        serving(reading(READERS["read"]), body_timeout=0.1 if late else 30) as server,
        posting(server, "Content-Length: 3", "Expect: 100-continue") as connection,
    ):
        told = connection.read_answer(head=True)
        assert told.status == 100
        if late:
            assert refused(connection)
            assert counted(server)
        else:
            connection.send_raw(b"one")
            assert connection.read_answer().body == b"one"
            assert connection.request("POST", "/page", b"two").body == b"two"


LEFT = [
    ("Content-Length: 100", b"one"),
    ("Transfer-Encoding: chunked", b"64\r\none"),
    ("Transfer-Encoding: chunked", b"3\r\none\r\n"),
]


@pytest.mark.parametrize("reader", ["read", "readline"])
@pytest.mark.parametrize(("line", "start"), LEFT)
def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_counted_as_slow(
    reader: str, line: str, start: bytes
) -> None:
    with serving(reading(READERS[reader])) as server:
        with posting(server, line, body=start):
            pass
        assert fetch(server, "POST", "/page", b"whole").body == b"whole"
        wait_for(lambda: not server._connections)
        assert server.stats()["limits"] == {}


@pytest.mark.parametrize(("line", "start"), LEFT[:2])
def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_traceback(
    line: str, start: bytes, tracebacks: Recorder
) -> None:
    with serving(reading(READERS["read"])) as server:
        with posting(server, line, body=start):
            wait_for(lambda: server._connections)
        wait_for(lambda: not server._connections)
        assert tracebacks.seen == []
