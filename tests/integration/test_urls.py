"""What URLs and methods are answered, as the sections of the protocol text have it."""

from __future__ import annotations

import pytest

from tests.client import handshake, wait_for
from tests.integration.httpplace import BOTH, UPGRADE, connected, is_alive, open_session, place

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
