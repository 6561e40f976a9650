"""The page about acks: what callbacks get, and what the JavaScript client does."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import AsyncResult

from socketio.namespace import BaseNamespace
from socketio.testing import TestClient, TestServer
from tests.docs.concepts import SAMPLES, rows
from tests.docs.howto import load, run_in_node, serving_sample

CALLBACKS = rows("callbacks.csv")


class Asking(BaseNamespace):
    """Asks its client, and notes the answers."""

    answers: list[Any]

    def on_ask(self, number: int = 1) -> None:
        for place in range(number):
            self.emit("question", callback=self.noting(place))

    def noting(self, place: int) -> Callable[..., None]:
        return lambda *args: self.answers.append((place, args))


def called(row: dict[str, str], act: Callable[[TestServer, TestClient], None]) -> list[Any]:
    ns = type("AskingHere", (Asking,), {"answers": []})
    namespaces = {"/ns": ns, "/other": type("OtherHere", (Asking,), {"answers": []})}
    with TestServer(namespaces, max_pending_acks=3, raise_failures=False) as server:
        ada = server.connect("/ns")
        ada.of("/other")
        act(server, ada)
        server.drain()
        return ns.answers


def answering(*texts: str) -> Callable[[TestServer, TestClient], None]:
    def act(_server: TestServer, client: TestClient) -> None:
        client.emit("ask")
        for text in texts:
            client.send_raw(text)

    return act


def emit_to_nobody(server: TestServer, client: TestClient) -> None:
    namespace = client.namespace
    client.drop()
    namespace.on_ask()


def go_first(server: TestServer, client: TestClient) -> None:
    client.emit("ask")
    client.drop()


def come_back(server: TestServer, client: TestClient) -> None:
    client.emit("ask")
    client.reconnect()
    client.send_raw("6::/ns:1+[1]")


def ask_too_much(server: TestServer, client: TestClient) -> None:
    client.emit("ask", 4)
    for number in range(1, 5):
        client.send_raw(f"6::/ns:{number}+[1]")


DEEDS = {
    'answers ["a","b"]': answering('6::/ns:1+["a","b"]'),
    "answers []": answering("6::/ns:1"),
    "answers [null]": answering("6::/ns:1+[null]"),
    'answers {"a":1}, which is no list': answering('6::/ns:1+{"a":1}'),
    "answers what is no JSON": answering("6::/ns:1+{bad"),
    "answers twice": answering("6::/ns:1+[1]", "6::/ns:1+[2]"),
    "answers on another endpoint": answering("6::/other:1+[1]"),
    "answers an id that nobody gave out": answering("6::/ns:99+[1]"),
    "does not answer": answering(),
    "is gone when the event is emitted": emit_to_nobody,
    "goes before it answers": go_first,
    "reconnects and answers in its new session": come_back,
    "leaves the namespace and answers": answering("0::/ns", "6::/ns:1+[1]"),
    "has more than max_pending_acks to answer": ask_too_much,
}


def test_every_row_about_callbacks_is_tried() -> None:
    assert [row["the client"] for row in CALLBACKS] == list(DEEDS)


@pytest.mark.parametrize("row", CALLBACKS, ids=lambda row: row["the client"])
def test_a_callback_is_called_as_the_table_says(row: dict[str, str]) -> None:
    found = called(row, DEEDS[row["the client"]])
    said = row["the callback"]
    if said == "never, of the oldest":
        assert [place for place, _ in found] == [1, 2, 3]
    elif said == "never":
        assert found == []
    else:
        wanted = ast.literal_eval(
            said.removesuffix(", once").replace(")", ",)").replace("(,)", "()")
        )
        assert found == [(0, wanted)]


def test_ids_count_from_one_in_each_session_over_all_its_namespaces() -> None:
    ns = type("AskingHere", (Asking,), {"answers": []})
    with TestServer({"/ns": ns, "/other": ns}) as server:
        ada = server.connect("/ns")
        other = ada.of("/other")
        for client in (ada, other, ada):
            client.emit("ask")
        assert [ada.next().id, other.next().id, ada.next().id] == [1, 2, 3]
        bob = server.connect("/ns")
        bob.emit("ask")
        assert bob.next().id == 1


def test_the_callback_runs_in_the_receiver_greenlet_between_the_hooks() -> None:
    seen: list[Any] = []

    class Hooked(BaseNamespace):
        def on_ask(self) -> None:
            self.emit("question", callback=self.answered)

        def answered(self, _answer: Any) -> None:
            seen.append(gevent.getcurrent() is self.socket._receiver)

        def before_event(self, packet: Any) -> None:
            seen.append(f"before {packet['type']}")

        def after_event(self, packet: Any, error: Any) -> None:
            seen.append(f"after {packet['type']}")

    with TestServer({"/ns": Hooked}) as server:
        ada = server.connect("/ns")
        ada.emit("ask")
        seen.clear()
        ada.answer("question", 1)
        assert seen == ["before ack", True, "after ack"]


def test_a_handler_that_waits_for_an_answer_waits_for_itself() -> None:
    seen: list[Any] = []

    class Waiting(BaseNamespace):
        def ask(self, name: str) -> None:
            answer: AsyncResult[Any] = AsyncResult()
            self.emit("question", callback=answer.set)
            try:
                seen.append((name, answer.get(timeout=0.05)))
            except gevent.Timeout:
                seen.append((name, "nothing"))

        def on_wrong(self) -> None:
            self.ask("in the handler")

        def on_right(self) -> None:
            self.spawn(self.ask, "in a job")

    with TestServer({"/ns": Waiting}) as server:
        ada = server.connect("/ns")
        for event in ("wrong", "right"):
            ada.emit(event)
            ada.answer("question", 42)
            server.settle()
        assert seen == [("in the handler", "nothing"), ("in a job", 42)]


@pytest.mark.parametrize("answer", [[], [1, 2]])
def test_a_callback_that_raises_or_does_not_fit_is_reported_and_the_session_goes_on(
    answer: list[int],
) -> None:
    class Raising(BaseNamespace):
        def on_ask(self) -> None:
            self.emit("question", callback=self.answered)

        def answered(self) -> None:
            raise ValueError("broken")

    with TestServer({"/ns": Raising}) as server:
        ada = server.connect("/ns")
        ada.emit("ask")
        with server.failing(TypeError if answer else ValueError):
            ada.answer("question", *answer)
        assert ada.next("error").args[0] == "internal_error"
        assert ada.connected


def test_pushed_out_callbacks_are_counted() -> None:
    ns = type("AskingHere", (Asking,), {"answers": []})
    with TestServer({"/ns": ns}, max_pending_acks=3) as server:
        server.connect("/ns").emit("ask", 5)
        assert server.real.stats()["limits"]["max_pending_acks"] == 2


def test_a_broadcast_and_server_emit_have_no_callback() -> None:
    with TestServer({"/ns": BaseNamespace}) as server, pytest.raises(TypeError):
        server.emit("x", callback=print)


# -- the JavaScript client ---------------------------------------------------------------------

BOTH_WAYS = """
var ns = io.connect(process.argv[1] + '/acks'), said = {};
ns.on('question', function (what, answer) { answer('first'); answer('second'); });
ns.on('connect', function () {
  ns.emit('sum', 2, 3, function (value) {
    said.sum = Array.prototype.slice.call(arguments);
    ns.emit('pair', function () {
      said.pair = Array.prototype.slice.call(arguments);
      ns.send('hello', function () {
        said.send = Array.prototype.slice.call(arguments);
        ns.emit('begin');
      });
    });
  });
});
ns.on('heard', function (answers, received) {
  said.answers = answers;
  said.received = received;
  console.log(JSON.stringify(said));
  process.exit();
});
"""


def test_the_javascript_client_answers_and_is_answered_as_the_page_says() -> None:
    with serving_sample(SAMPLES / "acks.py") as (_, url):
        assert json.loads(run_in_node(BOTH_WAYS, url)) == {
            "sum": [5],
            "pair": ["a", "b"],
            "send": [],
            "answers": ["first"],
            "received": True,
        }


def test_the_sample_asks_and_answers() -> None:
    sample = load(SAMPLES / "acks.py")
    with TestServer({"/acks": sample.Acks}) as server:
        ada = server.connect("/acks")
        assert ada.ask("sum", 2, 3) == [5]
        assert ada.ask("pair") == ["a", "b"]


LOST = """
var ns = io.connect(process.argv[1] + '/first', {'reconnection delay': 50}), said = [];
ns.once('connect', function () {
  ns.emit('end', 'socket.kill()', function () { said.push('the old one'); });
});
ns.once('disconnect', function () {
  ns.emit('ready', function (ready) {
    said.push(ready);
    ns.emit('ready', function () { console.log(JSON.stringify(said)); process.exit(); });
  });
});
"""


def test_the_javascript_client_sends_what_it_has_kept_and_never_calls_an_old_function() -> None:
    with serving_sample(SAMPLES / "ending.py") as (_, url):
        assert json.loads(run_in_node(LOST, url)) == [True]


COUNTING = """
var first = io.connect('http://127.0.0.1:9/first'), second = io.connect('http://127.0.0.1:9/second');
first.on('error', function () {});
first.emit('x', function () {});
first.emit('x', function () {});
second.emit('x', function () {});
console.log(JSON.stringify([Object.keys(first.acks), Object.keys(second.acks)]));
process.exit();
"""


def test_the_javascript_client_counts_its_ids_in_each_namespace() -> None:
    assert json.loads(run_in_node(COUNTING)) == [["1", "2"], ["1"]]
