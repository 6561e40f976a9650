"""docs/howto/emitting.rst: events from a view, from a thread, and from another process."""

import sys

import pytest
import redis

from socketio.testing import TestServer
from tests.docs.howto import HOWTO, load, serving_sample
from tests.examples.redisplace import own_redis
from tests.integration.chatting import needs
from tests.integration.jsclients import wait_until
from tests.remote import RemoteClients
from tests.subprograms import running


@pytest.fixture
def shop():
    needs("flask")
    return load(HOWTO / "shop.py")


def test_a_view_tells_who_follows_an_order(shop):
    with TestServer(shop.app) as server:
        ada, bob = server.connect("/orders"), server.connect("/orders")
        ada.emit("follow", 7)
        assert shop.app.test_client().post("/orders/7/shipped").status_code == 204
        ada.expect("shipped", 7)
        bob.expect_nothing()


def test_a_view_tells_nobody_before_anybody_has_connected(shop):
    assert shop.app.test_client().post("/orders/7/shipped").status_code == 204


def test_a_thread_of_the_system_tells_everybody():
    with (
        serving_sample(HOWTO / "from_a_thread.py") as (_program, url),
        RemoteClients("websocket") as clients,
    ):
        ada = clients.connect(url, "/weather")
        assert ada.next("temperature") == [21.5]
        assert ada.next("temperature") == [21.5]


@pytest.fixture
def place():
    with own_redis() as place:
        yield place


def someone_listens(place):
    """Wait until the server has subscribed to the channel of the sample."""
    with redis.Redis.from_url(place.url) as client:
        wait_until(lambda: client.pubsub_numsub("socketio")[0][1] == 1, "a server listens")


def run_job(place):
    """Run the sample of a job as cron would."""
    with running([sys.executable, HOWTO / "nightly.py"], env={"REDIS_URL": place.url}) as job:
        assert job.wait() == 0, job.output()


def test_a_job_in_a_process_of_its_own_tells_a_room(place):
    with (
        serving_sample(HOWTO / "shared_chat.py", REDIS_URL=place.url) as (_program, url),
        RemoteClients("websocket") as clients,
    ):
        someone_listens(place)
        ada, bob = clients.connect(url, "/chat"), clients.connect(url, "/chat")
        assert ada.ask("join", "attic") == [True]
        run_job(place)
        assert ada.next("said") == ["attic", "the report is ready"]
        assert bob.ask("join", "attic") == [True]
        assert ["said", "attic", "the report is ready"] not in bob.log()


def test_what_is_no_event_is_passed_over(place):
    with (
        serving_sample(HOWTO / "shared_chat.py", REDIS_URL=place.url) as (program, url),
        RemoteClients("websocket") as clients,
        redis.Redis.from_url(place.url) as client,
    ):
        someone_listens(place)
        ada = clients.connect(url, "/chat")
        assert ada.ask("join", "attic") == [True]
        for text in ("no json", "[]", "7", '["said"]', '["said", 4, "/chat", null]'):
            client.publish("socketio", text)
        run_job(place)
        assert ada.next("said") == ["attic", "the report is ready"]
        assert program.output().count("no event of ours") == 5


def test_a_redis_that_was_away_is_listened_to_again(place):
    with (
        serving_sample(HOWTO / "shared_chat.py", REDIS_URL=place.url) as (program, url),
        RemoteClients("websocket") as clients,
    ):
        someone_listens(place)
        ada = clients.connect(url, "/chat")
        assert ada.ask("join", "attic") == [True]
        place.stop()
        program.wait_for_line("what is published meanwhile is lost")
        place.start()
        someone_listens(place)
        run_job(place)
        assert ada.next("said") == ["attic", "the report is ready"]
