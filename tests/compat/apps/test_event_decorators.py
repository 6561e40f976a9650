"""A layer of decorators on top, as for Django: functions for events, channels, one namespace."""

import collections
import json
import re

import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.compat.apps.people import TRANSPORTS, people


class Event(object):
    """A list of functions, each for the channels that match its pattern."""

    def __init__(self):
        self.handlers = []

    def __call__(self, handler=None, channel=None):
        if handler is None:
            return lambda handler: self(handler, channel)
        self.handlers.append((handler, channel and re.compile(channel)))
        return handler

    def send(self, request, socket, context, *args):
        for handler, pattern in self.handlers:
            if pattern is None or any(pattern.match(name) for name in socket.channels):
                handler(request, socket, context, *args)


on_connect, on_message, on_subscribe, on_unsubscribe, on_finish = [Event() for _ in range(5)]
CLIENTS = {}
CHANNELS = collections.defaultdict(list)


class ClientNamespace(BaseNamespace):
    """What the functions get for a socket."""

    def initialize(self):
        self.channels = []
        self.context = {}

    def recv_connect(self):
        CLIENTS[self.socket.sessid] = self
        on_connect.send(self.request, self, self.context)

    def recv_json(self, message):
        if message.get("action") == "subscribe":
            self.channels.append(message["channel"])
            CHANNELS[message["channel"]].append(self.socket.sessid)
            on_subscribe.send(self.request, self, self.context, message["channel"])
        elif message.get("action") == "unsubscribe":
            self.forget(message["channel"])
        else:
            on_message.send(self.request, self, self.context, message)

    def forget(self, channel):
        self.channels.remove(channel)
        CHANNELS[channel].remove(self.socket.sessid)
        on_unsubscribe.send(self.request, self, self.context, channel)

    def recv_disconnect(self):
        for channel in self.channels[:]:
            self.forget(channel)
        on_finish.send(self.request, self, self.context)
        del CLIENTS[self.socket.sessid]

    def send_and_broadcast_channel(self, message, channel=None):
        for name in [channel] if channel else self.channels:
            for sessid in CHANNELS[name]:
                CLIENTS[sessid].send(message, json=True)


def broadcast(message):
    for client in list(CLIENTS.values()):
        client.send(message, json=True)


@on_message(channel="^room-")
def message(request, socket, context, message):
    if message["action"] == "start":
        context["user"] = message["user"]
        socket.send({"action": "started", "channels": socket.channels}, json=True)
    else:
        text = {"action": "message", "user": context["user"], "message": message["message"]}
        socket.send_and_broadcast_channel(text)


@on_message
def count(request, socket, context, message):
    request["messages"] += 1


@on_subscribe
def subscribed(request, socket, context, channel):
    request["subscribed"].append(channel)


@on_finish(channel="^room-")
def never(request, socket, context):
    raise AssertionError("there are no channels left")


@on_finish
def finish(request, socket, context):
    broadcast({"action": "leave", "user": context.get("user")})


# -- what its users see ----------------------------------------------------------------------------


def tell(person, **message):
    person.send_text("4::/io:" + json.dumps(message))


def hear(person):
    while not (text := person.recv_text()).startswith("4::/io:"):
        pass
    return json.loads(text[len("4::/io:") :])


@pytest.fixture
def state():
    yield {"messages": 0, "subscribed": []}
    assert CLIENTS == {}
    assert not any(CHANNELS.values())


@pytest.fixture(params=TRANSPORTS)
def served(request, state):
    def app(environ, start_response):
        socketio_manage(environ, {"/io": ClientNamespace}, state)
        return []

    return lambda *endpoints: people(app, *endpoints, transport=request.param)


def test_messages_reach_the_functions_of_their_channel(served, state):
    with served("/io", "/io", "/io") as (_, ada, bob, eve):
        for user, channel, name in ((ada, "room-1", "Ada"), (bob, "room-1", "Bob")):
            tell(user, action="subscribe", channel=channel)
            tell(user, action="start", user=name)
            assert hear(user) == {"action": "started", "channels": [channel]}
        tell(eve, action="start", user="Eve")  # in no channel: only counted
        tell(ada, action="say", message="hello")
        said = {"action": "message", "user": "Ada", "message": "hello"}
        assert hear(ada) == hear(bob) == said
        wait_for(lambda: state == {"messages": 4, "subscribed": ["room-1", "room-1"]})


def test_who_unsubscribes_hears_nothing_more(served):
    with served("/io", "/io") as (_, ada, bob):
        for user in (ada, bob):
            tell(user, action="subscribe", channel="room-1")
            tell(user, action="start", user="x")
            hear(user)
        tell(bob, action="unsubscribe", channel="room-1")
        wait_for(lambda: len(CHANNELS["room-1"]) == 1)
        tell(ada, action="say", message="hello")
        assert hear(ada)["message"] == "hello"
        broadcast({"action": "last"})
        assert hear(bob) == {"action": "last"}


def test_who_leaves_is_finished_once_and_the_others_are_told(served):
    with served("/io", "/io") as (_, ada, bob):
        tell(bob, action="subscribe", channel="room-1")
        tell(bob, action="start", user="Bob")
        hear(bob)
        bob.leave()
        assert hear(ada) == {"action": "leave", "user": "Bob"}
        wait_for(lambda: list(CLIENTS) == [ada.client.sessid])
