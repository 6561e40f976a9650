"""Plain HTTP sent to a port of TLS: an answer that people can read, and TLS as ever."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket as gsocket

from socketio.plainhttp import PlainHTTPError, read_plain_http
from tests.client import DEADLINE, Connection, Recorder, serving, wait_for
from tests.integration.bodies import watch_tracebacks
from tests.integration.secure import (
    WAYS,
    Certificate,
    SecureConnection,
    dial,
    read_until_closed,
)
from tests.tools import missing

REQUEST = b"GET /socket.io/1/?t=1 HTTP/1.1\r\nHost: chat.example:8443\r\n\r\n"
REFUSED = "HTTP/1.1 400 Bad Request"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tracebacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    recorder = watch_tracebacks(monkeypatch)
    yield recorder
    assert recorder.seen == []


@pytest.fixture(params=WAYS)
def server(
    request: pytest.FixtureRequest, certificate: Certificate, tracebacks: Recorder
) -> Iterator[Any]:
    with serving({}, **WAYS[request.param](certificate)) as server:
        yield server


@pytest.fixture
def quick(certificate: Certificate, tracebacks: Recorder) -> Iterator[Any]:
    """Return a server that does not wait long for a handshake."""
    with serving({}, tls_handshake_timeout=0.2, **certificate.standard_context()) as server:
        yield server


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and not record.exc_info
    ]


def url_in(answer: bytes) -> str:
    """Return the URL that is advised."""
    return answer.decode().rsplit(" use ", 1)[1].strip()


def page(server: Any, certificate: Certificate) -> str:
    connection = SecureConnection(server, certificate)
    answer = connection.request("GET", "/page")
    connection.close()
    return answer.text


# -- the answer ------------------------------------------------------------------------------------


def test_plain_http_is_answered_with_the_url_to_use(server: Any, certificate: Certificate) -> None:
    connection = Connection(server)
    connection.send_raw(REQUEST)
    answer = connection.read_answer()
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "date" in answer.headers
    assert answer.text == (
        "This port speaks HTTPS, and the request was plain HTTP: use https://chat.example:8443/\n"
    )
    assert connection.read_to_end() == b""
    connection.close()
    assert page(server, certificate) == "the application's page"


def test_a_client_of_the_standard_library_reads_the_answer(server: Any) -> None:
    program = (
        "import sys, urllib.error, urllib.request\n"
        "try: urllib.request.urlopen(sys.argv[1], timeout=30)\n"
        "except urllib.error.HTTPError as exc: print(exc.code, exc.read().decode())\n"
    )
    url = f"http://127.0.0.1:{server.server_port}/socket.io/1/"
    job = gevent.get_hub().threadpool.spawn(
        subprocess.run,
        [sys.executable, "-c", program, url],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    done = job.get()
    assert done.stdout.startswith("400 This port speaks HTTPS"), done.stderr
    assert f"https://127.0.0.1:{server.server_port}/" in done.stdout


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS", b"get"])
def test_every_method_is_answered(server: Any, method: bytes, line_end: bytes) -> None:
    sock = dial(server, line_end.join([method + b" / HTTP/1.1", b"host: a.example", b"", b""]))
    assert read_until_closed(sock).startswith(REFUSED.encode())
    sock.close()


def test_the_answer_to_head_has_no_body(quick: Any) -> None:
    sock = dial(quick, b"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    answer = read_until_closed(sock)
    assert answer.startswith(REFUSED.encode())
    assert answer.endswith(b"\r\n\r\n")
    sock.close()


@pytest.mark.parametrize(
    "host",
    [
        b"Host: <script>",
        b"Host: a b",
        b"Host: a/b",
        b"Host: a@b",
        b"Host: " + b"a" * 300,
        b"Host:",
        b"Host: \xc3\xa4.example",
        b"X-Host: evil.example",
        b"Accept: */*",
    ],
)
def test_what_is_no_host_is_not_repeated(quick: Any, host: bytes) -> None:
    sock = dial(quick, b"GET / HTTP/1.1\r\n" + host + b"\r\n\r\n")
    assert url_in(read_until_closed(sock)) == f"https://127.0.0.1:{quick.server_port}/"
    sock.close()


@pytest.mark.parametrize("host", ["a.example", "A.example:1", "10.0.0.1:8443", "[::1]:8443"])
def test_what_is_a_host_is_repeated(quick: Any, host: str) -> None:
    sock = dial(quick, f"GET / HTTP/1.1\r\nhost:{host}\r\n\r\n".encode())
    assert url_in(read_until_closed(sock)) == f"https://{host}/"
    sock.close()


def test_an_address_of_version_6_is_given_in_brackets(certificate: Certificate) -> None:
    from socketio.server import SocketIOServer

    server = SocketIOServer(("::1", 0), log=None, **certificate.files())
    try:
        server.start()
    except OSError:
        missing("IPv6")
    try:
        with gsocket.create_connection(("::1", server.server_port)) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert url_in(read_until_closed(sock)) == f"https://[::1]:{server.server_port}/"
    finally:
        server.stop(timeout=1)


def test_a_client_that_still_sends_its_body_can_read_the_answer(server: Any) -> None:
    body = b"x" * 300_000
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body)
    sock = dial(server, head + body)
    data = b""
    while piece := sock.recv(100):  # a reset would raise
        data += piece
    assert data.startswith(REFUSED.encode())
    sock.close()


def test_a_request_in_pieces_is_answered_once_it_is_whole(server: Any) -> None:
    sock = dial(server, REQUEST[:1])
    wait_for(lambda: server._shaking)
    for position in range(1, len(REQUEST)):
        sock.sendall(REQUEST[position : position + 1])
        gevent.sleep(0)
    assert read_until_closed(sock).count(REFUSED.encode()) == 1
    sock.close()


def test_a_head_that_is_too_long_is_answered_before_its_end(server: Any) -> None:
    sock = dial(server, b"GET /" + b"x" * 20_000)
    assert read_until_closed(sock).startswith(REFUSED.encode())
    sock.close()


def test_a_client_that_ends_its_side_in_the_head_is_answered(server: Any) -> None:
    sock = dial(server, b"GET / HT")
    sock.shutdown(gsocket.SHUT_WR)
    assert read_until_closed(sock).startswith(REFUSED.encode())
    sock.close()


# -- the log and the counters ----------------------------------------------------------------------


def test_it_is_one_line_in_the_log_that_says_what_to_do(
    server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sock = dial(server, REQUEST)
    read_until_closed(sock)
    sock.close()
    wait_for(lambda: not server._shaking)
    (line,) = warnings_of(caplog)
    assert line.startswith("a TLS handshake of ('127.0.0.1', ")
    assert line.endswith("failed: it is plain HTTP; the URL has to begin with https:// or wss://")
    assert server.stats()["errors"] == {"tls_handshake": 1}
    assert server.stats()["limits"] == {}


def test_many_are_a_few_lines_in_the_log(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        sock = dial(server, REQUEST)
        read_until_closed(sock)
        sock.close()
    wait_for(lambda: not server._shaking)
    assert server.stats()["errors"] == {"tls_handshake": 20}
    assert len(warnings_of(caplog)) == 5


# -- bounds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", b"G", REQUEST[:-2]], ids=["nothing", "a byte", "a head"])
def test_who_does_not_go_on_is_cut_off_after_the_time_for_a_handshake(
    quick: Any, start: bytes
) -> None:
    sock = dial(quick, start)
    assert read_until_closed(sock) == b""
    sock.close()
    wait_for(lambda: not quick._shaking)
    assert quick.stats()["limits"] == {"tls_handshake_timeout": 1}


def test_who_does_not_hang_up_is_hung_up_on(quick: Any) -> None:
    sock = dial(quick, REQUEST)
    assert REFUSED.encode() in sock.recv(65536)
    wait_for(lambda: not quick._shaking)
    assert quick.stats()["errors"] == {"tls_handshake": 1}
    sock.close()


def test_who_sends_without_end_is_hung_up_on(quick: Any) -> None:
    sock = dial(quick, REQUEST)
    wait_for(lambda: quick._shaking)
    end = time.monotonic() + DEADLINE
    with pytest.raises(OSError):
        while time.monotonic() < end:
            sock.sendall(b"x" * 65536)
            gevent.sleep(0)
    sock.close()
    wait_for(lambda: not quick._shaking)


def test_the_server_stops_at_once_while_a_plain_request_is_read(certificate: Certificate) -> None:
    with serving({}, tls_handshake_timeout=3600, **certificate.files()) as server:
        sock = dial(server, b"GET / HTTP/1.1\r\n")
        wait_for(lambda: server._shaking)
        with gevent.Timeout(30):
            server.stop(timeout=3600)  # which it must not take
        assert read_until_closed(sock) == b""
        assert not server._shaking
        sock.close()


def test_a_client_that_resets_is_no_traceback(server: Any) -> None:
    from struct import pack

    for start in (b"", b"G", REQUEST):
        sock = dial(server, start)
        wait_for(lambda: server._shaking)
        sock.setsockopt(gsocket.SOL_SOCKET, gsocket.SO_LINGER, pack("ii", 1, 0))
        sock.close()
        wait_for(lambda: not server._shaking)


# -- what begins with another byte -----------------------------------------------------------------


@pytest.mark.parametrize("first", [b"\x16", b"\x80", b"\x00", b"\xff", b" ", b"1", b"\r", b""])
def test_what_begins_with_no_letter_is_left_to_tls_untouched(first: bytes) -> None:
    ours, theirs = gsocket.socketpair()
    with ours, theirs:
        theirs.sendall(first + b"the rest")
        theirs.shutdown(gsocket.SHUT_WR)
        if first:
            assert read_plain_http(ours) is None
            assert read_until_closed(ours) == first + b"the rest"
        else:
            assert read_plain_http(ours) == b"the rest"
            assert read_plain_http(ours) is None


def test_the_error_is_one_of_the_connection() -> None:
    assert isinstance(PlainHTTPError(), OSError)
    assert "https://" in str(PlainHTTPError())
