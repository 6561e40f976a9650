"""TLS: every way to a certificate, and peers that do not go through with their handshake."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from socketio.namespace import BaseNamespace
from tests.client import Recorder, event, serving, wait_for
from tests.integration.bodies import watch_tracebacks
from tests.integration.secure import (
    WAYS,
    Certificate,
    SecureConnection,
    SecureWebSocket,
    dial,
    read_until_closed,
)
from tests.unit.websocket.frames import CLOSE, text

CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # and nothing behind it


class Echo(BaseNamespace):
    def on_echo(self, value: Any) -> Any:
        return value


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tracebacks(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return watch_tracebacks(monkeypatch)


@pytest.fixture(params=WAYS)
def secure(
    request: pytest.FixtureRequest, certificate: Certificate, tracebacks: Recorder
) -> Iterator[Any]:
    """Return a function that makes a server with the certificate in each of the ways."""

    @contextlib.contextmanager
    def serve(**settings: Any) -> Iterator[Any]:
        with serving({"": Echo}, **WAYS[request.param](certificate), **settings) as server:
            yield server

    yield serve
    assert tracebacks.seen == []


def page(server: Any, certificate: Certificate) -> str:
    connection = SecureConnection(server, certificate)
    answer = connection.request("GET", "/page")
    connection.close()
    return answer.text


def notes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and not record.exc_info
    ]


# -- what is served --------------------------------------------------------------------------------


def test_the_page_of_the_application_is_served(secure: Any, certificate: Certificate) -> None:
    with secure() as server:
        connection = SecureConnection(server, certificate)
        for _ in range(3):
            assert connection.request("GET", "/page").text == "the application's page"
        connection.close()


def test_a_session_over_polling_is_served(secure: Any, certificate: Certificate) -> None:
    with secure() as server:
        connection = SecureConnection(server, certificate)
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        url = f"/socket.io/1/xhr-polling/{sessid}"
        assert connection.request("GET", url).text == "1::"
        other = SecureConnection(server, certificate)
        assert other.request("POST", url, event("echo", 1, msgid="7+").encode()).text == "1"
        assert connection.request("GET", url).text == "6:::7+[1]"
        connection.close()
        other.close()


def test_a_session_over_a_websocket_is_served(secure: Any, certificate: Certificate) -> None:
    with secure() as server:
        connection = SecureConnection(server, certificate)
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        peer = SecureWebSocket(server, certificate, sessid)
        peer.send(text(event("echo", "x" * 100_000, msgid="7+")))
        assert peer.read_text() == '6:::7+["' + "x" * 100_000 + '"]'
        server.sockets[sessid].disconnect()
        assert peer.read_text() == "0::"
        assert peer.read_frame()[0] == CLOSE
        connection.close()
        peer.sock.close()


def test_the_application_is_told_that_its_request_came_over_tls(certificate: Certificate) -> None:
    schemes = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        schemes(environ["wsgi.url_scheme"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app, **certificate.standard_context()) as server:
        page(server, certificate)
        assert schemes.seen == ["https"]


# -- who does not go through with it ---------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", CLIENT_HELLO], ids=["silent", "begun"])
def test_a_silent_handshake_is_cut_off_and_counted(secure: Any, start: bytes) -> None:
    with secure(tls_handshake_timeout=0.1) as server:
        sock = dial(server, start)
        assert read_until_closed(sock) == b""
        wait_for(lambda: not server._shaking)
        assert server.stats()["limits"] == {"tls_handshake_timeout": 1}
        assert server.stats()["errors"] == {}
        assert server.stats()["connections"] == 0
        sock.close()


def test_a_handshake_that_is_quick_enough_is_not_cut_off_later(
    secure: Any, certificate: Certificate
) -> None:
    with secure(tls_handshake_timeout=1) as server:
        connection = SecureConnection(server, certificate)
        gevent.sleep(1.2)
        assert connection.request("GET", "/page").text == "the application's page"
        assert server.stats()["limits"] == {}
        connection.close()


def test_silent_handshakes_do_not_keep_others_from_being_served(
    secure: Any, certificate: Certificate
) -> None:
    with secure() as server:
        silent = [dial(server, CLIENT_HELLO * (number % 2)) for number in range(200)]
        wait_for(lambda: len(server._shaking) == 200)
        assert page(server, certificate) == "the application's page"
        assert len(server._shaking) == 200
        for sock in silent:
            sock.close()
        wait_for(lambda: not server._shaking)


NO_TLS = {
    "plain HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": b"\x00" * 100,
    "a record too large": b"\x16\x03\x01\xff\xff" * 20,
}


@pytest.mark.parametrize("kind", NO_TLS)
def test_what_is_no_tls_is_one_line_in_the_log(
    secure: Any, certificate: Certificate, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    with secure() as server:
        sock = dial(server, NO_TLS[kind])
        answer = read_until_closed(sock)
        if kind == "plain HTTP":
            assert answer.startswith(b"HTTP/1.1 400 ")
        else:
            assert answer == b"" or answer.startswith(b"\x15"), "nothing, or an alert"
        wait_for(lambda: not server._shaking)
        (line,) = notes(caplog)
        assert line.startswith("a TLS handshake of ('127.0.0.1', ")
        assert "failed" in line
        assert server.stats()["errors"] == {"tls_handshake": 1}
        assert page(server, certificate) == "the application's page"
        sock.close()


@pytest.mark.parametrize("start", [b"", CLIENT_HELLO], ids=["silent", "begun"])
def test_a_peer_that_leaves_in_its_handshake_is_one_line_in_the_log(
    secure: Any, caplog: pytest.LogCaptureFixture, start: bytes
) -> None:
    with secure() as server:
        sock = dial(server, start)
        wait_for(lambda: server._shaking)
        sock.close()
        wait_for(lambda: not server._shaking)
        (line,) = notes(caplog)
        assert line.startswith("a TLS handshake of ")


def test_many_handshakes_that_fail_are_five_lines_in_the_log(
    certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    with serving({}, **certificate.standard_context()) as server:
        for _ in range(30):
            sock = dial(server, b"GET / HTTP/1.1\r\n\r\n")
            read_until_closed(sock)
            sock.close()
        wait_for(lambda: not server._shaking)
        assert server.stats()["errors"] == {"tls_handshake": 30}
        assert len(notes(caplog)) == 5


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", CLIENT_HELLO], ids=["silent", "begun"])
def test_the_server_stops_at_once_while_a_handshake_goes_on(secure: Any, start: bytes) -> None:
    with secure(tls_handshake_timeout=3600) as server:
        sock = dial(server, start)
        wait_for(lambda: server._shaking)
        with gevent.Timeout(30):
            server.stop(timeout=3600)  # which it must not take
        assert read_until_closed(sock) == b""
        wait_for(lambda: not server._shaking)
        sock.close()


def test_no_handshake_is_left_when_the_server_has_stopped(certificate: Certificate) -> None:
    with serving({}, **certificate.standard_context()) as server:
        sock = dial(server)
        try:
            wait_for(lambda: server._shaking)
            server.stop()
            assert not server._shaking
        finally:
            sock.close()


def test_the_server_stops_while_sessions_go_on_and_their_clients_are_told(
    secure: Any, certificate: Certificate
) -> None:
    with secure() as server:
        connection = SecureConnection(server, certificate)
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        peer = SecureWebSocket(server, certificate, sessid)
        server.stop()
        assert peer.read_frame() == (CLOSE, (1001).to_bytes(2, "big"))
        assert not server._connections
        connection.close()
        peer.sock.close()


# -- files -----------------------------------------------------------------------------------------


def test_a_certificate_in_files_is_read_once_and_without_a_warning(
    certificate: Certificate, tmp_path: Any, tracebacks: Recorder
) -> None:
    own = Certificate.issue(tmp_path)
    with serving({}, **own.files()) as server:
        for path in tmp_path.iterdir():
            path.unlink()
        assert page(server, own) == "the application's page"
        assert tracebacks.seen == []


def test_a_certificate_that_is_not_there_is_found_out_before_anything_is_served(
    tmp_path: Any,
) -> None:
    missing = str(tmp_path / "missing.pem")
    with pytest.raises(OSError), serving({}, certfile=missing, keyfile=missing):
        pass
