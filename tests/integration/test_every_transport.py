"""What a session promises under each of the six transports, raw requests and origins included."""

from __future__ import annotations

import json
import re
from typing import Any

import gevent
import pytest

from socketio.namespace import BaseNamespace
from tests.client import (
    Answer,
    Connection,
    PollingClient,
    Recorder,
    event,
    fetch,
    handshake,
    serving,
    wait_for,
)
from tests.streams import ALL_CLIENTS, EVERY, PAGE_HEAD, POLLING, STREAMING, WEBSOCKETS

HTTP = tuple(name for name in EVERY if name not in WEBSOCKETS)
STREAMS = tuple(name for name in STREAMING if name not in WEBSOCKETS)
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Echo(BaseNamespace):
    def on_echo(self, *args: Any) -> tuple[Any, ...]:
        self.emit("echo", *args)
        return args


# -- what a browser of the time sees ---------------------------------------------------------------

HEADERS = {
    "htmlfile": {
        "content-type": "text/html; charset=UTF-8",
        "connection": "keep-alive",
        "transfer-encoding": "chunked",
        "x-accel-buffering": "no",
    },
    "xhr-multipart": {
        "content-type": 'multipart/x-mixed-replace;boundary="socketio"',
        "connection": "keep-alive",
        "transfer-encoding": "chunked",
        "x-accel-buffering": "no",
    },
}


@pytest.mark.parametrize("transport", STREAMS)
def test_a_stream_has_exactly_the_headers_of_the_protocol(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server)
        client.connect()
        headers = dict(client.stream.headers)
        assert headers.pop("date")
        assert headers == HEADERS[transport]
        client.close()


def test_the_page_of_htmlfile_is_byte_for_byte_that_of_the_reference() -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS["htmlfile"](server).open()
        client.send(event("echo", "</b>"))
        assert client.recv() == '5:::{"args":["</b>"],"name":"echo"}'
        head, greeting, packet = client.stream.chunks
        assert head == PAGE_HEAD.encode() + b" " * 173
        assert greeting == b'<script>_("1::");</script>'
        assert packet == (rb'<script>_("5:::{\"args\":[\"<\/b>\"],\"name\":\"echo\"}");</script>')
        client.close()


def test_the_parts_of_xhr_multipart_are_byte_for_byte_those_of_the_protocol_text() -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS["xhr-multipart"](server).open()
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        head = b"Content-Type: text/plain; charset=UTF-8\r\n\r\n"
        end = b"\r\n--socketio\r\n"
        assert client.stream.chunks == [
            b"--socketio\r\n" + head + client.sessid.encode() + end,
            head + b"1::" + end,
            head + b"6:::1" + end,
        ]
        client.close()


@pytest.mark.parametrize("transport", STREAMS)
def test_a_stream_works_over_http_1_0_where_there_are_no_chunks(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server)
        client.stream.send_raw(f"GET {client.url} HTTP/1.0\r\nHost: h\r\n\r\n".encode())
        head = client.stream._until(b"\r\n\r\n")
        assert b"chunked" not in head
        client.stream.headers, client.stream.ended, client.stream.chunks = {}, False, []
        if transport == "xhr-multipart":
            kind = HEADERS[transport]["content-type"]
            client.stream.headers = {"content-type": kind}
        assert client.recv() == "1::"
        client.send(event("echo", "é😀"))
        assert client.recv() == '5:::{"args":["\\u00e9\\ud83d\\ude00"],"name":"echo"}'
        server.sockets[client.sessid].disconnect()
        assert client.recv() == "0::"
        with pytest.raises(EOFError):
            client.recv()
        client.close()


@pytest.mark.parametrize("transport", STREAMS)
def test_bytes_behind_the_request_of_a_stream_mean_nothing(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server)
        smuggled = "GET /socket.io/1/ HTTP/1.1\r\nHost: h\r\n\r\n"
        request = f"GET {client.url} HTTP/1.1\r\nHost: h\r\n\r\n{smuggled}"
        client.stream.send_raw(request.encode())
        client.stream._until(b"\r\n\r\n")
        client.stream.headers = HEADERS[transport]
        client.stream.ended, client.stream.chunks = False, []
        assert client.recv() == "1::"
        client.stream.send_raw(smuggled.encode())
        client.send("3:1::x")
        assert client.recv() == "6:::1"
        assert list(server.sockets) == [client.sessid]
        client.close()


@pytest.mark.parametrize("transport", STREAMS)
def test_a_stream_beats_and_ends_without_an_echo(transport: str) -> None:
    settings = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.5, "linger_timeout": 0.2}
    with serving({"": Echo}, **settings) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        for _ in range(15):  # longer than the timeout
            assert client.recv() == "2::"
            client.send("2::")
        assert socket.connected
        assert socket.heartbeats >= 14
        wait_for(lambda: not server.sockets)
        assert socket.disconnect_reason == "heartbeat_timeout"
        client.close()


# -- posts, before, between and without polls ------------------------------------------------------


@pytest.mark.parametrize("transport", HTTP)
def test_a_post_before_the_first_poll_is_kept_and_the_greeting_comes_first(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server)
        client.send("3:1::early", "3:2::bird")
        assert server.sockets[client.sessid].state == "NEW"
        client.open()
        assert [client.recv(), client.recv()] == ["6:::1", "6:::2"]
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_posts_are_handled_in_their_order_also_while_nobody_polls(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server).open()
        for number in range(30):
            client.send(*[event("echo", number, n) for n in range(3)])
        expected = [[number, n] for number in range(30) for n in range(3)]
        assert [json.loads(client.recv()[4:])["args"] for _ in expected] == expected
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_a_post_is_taken_over_whatever_transport_and_connection_it_comes(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server).open()
        for other in HTTP:
            poster = ALL_CLIENTS[other](server, client.sessid)
            poster.send("3:7::x")
            poster.close()
            assert client.recv() == "6:::7"
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_the_greeting_comes_once_however_often_the_client_asks(transport: str) -> None:
    with serving({"": Echo}, polling_duration=0.02) as server:
        client = ALL_CLIENTS[transport](server).open()
        poller = PollingClient(server, client.sessid)
        assert [poller.poll() for _ in range(3)] == [["8::"]] * 3
        again = ALL_CLIENTS[transport](server, client.sessid)
        if transport in STREAMS:
            again.connect()
        again.send("3:1::x")
        assert again.recv() == "6:::1"
        for each in (client, poller, again):
            each.close()


# -- clients that go away --------------------------------------------------------------------------


@pytest.mark.parametrize("transport", POLLING)
def test_a_client_that_vanishes_in_its_poll_finds_everything_in_the_next(transport: str) -> None:
    with serving({"": Echo}) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        for round_ in range(20):
            client.start_poll()
            wait_for(lambda: socket._link)
            client._poll.close()
            for number in range(5):
                socket.send_packet({"type": "message", "data": f"{round_}.{number}"})
                gevent.sleep(0)
            client._poll = Connection(server)
            assert client.poll() == [f"3:::{round_}.{number}" for number in range(5)]
        client.close()


@pytest.mark.parametrize("moment", ["never opened", "open", "between"])
@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize("named", [True, False])
def test_the_disconnect_url_ends_the_session_whatever_carries_it(
    transport: str, moment: str, named: bool
) -> None:
    with serving({"": Echo}, linger_timeout=0.2) as server:
        client = ALL_CLIENTS[transport](server, handshake(server))
        socket = server.sockets[client.sessid]
        if moment != "never opened":
            client.open()
        elif transport in WEBSOCKETS:
            client.close()  # a WebSocket is open as soon as it is made
            return
        if moment == "open" and transport in POLLING:
            client.start_poll()
            wait_for(lambda: socket._link)
        path = f"{transport if named else ''}/{client.sessid}/"
        answer = fetch(server, "GET", f"/socket.io/1/{path}?disconnect=1")
        assert (answer.status, answer.body) == (200, b"")
        if moment == "open" and transport in POLLING:
            assert client.end_poll() == ["0::"]
        elif moment == "open":
            assert client.recv() == "0::"
        wait_for(lambda: client.sessid not in server.sockets)
        assert socket.disconnect_reason == "peer_left"
        client.close()


# -- sessions that are not there -------------------------------------------------------------------

NO_SESSIONS = [
    *["0", "1" * 40, "nosuch", "__proto__", "..", "%2e%2e", "a%00b", "a%0d%0aX-Evil:1", "x" * 6000],
    *["%ff%fe", "a,b", "a:b", "-1", "%D9%A1", "'\"<>", "1%201"],
]


def ask(server: Any, transport: str, sessid: str, method: str = "GET", **headers: str) -> Answer:
    query = "?i=3" if transport == "jsonp-polling" else ""
    upgrade = UPGRADE if transport in WEBSOCKETS else {}
    url = f"/socket.io/1/{transport}/{sessid}{query}"
    body = b"3:::x" if method == "POST" else b""
    return fetch(server, method, url, body, **upgrade, **headers)


def check_refusal(transport: str, answer: Answer) -> None:
    """Check that the client of ``transport`` learns that its session is not there."""
    if transport == "jsonp-polling":
        assert (answer.status, answer.text) == (200, 'io.j[3]("7:::1+0");')
        assert answer.headers["content-type"] == "text/javascript; charset=UTF-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
    elif transport == "htmlfile":
        assert answer.status == 200
        assert answer.text == PAGE_HEAD + " " * 173 + '<script>_("7:::1+0");</script>'
        assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    else:
        assert (answer.status, answer.text) == (400, "session unknown or over")


@pytest.mark.parametrize("sessid", NO_SESSIONS)
@pytest.mark.parametrize("transport", EVERY)
def test_an_unknown_session_is_answered_in_the_dress_of_the_transport(
    transport: str, sessid: str
) -> None:
    with serving({"": Echo}) as server:
        check_refusal(transport, ask(server, transport, sessid))
        if transport not in WEBSOCKETS:
            assert ask(server, transport, sessid, "POST").status == 400
        assert not server.sockets


@pytest.mark.parametrize("transport", EVERY)
def test_a_session_that_is_over_is_answered_like_an_unknown_one(transport: str) -> None:
    with serving({"": Echo}, linger_timeout=0.1) as server:
        client = ALL_CLIENTS[transport](server).open()
        server.sockets[client.sessid].disconnect(silent=True)
        wait_for(lambda: not server.sockets)
        check_refusal(transport, ask(server, transport, client.sessid))
        client.close()


# -- origins ---------------------------------------------------------------------------------------

SHOP = "http://shop.example"


@pytest.mark.parametrize("origins", ["*", [SHOP], f"{SHOP}, http://other.example"])
@pytest.mark.parametrize("transport", STREAMS)
def test_a_stream_of_an_allowed_origin_may_be_read_by_it(transport: str, origins: Any) -> None:
    with serving({"": Echo}, origins=origins) as server:
        client = ALL_CLIENTS[transport](server)
        client.connect(Origin=SHOP)
        assert client.stream.headers["access-control-allow-origin"] == SHOP
        assert client.stream.headers["access-control-allow-credentials"] == "true"
        assert client.recv() == "1::"
        client.close()


# Request headers a browser sends with a script, a frame or an image, and whether they may come.
EMBEDDED = [
    ({}, True),
    ({"Sec_Fetch_Site": "same-origin"}, True),
    ({"Sec_Fetch_Site": "none"}, True),
    ({"Referer": "http://HOST/page"}, True),
    ({"Sec_Fetch_Site": "cross-site", "Referer": f"{SHOP}/"}, True),
    ({"Referer": f"{SHOP}/page?x=http://evil.example"}, True),
    ({"Sec_Fetch_Site": "cross-site"}, False),
    ({"Sec_Fetch_Site": "same-site"}, False),
    ({"Sec_Fetch_Site": "cross-site", "Referer": "http://evil.example/"}, False),
    ({"Referer": "http://evil.example/http://HOST/"}, False),
    ({"Referer": "http://HOST.evil.example/"}, False),
    ({"Referer": "http://HOST@evil.example/"}, False),
    ({"Origin": "null"}, False),
]


@pytest.mark.parametrize(("headers", "allowed"), EMBEDDED)
@pytest.mark.parametrize("transport", ["jsonp-polling", "htmlfile"])
def test_what_has_no_origin_is_judged_by_its_page(
    transport: str, headers: dict[str, str], allowed: bool
) -> None:
    with serving({"": Echo}, origins=[SHOP]) as server:
        host = f"127.0.0.1:{server.server_port}"
        headers = {name: value.replace("HOST", host) for name, value in headers.items()}
        answer = ask(server, transport, "1", **headers)
        assert answer.status == (200 if allowed else 403)
        if not allowed:
            assert "'origins'" in answer.text
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("transport", HTTP)
def test_a_preflight_names_methods_and_makes_nothing(transport: str) -> None:
    with serving({"": Echo}, origins=[SHOP]) as server:
        asked = {"Origin": SHOP, "Access_Control_Request_Method": "POST"}
        answer = ask(server, transport, handshake(server), "OPTIONS", **asked)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
        if transport not in ("jsonp-polling", "htmlfile"):
            assert answer.headers["access-control-allow-origin"] == SHOP
        assert re.fullmatch("[0-9]+", answer.headers["access-control-max-age"])
        assert [socket.state for socket in server.sockets.values()] == ["NEW"]


def test_one_log_line_tells_of_many_refused_origins(caplog: pytest.LogCaptureFixture) -> None:
    told = Recorder()
    with serving({"": Echo}) as server:
        for _ in range(50):
            told(fetch(server, "GET", "/socket.io/1/", Origin="http://evil.example").status)
        assert told.seen == [403] * 50
        assert server.journal.refusals["origin"] == 50
    lines = [r.getMessage() for r in caplog.records if "evil.example" in r.getMessage()]
    assert lines == ["refused the origin 'http://evil.example': allow it with origins=[...]"]
