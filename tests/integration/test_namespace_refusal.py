"""A namespace refuses a client, by its ``recv_connect`` or before."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from tests.client import event, serving, wait_for
from tests.integration.doors import REFUSED, Door, Open, place
from tests.integration.hooks import SECRET
from tests.streams import ALL_CLIENTS, EVERY

every = pytest.mark.parametrize("transport", EVERY)


@every
def test_a_refused_client_gets_the_refusal_and_no_more(transport: str) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["connect"]
        assert "/ns" not in here.socket.active_ns
        assert here.socket.connected


@every
def test_a_refused_namespace_was_never_left(transport: str) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns", "0::/ns")
        assert here.heard() == [REFUSED]
        socket = here.socket
        socket.disconnect()
        wait_for(lambda: socket.state == "DISCONNECTED" or socket.active_ns == {})
        assert here.record.seen == ["connect"]


@every
def test_the_greenlets_of_a_refused_namespace_are_killed(transport: str) -> None:
    jobs: list[Any] = []

    class Busy(Door):
        def recv_connect(self) -> None:
            jobs.append(self.spawn(gevent.sleep, 3600))
            super().recv_connect()

    with place(transport, Busy) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        wait_for(lambda: jobs[0].dead)
        assert len(jobs) == 1


@every
def test_the_reason_is_for_the_log_and_not_for_the_client(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "socketio.virtsocket")
    with place(transport, Door) as here:
        here.client.send("1::/ns", event("hello", endpoint="/ns", msgid="9+"))
        assert SECRET not in "".join(here.heard())
        assert caplog.text.count(SECRET) == 2
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "packet",
    [
        event("hello", endpoint="/ns"),
        event("hello", 1, 2, endpoint="/ns", msgid="7+"),
        event("no such thing", endpoint="/ns", msgid="7+"),
        "3::/ns:x",
        "4::/ns:[1]",
        "1::/ns:?a=b",
        "1::/ns",
    ],
)
@every
def test_every_later_packet_is_decided_anew_and_reaches_no_other_handler(
    transport: str, packet: str
) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns", packet, packet)
        assert here.heard() == [REFUSED] * 3
        assert here.record.seen == ["connect"] * 3
        assert "/ns" not in here.socket.active_ns


@every
def test_a_refused_packet_may_be_acknowledged_as_received_but_is_not_answered(
    transport: str,
) -> None:
    with place(transport, Door) as here:
        here.client.send("3:5:/ns:x", event("hello", endpoint="/ns", msgid="6+"))
        assert here.heard() == ["6::/ns:5", REFUSED, REFUSED]
        assert here.record.seen == ["connect"] * 2


@pytest.mark.parametrize("packet", ["0::/ns", "6::/ns:1", "7::/ns:2", "2::/ns", "8::/ns"])
@every
def test_what_a_client_says_about_a_namespace_it_is_not_in_opens_nothing(
    transport: str, packet: str
) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns", packet)
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["connect"]


@every
def test_a_client_that_was_refused_may_be_let_in_later(transport: str) -> None:
    with place(transport, Door) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        here.door.verdict = None
        here.client.send("1::/ns", event("hello", endpoint="/ns", msgid="6+"))
        assert here.heard() == ["1::/ns", '6::/ns:6+["hello"]']
        assert here.record.seen == ["connect", "connect", "hello"]
        here.client.send("0::/ns")
        assert here.heard() == []
        assert here.record.seen[3:] == ["disconnect"]


@every
def test_another_namespace_of_the_session_goes_on(transport: str) -> None:
    with place(transport, Door) as here:
        assert here.heard() == []
        here.client.send("1::/ns", event("echo", 1, endpoint="/open", msgid="90+"), "1::/ns")
        assert here.heard() == [REFUSED, "6::/open:90+[1]", REFUSED]
        assert set(here.socket.active_ns) == {"/open"}


# -- nobody can make it unsaid ---------------------------------------------------------------------


class Swallowing(Door):
    def exception_handler_decorator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except BaseException:
                return None

        return call


class Replacing(Door):
    def exception_handler_decorator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except UnauthorizedError:
                raise ValueError("something else") from None

        return call


class SwallowingPackets(Door):
    def process_packet(self, packet: Any) -> Any:
        try:
            return super().process_packet(packet)
        except Exception:
            return None


class SwallowingCalls(Door):
    def call_method(self, method_name: str, packet: Any, *args: Any) -> Any:
        try:
            return super().call_method(method_name, packet, *args)
        except Exception:
            return None


class Subclassed(UnauthorizedError):
    pass


class RefusingOwnError(Door):
    verdict = Subclassed("of the application")


class TakingPacket(Door):
    def recv_connect(self, packet: Any) -> None:  # type: ignore[override]
        assert packet["type"] == "connect"
        assert packet["endpoint"] == "/ns"
        self.record("connect")
        self.decide()


class RefusingByItsDecorator(Door):
    def recv_connect(self) -> None:
        self.record("connect")

    def exception_handler_decorator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            function(*args, **kwargs)
            raise UnauthorizedError("a decorator may refuse too")

        return call


class RefusingByProcessPacket(Door):
    def process_packet(self, packet: Any) -> Any:
        assert packet["type"] == "connect"
        self.record("connect")
        raise UnauthorizedError("an override may refuse too")


class WithAclForTheRest(Door):
    def get_initial_acl(self) -> Any:
        return {"recv_connect"}


@pytest.mark.parametrize(
    "door",
    [
        *[Swallowing, Replacing, SwallowingPackets, SwallowingCalls, RefusingOwnError],
        *[TakingPacket, RefusingByItsDecorator, RefusingByProcessPacket, WithAclForTheRest],
    ],
)
@every
def test_a_refusal_counts_whatever_stands_around_it(transport: str, door: type[Door]) -> None:
    with place(transport, door) as here:
        here.client.send("1::/ns", event("hello", endpoint="/ns"), "3::/ns:x")
        assert here.heard() == [REFUSED] * 3
        assert here.record.seen == ["connect"] * 3
        assert "/ns" not in here.socket.active_ns


class RefusingInInit(Door):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record("init")
        raise UnauthorizedError(SECRET)


class RefusingInInitialize(Door):
    def initialize(self) -> None:
        self.record("init")
        raise UnauthorizedError(SECRET)


class RefusingInAnInheritedInitialize(RefusingInInitialize):
    def initialize(self) -> None:
        self.record("first")


@pytest.mark.parametrize("first", ["1::/ns", "3::/ns:x", event("hello", endpoint="/ns")])
@pytest.mark.parametrize(
    "door",
    [
        RefusingInInit,
        RefusingInInitialize,
    ],
)
@every
def test_a_namespace_may_refuse_before_it_is_connected(
    transport: str, door: type[Door], first: str
) -> None:
    with place(transport, door) as here:
        here.client.send(first)
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["init"]
        assert "/ns" not in here.socket.active_ns


def test_the_initialize_of_a_base_class_may_refuse() -> None:
    with place("websocket", RefusingInAnInheritedInitialize) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        assert here.record.seen == ["first", "init"]


@every
def test_jobs_that_a_refused_namespace_began_in_initialize_are_killed(transport: str) -> None:
    jobs: list[Any] = []

    class Busy(Door):
        def initialize(self) -> None:
            jobs.append(self.spawn(gevent.sleep, 3600))
            raise UnauthorizedError

    with place(transport, Busy) as here:
        here.client.send("1::/ns")
        assert here.heard() == [REFUSED]
        wait_for(lambda: jobs[0].dead)


@every
def test_the_global_namespace_may_refuse_when_it_is_made(transport: str) -> None:
    class Closed(BaseNamespace):
        def initialize(self) -> None:
            raise UnauthorizedError

        def on_hello(self) -> None:
            raise AssertionError("not called")

    with serving({"": Closed, "/open": Open}) as server:
        client = ALL_CLIENTS[transport](server).open()
        client.send(event("hello"), event("echo", 1, endpoint="/open", msgid="1+"))
        assert client.recv() == "7:::2"
        assert client.recv() == "6::/open:1+[1]"
        assert set(server.sockets[client.sessid].active_ns) == {"/open"}
        client.close()
