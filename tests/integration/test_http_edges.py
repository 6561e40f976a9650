"""HTTP at its edges: what our URLs answer, whom they refuse, and what they leave alone.

Section numbers are those of the protocol text, decisions and F numbers those of the reliability
design.
"""

from __future__ import annotations

import contextlib
import re
import socket as stdsocket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.wire.payload import encode_payload
from tests.client import (
    Answer,
    Connection,
    PollingClient,
    Recorder,
    WebSocketClient,
    event,
    fetch,
    handshake,
    serving,
    wait_for,
)

BOTH = ["websocket", "xhr-polling"]
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Site:
    """The application: sessions that record what they get, and a page everywhere else."""

    record: Recorder = field(default_factory=Recorder)
    visits: Recorder = field(default_factory=Recorder)
    """Method and path of every request that is not ours."""
    gate: Event = field(default_factory=Event)
    """What the handler of the event ``hold`` waits for."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if "socketio" in environ:
            root = type("RootHere", (Root,), {"record": self.record, "gate": self.gate})
            socketio_manage(environ, {"": root, "/chat": root})
            return []
        body = environ["wsgi.input"].read()
        self.visits(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"the page of ", environ["PATH_INFO"].encode("latin-1"), b" got ", body]


class Root(BaseNamespace):
    record: Recorder
    gate: Event

    def on_hold(self) -> None:
        self.record("held")
        self.gate.wait()

    def recv_message(self, data: str) -> None:
        self.record(data)

    def on_echo(self, value: Any) -> Any:
        return value

    def recv_connect(self) -> None:
        self.record("connect")

    def recv_disconnect(self) -> None:
        self.record("disconnect")


@dataclass
class Place:
    """A server and its site."""

    server: SocketIOServer
    site: Site
    clients: list[Any] = field(default_factory=list)
    """Closed at the end."""

    def polling(self, sessid: str | None = None) -> PollingClient:
        """Return a client that polls, for a new session or one there is."""
        self.clients.append(PollingClient(self.server, sessid))
        return self.clients[-1]

    def websocket(self, sessid: str | None = None, **headers: str) -> WebSocketClient:
        """Return a client that has read the greeting."""
        self.clients.append(WebSocketClient(self.server, sessid, **headers))
        return self.clients[-1].open()

    def new_session(self) -> tuple[str, Any]:
        """Return a fresh session's poll URL and the session."""
        sessid = handshake(self.server)
        return f"/{self.server.resource}/1/xhr-polling/{sessid}", self.server.sockets[sessid]

    def fetch(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        return fetch(self.server, method, target, body, **headers)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


@contextlib.contextmanager
def place(app: Any = None, **kw: Any) -> Iterator[Place]:
    site = Site()
    with serving(app or site, **kw) as server:
        on = Place(server, site)
        try:
            yield on
        finally:
            for client in on.clients:
                client.close()


@contextlib.contextmanager
def connected(on: Place) -> Iterator[Connection]:
    connection = Connection(on.server)
    try:
        yield connection
    finally:
        connection.close()


def raw(on: Place, data: bytes) -> bytes:
    """Send ``data`` on a connection of its own and return all that comes until its end."""
    with connected(on) as connection:
        connection.send_raw(data)
        return read_to_end(connection)


def read_to_end(connection: Connection) -> bytes:
    """Return all that comes until the server ends the connection, which it does without a reset."""
    data = b""
    while piece := connection.sock.recv(65536):
        data += piece
    return data


def header_lines(on: Place, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"Host: {on.host}", *lines, "")).encode()


def is_alive(on: Place, url: str) -> bool:
    """Tell whether a session that polled before still takes and answers packets."""
    taken = on.fetch("POST", url, event("echo", 1, msgid="99+").encode())
    answer = on.fetch("GET", url)
    while answer.text == "8::":
        answer = on.fetch("GET", url)
    return (taken.status, taken.text, answer.text) == (200, "1", "6:::99+[1]")


def open_session(on: Place) -> tuple[str, Any]:
    url, socket = on.new_session()
    assert on.fetch("GET", url).text == "1::"
    return url, socket


# -- handshakes (sections 1, 2) --------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "target",
    [
        "/socket.io/1",
        "/socket.io/1/",
        "/socket.io/1/?t=1700000000000",
        "/socket.io/1?t=5&token=a%20b",
        "/socket.io/01/",
        "/socket.io/1.0/",
        "/socket.io/1/?jsonp",
        "/socket.io/1/?disconnect=1",
    ],
)
def test_a_handshake_has_four_fields_in_one_plain_line(method: str, target: str) -> None:
    with place(transports=["xhr-polling", "websocket"]) as on:
        answer = on.fetch(method, target)
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert "transfer-encoding" not in answer.headers
        match = re.fullmatch(r"([0-9]{40}):60:60:xhr-polling,websocket", answer.text)
        assert match, answer.text
        assert list(on.server.sockets) == [match[1]]
        assert on.site.visits.seen == []


def test_by_default_every_transport_is_advertised_in_the_order_of_preference() -> None:
    order = ["websocket", "flashsocket", "htmlfile", "xhr-polling", "jsonp-polling"]
    order.append("xhr-multipart")
    with place() as on:
        offered = on.fetch("GET", "/socket.io/1/").text.split(":")[3].split(",")
        assert {"websocket", "xhr-polling"} <= set(offered)
        assert offered == [name for name in order if name in offered]


@pytest.mark.parametrize(
    ("settings", "numbers"),
    [
        ({"heartbeat_timeout": 15, "close_timeout": 25}, "15:25"),
        ({"heartbeat_timeout": 3.5, "close_timeout": 0.25}, "3.5:0.25"),
        ({"heartbeat_timeout": 100_000, "close_timeout": 86_400.0}, "100000:86400"),
        ({"heartbeat_timeout": 2_592_000, "close_timeout": 1}, "2592000:1"),
    ],
)
def test_the_timeouts_of_a_handshake_are_plain_positive_numbers(
    settings: dict[str, float], numbers: str
) -> None:
    with place(**settings) as on:
        assert on.fetch("GET", "/socket.io/1/").text.split(":", 1)[1].startswith(f"{numbers}:web")


def test_two_handshakes_never_share_a_session() -> None:
    with place() as on:
        sessids = {handshake(on.server) for _ in range(50)}
        assert len(sessids) == len(on.server.sockets) == 50


@pytest.mark.parametrize("index", ["0", "3", "12", "000", "%33", "3&jsonp=alert(1)"])
def test_a_jsonp_handshake_is_a_script_that_calls_the_numbered_callback(index: str) -> None:
    with place(transports=["xhr-polling"]) as on:
        answer = on.fetch("GET", f"/socket.io/1/?t=1&jsonp={index}", Origin=f"http://{on.host}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/javascript"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not [name for name in answer.headers if name.startswith("access-control")]
        sessid = next(iter(on.server.sockets))
        number = index.split("&")[0].replace("%33", "3")
        assert answer.text == f'io.j[{number}]("{sessid}:60:60:xhr-polling");'


@pytest.mark.parametrize(
    "value",
    [
        *["alert(1)", "", "a", "1a", "-1", "+1", "1.0", "1;alert(1)", "0]=1;alert(1);io.j[0"],
        *["1%0a", "%0d%0aX:1", "%D9%A1", "1%00", "<script>", "%3Cscript%3E", "1'", "%221%22"],
        *["1234567890123", "alert(1)&jsonp=1", "%FF"],
    ],
)
def test_a_jsonp_index_that_is_no_number_is_answered_plainly_and_never_echoed(value: str) -> None:
    with place(transports=["xhr-polling"]) as on:
        answer = on.fetch("GET", f"/socket.io/1/?jsonp={value}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain"
        assert re.fullmatch("[0-9]{40}:60:60:xhr-polling", answer.text)


# -- what else is below the resource (sections 1, 17) ----------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        *["/socket.io/2/", "/socket.io/2", "/socket.io/0/", "/socket.io/10/", "/socket.io/1.1/"],
        *["/socket.io/2/?jsonp=0", "/socket.io/2/xhr-polling/SID", "/socket.io/3//SID/?disconnect"],
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_protocol_version_is_a_400_that_says_what_we_speak(
    target: str, method: str
) -> None:
    with place() as on:
        url, socket = open_session(on)
        answer = on.fetch(method, target.replace("SID", socket.sessid))
        assert answer.status == 400
        assert answer.text.startswith("Protocol version not supported.")
        assert "Socket.IO 0.9 (version 1)" in answer.text
        assert answer.headers["content-type"].startswith("text/plain")
        assert is_alive(on, url)
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    "target",
    [
        *["/socket.io", "/socket.io/", "/socket.io/abc/", "/socket.io/abc/def", "/socket.ioX/1/"],
        *["/socket.io/1/xhr-polling", "/socket.io/1/xhr-polling/", "/socket.io/1/xhr-polling//"],
        *[
            "/socket.io/1/xhr-polling/abc/def",
            "/socket.io/static/x.js",
            "/socket.io/socket.io.min.js",
        ],
        *["/Socket.io/1/", "//socket.io/1/", "/a/socket.io/1/", "/socket.io/../1/", "/1/", "/"],
        *["/socket_io/1/", "/socketxio/1/", "/socket.io/-1/", "/socket.io/1x/", "/socket.io//"],
        *["/engine.io/?EIO=4&transport=polling", "/socket.io/?transport=polling&t=x"],
        *["/socket.io/x?EIO=4&transport=websocket", "/socket.io/1/websocket?disconnect=1"],
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_every_other_url_reaches_the_application(method: str, target: str) -> None:
    with place() as on:
        answer = on.fetch(method, target, b"a body" if method != "GET" else b"")
        path = target.split("?")[0]
        got = "a body" if method != "GET" else ""
        assert (answer.status, answer.text) == (200, f"the page of {path} got {got}")
        assert on.site.visits.seen == [(method, path)]
        assert on.server.sockets == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "transport", ["nope", "", "jsonp", "XHR-POLLING", "xhr-polling ", "%00", "__init__"]
)
def test_an_unknown_transport_is_a_400_that_names_those_there_are(
    transport: str, method: str
) -> None:
    with place(transports=BOTH) as on:
        url, socket = open_session(on)
        target = f"/socket.io/1/{transport.replace(' ', '%20')}/{socket.sessid}"
        answer = on.fetch(method, target, b"3:::x" if method == "POST" else b"")
        assert answer.status == 400
        assert "websocket, xhr-polling" in answer.text
        assert is_alive(on, url)
        assert on.site.record.seen == []


@pytest.mark.parametrize(
    ("offered", "wanted"), [("websocket", "xhr-polling"), ("xhr-polling", "websocket")]
)
def test_a_transport_that_is_not_offered_is_refused(offered: str, wanted: str) -> None:
    with place(transports=[offered]) as on:
        sessid = handshake(on.server)
        for headers in ({}, UPGRADE):
            answer = on.fetch("GET", f"/socket.io/1/{wanted}/{sessid}", **headers)
            assert answer.status == 400
            assert offered in answer.text
        assert on.server.sockets[sessid].state == "NEW"


ODD_SESSIDS = [
    *["nosuch", "0", "1" * 40, "__proto__", "constructor", "..", ".", "%2e%2e", "%2e%2e%2f", "%00"],
    *["%0d%0aSet-Cookie:a=b", "%0a", "%ff", "%F0%9F%98%80", "a:b,c;d", "x" * 4000, "*", "'", '"'],
    *["<script>", "%3Cscript%3E", "None", "False", "-1", "SID%00", "SID%20", "SIDx"],
]


@pytest.mark.parametrize("sessid", ODD_SESSIDS, ids=lambda sessid: sessid[:20])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_session_is_a_400_that_echoes_nothing(method: str, sessid: str) -> None:
    with place() as on:
        url, socket = open_session(on)
        sessid = sessid.replace("SID", socket.sessid)
        answer = on.fetch(method, f"/socket.io/1/xhr-polling/{sessid}?t=1", b"3:::x")
        assert answer.status == 400
        assert answer.text == "session unknown or over"
        assert set(answer.headers) == {"content-type", "content-length", "connection", "date"}
        assert is_alive(on, url)
        assert on.site.record.seen == []


def test_a_session_id_longer_than_a_request_line_is_refused() -> None:
    with place() as on:
        answer = on.fetch("GET", f"/socket.io/1/xhr-polling/{'1' * 9000}")
        assert answer.status == 414


def test_an_ended_session_is_answered_like_one_that_never_was() -> None:
    with place() as on:
        url, socket = open_session(on)
        assert on.fetch("POST", url, b"0::").text == "1"
        wait_for(lambda: socket.sessid not in on.server.sockets)
        for method in ("GET", "POST"):
            ended = on.fetch(method, url, b"3:::x")
            never = on.fetch(method, url.replace(socket.sessid, "1" * 40), b"3:::x")
            ended.headers.pop("date")
            never.headers.pop("date")
            assert ended == never
            assert ended.status == 400


def test_a_polling_url_with_an_upgrade_is_refused_and_the_session_is_untouched() -> None:
    with place() as on:
        url, _ = open_session(on)
        assert on.fetch("GET", url, **UPGRADE).status == 400
        assert is_alive(on, url)


@pytest.mark.parametrize("headers", [{}, {"Connection": "keep-alive"}, {"Upgrade": "h2c"}])
def test_a_websocket_url_without_an_upgrade_is_refused_and_the_session_is_untouched(
    headers: dict[str, str],
) -> None:
    with place() as on:
        url, socket = open_session(on)
        target = f"/socket.io/1/websocket/{socket.sessid}"
        assert on.fetch("GET", target, **headers).status == 400
        assert on.fetch("POST", target, b"3:::x", **headers).status == 400
        assert is_alive(on, url)


# -- methods (sections 2.1, 8.3) -------------------------------------------------------------------


def test_options_of_a_handshake_is_a_preflight_that_makes_no_session() -> None:
    with place(origins=["http://good.example"]) as on:
        answer = on.fetch("OPTIONS", "/socket.io/1/", Origin="http://good.example")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["access-control-allow-origin"] == "http://good.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
        assert answer.headers["access-control-max-age"] == "3600"
        assert on.server.sockets == {}


@pytest.mark.parametrize("known", [True, False])
def test_options_of_a_session_is_a_preflight_that_leaves_it_alone(known: bool) -> None:
    with place(origins="*") as on:
        url, socket = on.new_session()
        target = url if known else url.replace(socket.sessid, "1" * 40)
        answer = on.fetch("OPTIONS", target, Origin="http://good.example")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["access-control-allow-origin"] == "http://good.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
        assert answer.headers["access-control-max-age"] == "3600"
        assert socket.state == "NEW"
        assert on.fetch("GET", url).text == "1::"


def test_options_of_a_refused_origin_is_refused() -> None:
    with place() as on:
        url, _ = on.new_session()
        for target in ("/socket.io/1/", url):
            answer = on.fetch("OPTIONS", target, Origin="http://evil.example")
            assert answer.status == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_are_refused_and_change_nothing(method: str) -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            for target, allowed in (
                ("/socket.io/1/", "GET, POST, OPTIONS"),
                (url, "GET, POST, OPTIONS"),
                (f"/socket.io/1//{socket.sessid}/?disconnect=1", "GET, POST, OPTIONS"),
                (f"{url}?disconnect", "GET, POST, OPTIONS"),
            ):
                answer = connection.request(method, target)
                assert answer.status == 405
                assert answer.headers["allow"] == allowed
                assert int(answer.headers["content-length"]) > 0
                assert bool(answer.body) == (method != "HEAD")
        assert is_alive(on, url)
        assert list(on.server.sockets) == [socket.sessid]
        assert on.site.visits.seen == []


# -- disconnect URLs (section 15.3) ----------------------------------------------------------------

DISCONNECTS = [
    "/socket.io/1//SID/?disconnect=1",
    "/socket.io/1//SID?disconnect",
    "/socket.io/1/xhr-polling/SID?disconnect",
    "/socket.io/1/xhr-polling/SID/?disconnect=1",
    "/socket.io/1/xhr-polling/SID?t=1&disconnect=1",
    "/socket.io/1/xhr-polling/SID?token=x&t=1&disconnect",
    "/socket.io/1/websocket/SID?disconnect=",
    "/socket.io/1//SID/?disconnect=0",
]


@pytest.mark.parametrize("target", DISCONNECTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("moment", ["never opened", "between polls", "during a poll"])
def test_the_disconnect_url_ends_the_session_at_any_moment(
    target: str, method: str, moment: str
) -> None:
    with place() as on:
        url, socket = on.new_session()
        with connected(on) as poller:
            if moment != "never opened":
                assert poller.request("GET", url).text == "1::"
                on.fetch("POST", url, b"1::/chat")
                assert poller.request("GET", url).text == "1::/chat"
            if moment == "during a poll":
                poller.start("GET", url)
                wait_for(lambda: socket.transport)
            answer = on.fetch(method, target.replace("SID", socket.sessid))
            assert (answer.status, answer.body) == (200, b"")
            if moment == "during a poll":
                assert poller.read_answer().text == "0::"
            wait_for(lambda: socket.sessid not in on.server.sockets)
            assert socket.disconnect_reason == "peer_left"
            assert poller.request("GET", url).status == 400
        told = [] if moment == "never opened" else ["connect", "disconnect"]
        assert on.site.record.seen == told


@pytest.mark.parametrize("target", DISCONNECTS)
def test_the_disconnect_url_of_an_unknown_session_is_answered_alike(target: str) -> None:
    with place() as on:
        url, _ = open_session(on)
        answer = on.fetch("GET", target.replace("SID", "1" * 40))
        assert (answer.status, answer.body) == (200, b"")
        assert is_alive(on, url)


def test_the_disconnect_url_ends_a_websocket() -> None:
    with place() as on:
        client = on.websocket()
        assert on.fetch("GET", f"/socket.io/1//{client.sessid}/?disconnect=1").status == 200
        assert client.recv() == "0::"
        with pytest.raises(EOFError, match=r"close frame b'.x03.xe8'"):
            client.recv()


@pytest.mark.parametrize(
    "query", ["xdisconnect=1", "t=disconnect", "Disconnect=1", "a=%26disconnect"]
)
def test_a_query_that_only_looks_like_a_disconnect_is_a_poll(query: str) -> None:
    with place() as on:
        url, socket = on.new_session()
        assert on.fetch("GET", f"{url}?{query}").text == "1::"
        assert socket.connected


# -- origins (decision 1) --------------------------------------------------------------------------

REQUESTS = {
    "handshake": ("GET", "/socket.io/1/?t=1"),
    "handshake by POST": ("POST", "/socket.io/1/"),
    "poll": ("GET", "/socket.io/1/xhr-polling/SID"),
    "post": ("POST", "/socket.io/1/xhr-polling/SID"),
    "websocket": ("GET", "/socket.io/1/websocket/SID"),
    "disconnect": ("GET", "/socket.io/1//SID/?disconnect=1"),
}

REFUSED_REQUESTS = {
    **REQUESTS,
    "flashsocket": ("GET", "/socket.io/1/flashsocket/SID"),
    "jsonp poll": ("GET", "/socket.io/1/jsonp-polling/SID?i=1"),
    "jsonp post": ("POST", "/socket.io/1/jsonp-polling/SID?i=1"),
    "htmlfile": ("GET", "/socket.io/1/htmlfile/SID"),
    "htmlfile post": ("POST", "/socket.io/1/htmlfile/SID"),
    "multipart": ("GET", "/socket.io/1/xhr-multipart/SID"),
    "multipart post": ("POST", "/socket.io/1/xhr-multipart/SID"),
    "preflight": ("OPTIONS", "/socket.io/1/xhr-polling/SID"),
}

FOREIGN = [
    "http://evil.example",
    "http://evil.example:PORT",
    "null",
    "http://127.0.0.1:PORT.evil.example",
    "http://127.0.0.1.evil.example:PORT",
    "http://evil-127.0.0.1:PORT",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "http://127.0.0.1:PORT0",
    "https://127.0.0.1:PORT",
    "http://localhost:PORT",
    "http://evil@127.0.0.1:PORT",
    "127.0.0.1:1",
    "localhost:PORT",
    "*",
    "",
]


def ask_with(on: Place, kind: str, socket: Any, **headers: str) -> Answer:
    method, target = REFUSED_REQUESTS[kind]
    body = b"3:::hello" if kind.endswith("post") else b""
    if kind.endswith("socket"):
        headers = {**UPGRADE, **headers}
    return on.fetch(method, target.replace("SID", socket.sessid), body, **headers)


def own_origin(on: Place, origin: str) -> str:
    return origin.replace("PORT", str(on.server.server_port))


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("kind", REFUSED_REQUESTS)
def test_by_default_a_foreign_origin_is_refused_everywhere(kind: str, origin: str) -> None:
    with place() as on:
        url, socket = open_session(on)
        answer = ask_with(on, kind, socket, Origin=own_origin(on, origin))
        assert answer.status == 403
        assert "'origins'" in answer.text
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert list(on.server.sockets) == [socket.sessid]
        assert is_alive(on, url)
        assert on.site.record.seen == []


OWN = [
    ("http://127.0.0.1:PORT", {}),
    ("127.0.0.1:PORT", {}),  # node clients on an old ws
    ("http://public.example", {"X_Forwarded_Host": "public.example"}),
    ("https://public.example", {"X_Forwarded_Host": "public.example"}),
    (
        "https://public.example:8443",
        {"X_Forwarded_Host": "public.example:8443", "X_Forwarded_Proto": "https"},
    ),
]


@pytest.mark.parametrize(("origin", "headers"), OWN)
@pytest.mark.parametrize("kind", REQUESTS)
def test_the_own_origin_is_let_in_and_echoed_with_credentials(
    kind: str, origin: str, headers: dict[str, str]
) -> None:
    with place() as on:
        _, socket = on.new_session()
        origin = own_origin(on, origin)
        answer = ask_with(on, kind, socket, Origin=origin, **headers)
        assert answer.status == (101 if kind == "websocket" else 200)
        if kind not in ("websocket", "disconnect"):
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("order", [("OWN", "http://evil.example"), ("http://evil.example", "OWN")])
@pytest.mark.parametrize("kind", REQUESTS)
def test_of_two_origins_neither_is_the_own_one(kind: str, order: tuple[str, str]) -> None:
    with place() as on:
        _, socket = on.new_session()
        first, second = (origin.replace("OWN", f"http://{on.host}") for origin in order)
        method, target = REQUESTS[kind]
        lines = [f"Origin: {first}", f"Origin: {second}"]
        if kind == "websocket":
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in UPGRADE.items()]
        line = f"{method} {target.replace('SID', socket.sessid)} HTTP/1.1\r\n".encode()
        with connected(on) as connection:
            connection.send_raw(line + header_lines(on, *lines))
            assert connection.read_answer().status == 403
        assert socket.state == "NEW"


@pytest.mark.parametrize("kind", REQUESTS)
def test_behind_a_proxy_the_inner_host_is_no_own_origin(kind: str) -> None:
    with place() as on:
        _, socket = on.new_session()
        answer = ask_with(
            on, kind, socket, Origin=f"http://{on.host}", X_Forwarded_Host="public.example"
        )
        assert answer.status == 403


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_client_without_an_origin_is_let_in_and_gets_no_access_control(kind: str) -> None:
    with place() as on:
        _, socket = on.new_session()
        answer = ask_with(on, kind, socket)
        assert answer.status == (101 if kind == "websocket" else 200)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", REQUESTS)
def test_listed_origins_are_let_in_and_no_others(kind: str) -> None:
    with place(origins=["https://shop.example", "http://other.example:8000"]) as on:
        for origin, expected in (
            ("https://shop.example", 200),
            ("https://shop.example:443", 200),
            ("http://other.example:8000", 200),
            ("http://127.0.0.1:PORT", 200),
            ("http://shop.example", 403),
            ("https://shop.example:8000", 403),
            ("http://other.example", 403),
            ("https://shop.example.evil", 403),
            ("null", 403),
        ):
            _, socket = on.new_session()
            answer = ask_with(on, kind, socket, Origin=own_origin(on, origin))
            let_in = 101 if kind == "websocket" else 200
            assert answer.status == (let_in if expected == 200 else 403), origin


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("origin", FOREIGN[:4])
def test_a_star_lets_everyone_in_and_never_stands_beside_credentials(
    kind: str, origin: str
) -> None:
    with place(origins="*") as on:
        _, socket = on.new_session()
        origin = own_origin(on, origin)
        answer = ask_with(on, kind, socket, Origin=origin)
        assert answer.status == (101 if kind == "websocket" else 200)
        if kind not in ("websocket", "disconnect"):
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_handshake_for_a_page_of_another_origin_has_the_preflight_headers_too() -> None:
    with place(origins=["http://good.example"]) as on:
        answer = on.fetch("GET", "/socket.io/1/", Origin="http://good.example")
        assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
        assert answer.headers["access-control-max-age"] == "3600"
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_origin_may_read_that_its_session_is_unknown(method: str) -> None:
    # raw/unknown-session.txt: the answer has the access-control headers, as any other.
    with place(origins=["http://good.example"]) as on:
        answer = on.fetch(
            method, "/socket.io/1/xhr-polling/nosuch", b"3:::x", Origin="http://good.example"
        )
        assert answer.status == 400
        assert answer.headers["access-control-allow-origin"] == "http://good.example"
        assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_refused_jsonp_handshake_tells_the_page_in_a_script() -> None:
    with place() as on:
        answer = on.fetch("GET", "/socket.io/1/?jsonp=7", Origin="http://evil.example")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/javascript"
        assert answer.text == 'io.j[7](new Error("handshake bad origin"));'
        assert on.server.sockets == {}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Referer": "http://evil.example/page"}, False),
        ({"Referer": "http://HOST/page"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "same-site", "Referer": "http://evil.example/"}, False),
        ({"Sec_Fetch_Site": "same-origin", "Referer": "http://HOST/"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({}, True),
    ],
)
def test_what_a_script_or_an_image_can_fetch_is_judged_by_its_referer(
    headers: dict[str, str], allowed: bool
) -> None:
    with place() as on:
        headers = {name: value.replace("HOST", on.host) for name, value in headers.items()}
        script = on.fetch("GET", "/socket.io/1/?jsonp=1", **headers)
        assert ("new Error" in script.text) == (not allowed)
        url, socket = open_session(on)
        image = on.fetch("GET", f"/socket.io/1//{socket.sessid}/?disconnect=1", **headers)
        assert image.status == (200 if allowed else 403)
        assert socket.state.live == (not allowed)
        if not allowed:
            assert is_alive(on, url)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_what_the_browser_calls_a_foreign_request_is_refused_without_an_origin_too(
    kind: str, site: str
) -> None:
    with place() as on:
        url, socket = open_session(on)
        assert ask_with(on, kind, socket, Sec_Fetch_Site=site).status == 403
        assert is_alive(on, url)


def test_header_injection_through_the_origin_is_refused() -> None:
    with place(origins="*") as on:
        answer = raw(
            on,
            b"GET /socket.io/1/ HTTP/1.1\r\n" + header_lines(on, "Origin: http://a\rX-Evil: 1"),
        )
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"Evil" not in answer


# -- polls (sections 7, 8.1) -----------------------------------------------------------------------


def test_posts_before_the_first_poll_are_taken_and_the_poll_still_gets_the_greeting() -> None:
    with place() as on:
        url, socket = on.new_session()
        for text in ("3:::one", "3:::two"):
            answer = on.fetch("POST", url, text.encode())
            assert (answer.status, answer.text) == (200, "1")
        assert socket.state == "NEW"
        assert on.site.record.seen == []
        on.fetch("POST", url, event("echo", "three", msgid="1+").encode())
        assert on.fetch("GET", url).text == "1::"
        assert on.fetch("GET", url).text == '6:::1+["three"]'
        assert on.site.record.seen == ["one", "two"]


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT"])
def test_no_other_request_opens_a_session(method: str) -> None:
    with place() as on:
        url, socket = on.new_session()
        on.fetch(method, url)
        assert socket.state == "NEW"
        assert on.fetch("GET", url).text == "1::"


def test_the_first_poll_brings_the_greeting_alone_whatever_the_application_says() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["socketio"].send_packet({"type": "message", "data": "early"})
        socketio_manage(environ, {"": BaseNamespace})
        return []

    with place(app) as on:
        client = on.polling()
        assert client.poll() == ["1::"]
        assert client.poll() == ["3:::early"]


def test_the_greeting_comes_once() -> None:
    with place(polling_duration=0.05) as on:
        url, _ = open_session(on)
        assert [on.fetch("GET", url).text for _ in range(3)] == ["8::"] * 3


def test_the_answer_to_a_poll_has_the_headers_of_the_reference_server() -> None:
    with place(polling_duration=0.05) as on:
        url, socket = on.new_session()
        for expected in ("1::", "8::", "3:::\u2603\U0001f600"):
            if expected.startswith("3"):
                socket.put_client_msg(expected)
            answer = on.fetch("GET", url)
            assert answer.body == expected.encode()
            assert answer.headers.pop("date")
            assert answer.headers == {
                "content-type": "text/plain; charset=UTF-8",
                "content-length": str(len(expected.encode())),
                "connection": "Keep-Alive",
            }


def test_a_poll_brings_everything_queued_as_one_payload_counted_in_utf16_units() -> None:
    with place() as on:
        url, socket = open_session(on)
        texts = ["3:::\U0001f600\U0001f600", "3:::\u00e9", "5:::" + '{"name":"x"}', "3::", "4:::1"]
        for text in texts:
            socket.put_client_msg(text)
        answer = on.fetch("GET", url)
        lengths = [8, 5, 16, 3, 5]
        assert answer.text == "".join(
            f"\ufffd{length}\ufffd{text}" for length, text in zip(lengths, texts, strict=True)
        )
        assert answer.headers["content-length"] == str(len(answer.body))
        socket.put_client_msg("3:::\U0001f600")
        assert on.fetch("GET", url).text == "3:::\U0001f600"


def test_a_lone_surrogate_in_a_packet_is_replaced_and_loses_nothing_else() -> None:
    with place() as on:
        url, socket = open_session(on)
        for text in ("3:::before", "3:::a\ud83db", "3:::after"):
            socket.put_client_msg(text)
        answer = on.fetch("GET", url)
        assert answer.text == (
            "\ufffd10\ufffd3:::before\ufffd7\ufffd3:::a\ufffdb\ufffd9\ufffd3:::after"
        )


def test_a_second_poll_ends_the_first_with_a_noop_and_takes_its_place() -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as first, connected(on) as second:
            first.start("GET", url)
            wait_for(lambda: socket.transport)
            link = socket._link
            second.start("GET", url)
            wait_for(lambda: socket._link is not link)
            assert first.read_answer().text == "8::"
            socket.put_client_msg("3:::for the second")
            assert second.read_answer().text == "3:::for the second"
            assert first.request("GET", url + "?disconnect").status == 200


def test_a_hundred_pairs_of_polls_lose_and_repeat_nothing() -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as first, connected(on) as second:
            for number in range(100):
                hits = socket.hits
                first.start("GET", url)
                second.start("GET", url)
                wait_for(lambda before=hits: socket.hits == before + 2)
                socket.put_client_msg(f"3:::{number}")
                answers = [first.read_answer().text, second.read_answer().text]
                assert sorted(answers) == [f"3:::{number}", "8::"]


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_client_that_vanishes_in_its_poll_keeps_its_packets(how: str) -> None:
    with place() as on:
        url, socket = open_session(on)
        for number in range(10):
            gone = Connection(on.server)
            hits = socket.hits
            gone.start("GET", url)
            wait_for(lambda before=hits: socket.hits == before + 1)
            if how == "RST":
                reset_on_close(gone)
            gone.close()
            socket.put_client_msg(f"3:::{number}a")
            socket.put_client_msg(f"3:::{number}b")
            texts = ""
            while not texts:
                texts = on.fetch("GET", url).text.replace("8::", "")
            assert texts == encode_payload([f"3:::{number}a", f"3:::{number}b"])


def test_a_client_that_half_closes_behind_its_poll_loses_nothing() -> None:
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            connection.start("GET", url)
            wait_for(lambda: socket.transport)
            connection.sock.shutdown(stdsocket.SHUT_WR)
            socket.put_client_msg("3:::x")
            text = connection.read_answer().text
        if text == "8::":
            text = on.fetch("GET", url).text
        assert text == "3:::x"


def test_a_kick_between_two_polls_is_told_once_and_then_the_session_is_unknown() -> None:
    with place() as on:
        url, socket = open_session(on)
        socket.put_client_msg("3:::last words")
        socket.disconnect()
        assert on.fetch("GET", url).text == encode_payload(["3:::last words", "0::"])
        wait_for(lambda: not on.server.sockets)
        assert on.fetch("GET", url).status == 400


# -- posts (sections 6, 8.2) -----------------------------------------------------------------------


def test_the_answer_to_a_post_has_the_headers_of_the_reference_server() -> None:
    with place() as on:
        url, _ = open_session(on)
        answer = on.fetch("POST", url, b"3:::x")
        assert answer.body == b"1"
        assert answer.headers.pop("date")
        assert answer.headers == {
            "content-type": "text/plain; charset=UTF-8",
            "content-length": "1",
        }


@pytest.mark.parametrize(
    "messages",
    [
        ["3:::one line\nand another\r\nand a third\n"],
        ["3:::\n"],
        ["3:::a\nb", "3:::\r", "3:::c"],
        ["3:::\u2603 \U0001f600\U0001f600", "3:::\ufffd5\ufffd3:::x", "3:::e\u0301"],
        ["3:::\u2028\u2029\x00\x1f\x7f\ufeff", "3:::\uffff"],
        ["3:::" + "x" * 100_000],
        [f"3:::{number}" for number in range(1000)],
    ],
    ids=lambda messages: ascii(messages[0][:20]) + f"x{len(messages)}",
)
@pytest.mark.parametrize("chunked", [False, True])
def test_every_packet_of_a_post_arrives_whole_and_in_order(
    messages: list[str], chunked: bool
) -> None:
    with place() as on:
        url, _ = open_session(on)
        body = encode_payload(messages).encode()
        if chunked:
            with connected(on) as connection:
                send_chunked(on, connection, url, [body[at : at + 7] for at in range(0, 70, 7)])
                if rest := body[70:]:
                    connection.send_raw(b"%x\r\n%b\r\n" % (len(rest), rest))
                connection.send_raw(b"0\r\n\r\n")
                assert connection.read_answer().text == "1"
        else:
            assert on.fetch("POST", url, body).text == "1"
        wait_for(lambda: len(on.site.record.seen) == len(messages))
        assert on.site.record.seen == [text[4:] for text in messages]


def send_chunked(on: Place, connection: Connection, url: str, chunks: list[bytes]) -> None:
    """Begin a chunked POST; the last chunk is the caller's to send."""
    connection.send_raw(
        f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, "Transfer-Encoding: chunked")
    )
    for chunk in chunks:
        if chunk:
            connection.send_raw(b"%x\r\n%b\r\n" % (len(chunk), chunk))


def test_chunks_with_extensions_and_trailers_are_read() -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            send_chunked(on, connection, url, [])
            connection.send_raw(b'5;name="value"\r\n3:::x\r\n0\r\nX-Trailer: y\r\n\r\n')
            assert connection.read_answer().text == "1"
            assert connection.request("POST", url, b"3:::y").text == "1"
        wait_for(lambda: on.site.record.seen == ["x", "y"])


MALFORMED = [
    b"",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbd\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd-4\xef\xbf\xbd",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd-5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd6\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd4\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::xjunk",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x ",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd5",
    b"\xef\xbf\xbd5 \xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd+5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd0_5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd0x5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd5.0\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd\xd9\xa5\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd99999999999999999999\xef\xbf\xbd3:::x",
    b"\xef\xbf\xbd" + b"9" * 10_000 + b"\xef\xbf\xbd3:::x",
    # Lengths in code points, as gevent-socketio counts them.
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::\xf0\x9f\x98\x80\xef\xbf\xbd5\xef\xbf\xbd3:::b",
    # Invalid UTF-8: alone, in a good payload, cut short, over-long, a surrogate.
    b"3:::\xff",
    b"3:::x\x80",
    b"3:::\xe2\x98",
    b"3:::\xc0\xaf",
    b"3:::\xed\xa0\x80",
    b"3:::\xf4\x90\x80\x80",
    b"\xff\xfe3\x00:\x00",
    b"\xef\xbf\xbd5\xef\xbf\xbd3:::x\xef\xbf\xbd5\xef\xbf\xbd3:::\xff",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: ascii(body[:40]))
def test_a_malformed_payload_is_refused_whole_and_the_session_goes_on(body: bytes) -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            answer = connection.request("POST", url, body)
            assert answer.status == 400
            assert answer.text
            assert connection.request("POST", url, b"3:::next").text == "1"
        wait_for(lambda: on.site.record.seen)
        assert on.site.record.seen == ["next"]
        assert is_alive(on, url)


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_have_the_limit_and_not_a_byte_more(chunked: bool, over: int) -> None:
    with place(max_body_size=1000) as on:
        url, _ = open_session(on)
        body = b"3:::" + b"x" * (996 + over)
        with connected(on) as connection:
            if chunked:
                send_chunked(on, connection, url, [body])
                connection.send_raw(b"0\r\n\r\n")
            else:
                connection.start("POST", url, body)
            answer = connection.read_answer()
            if over:
                assert answer.status == 413
                assert "1000 bytes" in answer.text
                assert answer.headers["connection"] == "close"
                assert read_to_end(connection) == b""
            else:
                assert (answer.status, answer.text) == (200, "1")
        assert is_alive(on, url)
        assert on.site.record.seen == ([] if over else ["x" * 996])


def test_the_default_limit_of_a_body_is_a_million_bytes() -> None:
    with place() as on:
        url, _ = open_session(on)
        assert on.fetch("POST", url, b"3:::" + b"x" * 999_996).text == "1"
        with connected(on) as connection:
            connection.start("POST", url, b"")
            connection.read_answer()
            connection.send_raw(
                f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, "Content-Length: 1000001")
            )
            assert connection.read_answer().status == 413


@pytest.mark.parametrize("length", [1_000_001, 10**9, 10**17])
@pytest.mark.parametrize("expect", [False, True])
def test_a_body_that_is_declared_too_large_is_refused_before_it_comes(
    length: int, expect: bool
) -> None:
    with place() as on:
        url, _ = open_session(on)
        lines = [f"Content-Length: {length}", *(["Expect: 100-continue"] if expect else [])]
        with connected(on) as connection:
            connection.send_raw(f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, *lines))
            assert connection.read_answer().status == 413  # and no 100 before it
            connection.sock.shutdown(stdsocket.SHUT_WR)
            assert read_to_end(connection) == b""
        assert is_alive(on, url)


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            lines = header_lines(on, "Content-Length: 5", "Expect: 100-continue")
            connection.send_raw(f"POST {url} HTTP/1.1\r\n".encode() + lines)
            go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
            assert connection.sock.recv(len(go_on)) == go_on
            connection.send_raw(b"3:::x")
            assert connection.read_answer().text == "1"


def test_a_body_without_an_end_is_refused_at_the_limit() -> None:
    with place(max_body_size=100_000) as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            send_chunked(on, connection, url, [])
            chunk = b"%x\r\n%b\r\n" % (1000, b"x" * 1000)
            sender = gevent.spawn(send_until_refused, connection, chunk)
            assert connection.read_answer().status == 413
            sender.kill()
        assert is_alive(on, url)


def send_until_refused(connection: Connection, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.send_raw(data)
            gevent.sleep(0)


@pytest.mark.parametrize("over", [0, 1])
def test_a_payload_may_have_the_limit_of_packets_and_not_one_more(over: int) -> None:
    with place() as on:
        url, _ = open_session(on)
        messages = [f"3:::{number}" for number in range(1000 + over)]
        answer = on.fetch("POST", url, encode_payload(messages).encode())
        assert answer.status == (400 if over else 200)
        assert is_alive(on, url)
        assert len(on.site.record.seen) == (0 if over else 1000)


@pytest.mark.parametrize(
    "garbage", [b"zz\r\n", b"-5\r\n3:::x\r\n", b"5\r\n3:::xx\r\n", b"\r\n", b"f" * 17, b"5\n"]
)
def test_bad_chunks_are_refused_and_nothing_of_them_is_applied(garbage: bytes) -> None:
    with place() as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            send_chunked(on, connection, url, [])
            connection.send_raw(garbage)
            connection.sock.shutdown(stdsocket.SHUT_WR)
            assert connection.read_answer().status == 400
            assert read_to_end(connection) == b""
        assert is_alive(on, url)
        assert on.site.record.seen == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_vanishes_in_its_post_leaves_no_packet_and_no_traceback(
    chunked: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with place() as on:
        url, socket = open_session(on)
        hits = socket.hits
        with connected(on) as connection:
            length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100"
            head = f"POST {url} HTTP/1.1\r\n".encode() + header_lines(on, length)
            connection.send_raw(head + (b"64\r\n" if chunked else b"") + b"3:::part")
            wait_for(lambda: socket.hits > hits)
        wait_for(lambda: not on.server._connections)
        assert is_alive(on, url)
        assert on.site.record.seen == []
    assert "Traceback" not in "".join(capfd.readouterr())


POST_BODY = encode_payload(["3:::one", "3:::\u2603"]).encode()
EXCHANGES = {
    "a poll": ("GET", [], b""),
    "a post": ("POST", [f"Content-Length: {len(POST_BODY)}"], POST_BODY),
    "a post in chunks": (
        "POST",
        ["Transfer-Encoding: chunked"],
        b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (POST_BODY[:5], len(POST_BODY) - 5, POST_BODY[5:]),
    ),
}


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_request_cut_off_at_any_byte_does_nothing_and_leaves_no_traceback(
    exchange: str, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with place() as on:
        url, socket = open_session(on)
        method, lines, body = EXCHANGES[exchange]
        whole = f"{method} {url} HTTP/1.1\r\n".encode() + header_lines(on, *lines) + body
        hits = socket.hits
        for length in range(len(whole)):
            with connected(on) as connection:
                connection.send_raw(whole[:length])
                if how == "RST":
                    gevent.sleep(0)  # what was sent goes out, or the reset takes it back
                    reset_on_close(connection)
        wait_for(lambda: not on.server._connections)
        assert on.site.record.seen == []
        assert (socket.hits > hits) == (method == "POST")  # some came up to the body
        assert is_alive(on, url)
    assert "Traceback" not in "".join(capfd.readouterr())


def reset_on_close(connection: Connection) -> None:
    linger = struct.pack("ii", 1, 0)
    connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)


@pytest.mark.parametrize("case", ["refused", "taken", "held", "the application's"])
def test_a_client_that_resets_its_connection_behind_a_request_leaves_no_traceback(
    case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with place(polling_duration=0.05) as on:
        url, _ = open_session(on)
        target = {"refused": "/socket.io/1/nope/x", "the application's": "/page"}.get(case, url)
        for _ in range(20):
            with connected(on) as connection:
                body = b"" if case == "held" else b"3:::x" * 1000
                connection.start("GET" if case == "held" else "POST", target, body)
                reset_on_close(connection)
            gevent.sleep(0)
        wait_for(lambda: not on.server._connections)
        assert is_alive(on, url)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_many_posts_at_once_are_all_handled_once_and_each_connection_keeps_its_order() -> None:
    with place() as on:
        url, _ = open_session(on)

        def post(number: int) -> None:
            with connected(on) as connection:
                for part in range(10):
                    assert (
                        connection.request("POST", url, f"3:::{number}.{part}".encode()).text == "1"
                    )

        gevent.joinall([gevent.spawn(post, number) for number in range(10)], raise_error=True)
        wait_for(lambda: len(on.site.record.seen) == 100)
        for number in range(10):
            own = [text for text in on.site.record.seen if text.startswith(f"{number}.")]
            assert own == [f"{number}.{part}" for part in range(10)]


def test_posts_of_a_session_with_too_much_to_do_wait_and_are_then_told_to_come_later() -> None:
    with place(max_inbound_packets=2, body_timeout=0.2) as on:
        url, _ = open_session(on)
        on.fetch("POST", url, event("hold").encode())
        wait_for(lambda: on.site.record.seen == ["held"])
        assert on.fetch("POST", url, encode_payload(["3:::one", "3:::two"]).encode()).text == "1"
        refused = on.fetch("POST", url, b"3:::three")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        on.site.gate.set()
        assert on.fetch("POST", url, b"3:::four").text == "1"
        wait_for(lambda: on.site.record.seen == ["held", "one", "two", "four"])


# -- time (decision 9) -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        b"G",
        b"GET / HT",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: aaa",
        b"POST /socket.io/1/ HTTP/1.1\r\nHost: x\r\n",
    ],
)
@pytest.mark.parametrize("trickle", [False, True])
def test_a_header_that_does_not_come_in_time_is_a_408(start: bytes, trickle: bool) -> None:
    with place(header_timeout=0.2) as on, connected(on) as connection:
        connection.send_raw(start)
        sender = gevent.spawn(send_slowly, connection) if trickle else None
        answer = connection.read_answer()
        assert answer.status == 408
        assert answer.headers["connection"] == "close"
        if sender is not None:
            sender.kill()
        assert on.site.visits.seen == []


def send_slowly(connection: Connection) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.send_raw(b"a")
            gevent.sleep(0.01)


def test_a_slow_header_behind_a_good_request_is_a_408_too() -> None:
    with place(header_timeout=0.2) as on, connected(on) as connection:
        assert connection.request("GET", "/page").status == 200
        connection.send_raw(b"GET /pa")
        assert connection.read_answer().status == 408
        assert read_to_end(connection) == b""


def test_the_time_between_two_requests_does_not_count() -> None:
    with place(header_timeout=0.1) as on, connected(on) as idle, connected(on) as slow:
        assert idle.request("GET", "/page").status == 200
        slow.send_raw(b"G")
        assert slow.read_answer().status == 408
        assert idle.request("GET", "/page").status == 200


def test_the_time_of_the_application_does_not_count() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        gevent.sleep(0.15)
        start_response("200 OK", [])
        return [b"slow page"]

    with serving(app, header_timeout=0.05, body_timeout=0.05) as server:
        assert fetch(server, "GET", "/").text == "slow page"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("trickle", [False, True])
def test_a_body_that_does_not_come_in_time_is_a_408_and_the_session_goes_on(
    chunked: bool, trickle: bool
) -> None:
    with place(body_timeout=0.2) as on:
        url, _ = open_session(on)
        with connected(on) as connection:
            if chunked:
                send_chunked(on, connection, url, [b"3:::x"])
                connection.send_raw(b"fffff\r\n")
            else:
                connection.send_raw(
                    f"POST {url} HTTP/1.1\r\n".encode()
                    + header_lines(on, "Content-Length: 100000")
                    + b"3:::x"
                )
            sender = gevent.spawn(send_slowly, connection) if trickle else None
            answer = connection.read_answer()
            assert answer.status == 408
            assert answer.headers["connection"] == "close"
            if sender is not None:
                sender.kill()
        assert is_alive(on, url)
        assert on.site.record.seen == []


def test_a_client_that_does_not_read_its_poll_is_given_up_at_the_write_timeout() -> None:
    # F17; the packets may be kept for the next poll or end the session, but hold nothing.
    with place(write_timeout=0.2, linger_timeout=0.2) as on:
        url, socket = open_session(on)
        for _ in range(7):
            socket.put_client_msg("3:::" + "x" * 1_100_000)
        with connected(on) as connection:
            connection.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
            connection.start("GET", url)
            wait_for(lambda: socket.transport)
            wait_for(lambda: not on.server._connections, "the connection is given up")


# -- refusals while the body is still coming (decision 7, F2) --------------------------------------

REFUSED = {
    "unknown session": ("POST", "/socket.io/1/xhr-polling/nosuch", {}, 400),
    "unknown transport": ("POST", "/socket.io/1/nope/SID", {}, 400),
    "other version": ("POST", "/socket.io/2/", {}, 400),
    "method of a session": ("PUT", "/socket.io/1/xhr-polling/SID", {}, 405),
    "method of a handshake": ("PUT", "/socket.io/1/", {}, 405),
    "method of a disconnect": ("PUT", "/socket.io/1//SID?disconnect", {}, 405),
    "origin of a handshake": ("POST", "/socket.io/1/", {"Origin": "http://evil.example"}, 403),
    "origin of a post": (
        "POST",
        "/socket.io/1/xhr-polling/SID",
        {"Origin": "http://evil.example"},
        403,
    ),
    "too large": ("POST", "/socket.io/1/xhr-polling/SID", {}, 413),
    "no upgrade": ("POST", "/socket.io/1/websocket/SID", {}, 400),
    "ambiguous": ("POST", "/page", {"X-A": "b\r\n folded"}, 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_does_not_wait_for_the_body_and_ends_the_connection(case: str) -> None:
    method, target, headers, status = REFUSED[case]
    with place() as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            lines = header_lines(
                on,
                "Content-Length: 10000000",
                *(f"{name}: {value}" for name, value in headers.items()),
            )
            line = f"{method} {target.replace('SID', socket.sessid)} HTTP/1.1\r\n"
            connection.send_raw(line.encode() + lines + b"the beginning")
            assert connection.read_answer().status == status
            assert read_to_end(connection) == b""
        wait_for(lambda: not on.server._connections)
        assert is_alive(on, url)


@pytest.mark.parametrize("case", REFUSED)
def test_a_client_that_sends_its_whole_body_reads_the_refusal_without_a_reset(case: str) -> None:
    method, target, headers, status = REFUSED[case]
    with place(max_body_size=100_000) as on:
        url, socket = open_session(on)
        with connected(on) as connection:
            body = b"x" * 200_000
            connection.start(method, target.replace("SID", socket.sessid), body, headers)
            assert connection.read_answer().status == status
            assert read_to_end(connection) == b""
        assert is_alive(on, url)


def test_a_body_that_nobody_reads_does_not_hold_the_answer_to_a_poll() -> None:
    with place() as on:
        url, _ = on.new_session()
        with connected(on) as connection:
            lines = header_lines(on, "Content-Length: 10000000")
            connection.send_raw(f"GET {url} HTTP/1.1\r\n".encode() + lines + b"the beginning")
            assert connection.read_answer().text == "1::"
            assert read_to_end(connection) == b""


# -- several requests on one connection (F63) ------------------------------------------------------


def test_fifty_handshakes_in_one_write_are_answered_in_order() -> None:
    with place() as on, connected(on) as connection:
        lines = b"".join(
            f"GET /socket.io/1/?jsonp={number} HTTP/1.1\r\n".encode() + header_lines(on)
            for number in range(50)
        )
        connection.send_raw(lines)
        answers = [connection.read_answer().text for _ in range(50)]
        assert [answer.split("(")[0] for answer in answers] == [f"io.j[{n}]" for n in range(50)]
        assert len(on.server.sockets) == 50


def test_requests_of_all_kinds_in_one_write_are_answered_in_order() -> None:
    with place() as on, connected(on) as connection:
        url, _ = on.new_session()

        def request(method: str, target: str, body: bytes = b"") -> bytes:
            length = [f"Content-Length: {len(body)}"] if body else []
            return f"{method} {target} HTTP/1.1\r\n".encode() + header_lines(on, *length) + body

        connection.send_raw(
            request("GET", url)
            + request("GET", "/one")
            + request("POST", url, b"3:::first")
            + request("POST", "/two", b"GET /three HTTP/1.1\r\n")
            + request("POST", url, event("echo", 1, msgid="5+").encode())
            + request("GET", url)
            + request("PUT", url)
            + request("OPTIONS", url)
            + request("POST", url, b"3:::last")
            + request("GET", "/socket.io/1//none/?disconnect=1")
            + request("GET", "/four")
        )
        answers = [connection.read_answer() for _ in range(11)]
        assert [(answer.status, answer.text) for answer in answers] == [
            (200, "1::"),
            (200, "the page of /one got "),
            (200, "1"),
            (200, "the page of /two got GET /three HTTP/1.1\r\n"),
            (200, "1"),
            (200, "6:::5+[1]"),
            (405, "use GET, POST or OPTIONS"),
            (200, ""),
            (200, "1"),
            (200, ""),
            (200, "the page of /four got "),
        ]
        wait_for(lambda: on.site.record.seen == ["first", "last"])


def test_a_poll_that_waits_holds_only_its_own_connection() -> None:
    with place() as on, connected(on) as first, connected(on) as second:
        url, socket = open_session(on)
        first.send_raw(
            f"GET {url} HTTP/1.1\r\n".encode()
            + header_lines(on)
            + b"GET /behind HTTP/1.1\r\n"
            + header_lines(on)
        )
        wait_for(lambda: socket.transport)
        assert second.request("GET", "/beside").status == 200
        socket.put_client_msg("3:::x")
        assert first.read_answer().text == "3:::x"
        assert first.read_answer().text == "the page of /behind got "
        assert on.site.visits.seen == [("GET", "/beside"), ("GET", "/behind")]


@pytest.mark.parametrize("target", ["/socket.io/1/", "/page", "POLL", "POST"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_connection_stays_open_or_ends_as_the_client_asks(target: str, version: str) -> None:
    with place() as on:
        url, _ = open_session(on)
        method = "POST" if target == "POST" else "GET"
        target = target if target.startswith("/") else url
        lines = [] if version == "1.0" else ["Connection: close"]
        if method == "GET" and target == url:
            on.server.sockets[url.split("/")[-1]].put_client_msg("3:::x")
        if method == "POST":
            lines.append("Content-Length: 5")
        body = b"3:::x" if method == "POST" else b""
        head = f"{method} {target} HTTP/{version}\r\n".encode() + header_lines(on, *lines)
        with connected(on) as connection:
            connection.send_raw(head + body)
            assert connection.read_answer().status == 200
            assert read_to_end(connection) == b""


# -- smuggling (decision 9, b.3, F1, F3) -----------------------------------------------------------

CANARY = b"GET /canary HTTP/1.1\r\nHost: x\r\n\r\n"

SMUGGLING = {
    "two lengths": ["Content-Length: 0", "Content-Length: 38"],
    "two equal lengths": ["Content-Length: 0", "Content-Length: 0"],
    "a length list": ["Content-Length: 0, 38"],
    "a length with a sign": ["Content-Length: +0"],
    "a length with an underscore": ["Content-Length: 0_0"],
    "a negative length": ["Content-Length: -1"],
    "an empty length": ["Content-Length:"],
    "a length beside chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks beside a length": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "xchunked": ["Transfer-Encoding: xchunked"],
    "chunked twice": ["Transfer-Encoding: chunked, chunked"],
    "two codings": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "identity": ["Transfer-Encoding: identity"],
    "a quoted coding": ['Transfer-Encoding: "chunked"'],
    "a coding with a vertical tab": ["Transfer-Encoding: \x0bchunked"],
    "a space before the colon": ["Content-Length : 38"],
    "a tab before the colon": ["Transfer-Encoding\t: chunked"],
    "a space before the name": [" Content-Length: 38"],
    "a folded line": ["X-A: b", " c"],
    "a folded length": ["Content-Length:", " 38"],
    "a line without a colon": ["nonsense"],
    "an empty name": [": x"],
    "a NUL in a value": ["X-A: b\x00c"],
    "a CR in a value": ["X-A: b\rContent-Length: 38"],
    "a NUL in a name": ["X\x00A: b"],
    "two hosts": ["Host: evil.example"],
}


@pytest.mark.parametrize("target", ["/page", "/socket.io/1/", "/socket.io/1/xhr-polling/SID"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("case", SMUGGLING)
def test_an_ambiguous_request_is_a_400_and_what_is_behind_it_is_not_executed(
    case: str, method: str, target: str
) -> None:
    with place() as on:
        url, socket = open_session(on)
        target = target.replace("SID", socket.sessid)
        head = f"{method} {target} HTTP/1.1\r\n".encode() + header_lines(on, *SMUGGLING[case])
        answer = raw(on, head + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []
        assert list(on.server.sockets) == [socket.sessid]
        assert is_alive(on, url)


LINES = {
    "HTTP/0.9": b"GET /page\r\n",
    "HTTP/0.9 with a version": b"GET /page HTTP/0.9\r\n",
    "HTTP/1.1.1": b"GET /page HTTP/1.1.1\r\n",
    "HTTP/1.2": b"GET /page HTTP/1.2\r\n",
    "HTTP/2.0": b"GET /page HTTP/2.0\r\n",
    "no version number": b"GET /page HTTP/\r\n",
    "a lower-case method": b"get /page HTTP/1.1\r\n",
    "two blanks": b"GET  /page HTTP/1.1\r\n",
    "a tab": b"GET\t/page HTTP/1.1\r\n",
    "a blank in the target": b"GET /pa ge HTTP/1.1\r\n",
    "a blank behind": b"GET /page HTTP/1.1 \r\n",
    "a NUL in the target": b"GET /pa\x00ge HTTP/1.1\r\n",
    "a bare LF": b"GET /page HTTP/1.1\n",
    "a CR inside": b"GET /page\rHTTP/1.1\r\n",
    "no target": b"GET HTTP/1.1\r\n",
    "nonsense": b"nonsense\r\n",
    "only blanks": b"   \r\n",
    "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n",
}


@pytest.mark.parametrize("case", LINES)
def test_a_malformed_request_line_is_a_400_and_nothing_is_executed(case: str) -> None:
    with place() as on:
        answer = raw(on, LINES[case] + header_lines(on) + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET /page HTTP/1.1\r\n\r\n",
        b"GET /page HTTP/1.1\r\nX-Host: x\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: x\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: x\r\nX-A: b\n\r\n",
        b"GET /page HTTP/1.1\nHost: x\n\n",
        b"POST /page HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_header_without_a_host_or_with_bare_line_feeds_is_a_400(head: bytes) -> None:
    with place() as on:
        answer = raw(on, head + CANARY)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/socket.io/1/", 200),
        ("POST", "/socket.io/1/?jsonp=1", 200),
        ("OPTIONS", "/socket.io/1/", 200),
        ("GET", "/socket.io/2/", 400),
        ("GET", "/socket.io/1//nosuch/?disconnect", 200),
        ("GET", "/socket.io/1/xhr-polling/nosuch", 400),
        ("POST", "/socket.io/1/xhr-polling/nosuch", 400),
        ("POST", "/socket.io/1/nope/nosuch", 400),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_nobody_reads_is_not_taken_for_a_request(
    method: str, target: str, status: int, chunked: bool
) -> None:
    with place() as on:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(CANARY)}"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CANARY), CANARY) if chunked else CANARY
        head = f"{method} {target} HTTP/1.1\r\n".encode() + header_lines(on, length)
        answer = raw(on, head + body + CANARY)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert answer.count(b"HTTP/1.1") == 1
        assert on.site.visits.seen == []


@pytest.mark.parametrize("trailer", [b"X A: b\r\n", b"\x00: b\r\n", b"X\r\n: b\r\n"])
def test_a_bad_trailer_ends_the_connection_before_the_next_request(trailer: bytes) -> None:
    with place() as on:
        url, _ = open_session(on)
        for target in (url, "/page"):
            head = f"POST {target} HTTP/1.1\r\n".encode()
            body = b"5\r\n3:::x\r\n0\r\n" + trailer + b"\r\n"
            answer = raw(on, head + header_lines(on, "Transfer-Encoding: chunked") + body + CANARY)
            assert answer.startswith(b"HTTP/1.1 400 ")
        assert ("GET", "/canary") not in on.site.visits.seen
        assert is_alive(on, url)
        assert on.site.record.seen == []


def test_a_header_that_is_too_large_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with place() as on:
        for lines in (
            ["X-A: " + "b" * 70_000],
            [f"X-{n}: {'b' * 1000}" for n in range(90)],
            [f"X-{n}: b" for n in range(101)],
            ["X: y"] * 10_000,
        ):
            answer = raw(on, b"GET /page HTTP/1.1\r\n" + header_lines(on, *lines) + CANARY)
            assert re.match(rb"HTTP/1.1 4\d\d ", answer)
            assert on.site.visits.seen == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "data",
    [
        b"GET /page\r\n\r\n",
        b"get /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /page HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"GET /page HTTP/1.1\nHost: x\nConnection: close\n\n",
        b"\r\n".join(
            [
                b"POST /page HTTP/1.1",
                b"Host: x",
                b"Connection: close",
                b"Content-Length: 3",
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ]
        ),
    ],
)
def test_without_strict_http_such_requests_are_left_to_pywsgi(data: bytes) -> None:
    with place(strict_http=False) as on:
        assert b"the page of /page got " in raw(on, data)
        assert [path for _, path in on.site.visits.seen] == ["/page"]
        assert handshake(on.server)
    with place() as on:
        assert raw(on, data).startswith(b"HTTP/1.1 400 ")


def test_without_strict_http_a_slow_header_is_a_408_still() -> None:
    with place(strict_http=False, header_timeout=0.1) as on, connected(on) as connection:
        connection.send_raw(b"GET / HTTP/1.1\r\n")
        assert connection.read_answer().status == 408


# -- the application's own requests ----------------------------------------------------------------


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
