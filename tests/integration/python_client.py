"""Runs a scenario with the Python client of the time, socketIO-client, and prints what it saw.

    python python_client.py PORT SCENARIO TRANSPORT

The output is one JSON object. The client blocks, and knows nothing of gevent: it needs a process of
its own. Every step ends with an answer of the server, before which all that it sent earlier came.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from socketIO_client import BaseNamespace, SocketIO
from socketIO_client.exceptions import ConnectionError as NoConnection

# It would make one more handshake when the interpreter ends, only to say goodbye.
del SocketIO.__del__

PATIENCE = 30
"""Seconds until an answer is given up; far more than it takes, and less than the test waits."""

TEXTS = ["plain", "", "a:b:c", "3::/x:y", '{"a": [1]}', "+", "line\nend", 'quo"te', "back\\slash"]
VALUES = [{"a": [1, 2.5, None, True]}, [], {}, [[["deep"]]], {"key with blank": {"x": "y"}}]


class Seeing(BaseNamespace):
    """Notes everything that the server sends."""

    seen: list[Any]

    def initialize(self) -> None:
        self.seen = []

    def on_connect(self) -> None:
        self.seen.append("connect")

    def on_reconnect(self, *_args: Any) -> None:
        self.seen.append("reconnect")

    def on_disconnect(self) -> None:
        self.seen.append("disconnect")

    def on_message(self, data: Any = "") -> None:
        self.seen.append(["message", data])

    def on_error(self, *args: Any) -> None:
        self.seen.append(["error", *args])

    def on_news(self, *args: Any) -> None:
        self.seen.append(["news", *args])

    def on_question(self, number: int, answer: Any) -> None:
        self.seen.append(["question", number])
        answer(number, "is my answer")


def connect(port: str, transport: str, **kw: Any) -> SocketIO:
    return SocketIO(
        "127.0.0.1", int(port), Seeing, wait_for_connection=False, transports=[transport], **kw
    )


def ask(io: SocketIO, *args: Any, path: str = "") -> Any:
    """Emit an event and return what the server answers."""
    answers: list[Any] = []
    io.emit(*args, lambda *values: answers.append(list(values)), path=path)
    io.wait_for_callbacks(seconds=PATIENCE)
    (answer,) = answers
    return answer


def say(io: SocketIO, data: Any, path: str = "") -> Any:
    """Send a message and return what the server answers."""
    answers: list[Any] = []
    io.message(data, lambda *values: answers.append(list(values)), path)
    io.wait_for_callbacks(seconds=PATIENCE)
    (answer,) = answers
    return answer


def take_one(io: SocketIO, event: str, path: str = "") -> None:
    """Emit an event, upon which the server sends one packet and nothing else, and wait for that."""
    seen = io.get_namespace(path).seen
    before = len(seen)
    io.emit(event, 0, path=path)
    while len(seen) == before:
        io._process_events(PATIENCE)


def talk(port: str, transport: str) -> dict[str, Any]:
    io = connect(port, transport)
    root = io.get_namespace()
    result: dict[str, Any] = {
        "echo": ask(io, "echo", 1, "two", {"three": [3]}),
        "none": ask(io, "nothing"),
        "texts": [say(io, text) for text in TEXTS] == [[text] for text in TEXTS],
        "values": [say(io, value) for value in VALUES] == [[value] for value in VALUES],
        "events": [ask(io, "echo", value) for value in VALUES] == [[value] for value in VALUES],
    }
    for event in ("send_event", "send_text", "send_json", "ask_question"):
        take_one(io, event)
    # Its answer travelled in a request of its own, in front of this one.
    result["answers"] = ask(io, "answers")
    result["seen"] = root.seen
    io.disconnect()
    result["connected"] = io.connected
    return result


def enter(port: str, transport: str) -> dict[str, Any]:
    io = connect(port, transport)
    chat = io.define(Seeing, "/chat")
    while not chat.seen:
        io._process_events(PATIENCE)
    # Opens the global namespace on the server: a session whose last one is left is over.
    ask(io, "nothing")
    result = {
        "echo": ask(io, "echo", "there", path="/chat"),
        "message": say(io, "text", "/chat"),
        "json": say(io, {"a": 1}, "/chat"),
    }
    for event in ("send_event", "send_text", "send_json"):
        take_one(io, event, "/chat")
    result["chat"] = chat.seen
    io.disconnect("/chat")
    result["after"] = ask(io, "echo", "here")
    result["root"] = list(io.get_namespace().seen)
    io.disconnect()
    return result


def burst(port: str, transport: str) -> dict[str, Any]:
    io = connect(port, transport)
    ask(io, "send_news", 20)
    seen = list(io.get_namespace().seen)
    io.disconnect()
    return {"seen": seen}


def letters(port: str, transport: str) -> dict[str, Any]:
    io = connect(port, transport)
    word = "Grüße, \u2603"
    result = {"message": say(io, word) == [word], "event": ask(io, "echo", word) == [word]}
    io.disconnect()
    return result


def credentials(port: str, transport: str) -> dict[str, Any]:
    io = connect(
        port,
        transport,
        params={"token": "t1"},
        headers={"X-Api-Key": "k1"},
        cookies={"user": "ann"},
    )
    result = {"session": ask(io, "session")}
    io.disconnect()
    return result


def refused(port: str, transport: str) -> dict[str, Any]:
    try:
        connect(port, transport)
    except NoConnection as exc:
        return {"error": str(exc)}
    return {}


def returning(port: str, transport: str) -> dict[str, Any]:
    io = connect(port, transport)
    io.define(Seeing, "/chat")
    first = ask(io, "sessid")
    io.emit("drop")
    answers: list[Any] = []
    while not answers:
        # What it sends into a connection that is gone is lost.
        try:
            io.wait(seconds=0.1)
            io.emit("sessid", lambda *values: answers.append(list(values)))
            io.wait_for_callbacks(seconds=PATIENCE)
        except NoConnection:
            continue
    result = {
        "another": answers[-1] != first,
        "chat": ask(io, "echo", "again", path="/chat"),
        "root": list(io.get_namespace().seen),
    }
    io.disconnect()
    return result


SCENARIOS = {
    function.__name__: function
    for function in (talk, enter, burst, letters, credentials, refused, returning)
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(SCENARIOS[sys.argv[2]](sys.argv[1], sys.argv[3])) + "\n")
