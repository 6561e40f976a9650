"""The inner workings of a namespace; what applications see of it is in ``tests/compat``."""

import logging
import re
from unittest.mock import MagicMock

import gevent
import pytest

import socketio.namespace
from socketio.namespace import BaseNamespace
from tests.compat.standins import (
    StandInServer,
    connected_socket,
    put_in,
    queued,
    refusing,
    session,
)


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def ns(server):
    return put_in(connected_socket(server), BaseNamespace, "/chat")


# -- names -----------------------------------------------------------------------------------------


def test_no_more_than_the_start_of_a_name_decides_and_all_of_it_must_match():
    # A pattern of the application's own may be anchored or not; ours is.
    assert socketio.namespace.allowed_event_name_regex.match("a b_1")
    for name in ("a\n", "a-", "", "1"):
        assert not socketio.namespace.allowed_event_name_regex.match(name)


def test_a_name_that_was_allowed_is_forbidden_by_another_pattern_from_then_on(ns, monkeypatch):
    ns.on_again = lambda: None
    called = []
    monkeypatch.setattr(ns, "call_method_with_acl", lambda name, *args: called.append(name))
    again = {"type": "event", "name": "again", "args": [], "endpoint": "/chat"}
    ns.process_event(again)
    ns.process_event(again)
    assert called == ["on_again", "on_again"]
    monkeypatch.setattr(socketio.namespace, "allowed_event_name_regex", re.compile(r"\d\Z"))
    ns.process_event(again)
    assert len(called) == 2


def test_no_client_makes_us_remember_many_names_nor_long_ones(ns, monkeypatch):
    known = {}
    monkeypatch.setattr(socketio.namespace, "_methods", known)
    monkeypatch.setattr(ns, "call_method_with_acl", lambda name, *args: name)

    def handle(name):
        return ns.process_event({"type": "event", "name": name, "args": [], "endpoint": "/chat"})

    assert handle("a" * 50) == "on_" + "a" * 50
    assert handle("a" * 51) == "on_" + "a" * 51
    assert [*known] == ["a" * 50]
    for number in range(1100):
        assert handle(f"name {number}") == f"on_name_{number}"
    assert len(known) == 1000


def test_the_pattern_is_looked_up_on_the_instance_then_the_class_then_the_module(ns, monkeypatch):
    called = MagicMock()
    ns.on_1 = called
    ns.socket.error = MagicMock()
    event = {"name": "1", "args": []}
    ns.process_event(event)
    assert called.call_count == 0
    monkeypatch.setattr(socketio.namespace, "allowed_event_name_regex", re.compile(r"\d\Z"))
    ns.process_event(event)
    assert called.call_count == 1
    monkeypatch.setattr(BaseNamespace, "allowed_event_name_regex", re.compile("never"))
    ns.process_event(event)
    assert called.call_count == 1
    ns.allowed_event_name_regex = re.compile(r"\d\Z")
    ns.process_event(event)
    assert called.call_count == 2


# -- packets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["noop", "heartbeat", "unheard_of"])
def test_a_packet_that_is_nothing_for_a_namespace_is_logged_and_ignored(ns, kind, caplog):
    with caplog.at_level(logging.DEBUG, logger="socketio.namespace"):
        assert ns.process_packet({"type": kind, "endpoint": "/chat"}) is None
    assert kind in caplog.text
    assert queued(ns.socket) == []


def test_a_connect_of_the_global_namespace_is_echoed_and_calls_nothing(server):
    root = put_in(connected_socket(server), BaseNamespace, "")
    root.recv_connect = MagicMock()
    assert root.process_packet({"type": "connect", "endpoint": "", "qs": ""}) is None
    assert queued(root.socket) == ["1::"]
    assert not root.recv_connect.called


def test_an_ack_is_looked_for_among_those_of_this_namespace_alone(server):
    socket = connected_socket(server)
    chat, news = (put_in(socket, BaseNamespace, name) for name in ("/chat", "/news"))
    callback = MagicMock(return_value="called")
    chat.emit("x", callback=callback)
    ack = {"type": "ack", "ackId": 1, "args": [5]}
    assert news.process_packet(ack) is None
    assert chat.process_packet(ack) == "called"
    callback.assert_called_once_with(5)


# -- wrong arguments -------------------------------------------------------------------------------


class Two(BaseNamespace):
    def on_two(self, a, b):
        return a, b

    def recv_connect(self, too_much):
        raise AssertionError


@pytest.mark.parametrize(("count", "said"), [(0, "0 arguments"), (1, "1 argument"), (3, "3 arg")])
def test_a_wrong_number_of_arguments_is_reported_with_the_name_and_the_id(count, said):
    ns, _server = refusing(Two)
    packet = {"type": "event", "name": "two", "id": 7, "args": []}
    assert ns.call_method("on_two", packet, *range(count)) is None
    (name, message), more = ns.socket.error.call_args
    assert name == "invalid_args"
    assert '"two" does not take ' + said in message
    assert more == {"endpoint": "/woot", "msg_id": 7, "quiet": False}


@pytest.mark.parametrize(
    ("packet", "said"),
    [({"type": "connect"}, '"connect"'), ({}, '"recv_connect"'), ({"name": "x" * 500}, "x" * 100)],
)
def test_what_has_no_name_is_reported_by_its_type_or_its_method_and_never_at_length(packet, said):
    ns, _server = refusing(Two)
    ns.call_method("recv_connect", packet)
    (_, message), _ = ns.socket.error.call_args
    assert said in message
    assert len(message) < 200


def test_a_handler_that_does_not_fit_runs_without_its_decorator_being_asked():
    class Decorated(Two):
        exception_handler_decorator = MagicMock(side_effect=AssertionError)

    ns, _server = refusing(Decorated)
    ns.call_method("on_two", {"type": "event"}, 1)
    assert ns.socket.error.called


# -- the decorator ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "no function"])
def test_a_decorator_that_cannot_be_called_is_none(ns, value):
    ns.exception_handler_decorator = value
    assert ns.spawn(lambda: "ran").get(timeout=5) == "ran"


def test_a_getattr_that_raises_something_else_is_no_decorator(server):
    class Proxy(BaseNamespace):
        def __getattr__(self, name):
            raise RuntimeError(name)

    ns = put_in(connected_socket(server), Proxy, "/chat")
    assert ns.spawn(lambda: "ran").get(timeout=5) == "ran"


# -- acks ------------------------------------------------------------------------------------------


def test_an_ack_of_another_packet_leaves_the_automatic_one_alone():
    class Chat(BaseNamespace):
        def on_x(self):
            self.ack(99, "another")
            return "automatic"

    with session({"": Chat}) as on:
        assert on.tell('5:1+::{"name":"x"}') == ['6:::99+["another"]', '6:::1+["automatic"]']


def test_an_ack_of_another_namespace_leaves_the_automatic_one_alone():
    class Chat(BaseNamespace):
        def on_x(self):
            self.socket["/b"].ack(1, "another")
            return "automatic"

    with session({"/a": Chat, "/b": Chat}) as on:
        on.tell("1::/a", "1::/b")
        said = on.tell('5:1+:/a:{"name":"x"}')
        assert said == ['6::/b:1+["another"]', '6::/a:1+["automatic"]']


def test_a_handler_may_ack_without_arguments(ns):
    ns.ack(5)
    ns.ack({"id": 6})
    assert queued(ns.socket) == ["6::/chat:5", "6::/chat:6"]


# -- greenlets and the end -------------------------------------------------------------------------


def test_a_finished_job_leaves_a_list_the_application_replaced(ns):
    job = ns.spawn(lambda: None)
    ns.jobs = []
    job.join(timeout=5)
    gevent.sleep(0)
    assert ns.jobs == []


def test_the_jobs_may_be_killed_when_there_are_none(ns):
    ns.kill_local_jobs()
    ns.kill_local_jobs()
    assert ns.jobs == []


def test_a_namespace_replaced_by_a_newer_one_leaves_that_alone(server):
    socket = connected_socket(server)
    old = put_in(socket, BaseNamespace, "/chat")
    new = put_in(socket, BaseNamespace, "/chat")
    job = old.spawn(gevent.sleep, 3600)
    old.disconnect()
    assert queued(socket) == []
    assert socket["/chat"] is new
    assert socket.connected
    job.join(timeout=5)
    assert job.dead


def test_one_that_was_left_and_kept_does_not_throw_its_client_out_of_the_next():
    class Kept(BaseNamespace):
        def recv_disconnect(self):
            """Calls nothing of ours."""

    with session({"/chat": Kept, "/news": Kept}) as on:
        on.tell("1::/chat", "1::/news")
        old = on.socket["/chat"]
        on.tell("0::/chat", "1::/chat")
        old.disconnect()
        assert on.tell("3:1:/chat:x") == ["6::/chat:1"]
        assert on.socket["/chat"] is not old


def test_sets_of_the_acl_are_never_changed_in_place(server):
    shared = {"on_a"}
    socket = connected_socket(server)
    ns = put_in(socket, BaseNamespace, "/chat")
    ns.allowed_methods = shared
    ns.add_acl_method("on_b")
    ns.del_acl_method("on_a")
    assert shared == {"on_a"}
    assert ns.allowed_methods == {"on_b"}
