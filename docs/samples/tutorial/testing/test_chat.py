import pytest
from chat import app, banned, history

from socketio.testing import Event, Refused


@pytest.fixture
def socketio_app():
    banned.clear()
    for lines in history.values():
        lines.clear()
    return app


@pytest.fixture
def log_in(socketio_server):
    def connect(user, password):
        browser = app.test_client()
        browser.post("/login", data={"user": user, "password": password})
        cookie = browser.get_cookie("session")
        return socketio_server.connect("/chat", cookies={"session": cookie.value})

    return connect


@pytest.fixture
def ada(log_in):
    return log_in("ada", "engine")


@pytest.fixture
def bob(log_in):
    return log_in("bob", "shovel")


def test_strangers_stay_out(socketio_server):
    with pytest.raises(Refused, match="unauthorized"):
        socketio_server.connect("/chat")


def test_people_in_a_room_hear_each_other(ada, bob):
    ada.ask("join", "kitchen")
    bob.ask("join", "kitchen")
    assert bob.ask("say", "1", "hello") == [True]
    assert ada.next("said").args == ["1", "bob", "hello"]


def test_nobody_else_does(ada, bob):
    ada.ask("join", "garden")
    bob.ask("join", "kitchen")
    ada.received()
    bob.emit("say", "1", "hello")
    ada.expect_nothing()


def test_who_says_something_twice_is_heard_once(ada):
    ada.ask("join", "kitchen")
    ada.emit("say", "1", "hello")
    assert ada.ask("say", "1", "hello") == [True]
    assert ada.received().count(Event("said", ["1", "ada", "hello"])) == 1


def test_who_comes_back_gets_what_was_said_meanwhile(ada, bob):
    ada.ask("join", "kitchen")
    bob.ask("join", "kitchen")
    ada.drop()
    bob.emit("say", "1", "Where is Ada?")
    ada.reconnect()
    assert ada.ask("join", "kitchen") == [[["1", "bob", "Where is Ada?"]]]


def test_who_falls_silent_is_here_no_more(socketio_server, ada, bob):
    ada.ask("join", "kitchen")
    bob.ask("join", "kitchen")
    ada.answers_heartbeats = False
    bob.received()
    socketio_server.clock.advance(60)
    assert ada.socket.disconnect_reason == "heartbeat_timeout"
    bob.expect("people", ["bob"])


def test_only_a_moderator_sends_people_away(ada, bob):
    ada.ask("join", "kitchen")
    bob.ask("join", "kitchen")
    bob.emit("kick", "ada")
    assert bob.next("error").args[0] == "method_access_denied"
    ada.emit("kick", "bob")
    assert bob.sent_away
    with pytest.raises(Refused):
        bob.reconnect()
