"""The page about disconnection: who is told, and that nothing prevents it."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.client import serving, wait_for
from tests.streams import ALL_CLIENTS


class Slow(BaseNamespace):
    """Takes its time to say good-bye."""

    seen: list[str]

    def recv_disconnect(self) -> None:
        self.seen.append("begins")
        self.spawn(self.seen.append, "a job")
        try:
            self.gate.wait()
        except gevent.GreenletExit:
            self.seen.append("interrupted")
            raise
        self.seen.append("ends")


def slow() -> Any:
    return type("SlowHere", (Slow,), {"seen": [], "gate": gevent.event.Event()})


def test_a_recv_disconnect_that_blocks_is_not_interrupted_by_any_timeout() -> None:
    ns = slow()
    with TestServer({"/slow": ns}) as server:
        ada = server.connect("/slow")
        ada.drop()
        server.clock.advance(1000)
        ada.socket.disconnect()
        ada.socket.kill()
        server.drain()
        assert ns.seen == ["begins", "a job"]
        assert ada.socket.sessid in server.sockets
        ns.gate.set()
        server.drain()
        assert ns.seen == ["begins", "a job", "ends"]
        assert not server.sockets


def test_only_a_stop_interrupts_a_recv_disconnect_that_blocks_when_its_time_is_over() -> None:
    ns = slow()
    with serving({"/slow": ns}) as server:
        client = ALL_CLIENTS["websocket"](server).open()
        client.send("1::/slow")
        client.recv()
        client.close()
        wait_for(lambda: ns.seen)
        server.stop(timeout=0.05)
        assert ns.seen[-1] == "interrupted"
        assert not server.sockets


def test_a_job_that_recv_disconnect_spawns_is_killed_behind_it_and_one_of_gevent_is_not() -> None:
    seen = []

    def work(name: str) -> None:
        gevent.sleep(0.001)
        seen.append(name)

    class Spawning(BaseNamespace):
        def recv_disconnect(self) -> None:
            self.spawn(work, "of the namespace")
            self.socket.spawn(work, "of the session")
            gevent.spawn(work, "nobody's")

    with TestServer({"/x": Spawning}, allow_greenlets=True) as server:
        server.connect("/x").drop()
        server.settle()
        assert seen == ["nobody's"]


def test_one_that_raises_keeps_nobody_else_from_being_told() -> None:
    told = []

    class Raising(BaseNamespace):
        def recv_disconnect(self) -> None:
            told.append(self.ns_name)
            raise ValueError("broken")

    with TestServer({"/a": Raising, "/b": Raising}) as server:
        ada = server.connect("/a")
        ada.of("/b")
        with server.failing(ValueError):
            ada.drop()
        assert told == ["/a", "/b"]
        assert not server.sockets


def test_a_client_that_may_not_call_it_is_told_of_all_the_same() -> None:
    told = []

    class Closed(BaseNamespace):
        def get_initial_acl(self) -> list[str]:
            return ["recv_connect"]

        def recv_disconnect(self) -> None:
            told.append(self.ns_name)

    with TestServer({"/a": Closed, "/b": Closed}) as server:
        ada = server.connect("/a")
        ada.of("/b")
        ada.leave()
        ada.drop()
        assert told == ["/a", "/b"]


class Noting(BaseNamespace):
    """Notes who is told."""

    told: list[str]

    def recv_connect(self, packet: Any) -> None:
        if packet["qs"]:
            raise UnauthorizedError

    def recv_disconnect(self) -> None:
        self.told.append(self.ns_name)

    def on_leave(self) -> None:
        self.disconnect()

    def on_end(self) -> None:
        self.socket.disconnect()
        self.socket.kill()
        self.told.append("goes on")


def noting() -> Any:
    return type("NotingHere", (Noting,), {"told": []})


def test_only_namespaces_in_use_are_told_and_the_global_one_is_among_them() -> None:
    ns = noting()
    with TestServer({"": ns, "/a": ns, "/b": ns, "/refused": ns}) as server:
        ada = server.connect("/a")
        with pytest.raises(Exception, match="unauthorized"):
            ada.of("/refused?please")
        ada.drop()
        assert ns.told == ["/a"]
        bob = server.connect("")
        bob.send("opens the global namespace")
        bob.drop()
        assert ns.told == ["/a", ""]


def test_a_namespace_that_the_application_has_left_is_not_told_when_the_session_ends() -> None:
    ns = noting()
    with TestServer({"/a": ns, "/b": ns}) as server:
        ada = server.connect("/a")
        ada.of("/b")
        ada.emit("leave")
        assert ada.disconnected
        assert ada.socket.connected
        assert ns.told == []
        ada.drop()
        assert ns.told == ["/b"]


def test_ending_a_session_again_and_from_everywhere_tells_once_and_keeps_the_reason() -> None:
    ns = noting()
    with TestServer({"/a": ns}) as server:
        ada = server.connect("/a")
        ada.emit("end")
        assert ns.told == ["/a", "goes on"]
        gevent.joinall([gevent.spawn(ada.socket.kill) for _ in range(3)])
        ada.drop()
        ada.socket.disconnect()
        assert ns.told == ["/a", "goes on"]
        assert ada.socket.disconnect_reason == "kicked"


@pytest.mark.parametrize("end", ["disconnect", "kill"])
def test_the_caller_finds_everyone_told_when_the_call_returns(end: str) -> None:
    ns = noting()
    with TestServer({"/a": ns, "/b": ns}) as server:
        ada = server.connect("/a")
        ada.of("/b")
        getattr(ada.socket, end)()
        assert ns.told == ["/a", "/b"]
        assert ada.socket.active_ns == {}
        assert ada.socket.state == "DISCONNECTING"
        assert ada.socket.sessid in server.sockets
        server.drain()
        assert ada.socket.state == "DISCONNECTED"


def test_detach_takes_the_session_out_of_the_table_at_once() -> None:
    with TestServer({"/a": BaseNamespace}) as server:
        ada = server.connect("/a")
        ada.socket.kill(detach=True)
        assert not server.sockets


def test_a_handshake_that_nobody_follows_fires_nothing() -> None:
    ns = noting()
    with TestServer({"": ns, "/a": ns}) as server:
        socket = server.handshake()
        server.clock.advance(31)
        assert socket.disconnect_reason == "handshake_timeout"
        assert ns.told == []


@pytest.mark.parametrize("place", ["initialize", "recv_connect"])
def test_a_namespace_that_failed_to_open_is_not_told(place: str) -> None:
    def broken(_self: Any) -> None:
        raise ValueError("broken")

    method = (lambda self: broken(self)) if place == "recv_connect" else broken
    failing = type("Failing", (noting(),), {place: method})
    with TestServer({"/a": BaseNamespace, "/failing": failing}) as server:
        ada = server.connect("/a")
        with server.failing(ValueError):
            ada.send_raw("1::/failing")
        assert list(ada.socket.active_ns) == ["/a"]
        ada.drop()
        assert failing.told == []


@pytest.mark.parametrize("word", ["0::", "0::/a"])
def test_what_a_client_sends_behind_its_last_word_is_dropped(word: str) -> None:
    class Listening(Noting):
        told: list[str] = []

        def recv_message(self, data: str) -> None:
            self.told.append(data)

    with serving({"/a": Listening}) as server:
        client = ALL_CLIENTS["xhr-polling"](server).open()
        socket = server.sockets[client.sessid]
        client.send("1::/a", "3::/a:before", word, "3::/a:behind")
        wait_for(lambda: not socket.state.live)
        wait_for(lambda: socket._receiver.dead)
        assert Listening.told == ["before", "/a"]
        client.close()
