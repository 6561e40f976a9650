import chat
import pytest

from socketio.testing import Event, Message, Refused, make_namespace, sent_by


@pytest.fixture
def ada(socketio_server):
    return socketio_server.connect("/chat", cookies={"login": "cookie-of-ada"})


@pytest.fixture
def bob(socketio_server):
    return socketio_server.connect("/chat", cookies={"login": "cookie-of-bob"})


def test_people_in_a_room_hear_each_other(ada, bob):
    ada.emit("join", "attic")
    bob.emit("join", "attic")
    bob.emit("say", "attic", "hello")
    assert ada.received() == [Event("joined", ["Bob"]), Event("said", ["Bob", "hello"])]
    bob.expect_nothing()


def test_nobody_else_does(ada, bob):
    ada.emit("join", "attic")
    bob.emit("say", "cellar", "hello")
    ada.expect_nothing()


def test_joining_is_answered_with_the_rooms(ada):
    ada.emit("join", "cellar")
    assert ada.ask("join", "attic") == [["attic", "cellar"]]


def test_a_riddle_that_is_solved_is_told_to_all(ada, bob):
    ada.emit("challenge")
    ada.answer("riddle", 42)
    bob.expect("solved", "Ada")


def test_the_server_speaks_to_a_room(socketio_server, ada, bob):
    bob.emit("join", "attic")
    socketio_server.emit("lights out", 22, namespace="/chat", room="attic")
    bob.expect("lights out", 22)
    ada.expect_nothing()


def test_people_hear_who_is_lost(socketio_server, ada, bob):
    ada.answers_heartbeats = False
    socketio_server.clock.advance(60)
    assert ada.disconnected
    assert ada.socket.disconnect_reason == "heartbeat_timeout"
    assert bob.connected
    bob.expect("left", "Ada")


def test_people_hear_who_leaves_and_who_vanishes(socketio_server, ada, bob):
    carl = socketio_server.connect("/chat", cookies={"login": "cookie-of-ada"})
    bob.disconnect()
    assert bob.socket.disconnect_reason == "peer_left"
    ada.drop()
    assert ada.socket.disconnect_reason == "transport_lost"
    assert carl.received() == [Event("left", ["Bob"]), Event("left", ["Ada"])]


def test_a_session_that_comes_back_is_in_no_room(bob):
    bob.emit("join", "attic")
    bob.reconnect()
    assert bob.ask("join", "cellar") == [["cellar"]]


def test_nobody_comes_in_without_a_login(socketio_server):
    with pytest.raises(Refused) as caught:
        socketio_server.connect("/chat", cookies={"login": "made up"})
    assert caught.value.status == 403


def test_pages_of_others_may_not_connect(socketio_server):
    with pytest.raises(Refused, match="origin"):
        socketio_server.connect(
            "/chat",
            cookies={"login": "cookie-of-ada"},
            headers={"Origin": "http://evil.example"},
        )


def test_only_ada_may_send_others_away(ada, bob):
    with pytest.raises(Refused, match="unauthorized"):
        bob.of("/admin")
    ada.of("/admin").emit("kick", "Bob")
    assert bob.disconnected
    assert bob.sent_away
    assert bob.socket.disconnect_reason == "kicked"


def test_what_is_searched_is_found(socketio_server, ada):
    ada.emit("search", "hats")
    socketio_server.settle()
    assert ada.received() == [Event("found", ["hats"])]


def test_a_division_by_zero_is_our_fault(socketio_server, ada):
    with socketio_server.failing(ZeroDivisionError) as failures:
        ada.emit("divide", 0)
    assert "handling 'divide' failed" in str(failures[0])
    assert ada.next("error").args[0] == "internal_error"


def test_a_handler_alone():
    ada = make_namespace(chat.Chat, "/chat", session={"user": "Ada"})
    bob = make_namespace(chat.Chat, "/chat", session={"user": "Bob"}, beside=ada)
    bob.join("attic")
    ada.on_say("attic", "hello")
    assert sent_by(bob) == [Event("said", ["Ada", "hello"])]
    assert ada.on_join("attic") == ["attic"]


def test_the_server_side_of_a_client(socketio_server, ada):
    ada.namespace.send("good morning")
    ada.expect(Message("good morning"))
    assert ada.session["user"] == "Ada"
    assert list(socketio_server.sockets.values()) == [ada.socket]
