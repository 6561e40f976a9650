"""Namespaces that are made by hand, to call their handlers without a server that runs."""

import gc

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.testing import Event, Json, Message, make_namespace, sent_by
from socketio.virtsocket import Socket


class Base(BaseNamespace):
    def initialize(self):
        self.begun = ["base"]


class Chat(Base, RoomsMixin, BroadcastMixin):
    def initialize(self):
        self.begun = [*getattr(self, "begun", []), "chat"]

    def on_say(self, text):
        self.emit("said", (text, self.session.get("name")))
        return len(text)


def test_a_handler_is_called_and_what_it_sends_is_seen():
    chat = make_namespace(Chat, "/chat", session={"name": "Ada"}, request="a request")
    assert chat.on_say("hello") == 5
    assert sent_by(chat) == [Event("said", [["hello", "Ada"]])]
    assert sent_by(chat) == []
    assert chat.request == "a request"
    assert chat.ns_name == "/chat"


def test_everything_that_can_be_sent_is_seen():
    chat = make_namespace(Chat)
    chat.send("text")
    chat.send([1], json=True)
    chat.error("wrong", "very")
    chat.emit("question", callback=print)
    records = sent_by(chat)
    assert records == [
        Message("text"),
        Json([1]),
        Event("error", ["wrong", "very"]),
        Event("question"),
    ]
    assert records[-1].id == 1


def test_what_has_no_json_form_fails_as_in_production():
    chat = make_namespace(Chat)
    try:
        chat.emit("x", object())
    except TypeError:
        assert sent_by(chat) == []
    else:
        raise AssertionError("it was sent")


def test_initialize_is_called_as_by_the_server():
    assert make_namespace(Chat).begun == ["base"]


def test_two_clients_of_one_server_hear_each_other():
    ada, other = make_namespace(Chat, "/chat"), make_namespace(Chat, "/chat")
    bob = make_namespace(Chat, "/chat", beside=ada)
    carl = make_namespace(Chat, "/chat", beside=bob)
    gc.collect()
    bob.join("attic")
    ada.emit_to_room("attic", "x")
    carl.broadcast_event_not_me("y")
    assert sent_by(ada) == [Event("y")]
    assert sent_by(bob) == [Event("x"), Event("y")]
    assert sent_by(carl) == sent_by(other) == []


def test_two_namespaces_of_one_client_share_its_session():
    chat = make_namespace(Chat, "/chat", session={"name": "Ada"})
    news = make_namespace(Chat, "/news", socket=chat.socket, session={"more": 1})
    assert news.session == {"name": "Ada", "more": 1, "rooms": set()}
    news.emit("news")
    chat.emit("chat")
    assert sent_by(chat) == [Event("chat")]
    assert sent_by(news) == [Event("news")]


def test_the_environment_is_that_of_a_request():
    chat = make_namespace(Chat, environ={"REMOTE_ADDR": "192.0.2.1"})
    assert chat.environ["REMOTE_ADDR"] == "192.0.2.1"
    assert chat.environ["HTTP_HOST"] == "testserver"
    assert chat.environ["socketio"] is chat.socket


def test_a_namespace_may_end_its_session():
    chat = make_namespace(Chat, "/chat")
    chat.emit("bye")
    chat.disconnect()
    assert chat.socket.disconnect_reason == "last_namespace"
    assert not chat.socket.connected
    assert sent_by(chat) == [Event("bye")]
    assert isinstance(chat.socket, Socket)
