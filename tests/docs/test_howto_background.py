"""docs/howto/background.rst: what goes on beside handlers, and how it ends."""

import signal
import sys
import time

import gevent
import pytest
from gevent import monkey

from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.docs.howto import HOWTO, load, serving_sample
from tests.integration.jsclients import wait_until
from tests.remote import RemoteClients
from tests.subprograms import running

background = load(HOWTO / "background.py")
pause = monkey.get_original("time", "sleep")


@pytest.fixture
def server():
    names = {name: getattr(background, name[1:].capitalize()) for name in NAMES}
    with TestServer(names) as server:
        yield server


NAMES = ["/stopwatch", "/export", "/passwords", "/primes"]


def test_a_stopwatch_runs_until_it_is_stopped(server, monkeypatch):
    monkeypatch.setattr(background.Stopwatch, "pause", 0.01)
    ada = server.connect("/stopwatch")
    ada.emit("start")
    ada.emit("start")
    (job,) = ada.namespace.jobs
    server.wait_for(lambda: len(ada.inbox) >= 2)
    ada.emit("stop")
    assert job.dead
    assert ada.namespace.jobs == []
    ada.emit("start")
    assert len(ada.namespace.jobs) == 1


def test_what_a_handler_has_spawned_ends_with_the_client(server):
    ada = server.connect("/export")
    ada.emit("export")
    (job,) = ada.namespace.jobs
    assert background.Export.open_files == 1
    ada.drop()
    assert job.dead
    assert background.Export.open_files == 0


def test_what_a_handler_has_spawned_ends_when_the_client_leaves_the_namespace(server):
    ada = server.connect("/export")
    passwords = ada.of("/passwords")
    ada.emit("export")
    ada.leave()
    assert background.Export.open_files == 0
    assert passwords.connected


def test_a_hash_is_computed_while_others_are_served(server):
    ada = server.connect("/passwords")
    bob = server.connect("/primes")
    order = []
    hashing = gevent.spawn(lambda: order.append(ada.ask("hash", "secret", "salt")))
    gevent.sleep(0)
    order.append(bob.ask("primes", 20))
    hashing.join()
    primes = [[2, 3, 5, 7, 11, 13, 17, 19]]
    assert sorted(order, key=str) == sorted(
        [primes, [background.slow_hash("secret", "salt")]], key=str
    )


def test_the_thread_pool_leaves_the_hub_free(server, monkeypatch):
    begun, free = [], []

    def wait(*_args):
        begun.append(True)
        give_up = time.monotonic() + 5
        while not free and time.monotonic() < give_up:
            pause(0.01)
        return bool(free)

    monkeypatch.setattr(background, "slow_hash", wait)
    ada = server.connect("/passwords")
    waiting = gevent.spawn(ada.ask, "hash", "secret", "salt")
    server.wait_for(lambda: begun)
    free.append(True)  # too late, if the hub has waited too
    assert waiting.get(timeout=30) == [True]


def test_a_failure_in_a_job_is_told_to_the_decorator_and_to_nobody_else():
    """What the page says of exceptions in jobs."""
    caught = []

    class Plain(BaseNamespace):
        def on_go(self):
            self.spawn(self.fail)

        def fail(self):
            raise LookupError

    class Careful(Plain):
        def exception_handler_decorator(self, function):
            def run(*args):
                try:
                    return function(*args)
                except LookupError as error:
                    caught.append(error)

            return run

    with TestServer({"/plain": Plain, "/careful": Careful}) as server:
        ada = server.connect("/plain")
        with server.failing(LookupError):
            ada.emit("go")
        ada.expect_nothing()
        assert server.real.stats()["errors"] == {}
        server.connect("/careful").emit("go")
        assert len(caught) == 1


def test_the_news_come_without_being_asked_for_until_the_server_ends():
    with (
        serving_sample(HOWTO / "news.py") as (program, url),
        RemoteClients("websocket") as clients,
    ):
        ada, bob = clients.connect(url, "/news"), clients.connect(url, "/news")
        for reader in (ada, bob):
            assert reader.next("news")[0]
            assert reader.next("news")[0]
        program.signal(signal.SIGTERM)
        assert program.wait() == 0


def test_news_that_cannot_be_had_are_left_out():
    news = load(HOWTO / "news.py")
    told = []

    class Server:
        def emit(self, *args, **to):
            told.append((args, to))

    answers = iter([ValueError, "a", ValueError, "b"])

    def look():
        found = next(answers, None)
        if found is None:
            raise gevent.GreenletExit
        if found is ValueError:
            raise ValueError
        return found

    gevent.spawn(news.tell, Server(), look, 0.001).join(30)
    assert told == [(("news", text), {"namespace": "/news"}) for text in "ab"]


def test_the_news_begin_with_the_first_session_under_any_server():
    target = f"{HOWTO / 'news_anywhere.py'}:app"
    with (
        running([sys.executable, "-m", "socketio", target, "--port", "0"]) as program,
        RemoteClients("websocket") as clients,
    ):
        url = program.wait_for_line(r"on (http://\S+?)/ ")[1]
        ada, bob = clients.connect(url, "/news"), clients.connect(url, "/news")
        assert ada.next("news")[0]
        assert wait_until(lambda: bob.next("news"), "news for both")
