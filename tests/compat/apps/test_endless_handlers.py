"""A monitor of the machine: handlers that never return, and spawned loops that never end."""

import itertools

import gevent
import pytest

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.compat.apps.people import TRANSPORTS, over, people


class CPUNamespace(BaseNamespace, BroadcastMixin):
    def recv_connect(self):
        def sendcpu():
            for prev in itertools.count():
                self.emit("cpu_data", {"point": prev % 100})
                gevent.sleep(0.005)

        self.greenlet = self.spawn(sendcpu)

    def on_stop(self):
        self.kill_local_jobs()
        return "stopped"


class FeedNamespace(BaseNamespace):
    def on_subscribe(self, channel):
        # never returns
        self.request.append(channel)
        while True:
            self.emit("news", channel)
            gevent.sleep(0.005)

    def on_unsubscribe(self):
        return "never reached"


class ClockNamespace(BaseNamespace):
    def recv_message(self, message):
        # ends when the client is gone
        while self.socket.connected:
            self.send("tick")
            gevent.sleep(0.005)
        self.request.append("the clock has stopped")


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture
def notes():
    return []


@pytest.fixture(params=TRANSPORTS)
def served(request, notes):
    def app(environ, start_response):
        namespaces = {"/cpu": CPUNamespace, "/feed": FeedNamespace, "/clock": ClockNamespace}
        socketio_manage(environ, namespaces, notes)
        return []

    def serve(*endpoints, **settings):
        return people(app, *endpoints, transport=request.param, **settings)

    # An empty list is a falsy request, and counts as none.
    notes.append("begin")
    return serve


def test_a_spawned_loop_sends_until_it_is_told_to_stop(served):
    with served("/cpu") as (_, user):
        points = [user.next("cpu_data")[0]["point"] for _ in range(5)]
        assert points == list(range(points[0], points[0] + 5))
        assert user.ask("stop") == ["stopped"]
        assert user.socket["/cpu"].greenlet.dead


@pytest.mark.parametrize("way", ["leaves", "is cut off"])
def test_a_spawned_loop_ends_with_its_client(served, way):
    with served("/cpu", close_timeout=1) as (_, user):
        user.next("cpu_data")
        socket = user.socket
        job = socket["/cpu"].greenlet
        assert not job.dead
        user.leave() if way == "leaves" else user.client.close()
        wait_for(lambda: job.dead)
        over(socket)


def test_a_handler_that_never_returns_sends_on_and_holds_up_its_own_client_only(served):
    with served("/feed", "/feed") as (_, one, two):
        one.emit("subscribe", "sports")
        assert [one.next("news") for _ in range(3)] == [["sports"]] * 3
        one.emit("unsubscribe")  # waits for its turn for ever
        assert two.ask("unsubscribe") == ["never reached"]
        assert [one.next("news") for _ in range(3)] == [["sports"]] * 3
        one.socket.kill()


@pytest.mark.parametrize("way", ["leaves", "is cut off"])
def test_a_handler_that_never_returns_ends_with_its_client(served, notes, way):
    with served("/feed", close_timeout=1) as (server, user):
        user.emit("subscribe", "sports")
        user.next("news")
        socket = user.socket
        user.leave() if way == "leaves" else user.client.close()
        over(socket)
        wait_for(lambda: not server.sockets)
    assert notes == ["begin", "sports"]


def test_the_server_stops_while_a_handler_never_returns(served):
    with served("/feed", "/cpu") as (server, user, watcher):
        user.emit("subscribe", "sports")
        user.next("news")
        watcher.next("cpu_data")
        with gevent.Timeout(30):
            server.stop(timeout=0.2)
        assert server.sockets == {}


def test_a_loop_that_asks_whether_the_client_is_there_ends_by_itself(served, notes):
    with served("/clock") as (_, user):
        user.send_text("3::/clock:start")
        while user.recv_text() != "3::/clock:tick":
            pass
        user.leave()
        wait_for(lambda: notes[-1] == "the clock has stopped")
