"""docs/howto/acks.rst: answers in both directions, and errors."""

import json

import gevent
import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.testing import ErrorPacket, Event, TestServer
from tests.docs.howto import HOWTO, load, run_in_node

acks = load(HOWTO / "acks.py")


def test_what_a_handler_returns_is_the_answer():
    with TestServer({"/shop": acks.Shop}) as server:
        ada = server.connect("/shop")
        assert ada.ask("price", "hat") == [12.5]
        assert ada.ask("price", "elephant") == [None]
        assert ada.ask("stock", "hat") == ["hat", 3]


def test_an_answer_that_comes_later_lets_other_events_pass():
    with TestServer({"/library": acks.Library}) as server:
        ada = server.connect("/library")
        order = []
        slow = gevent.spawn(lambda: order.append(ada.ask("search", "hats")))
        gevent.sleep(0)
        order.append(ada.ask("ping"))
        slow.join()
        assert order == [["pong"], [["all about hats"]]]


def test_a_client_that_wants_no_answer_gets_none():
    with TestServer({"/library": acks.Library}) as server:
        ada = server.connect("/library")
        ada.emit("search", "hats")
        server.settle()
        ada.expect_nothing()


@pytest.mark.parametrize(("answer", "right"), [([42], True), ([41], False), ([], False)])
def test_a_client_is_asked(answer, right):
    with TestServer({"/quiz": acks.Quiz}) as server:
        ada = server.connect("/quiz")
        ada.emit("play")
        ada.answer("question", *answer)
        ada.expect("verdict", right)


def test_who_is_asked_and_answers_pays(monkeypatch):
    with TestServer({"/pay": acks.Confirmation}) as server:
        ada = server.connect("/pay")
        ada.emit("pay", 10)
        ada.answer("sure", True)
        ada.expect("paid", 10)
        ada.emit("pay", 11)
        ada.answer("sure")
        ada.expect("cancelled", 11)


def test_who_does_not_answer_in_time_does_not_pay(monkeypatch):
    monkeypatch.setattr(acks.Confirmation.ask, "__kwdefaults__", {"seconds": 0.05})
    with TestServer({"/pay": acks.Confirmation}) as server:
        ada = server.connect("/pay")
        ada.emit("pay", 10)
        server.settle()
        ada.expect("cancelled", "you did not answer")


def test_to_wait_in_a_handler_for_the_same_client_is_in_vain():
    """The pitfall that the page warns of: the answer waits behind the handler."""

    class Impatient(acks.Confirmation):
        def on_pay(self, amount):
            self.ask("sure", amount, seconds=0.2)

    with TestServer({"/pay": Impatient}) as server:
        ada = server.connect("/pay")
        with server.failing(gevent.Timeout):
            ada.emit("pay", 10)
            ada.answer("sure", True)
            server.settle()


def test_a_refusal_becomes_an_answer():
    with TestServer({"/bank": acks.Bank}) as server:
        ada = server.connect("/bank")
        assert ada.ask("withdraw", 10) == [True, 90]
        assert ada.ask("withdraw", -1) == [False, "an amount is a number above zero"]


def test_the_error_handler_says_it_in_another_language():
    class Broken(BaseNamespace):
        def on_break(self):
            raise LookupError

    def app(environ, start_response):
        socketio_manage(environ, {"": Broken}, error_handler=acks.errors_in_german)
        return []

    with TestServer(app) as server:
        ada = server.connect()
        with server.failing(LookupError):
            ada.emit("break")
        ada.expect("error", "internal_error", "Das ging schief, bitte noch einmal.")


def test_the_table_of_errors_is_true():
    class Strict(BaseNamespace):
        def get_initial_acl(self):
            return {"on_two", "on_fail", "on_odd", "on_missing", "recv_connect"}

        def on_two(self, one, two):
            pass

        def on_fail(self):
            raise LookupError

        def on_odd(self):
            return object()

        def on_secret(self):
            pass

    with TestServer({"/n": Strict}, raise_failures=False) as server:
        ada = server.connect("/n")
        wrong = {
            "missing": "no_such_method",
            "secret": "method_access_denied",
            "two": "invalid_args",
            "fail": "internal_error",
            "a:b": "unallowed_event_name",
        }
        for event, error in wrong.items():
            ada.emit(event)
            assert ada.next("error").args[0] == error
        with pytest.raises(AssertionError, match="got no answer"):
            ada.ask("odd")
        assert ada.next("error").args[0] == "internal_error"
        ada.send_raw("5::/n:no json")
        ada.send_raw('5::/other:{"name":"x"}')
        assert ada.next("error").args[0] == "invalid_packet"
        everything = server.clients[0]._connection.inboxes["/other"].records
        assert [it.args[0] for it in everything if isinstance(it, Event)] == ["no_such_namespace"]
        assert not any(isinstance(it, ErrorPacket) for it in everything)


def test_the_page_gives_up_waiting_and_tells_it_once():
    script = (
        (HOWTO / "ask.js").read_text()
        + """
    var sent = [];
    var socket = { emit: function () { sent.push([].slice.call(arguments)); } };
    var said = [];
    function done(error) {
      said.push([error && error.message].concat([].slice.call(arguments, 1)));
    }
    ask(socket, 60, 'price', ['hat'], done);
    sent[0].pop()(12.5, 'euro');
    ask(socket, 0.01, 'lost', [], done);
    setTimeout(function () {
      sent[1].pop()('too late');
      console.log(JSON.stringify([sent, said]));
    }, 100);
    """
    )
    sent, said = json.loads(run_in_node(script))
    assert sent == [["price", "hat"], ["lost"]]
    assert said == [[None, 12.5, "euro"], ["no answer to lost"]]
