"""The answer to a handshake, plain or as a script (protocol sections 1, 2)."""

from __future__ import annotations

import re

import pytest

from tests.client import handshake
from tests.integration.httpplace import place


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
