"""A newsroom over a message broker: each client has a greenlet that listens to its channels."""

import json

import gevent
import gevent.queue
import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.compat.apps.people import TRANSPORTS, Person, over, people


class Broker(object):
    """Stands in for Redis: what is published goes to everybody who listens just then."""

    def __init__(self):
        self.listeners = []

    def publish(self, channel, message):
        for pubsub in list(self.listeners):
            if channel in pubsub.channels:
                data = json.dumps(message)
                pubsub.queue.put({"type": "message", "channel": channel, "data": data})

    def pubsub(self):
        return PubSub(self)


class PubSub(object):
    def __init__(self, broker):
        self.broker = broker
        self.channels = set()
        self.queue = gevent.queue.Queue()
        broker.listeners.append(self)

    def subscribe(self, channel):
        self.channels.add(channel)
        self.queue.put({"type": "subscribe", "channel": channel, "data": 1})

    def listen(self):
        while True:
            yield self.queue.get()

    def close(self):
        self.broker.listeners.remove(self)


class NewsNamespace(BaseNamespace):
    def initialize(self):
        self.pubsub = self.request.pubsub()

    def listener(self, channel):
        self.pubsub.subscribe(channel)
        for m in self.pubsub.listen():
            if m["type"] == "message":
                self.emit(m["channel"], json.loads(m["data"]))

    def on_subscribe(self, channel):
        if getattr(self, "job", None) is None:
            self.job = self.spawn(self.listener, channel)
        else:
            self.pubsub.subscribe(channel)
        return True

    def on_publish(self, channel, message):
        self.request.publish(channel, message)

    def on_mute(self):
        self.kill_local_jobs()
        self.job = None
        return True

    def recv_disconnect(self):
        self.pubsub.close()
        self.disconnect(silent=True)


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture(params=TRANSPORTS)
def served(request, broker):
    def app(environ, start_response):
        socketio_manage(environ, {"/news": NewsNamespace}, broker)
        return []

    return lambda *endpoints: people(
        app, *endpoints, transport=request.param, close_timeout=1, heartbeat_interval=1
    )


def listens(broker, channel):
    return [pubsub for pubsub in broker.listeners if channel in pubsub.channels]


def test_what_is_published_reaches_those_who_listen(served, broker):
    with served("/news", "/news", "/news") as (_, one, two, deaf):
        assert one.ask("subscribe", "sports") == two.ask("subscribe", "sports") == [True]
        wait_for(lambda: len(listens(broker, "sports")) == 2)
        deaf.emit("publish", "sports", {"score": [1, 0]})
        assert one.next("sports") == two.next("sports") == [{"score": [1, 0]}]
        broker.publish("sports", "from elsewhere")
        assert one.next("sports") == ["from elsewhere"]
        assert deaf.ask("mute") == [True]
        assert deaf.came("sports") == 0


def test_one_listener_may_have_several_channels(served, broker):
    with served("/news") as (_, user):
        user.ask("subscribe", "sports")
        user.ask("subscribe", "weather")
        wait_for(lambda: listens(broker, "sports") and listens(broker, "weather"))
        for number in range(5):
            broker.publish("weather", number)
            broker.publish("sports", number)
        assert [user.next("sports") for _ in range(5)] == [[n] for n in range(5)]


def test_who_mutes_the_listener_and_starts_another_hears_again(served, broker):
    with served("/news") as (_, user):
        user.ask("subscribe", "sports")
        job = user.socket["/news"].job
        assert user.ask("mute") == [True]
        wait_for(lambda: job.dead)
        user.ask("subscribe", "sports")
        wait_for(lambda: user.socket["/news"].job is not None)
        broker.publish("sports", "again")
        assert user.next("sports") == ["again"]


@pytest.mark.parametrize("way", ["leaves", "is cut off"])
def test_the_listener_ends_with_its_client_and_nothing_is_left(served, broker, way):
    with served("/news") as (server, user):
        user.ask("subscribe", "sports")
        socket = user.socket
        ns = socket["/news"]
        wait_for(lambda: listens(broker, "sports"))
        user.leave() if way == "leaves" else user.client.close()
        over(socket)
        wait_for(lambda: ns.job.dead)
        assert ns.pubsub not in broker.listeners
        broker.publish("sports", "to nobody")
        assert server.sockets == {}
        with Person(server, "/news") as late:
            assert late.ask("mute") == [True]


def test_the_server_stops_while_listeners_wait(served, broker):
    with served("/news", "/news") as (server, one, two):
        one.ask("subscribe", "sports")
        two.ask("subscribe", "sports")
        wait_for(lambda: len(listens(broker, "sports")) == 2)
        with gevent.Timeout(30):
            server.stop(timeout=1)
        wait_for(lambda: broker.listeners == [])
