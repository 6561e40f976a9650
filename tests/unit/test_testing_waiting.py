"""When the server of a test is done, and what is waited for in real time."""

import threading

import gevent
import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.testing import Refused, TestServer


class Chat(BaseNamespace):
    def on_nap(self, seconds):
        gevent.sleep(seconds)
        self.emit("awake")
        return "slept"

    def on_spawn(self, number):
        self.spawn(self.divide_later, number)

    def divide_later(self, number):
        gevent.sleep(0.01)
        self.emit("divided", 1 / number)

    def on_leak(self):
        gevent.spawn(gevent.sleep, 1000)

    def on_chain(self):
        for _ in range(1000):
            gevent.sleep(0)
        self.emit("done")

    def on_spin(self):
        while not self.session.get("enough"):
            gevent.sleep(0)


@pytest.fixture
def server():
    with TestServer({"/chat": Chat}) as running:
        yield running


def test_what_needs_no_time_is_done_when_a_method_returns(server):
    ada = server.connect("/chat")
    ada.emit("chain")
    assert [event.name for event in ada.received()] == ["done"]


def test_a_handler_that_takes_time_is_waited_for_where_its_answer_is_wanted(server):
    ada = server.connect("/chat")
    assert ada.ask("nap", 0.02) == ["slept"]
    ada.received()
    ada.emit("nap", 0.02)
    ada.expect_nothing()
    ada.expect("awake")
    ada.emit("spawn", 1)
    assert ada.next("divided").args == [1]


def test_handlers_are_waited_for(server):
    ada = server.connect("/chat")
    ada.emit("nap", 0.02)
    server.settle(spawned=False)
    assert [event.name for event in ada.received()] == ["awake"]
    ada.emit("spawn", 1)
    server.settle()
    assert [event.name for event in ada.received()] == ["divided"]


def test_a_handler_that_goes_on_for_too_long_is_named(server):
    ada = server.connect("/chat")
    ada.emit("nap", 1000)
    with pytest.raises(
        AssertionError, match=rf"still at work: a handler of session {ada.socket.sessid:.6}"
    ):
        server.settle(0.02)


def test_a_greenlet_that_goes_on_for_too_long_is_named():
    with TestServer({"/chat": Chat}, allow_greenlets=True) as server:
        ada = server.connect("/chat")
        ada.namespace.spawn(gevent.sleep, 1000)  # by the test: nobody waits for it
        server.settle()
        ada.emit("leak")
        with pytest.raises(AssertionError, match=r"still at work: the greenlet of sleep\(\)"):
            server.settle(0.02)
        server.settle(spawned=False)


def test_a_condition_is_waited_for(server):
    ada = server.connect("/chat")
    ada.emit("nap", 0.02)
    assert server.wait_for(lambda: ada.inbox)[0].name == "awake"
    with pytest.raises(AssertionError, match=r"still not true after 0\.02 s: <function"):
        server.wait_for(lambda: ada.inbox == 5, timeout=0.02)


def test_a_view_that_takes_its_time_is_waited_for():
    def app(environ, start_response):
        gevent.sleep(0.02)
        socketio_manage(environ, {"/chat": Chat})
        return []

    with TestServer(app) as server:
        assert server.connect("/chat").connected


def test_a_client_whose_view_never_begins_is_not_connected():
    def app(environ, start_response):
        gevent.sleep(1000)

    with TestServer(app, patience=0.05) as server:
        with pytest.raises(Refused):
            server.connect("/chat")
        with pytest.raises(AssertionError, match="still at work: the view of"):
            server.settle()


def test_what_never_comes_to_rest_is_told():
    with TestServer({"/chat": Chat}, patience=0.05) as server:
        ada = server.connect("/chat")
        with pytest.raises(AssertionError, match=r"has not come to rest in 0\.05 s of real time"):
            ada.emit("spin")
        ada.session["enough"] = True


def test_a_server_belongs_to_its_thread(server):
    caught = []

    def elsewhere():
        with pytest.raises(AssertionError, match="belongs to the thread") as info:
            server.drain()
        caught.append(info)
        gevent.get_hub().destroy()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert caught


def test_what_another_thread_sends_arrives(server):
    ada = server.connect("/chat")
    thread = threading.Thread(target=server.real.emit, args=("x",), kwargs={"namespace": "/chat"})
    thread.start()
    thread.join()
    server.wait_for(lambda: ada.inbox)
    ada.expect("x")
