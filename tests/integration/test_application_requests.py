"""What the application sees of its own requests, and of ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from socketio import socketio_manage
from tests.client import Connection, event, handshake, serving, wait_for
from tests.integration.httpplace import BOTH, UPGRADE, Root, Site, is_alive, place


def test_the_application_sees_its_requests_as_they_came() -> None:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        body = environ["wsgi.input"].read()
        seen.append({**environ, "body": body})
        start_response("201 Created", [("X-Mine", "yes"), ("Content-Type", "text/css")])
        yield b"one "
        yield b""
        yield b"two"

    with serving(app, max_body_size=10) as server, contextlib.closing(Connection(server)) as client:
        body = b"larger than our own limit\n" * 100
        client.start("PUT", "/caf%C3%A9/x?q=1&disconnect", body, {"Origin": "http://evil.example"})
        raw_answer = b""
        while not raw_answer.endswith(b"0\r\n\r\n"):
            raw_answer += client.sock.recv(65536)
        assert raw_answer.startswith(b"HTTP/1.1 201 Created\r\nX-Mine: yes\r\n")
        assert b"Transfer-Encoding: chunked" in raw_answer
        assert raw_answer.endswith(b"\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")
        assert b"Access-Control" not in raw_answer
        environ = seen[0]
        assert environ["body"] == body
        assert environ["PATH_INFO"] == "/caf\xc3\xa9/x"
        assert environ["QUERY_STRING"] == "q=1&disconnect"
        assert environ["HTTP_ORIGIN"] == "http://evil.example"
        assert "socketio" not in environ
        assert "wsgi.websocket" not in environ
        assert server.sockets == {}


def test_the_application_gets_its_own_upgrades_untouched() -> None:
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["HTTP_UPGRADE"], environ["HTTP_CONNECTION"]))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with serving(app) as server:
        headers = {name.replace("_", "-"): value for name, value in UPGRADE.items()}
        with contextlib.closing(Connection(server)) as client:
            client.start("GET", "/feed", headers=headers)
            assert client.read_answer().text == "ok"
        assert seen == [("websocket", "Upgrade")]


def test_an_application_that_fails_is_a_500_and_harms_no_session(
    capfd: pytest.CaptureFixture[str],
) -> None:
    site = Site()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise RuntimeError("the page is broken")
        return site(environ, start_response)

    with place(app) as on:
        client = on.polling().open()
        assert on.fetch("GET", "/broken").status == 500
        client.send(event("echo", 1, msgid="1+"))
        assert client.recv() == "6:::1+[1]"
    assert "the page is broken" in capfd.readouterr().err


@pytest.mark.parametrize("resource", ["v1/socket.io", "/v1/socket.io/", "a/b/c", "io"])
def test_a_resource_may_contain_slashes(resource: str) -> None:
    with place(resource=resource) as on:
        prefix = "/" + resource.strip("/")
        for form in (f"{prefix}/1", f"{prefix}/1/"):
            assert re.match("[0-9]{40}:", on.fetch("GET", form).text)
        sessid = handshake(on.server)
        url = f"{prefix}/1/xhr-polling/{sessid}"
        assert on.fetch("GET", url).text == "1::"
        assert is_alive(on, url)
        assert on.fetch("GET", f"{prefix}/2/").status == 400
        assert on.fetch("GET", f"{prefix}/1//{sessid}/?disconnect=1").status == 200
        wait_for(lambda: sessid not in on.server.sockets)
        on.websocket()
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    "target",
    [
        *["/socket.io/1/", "/v1/1/", "/v1/socket.io", "/v1/socket.io/", "/v1/socket.iox/1/"],
        *["/x/v1/socket.io/1/", "/v1/socket.io/any/thing/1/xhr-polling/SID", "/v1/x/1/"],
        *["/other/1/xhr-polling/SID", "/socket.io/1//SID/?disconnect=1", "/V1/socket.io/1/"],
    ],
)
def test_a_resource_that_is_not_ours_passes_to_the_application(target: str) -> None:
    with place(resource="v1/socket.io") as on:
        sessid = handshake(on.server)
        target = target.replace("SID", sessid)
        path = target.split("?")[0]
        assert on.fetch("GET", target).text == f"the page of {path} got "
        assert on.server.sockets[sessid].state == "NEW"


@pytest.mark.parametrize("transport", BOTH)
def test_the_view_of_a_session_sees_its_first_request(transport: str) -> None:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        socketio_manage(environ, {"": Root})
        return []

    with place(app) as on:
        sessid = handshake(on.server)
        if transport == "websocket":
            on.websocket(sessid, Cookie="a=b")
        else:
            target = f"/socket.io/1/xhr-polling/{sessid}?t=1&token=x"
            assert on.fetch("GET", target, Cookie="a=b").text == "1::"
        wait_for(lambda: seen)
        environ = seen[0]
        assert environ["socketio"] is on.server.sockets[sessid]
        assert environ["PATH_INFO"] == f"/socket.io/1/{transport}/{sessid}"
        assert environ["QUERY_STRING"] == ("" if transport == "websocket" else "t=1&token=x")
        assert environ["HTTP_COOKIE"] == "a=b"
        assert "HTTP_UPGRADE" not in environ
        assert environ["HTTP_CONNECTION"] == ""
        assert environ["wsgi.input"].read() == b""
        if transport == "xhr-polling":
            assert on.polling(sessid).post("3:::x").text == "1"
        assert len(seen) == 1
