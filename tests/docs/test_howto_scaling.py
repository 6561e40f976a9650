"""docs/howto/scaling.rst: what reaches another process, and what does not."""

import json

import pytest
import redis

from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.client import fetch, handshake, serving
from tests.docs.howto import HOWTO, load, serving_sample
from tests.examples.redisplace import own_redis
from tests.integration.jsclients import wait_until
from tests.remote import RemoteClients


def test_a_room_reaches_over_two_processes():
    with (
        own_redis() as place,
        serving_sample(HOWTO / "shared_chat.py", REDIS_URL=place.url) as (_first, here),
        serving_sample(HOWTO / "shared_chat.py", REDIS_URL=place.url) as (_second, there),
        RemoteClients("websocket") as clients,
        redis.Redis.from_url(place.url) as client,
    ):
        wait_until(lambda: client.pubsub_numsub("socketio")[0][1] == 2, "both listen")
        ada, bob = clients.connect(here, "/chat"), clients.connect(there, "/chat")
        carl = clients.connect(there, "/chat")
        for somebody in (ada, bob):
            assert somebody.ask("join", "attic") == [True]
        ada.emit("say", "attic", "hello")
        for somebody in (ada, bob):
            assert somebody.next("said") == ["attic", "hello"]
        bob.emit("say", "attic", "good morning")
        assert ada.next("said") == ["attic", "good morning"]
        assert carl.ask("join", "cellar") == [True]
        assert "said" not in [name for name, *_ in carl.log()]


def test_a_request_that_reaches_the_wrong_process_finds_no_session():
    with (
        serving({"": BaseNamespace}) as here,
        serving({"": BaseNamespace}) as there,
    ):
        poll = f"/socket.io/1/xhr-polling/{handshake(here)}"
        answer = fetch(there, "GET", poll)
        assert (answer.status, answer.text) == (400, "session unknown or over")
        assert fetch(here, "GET", poll).text == "1::"


@pytest.fixture
def relay():
    return load(HOWTO / "relay.py")


def test_what_is_published_is_emitted_by_each_server(relay, monkeypatch):
    class Chat(BaseNamespace, RoomsMixin):
        def on_join(self, room):
            self.join(room)

    published = []

    class Redis:
        def publish(self, *what):
            published.append(what)

    monkeypatch.setattr(relay, "REDIS", Redis())
    relay.tell_all("said", "hello", namespace="/chat", room="attic")
    ((channel, data),) = published
    assert channel == relay.CHANNEL
    assert json.loads(data) == ["said", ["hello"], "/chat", "attic"]
    with TestServer({"/chat": Chat}) as one, TestServer({"/chat": Chat}) as two:
        people = [server.connect("/chat") for server in (one, one, two)]
        people[0].emit("join", "attic")
        people[2].emit("join", "attic")
        for server in (one, two):
            relay.deliver(server.real, data)
        people[0].expect("said", "hello")
        people[1].expect_nothing()
        people[2].expect("said", "hello")
