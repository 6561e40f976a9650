"""What a client gets while its namespace is still deciding."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import PollingClient, Recorder, event, make_app, wait_for
from tests.integration.doors import REFUSED, Door, Open, Place, place
from tests.integration.hooks import running
from tests.streams import EVERY

every = pytest.mark.parametrize("transport", EVERY)


class Hesitating(Door):
    """Waits in ``recv_connect`` until it is told to go on."""

    go_on: Event

    def recv_connect(self) -> None:
        self.record("connect")
        self.go_on.wait()
        self.decide()


@contextlib.contextmanager
def hesitating(transport: str, verdict: Any, first: str = "1::/ns") -> Iterator[tuple[Place, Any]]:
    """A client whose ``recv_connect`` waits, and another that is in the namespace already."""
    attributes = {"go_on": Event(), "verdict": None}
    door = type("HesitatingHere", (Hesitating,), attributes)
    with place(transport, door) as here:
        here.door.go_on.set()
        member = PollingClient(here.server).open()
        try:
            member.send("1::/ns")
            assert member.recv() == "1::/ns"
            here.door.go_on.clear()
            here.door.verdict = verdict
            here.client.send(first)
            wait_for(lambda: here.record.count("connect") == 2)
            yield here, member
        finally:
            here.door.go_on.set()
            member.close()


def to_everyone(here: Place, member: Any) -> None:
    """Broadcast in every way there is, from elsewhere, and see that it arrives elsewhere."""
    other = here.server.sockets[member.sessid]["/ns"]
    other.join("room")
    here.server.emit("by_server", namespace="/ns")
    other.broadcast_event("by_namespace")
    other.broadcast_event_not_me("not_me")
    other.broadcast_to_room("room", "by_room")
    here.server.emit("by_server_to_room", namespace="/ns", room="room")
    for name in ("by_server", "by_namespace", "by_room", "by_server_to_room"):
        assert member.recv() == f'5::/ns:{{"name":"{name}"}}'


@every
def test_a_client_that_is_refused_never_gets_what_was_broadcast_meanwhile(transport: str) -> None:
    with hesitating(transport, UnauthorizedError()) as (here, member):
        here.socket["/ns"].join("room")
        to_everyone(here, member)
        here.door.go_on.set()
        assert here.heard() == [REFUSED]
        to_everyone(here, member)
        assert here.heard() == []


@every
def test_a_client_that_is_let_in_gets_its_answer_before_any_broadcast(transport: str) -> None:
    with hesitating(transport, None) as (here, member):
        to_everyone(here, member)
        here.door.go_on.set()
        wait_for(lambda: here.socket._opening is None)
        here.server.emit("afterwards", namespace="/ns")
        names = ["by_server", "by_namespace", "not_me", "afterwards"]
        assert here.heard() == ["1::/ns", *[f'5::/ns:{{"name":"{name}"}}' for name in names]]


@every
def test_a_client_that_sent_an_event_first_waits_for_the_decision_too(transport: str) -> None:
    first = event("hello", endpoint="/ns", msgid="9+")
    with hesitating(transport, UnauthorizedError(), first) as (here, member):
        to_everyone(here, member)
        here.door.go_on.set()
        assert here.heard() == [REFUSED]
        assert here.record.count("hello") == 0


@every
def test_a_client_whose_initialize_refuses_never_gets_what_was_broadcast_meanwhile(
    transport: str,
) -> None:
    go_on = Event()

    class Looking(Door):
        def initialize(self) -> None:
            self.record("init")
            go_on.wait()
            raise UnauthorizedError

    with place(transport, Looking) as here:
        here.client.send("1::/ns")
        wait_for(lambda: here.record.seen == ["init"])
        here.server.emit("news", namespace="/ns")
        go_on.set()
        assert here.heard() == [REFUSED]


def test_a_broadcast_of_a_socket_whose_packets_go_another_way_is_kept_back_too() -> None:
    record = Recorder()

    class Mine(Socket):
        def send_packet(self, pkt: Any) -> None:
            record(pkt["type"])
            super().send_packet(pkt)

    class Server(SocketIOServer):
        def get_socket(self, sessid: str = "") -> Any:
            if sessid:
                return super().get_socket(sessid)
            socket = Mine(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    go_on = Event()

    class Waiting(Door):
        record = Recorder()

        def recv_connect(self) -> None:
            super_record = self.record
            super_record("connect")
            go_on.wait()
            raise UnauthorizedError

    app = make_app({"": BaseNamespace, "/ns": Waiting, "/open": Open})
    with running(Server(("127.0.0.1", 0), app, log=None, error_log=None)) as server:
        here = Place(server, "websocket", Waiting.record)
        here.client.send("1::/ns")
        wait_for(lambda: Waiting.record.seen)
        server.emit("news", namespace="/ns")
        go_on.set()
        assert here.heard() == [REFUSED]
        assert record.seen == ["connect", "event", "error", "ack"]
        here.client.close()


@pytest.mark.parametrize("verdict", [None, UnauthorizedError()])
@every
def test_a_namespace_that_sends_before_it_decides_has_its_answer_sent_first(
    transport: str, verdict: Any
) -> None:
    class Greeting(Door):
        def recv_connect(self) -> None:
            self.emit("welcome")
            self.send("hello")
            self.decide()

    with place(transport, Greeting) as here:
        here.door.verdict = verdict
        here.client.send("1::/ns")
        sent = ["1::/ns", '5::/ns:{"name":"welcome"}', "3::/ns:hello"]
        assert here.heard() == sent + ([] if verdict is None else [REFUSED])


@pytest.mark.parametrize("way", ["broadcast_event", "broadcast_event_not_me", "emit_to_room"])
@every
def test_a_namespace_that_broadcasts_before_it_decides_reaches_the_others(
    transport: str, way: str
) -> None:
    class Announcing(Door):
        def recv_connect(self) -> None:
            self.join("room")
            if way == "emit_to_room":
                self.emit_to_room("room", "somebody")
            else:
                getattr(self, way)("somebody")
            self.decide()

    with place(transport, Announcing) as here:
        here.door.verdict = None
        member = PollingClient(here.server).open()
        member.send("1::/ns")
        greeting = '5::/ns:{"name":"somebody"}'
        assert member.recv() == "1::/ns"
        if way == "broadcast_event":
            assert member.recv() == greeting
        here.door.verdict = UnauthorizedError()
        here.client.send("1::/ns")
        assert member.recv() == greeting
        # It told itself of its client, so it let that in before it refused it.
        own = ["1::/ns", greeting] if way == "broadcast_event" else []
        assert here.heard() == [*own, REFUSED]
        member.close()


@every
def test_a_packet_of_another_namespace_does_not_let_a_client_in(transport: str) -> None:
    class Talking(Door):
        def recv_connect(self) -> None:
            self.socket["/open"].emit("aside")
            self.decide()

    with place(transport, Talking) as here:
        assert here.heard() == []
        here.client.send("1::/ns")
        assert here.heard() == ['5::/open:{"name":"aside"}', REFUSED]


@every
def test_a_room_that_was_entered_before_the_refusal_delivers_nothing(transport: str) -> None:
    class Joining(Door):
        def recv_connect(self) -> None:
            self.join("room")
            self.decide()

    with place(transport, Joining) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        here.door.verdict = None
        member = PollingClient(here.server).open()
        member.send("1::/ns")
        assert member.recv() == "1::/ns"
        to_everyone(here, member)
        assert here.server.sockets[member.sessid]["/ns"].members("room") == [
            here.server.sockets[member.sessid]
        ]
        assert here.heard() == []
        member.close()


@every
def test_a_session_that_ends_while_it_is_decided_ends_quietly(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    with hesitating(transport, UnauthorizedError()) as (here, _member):
        socket = here.socket
        gevent.spawn(socket.disconnect)
        wait_for(lambda: not socket.state.live)
        here.door.go_on.set()
        wait_for(lambda: socket._receiver.dead)
        assert socket.active_ns == {}
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize("calls_super", [True, False])
@every
def test_a_socket_class_of_the_application_s_own_refuses_too(
    transport: str, calls_super: bool
) -> None:
    sent: list[str] = []

    class Mine(Socket):
        def send_packet(self, pkt: Any) -> None:
            sent.append(pkt["type"])
            if calls_super:
                super().send_packet(pkt)
            else:
                self.put_client_msg(self.encode_packet(pkt))

    class Server(SocketIOServer):
        def get_socket(self, sessid: str = "") -> Any:
            if sessid:
                return super().get_socket(sessid)
            socket = Mine(self, self.config)
            self.sockets[socket.sessid] = socket
            return socket

    record = Recorder()
    door = type("DoorHere", (Door,), {"record": record})
    app = make_app({"": BaseNamespace, "/ns": door, "/open": Open})
    with running(Server(("127.0.0.1", 0), app, log=None, error_log=None)) as server:
        here = Place(server, transport, record)
        here.client.send("1::/ns", event("hello", endpoint="/ns"))
        # What goes around our method cannot be kept back by it; the refusal is what counts.
        early = [] if calls_super else ["1::/ns"]
        assert here.heard() == [*early, REFUSED, REFUSED]
        assert record.seen == ["connect", "connect"]
        assert sent[:3] == ["connect", "error", "error"]
        assert "/ns" not in here.socket.active_ns
        here.client.close()


@every
def test_a_thousand_refusals_leave_nothing_behind(transport: str) -> None:
    with place(transport, Door, max_inbound_packets=2000) as here:
        for _ in range(10):
            here.client.send(*["1::/ns"] * 100)
        assert here.heard() == [REFUSED] * 1000
        assert set(here.socket.active_ns) == {"/open"}
        assert here.socket.jobs == [here.socket._receiver]
        assert here.socket._opening is None
