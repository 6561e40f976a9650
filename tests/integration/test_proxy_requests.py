"""Requests through nginx and HAProxy as docs/deployment has them, hostile ones among them."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections.abc import Iterator

import pytest

from socketio.config import Settings
from tests.integration.proxied import FRONTS, Stage, staged
from tests.integration.proxiedservers import wait_until
from tests.integration.proxyasking import CLIENT, HERE, UPGRADE, open_request

TOLD = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded")


@pytest.fixture(scope="module", params=FRONTS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(request.param) as here:
        yield here


# -- who asks --------------------------------------------------------------------------------------


def test_the_application_sees_the_client_and_not_the_proxy(stage: Stage) -> None:
    seen = stage.front.ask("/", source=CLIENT).json
    assert seen["REMOTE_ADDR"] == CLIENT
    assert seen["socketio.proxy_addr"] == stage.proxy
    assert seen["wsgi.url_scheme"] == ("https" if stage.front.tls else "http")
    assert seen["HTTP_HOST"] == seen["HTTP_X_FORWARDED_HOST"] == f"{HERE}:{stage.front.port}"


def test_what_a_client_says_of_itself_does_not_count(stage: Stage) -> None:
    lies = {name.replace("-", "_"): "192.0.2.66" for name in TOLD}
    lies["X_Forwarded_Proto"] = "ftp"
    seen = stage.front.ask("/", source=CLIENT, **lies).json
    assert seen == stage.front.ask("/", source=CLIENT).json
    assert "192.0.2.66" not in str(seen)


def test_the_access_log_of_the_server_has_the_address_of_the_client(stage: Stage) -> None:
    assert stage.front.ask("/find-me", source="127.0.0.3").status == 200
    line = r'^127\.0\.0\.3 - - .*"GET /find-me'
    wait_until(lambda: re.search(line, stage.server.process.output(), re.MULTILINE), "a line")


def test_no_log_has_the_id_of_a_session(stage: Stage) -> None:
    sessid = stage.front.ask("/socket.io/1/").sessid
    assert stage.front.ask(f"/socket.io/1/xhr-polling/{sessid}?t=1").status == 200
    for log in (stage.front.output, stage.server.process.output):
        wait_until(lambda log=log: f"xhr-polling/{sessid[:6]}..." in log(), "a line of the log")
        assert sessid not in log()


# -- who may ---------------------------------------------------------------------------------------


def test_pages_of_the_proxys_own_origin_may_connect(stage: Stage) -> None:
    handshake = stage.front.ask("/socket.io/1/", Origin=stage.front.origin)
    assert handshake.status == 200
    path = f"/socket.io/1/xhr-polling/{handshake.sessid}"
    assert stage.front.ask(path, Origin=stage.front.origin).body == b"1::"
    path = f"/socket.io/1/websocket/{stage.front.ask('/socket.io/1/').sessid}"
    assert stage.front.ask(path, Origin=stage.front.origin, **UPGRADE).status == 101


def test_pages_of_another_origin_may_not_connect(stage: Stage) -> None:
    other_scheme = stage.front.origin.replace("https:", "http:")
    if not stage.front.tls:
        other_scheme = stage.front.origin.replace("http:", "https:")
    for origin in ("http://evil.example", "null", f"http://{HERE}", other_scheme):
        for lie in ({}, {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "http"}):
            handshake = stage.front.ask("/socket.io/1/", Origin=origin, **lie)
            assert handshake.status == 403, origin
            sessid = stage.front.ask("/socket.io/1/").sessid
            poll, greeting = (
                f"/socket.io/1/{name}/{sessid}" for name in ("xhr-polling", "websocket")
            )
            assert stage.front.ask(poll, Origin=origin, **lie).status == 403
            assert stage.front.ask(greeting, Origin=origin, **lie, **UPGRADE).status == 403


# -- how much --------------------------------------------------------------------------------------


def test_a_body_may_be_as_large_as_the_server_takes_it(stage: Stage) -> None:
    most = Settings().max_body_size
    sessid = stage.front.ask("/socket.io/1/").sessid
    path = f"/socket.io/1/xhr-polling/{sessid}"
    assert stage.front.ask(path).body == b"1::"
    assert stage.front.ask(path, body=b"3:::".ljust(most, b"x")).status == 200
    assert stage.front.ask(path, body=b"3:::".ljust(most + 1, b"x")).status == 413
    # nginx knows the limit too; HAProxy leaves it to the server.
    if "haproxy" in stage.front.command[0]:
        wait_until(lambda: " 413 " in stage.server.process.output(), "a line of the log")
    else:
        assert stage.front.ask("/").status == 200
        assert " 413 " not in stage.server.process.output()


def test_the_application_may_take_larger_ones(stage: Stage) -> None:
    assert stage.front.ask("/socket.iofile", body=b"x" * 1_000_001).status == 200


# -- streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["htmlfile", "xhr-multipart"])
def test_an_answer_that_does_not_end_passes_piece_by_piece(stage: Stage, transport: str) -> None:
    sessid = stage.front.ask("/socket.io/1/").sessid
    path = f"/socket.io/1/{transport}/{sessid}"
    connection, response = open_request(
        stage.front.port, path, tls=stage.front.tls, Accept_Encoding="gzip"
    )
    with contextlib.closing(connection), response:
        read_until(response, b"1::")
        other = f"/socket.io/1/xhr-polling/{stage.front.ask('/socket.io/1/').sessid}"
        assert stage.front.ask(other).body == b"1::"
        for word in ("first", "second"):
            said = json.dumps({"name": "say", "args": [word]})
            assert stage.front.ask(other, body=b"5:::" + said.encode()).status == 200
            read_until(response, word.encode())


def read_until(response: http.client.HTTPResponse, awaited: bytes) -> None:
    data = b""
    while awaited not in data:
        piece = response.read1(65536)
        assert piece, data
        data += piece
