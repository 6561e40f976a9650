"""The client of a test: what it sends, what it gets, and how it comes and goes."""

from unittest.mock import ANY

import pytest

from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.testing import ErrorPacket, Event, Json, Message, Refused, TestServer


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    answers = None

    def initialize(self):
        self.answers = []

    def on_echo(self, *args):
        self.emit("echoed", *args)
        return args

    def on_tell(self, *args):
        self.broadcast_event_not_me("told", *args)

    def on_later(self):
        return self.ACK_LATER

    def on_divide(self):
        return 1 / 0

    def on_question(self, text):
        self.emit("asked", text, callback=lambda *args: self.answers.append(args))

    def on_message_please(self):
        self.send("text", callback=lambda: self.answers.append("has it"))
        self.send({"a": [1]}, json=True)

    def recv_message(self, data):
        self.send(data.upper())

    def recv_json(self, data):
        self.send([data], json=True)

    def recv_error(self, packet):
        self.emit("got error", packet["reason"])


class Closed(BaseNamespace):
    def recv_connect(self):
        raise UnauthorizedError("nobody")


class Curious(BaseNamespace):
    def recv_connect(self, packet):
        self.emit("query", packet["qs"])


@pytest.fixture
def server():
    app = {"": Chat, "/chat": Chat, "/closed": Closed, "/curious": Curious}
    with TestServer(app) as running:
        yield running


@pytest.fixture
def ada(server):
    return server.connect("/chat")


@pytest.fixture
def bob(server):
    return server.connect("/chat")


# -- both ways -------------------------------------------------------------------------------------


def test_what_is_sent_goes_through_json(ada):
    ada.emit("echo", (1, 2), {3: None}, "ä\U0001f600")
    assert ada.received() == [Event("echoed", [[1, 2], {"3": None}, "ä\U0001f600"])]


def test_what_has_no_json_form_cannot_be_sent(ada):
    with pytest.raises(TypeError):
        ada.emit("echo", object())


def test_messages_go_both_ways(ada):
    ada.send("hi")
    ada.send({"a": 1}, json=True)
    assert ada.received() == [Message("HI"), Json([{"a": 1}])]


def test_an_answer_is_a_list_of_arguments(ada):
    assert ada.ask("echo", 1, "two") == [1, "two"]
    assert ada.ask("tell") == [None]


def test_an_answer_that_does_not_come_fails_and_says_what_came(ada):
    ada.emit("no such thing")
    with pytest.raises(AssertionError) as caught:
        ada.ask("later")
    assert "got no answer to 'later'" in str(caught.value)
    assert "Event('error', ['no_such_method'" in str(caught.value)


def test_questions_of_the_server_are_answered_by_name_or_by_event(ada):
    ada.emit("question", "one")
    ada.answer("asked", 1, [2])
    ada.emit("question", "two")
    asked = ada.next("asked")
    assert repr(asked) == "Event('asked', ['two'], wants an answer)"
    ada.answer(asked)
    assert ada.namespace.answers == [(1, [2]), ()]


def test_what_wants_no_answer_cannot_be_answered(ada):
    ada.emit("echo")
    with pytest.raises(AssertionError, match="does not want an answer"):
        ada.answer("echoed", 1)


def test_the_reception_of_messages_is_confirmed_as_every_client_does(ada):
    ada.emit("message please")
    assert ada.received() == [Message("text"), Json({"a": [1]})]
    assert ada.namespace.answers == ["has it"]


def test_an_error_that_has_the_number_of_a_question_does_not_answer_it(server, ada):
    ada.emit("question", "one")
    with server.failing(ZeroDivisionError), pytest.raises(AssertionError, match="no answer"):
        ada.ask("divide")
    assert ada.namespace.answers == []
    ada.answer("asked", 1)
    assert ada.namespace.answers == [(1,)]


def test_a_text_that_is_no_packet_is_answered_as_on_the_wire(server):
    client = server.connect()
    client.send_raw("9:::")
    client.expect("error", "invalid_packet", ANY)
    client.send("opens the namespace")
    client.send_raw("7:::0")
    client.expect("got error", "transport not supported")


def test_the_server_may_send_an_error_packet(ada):
    ada.socket.send_packet(
        {"type": "error", "endpoint": "/chat", "reason": "unauthorized", "advice": "reconnect"}
    )
    assert ada.received() == [ErrorPacket("unauthorized", "reconnect")]


# -- what came -------------------------------------------------------------------------------------


def test_what_was_received_is_taken_once(ada):
    ada.emit("echo", 1)
    assert ada.inbox == ada.inbox == [Event("echoed", [1])]
    assert ada.received() == [Event("echoed", [1])]
    assert ada.received() == []


def test_what_is_expected_is_taken_and_all_else_is_left(ada):
    for number in (1, 2, 2, 3):
        ada.emit("echo", number)
    assert ada.expect("echoed", 2) == Event("echoed", [2])
    assert ada.expect("echoed", ANY).args == [1]
    assert ada.expect(Event("echoed", [3])) == Event("echoed", [3])
    assert ada.next() == Event("echoed", [2])
    ada.expect_nothing()


def test_what_was_expected_and_did_not_come_is_told_with_what_did(ada, bob):
    ada.emit("echo", "other")
    bob.emit("mistyped")
    with pytest.raises(AssertionError) as caught:
        ada.expect("echoed", "this")
    text = str(caught.value)
    assert text.startswith(f"{ada!r} did not get Event('echoed', ['this']).")
    assert "  Event('echoed', ['other'])\n" in text
    assert f"Other clients have got errors:\n  {bob!r}: Event('error', ['no_such_method'" in text
    with pytest.raises(AssertionError, match=r"got no event 'x'\.\n.*\n  Event\('echoed'"):
        ada.next("x")
    with pytest.raises(AssertionError, match="should have got nothing"):
        ada.expect_nothing()
    ada.received()
    with pytest.raises(AssertionError, match=r"got no event\.\n.*\n  nothing"):
        ada.next()


def test_what_the_server_does_by_itself_is_seen_too(ada):
    ada.namespace.emit("by hand")
    ada.expect("by hand")
    ada.namespace.emit("again")
    assert ada.next().name == "again"
    ada.namespace.emit("and again")
    with pytest.raises(AssertionError):
        ada.expect_nothing()


def test_records_read_well():
    assert repr(Event("a")) == "Event('a')"
    assert repr(Event("a", [1])) == "Event('a', [1])"
    assert repr(Message("a")) == "Message('a')"
    assert repr(Json([1])) == "Json([1])"
    assert Event("a", [1], 7) == Event("a", [1])
    assert Event("a") != Event("b")
    assert Message("a") != Json("a")


def test_a_client_reads_well(ada):
    name = f"<TestClient '/chat' {ada.socket.sessid[:6]}..."
    assert repr(ada) == f"{name} connected>"
    ada.emit("echo")
    assert repr(ada) == f"{name} connected, 1 to be taken>"
    ada.received()
    ada.drop()
    assert repr(ada) == f"{name} disconnected>"


# -- namespaces ------------------------------------------------------------------------------------


def test_one_client_is_in_several_namespaces(server, ada):
    main = ada.of("")
    again = ada.of("/chat")
    assert main.socket is ada.socket
    main.emit("echo", 1)
    main.expect("echoed", 1)
    ada.expect_nothing()
    ada.emit("echo", 2)
    again.expect("echoed", 2)
    assert sorted(ada.socket.active_ns) == ["", "/chat"]


def test_a_namespace_may_be_asked_for_with_a_query(server):
    server.connect("/curious?token=1&x=2").expect("query", "?token=1&x=2")


def test_a_namespace_may_refuse(server, ada):
    with pytest.raises(Refused) as caught:
        ada.of("/closed")
    assert (caught.value.reason, caught.value.endpoint) == ("unauthorized", "/closed")
    assert caught.value.status is None
    assert ada.connected


def test_a_namespace_that_is_not_there_is_named(ada):
    with pytest.raises(Refused, match=r"no_such_namespace The endpoint .* doesn't exist: /nowhere"):
        ada.of("/nowhere")


def test_one_namespace_is_left_and_the_other_stays(ada):
    main = ada.of("")
    main.emit("echo")
    ada.leave()
    assert ada.disconnected
    assert main.connected
    assert list(ada.socket.active_ns) == [""]


def test_the_session_ends_with_its_last_namespace(ada):
    ada.leave()
    assert ada.socket.disconnect_reason == "last_namespace"
    assert ada.sent_away
