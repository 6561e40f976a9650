"""A shop whose work is done in threads: they emit to one client, and to all of them."""

import queue
import threading

import gevent
import gevent.threadpool
import pytest
from gevent import monkey

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.compat.apps.people import TRANSPORTS, over, people

SOON = 30
"""Seconds; far less than until anything but a thread would wake the server."""


class OrderNamespace(BaseNamespace):
    """One thread for each order, as with a driver that blocks."""

    def on_order(self, what, count):
        thread = threading.Thread(target=self.work, args=(what, count))
        thread.daemon = True
        thread.start()
        self.request["threads"].append(thread)
        return "accepted"

    def work(self, what, count):
        for number in range(count):
            self.emit("progress", what, number)
        self.emit("done", what)

    def on_price(self, what):
        pool = self.request["pool"]
        return pool.spawn(self.look_up, what).get()

    def look_up(self, what):
        self.emit("looking", what)
        return len(what)


class Ticker(threading.Thread):
    """Runs beside the server and tells everybody."""

    daemon = True

    def __init__(self, server):
        super(Ticker, self).__init__()
        self.server = server
        self.prices = queue.Queue()

    def run(self):
        while True:
            price = self.prices.get()
            if price is None:
                return
            for sessid, socket in list(self.server.sockets.items()):
                for name, ns in list(socket.active_ns.items()):
                    ns.emit("price", price)


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture
def shop():
    assert not monkey.is_module_patched("threading"), "these are threads, not greenlets"
    pool = gevent.threadpool.ThreadPool(2)
    shop = {"threads": [], "pool": pool}
    yield shop
    pool.kill()
    for thread in shop["threads"]:
        thread.join(SOON)
        assert not thread.is_alive()


@pytest.fixture(params=TRANSPORTS)
def served(request, shop):
    def app(environ, start_response):
        socketio_manage(environ, {"/shop": OrderNamespace}, shop)
        return []

    def serve(*endpoints):
        return people(app, *endpoints, transport=request.param, polling_duration=10 * SOON)

    with gevent.Timeout(2 * SOON):
        yield serve


def test_what_a_thread_emits_arrives_whole_and_in_order(served):
    with served("/shop") as (_, user):
        assert user.ask("order", "tea", 300) == ["accepted"]
        assert [user.next("progress") for _ in range(300)] == [["tea", n] for n in range(300)]
        assert user.next("done") == ["tea"]


def test_several_threads_emit_to_one_client(served):
    with served("/shop") as (_, user):
        for what in ("tea", "milk", "salt"):
            user.ask("order", what, 50)
        seen = {"tea": [], "milk": [], "salt": []}
        for _ in range(150):
            what, number = user.next("progress")
            seen[what].append(number)
        assert list(seen.values()) == [list(range(50))] * 3


def test_a_pool_of_threads_answers_and_emits(served):
    with served("/shop") as (_, user):
        assert user.ask("price", "tea") == [3]
        assert user.next("looking") == ["tea"]


def test_a_thread_beside_the_server_tells_everybody_and_wakes_held_polls(served, shop):
    with served("/shop", "/shop") as (server, one, two):
        ticker = Ticker(server)
        ticker.start()
        shop["threads"].append(ticker)
        for price in (5, 6):
            waiting = [gevent.spawn(user.next, "price") for user in (one, two)]
            gevent.idle()
            ticker.prices.put(price)
            assert [job.get(timeout=SOON) for job in waiting] == [[price], [price]]
        ticker.prices.put(None)


def test_a_thread_that_outlives_its_client_does_no_harm(served, shop):
    with served("/shop", "/shop") as (server, one, two):
        one.ask("order", "tea", 1)
        socket, ns = one.socket, one.socket["/shop"]
        one.leave()
        over(socket)
        late = threading.Thread(target=ns.work, args=("late", 100))
        late.start()
        shop["threads"].append(late)
        assert two.ask("price", "milk") == [4]
        wait_for(lambda: not late.is_alive())
        assert list(server.sockets) == [two.client.sessid]
