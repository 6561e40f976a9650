"""An auction that talks to its bidders in loops over ``socket.server.sockets``."""

import gevent
import pytest

from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.compat.apps.people import TRANSPORTS, Person, over, people


class AuctionNamespace(BaseNamespace):
    def on_bid(self, amount):
        pkt = dict(type="event", name="bid", args=[amount], endpoint=self.ns_name)
        for sessid, socket in self.socket.server.sockets.items():
            socket.send_packet(pkt)

    def on_bid_not_me(self, amount):
        pkt = dict(type="event", name="bid", args=(amount,), endpoint=self.ns_name)
        for sessid, socket in self.socket.server.sockets.items():
            if socket is not self.socket:
                socket.send_packet(pkt)

    def on_going(self, times):
        for socket in self.socket.server.sockets.values():
            try:
                socket["/auction"].emit("going", times)
            except KeyError:
                pass  # not in the auction

    def on_sold(self):
        # Slow: others come and go meanwhile.
        count = 0
        for sessid in list(self.socket.server.sockets.keys()):
            socket = self.socket.server.sockets.get(sessid)
            gevent.sleep(0.01)
            if socket and "/auction" in socket.active_ns:
                socket.active_ns["/auction"].emit("sold", self.session.get("name"))
                count += 1
        return count

    def on_slow_loop(self):
        # RuntimeError in Python 3, had the table been any dict
        for sessid, socket in self.socket.server.sockets.items():
            gevent.sleep(0.01)
            socket.send_packet(dict(type="message", data="tick", endpoint="/auction"))

    def on_kick(self, sessid):
        self.socket.server.sockets[sessid].disconnect()

    def on_how_many(self):
        sockets = self.socket.server.sockets
        return len(sockets), sum(1 for s in sockets.values() if s.connected)


class NewsNamespace(BaseNamespace):
    pass


APP = {"/auction": AuctionNamespace, "/news": NewsNamespace}


# -- what its users see ----------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_packet_made_by_hand_reaches_every_socket(transport):
    with people(APP, "/auction", "/auction", transport=transport) as (_, one, two):
        one.emit("bid", 5)
        assert one.next("bid") == two.next("bid") == [5]
        one.emit("bid_not_me", 6)
        assert two.next("bid") == [6]
        assert one.ask("how_many") == [2, 2]
        assert one.came("bid") == 0


def test_the_namespace_of_a_socket_is_a_key_error_where_it_is_not_in():
    with people(APP, "/auction", "/auction", "/news") as (_, one, two, reader):
        one.emit("going", "once")
        assert one.next("going") == two.next("going") == ["once"]
        one.emit("going", "twice")
        assert two.next("going") == ["twice"]
        with pytest.raises(KeyError):
            reader.socket["/auction"]


@pytest.mark.parametrize("name", ["sold", "slow_loop"])
def test_clients_may_come_and_go_during_a_slow_loop(name):
    with people(APP, *["/auction"] * 4) as (server, one, *others):
        one.emit(name)
        leaving = [other.socket for other in others[:2]]
        for other in others[:2]:
            other.leave()
        with Person(server, "/auction") as late:
            for socket in leaving:
                over(socket)
            assert one.ask("how_many") == [3, 3]
            if name == "sold":
                assert others[2].next("sold") == [None]
            else:
                assert others[2].recv_text() == "3::/auction:tick"
            assert late.ask("how_many") == [3, 3]


def test_a_client_is_sent_away_by_its_id():
    with people(APP, "/auction", "/auction") as (server, one, two):
        socket = two.socket
        one.emit("kick", socket.sessid)
        over(socket)
        wait_for(lambda: list(server.sockets.values()) == [one.socket])
        assert one.ask("how_many") == [1, 1]
