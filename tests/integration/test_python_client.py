"""The Python client of the time, socketIO-client 0.5.7.4, over each transport that it has."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Recorder, serving, wait_for
from tests.tools import missing

SCRIPT = Path(__file__).resolve().with_name("python_client.py")
TRANSPORTS = ["websocket", "xhr-polling", "jsonp-polling"]

each = pytest.mark.parametrize("transport", TRANSPORTS)


@pytest.fixture(scope="module", autouse=True)
def client_is_there() -> None:
    """Skip the tests where the client is missing, or fail them where everything has to be there."""
    if importlib.util.find_spec("socketIO_client") is None:
        missing("the Python client (pip install socketIO-client==0.5.7.4)")


class Talking(BaseNamespace):
    """Answers what the client of the scenarios says."""

    record: Recorder
    answers: list[Any]

    def initialize(self) -> None:
        self.answers = []
        self.record("open", self.ns_name)

    def recv_connect(self) -> None:
        self.record("connect", self.ns_name)

    def recv_disconnect(self) -> None:
        self.record("disconnect", self.ns_name)
        self.disconnect(silent=True)

    def on_echo(self, *values: Any) -> Any:
        return values

    def on_nothing(self) -> tuple[()]:
        return ()

    def on_send_news(self, count: int) -> None:
        for number in range(count):
            self.on_send_event(number)
            self.on_send_text(number)
            self.on_send_json(number)

    def on_send_event(self, number: int) -> None:
        self.emit("news", number, {"text": f"number {number}"})

    def on_send_text(self, number: int) -> None:
        self.send(f"text {number}")

    def on_send_json(self, number: int) -> None:
        self.send({"number": number}, json=True)

    def on_ask_question(self, number: int) -> None:
        self.emit("question", number, callback=self.take)

    def take(self, *values: Any) -> None:
        self.answers.append(list(values))

    def on_answers(self) -> Any:
        return self.answers

    def on_session(self) -> Any:
        return self.session["user"]

    def on_sessid(self) -> str:
        return self.socket.sessid

    def on_drop(self) -> None:
        self.socket.disconnect(silent=True)


@pytest.fixture
def record() -> Recorder:
    return Recorder()


@pytest.fixture
def namespaces(record: Recorder) -> dict[str, Any]:
    ns = type("TalkingHere", (Talking,), {"record": record})
    return {"": ns, "/chat": ns}


@pytest.fixture
def server(namespaces: dict[str, Any]) -> Iterator[SocketIOServer]:
    with serving(namespaces) as server:
        yield server


def run(server: SocketIOServer, scenario: str, transport: str) -> dict[str, Any]:
    """Run a scenario to its end in a process of its own, and return what its client saw."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with subprocess.Popen(
            [sys.executable, str(SCRIPT), str(server.server_port), scenario, transport],
            stdout=out,
            stderr=err,
        ) as process:
            try:
                # Not process.wait(): the server that it talks to runs in this thread.
                wait_for(lambda: process.poll() is not None, f"{scenario} over {transport}")
            finally:
                process.kill()
        out.seek(0)
        err.seek(0)
        errors = err.read().decode()
        assert process.returncode == 0, errors
        result: dict[str, Any] = json.loads(out.read())
        return result


def news(count: int) -> list[Any]:
    found: list[Any] = []
    for number in range(count):
        found.append(["news", number, {"text": f"number {number}"}])
        found += [["message", f"text {number}"], ["message", {"number": number}]]
    return found


@each
def test_it_connects_talks_and_says_goodbye(
    server: SocketIOServer, record: Recorder, transport: str
) -> None:
    assert run(server, "talk", transport) == {
        "echo": [1, "two", {"three": [3]}],
        "none": [],
        "texts": True,
        "values": True,
        "events": True,
        "answers": [[[0, "is my answer"]]],
        "seen": ["connect", *news(1), ["question", 0], "disconnect"],
        "connected": False,
    }
    wait_for(lambda: not server.sockets)
    assert record.seen == [("open", ""), ("disconnect", "")]


@each
def test_it_enters_and_leaves_a_namespace(
    server: SocketIOServer, record: Recorder, transport: str
) -> None:
    assert run(server, "enter", transport) == {
        "echo": ["there"],
        "message": ["text"],
        "json": [{"a": 1}],
        "chat": ["connect", *news(1), "disconnect"],
        "after": ["here"],
        "root": ["connect"],
    }
    wait_for(lambda: not server.sockets)
    chat = [what for what, name in record.seen if name == "/chat"]
    assert chat == ["open", "connect", "disconnect"]


@each
def test_it_gets_many_packets_at_once_in_their_order(
    server: SocketIOServer, transport: str
) -> None:
    assert run(server, "burst", transport) == {"seen": ["connect", *news(20)]}


@each
def test_letters_beyond_ascii_arrive(server: SocketIOServer, transport: str) -> None:
    assert run(server, "letters", transport) == {"message": True, "event": True}


@each
def test_its_cookies_headers_and_query_decide_who_it_is(
    namespaces: dict[str, Any], transport: str
) -> None:
    def authorize(environ: dict[str, Any]) -> Any:
        key, cookie = environ["HTTP_X_API_KEY"], environ["HTTP_COOKIE"]
        return {"user": [key, cookie, environ["QUERY_STRING"]]}

    with serving(namespaces, authorize=authorize) as server:
        found = run(server, "credentials", transport)
    assert found == {"session": [["k1", "user=ann", "token=t1"]]}


@each
def test_it_learns_that_it_may_not_enter(namespaces: dict[str, Any], transport: str) -> None:
    with serving(namespaces, authorize=lambda _: False) as server:
        found = run(server, "refused", transport)
        assert found == {"error": "unexpected status code (403)"}
        assert not server.sockets


def test_it_comes_back_after_a_lost_websocket(server: SocketIOServer, record: Recorder) -> None:
    found = run(server, "returning", "websocket")
    assert found["another"] is True
    assert found["chat"] == ["again"]
    assert found["root"][0] == "connect"
    wait_for(lambda: not server.sockets)
    assert record.count(("connect", "/chat")) == record.count(("disconnect", "/chat")) == 2
