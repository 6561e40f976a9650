"""What the protocol pages say of sessions in sentences rather than in tables and examples."""

import re
import runpy
from pathlib import Path

import pytest

from socketio.config import Settings
from tests.client import Connection, PollingClient, WebSocketClient, fetch, handshake, serving

DOCS = Path(__file__).parents[2] / "docs"
PAGES, SAMPLES = DOCS / "protocol", DOCS / "samples" / "protocol"


@pytest.fixture(scope="module")
def server():
    with serving(runpy.run_path(str(SAMPLES / "server.py"))["app"]) as server:
        yield server


@pytest.fixture
def client(server):
    client = WebSocketClient(server).open()
    yield client
    client.close()


def answers(client, *packets):
    """Send packets, and return all that comes back until they are worked off."""
    client.send(*packets, "3:::that was all")
    return list(iter(client.recv, "3:::that was all"))


@pytest.mark.parametrize(
    "target", ["/socket.io/1", "/socket.io/1/", "/socket.io/1?t=1", "/socket.io/1/?colour=red"]
)
def test_a_handshake_is_asked_for_with_and_without_a_slash(target, server):
    assert fetch(server, "GET", target).text.count(":") == 3
    assert fetch(server, "POST", target, b"whatever").text.count(":") == 3


def test_a_jsonp_that_is_no_number_is_not_answered_as_a_script(server):
    assert fetch(server, "GET", "/socket.io/1/?jsonp=alert").text[:40].isdecimal()
    assert fetch(server, "GET", "/socket.io/1/?jsonp=" + 13 * "1").text[:40].isdecimal()


def test_a_client_that_sends_the_greeting_gets_it_back(client):
    assert answers(client, "1::") == ["1::"]


def test_an_endpoint_may_be_used_before_it_is_joined(client):
    asked = '5:1+:/chat:{"name":"sum","args":[2,3]}'
    assert answers(client, asked) == ["6::/chat:1+[5]"]


def test_the_query_of_an_endpoint_is_repeated(client):
    assert answers(client, "1::/chat:?room=7") == ["1::/chat:?room=7"]


def test_an_id_with_a_plus_is_answered_with_what_the_handler_returns(client):
    divide = '5:8+:/chat:{"name":"divide","args":[7,2]}'
    nothing = '5:9+::{"name":"hello","args":["Ada"]}'
    assert answers(client, divide) == ["6::/chat:8+[3,1]"]
    greeting = '5:::{"args":["Hello Ada!"],"name":"greeting"}'
    assert answers(client, nothing) == [greeting, "6:::9+[null]"]


def test_an_id_without_a_plus_is_confirmed_before_anything_is_done(client):
    assert answers(client, "3:4::x") == ["6:::4", "3:::x"]
    assert answers(client, "3:4:/nowhere:x")[0] == "6::/nowhere:4"


def test_an_id_is_answered_once(client):
    client.send('5:::{"name":"ask"}')
    assert client.recv() == '5:1+::{"args":["who are you?"],"name":"question"}'
    assert answers(client, '6:::1+["Ada"]', '6:::1+["Bob"]') == ["3:::Ada"]


def test_leaving_the_last_endpoint_ends_the_session(server):
    client = WebSocketClient(server).open()
    client.send("1::/chat")
    assert client.recv() == "1::/chat"
    client.send("0::/chat")
    assert client.recv() == "0::"
    client.close()


def test_the_global_endpoint_is_one_that_keeps_the_session(client):
    assert answers(client, "3:::x", "1::/chat", "0::/chat") == ["3:::x", "1::/chat"]


def test_what_is_posted_before_the_first_poll_is_kept(server):
    client = PollingClient(server)
    client.send("3:::early")
    assert client.poll() == ["1::"]
    assert client.recv() == "3:::early"
    client.close()


def test_the_body_of_a_post_may_be_chunked(server):
    client = PollingClient(server).open()
    connection = Connection(server)
    head = f"POST {client.url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.send_raw(head.encode() + b"4\r\n3:::\r\n2\r\nhi\r\n0\r\n\r\n")
    assert connection.read_answer().text == "1"
    assert client.recv() == "3:::hi"
    connection.close()
    client.close()


def test_a_goodbye_is_returned_on_a_poll_that_waits_and_is_the_end_without_one(server):
    client = PollingClient(server).open()
    client.start_poll()
    client.send("0::")
    assert client.end_poll() == ["0::"]
    client.close()
    client = PollingClient(server).open()
    client.send("0::")
    assert fetch(server, "GET", client.url).status == 400
    client.close()


@pytest.mark.parametrize("target", ["/xhr-polling/{}?disconnect", "//{}/?disconnect=1"])
def test_the_disconnect_url_is_answered_alike_for_any_session(target, server):
    for sessid in (handshake(server), "12345"):
        answer = fetch(server, "GET", f"/socket.io/1{target.format(sessid)}")
        assert (answer.status, answer.text) == (200, "")
        assert sessid not in server.sockets


def test_the_timeouts_of_the_page_are_the_defaults():
    shown = re.findall(r"^``(\w+)`` +(\d+) s ", (PAGES / "sessions.rst").read_text(), re.M)
    assert len(shown) == 9
    defaults = Settings()
    for name, seconds in shown:
        real = defaults.poll_seconds if name == "polling_duration" else defaults[name]
        assert real == int(seconds), name


def test_the_limits_of_the_page_are_the_defaults():
    rows = re.findall(r"\* - (``max_.+)\n     - (.+)\n", (PAGES / "errors.rst").read_text())
    shown = [
        (name, number.replace(",", ""))
        for names, numbers in rows
        for name, number in zip(
            re.findall(r"\w+", names), re.findall(r"[0-9][0-9,]*[0-9]|none", numbers), strict=True
        )
    ]
    assert len(shown) == 10
    for name, number in shown:
        assert str(Settings()[name]).lower() == number, name
