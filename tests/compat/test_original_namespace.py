"""What the test-suite of the original demands of a namespace.

Its way of testing is kept, for applications copied it: a stand-in server, ``Socket(server, {})``
whose ``error`` is a mock, and packets handed straight to ``process_packet()``.
"""

from unittest.mock import MagicMock

import pytest

from socketio.namespace import BaseNamespace
from socketio.virtsocket import Socket
from tests.compat.standins import StandInServer, queued, refusing


class GlobalNamespace(BaseNamespace):
    def on_woot(self):
        return "woot"

    def on_tobi(self):
        return ""


class ChatNamespace(BaseNamespace):
    """Takes an argument of its own first, and decides by it what its ACL is made of."""

    def __init__(self, kind, *args, **kwargs):
        self.kind = kind
        super().__init__(*args, **kwargs)

    def get_initial_acl(self):
        return self.kind(["on_foo"])

    def on_foo(self):
        return "a"

    def on_bar(self):
        return "b"

    def on_baz(foo, bar, baz):
        return "c"


@pytest.fixture
def ns():
    ns, server = refusing(GlobalNamespace)
    yield ns
    assert server.sockets == {}


@pytest.fixture(params=[list, tuple, set, frozenset])
def chat(request):
    made, server = refusing(lambda environ, name: ChatNamespace(request.param, environ, name))
    yield made
    assert server.sockets == {}


def event(name, *args, **more):
    return {"type": "event", "name": name, "endpoint": "/chat", "args": list(args), **more}


def assert_refused(ns, name, message):
    ns.socket.error.assert_called_once_with(
        name, message, msg_id=None, endpoint=ns.ns_name, quiet=False
    )


# -- what each type of packet does -----------------------------------------------------------------


def test_a_disconnect_packet_is_no_error(ns):
    ns.process_packet({"type": "disconnect", "endpoint": "/woot"})
    assert not ns.socket.error.called


@pytest.mark.parametrize(("endpoint", "qs"), [("/tobi", ""), ("/test", "?test=1")])
def test_a_connect_packet_is_echoed(ns, endpoint, qs):
    ns.process_packet({"type": "connect", "endpoint": endpoint, "qs": qs})
    assert not ns.socket.error.called
    assert queued(ns.socket) == [f"1::{endpoint}" + (f":{qs}" if qs else "")]


def test_a_heartbeat_packet_is_no_error_and_says_nothing(ns):
    assert ns.process_packet({"type": "heartbeat", "endpoint": ""}) is None
    assert not ns.socket.error.called
    assert queued(ns.socket) == []


def test_a_noop_packet_is_no_error(ns):
    assert ns.process_packet({"type": "noop", "endpoint": ""}) is None
    assert not ns.socket.error.called


@pytest.mark.parametrize(
    "packet",
    [
        {"type": "message", "endpoint": "", "data": "woot"},
        {"type": "message", "endpoint": "", "data": "\n"},
        {"type": "message", "id": 5, "ack": True, "endpoint": "/tobi", "data": ""},
        {"type": "json", "endpoint": "", "data": "2"},
        {"type": "json", "id": 1, "endpoint": "", "ack": "data", "data": {"a": "b"}},
    ],
)
def test_the_data_of_a_message_comes_back(ns, packet):
    assert ns.process_packet(packet) == packet["data"]
    assert not ns.socket.error.called


@pytest.mark.parametrize(
    "packet",
    [
        {"type": "event", "name": "woot", "endpoint": "", "args": []},
        {"type": "event", "id": 1, "ack": "data", "name": "tobi", "endpoint": "", "args": []},
    ],
)
def test_an_event_calls_the_method_of_its_name_and_returns_what_that_returns(ns, packet):
    assert ns.process_packet(packet) == {"woot": "woot", "tobi": ""}[packet["name"]]
    assert not ns.socket.error.called


def test_an_event_with_data_gives_its_args_to_the_method(ns):
    ns.on_edwald = MagicMock(return_value="sum")
    assert ns.process_packet(event("edwald", {"a": "b"}, 2, "3")) == "sum"
    ns.on_edwald.assert_called_once_with({"a": "b"}, 2, "3")


def test_an_event_without_a_method_is_refused(ns):
    ns.process_packet(event("edwald", {"a": "b"}, 2, "3"))
    assert_refused(ns, "no_such_method", 'The method "on_edwald" was not found')


def test_an_ack_for_an_unknown_id_is_no_error(ns):
    assert ns.process_packet({"type": "ack", "ackId": 140, "endpoint": "", "args": []}) is None
    assert not ns.socket.error.called


def test_an_ack_calls_the_callback_with_its_args(ns):
    callback = MagicMock()
    ns.socket._save_ack_callback(12, callback)
    ns.process_packet({"type": "ack", "ackId": 12, "endpoint": "", "args": ["woot", "wa"]})
    callback.assert_called_once_with("woot", "wa")


@pytest.mark.parametrize(
    "packet",
    [
        {"type": "error", "reason": "", "advice": "", "endpoint": ""},
        {"type": "error", "reason": "transport not supported", "advice": "", "endpoint": ""},
        {"type": "error", "reason": "unauthorized", "advice": "reconnect", "endpoint": "/woot"},
    ],
)
def test_an_error_packet_is_no_error_of_ours(ns, packet):
    ns.recv_error = MagicMock()
    ns.process_packet(packet)
    ns.recv_error.assert_called_once_with(packet)
    assert not ns.socket.error.called


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["$foo", "", "1foo", "foo-bar", "foo.bar", "foo:bar", "_foo", " x"]
)
def test_a_name_of_other_characters_is_refused(ns, name):
    ns.process_packet(event(name))
    assert_refused(ns, "unallowed_event_name", "name must only contains alpha numerical characters")


def test_spaces_in_a_name_become_underscores(ns):
    ns.on_two_words = MagicMock(return_value="here")
    assert ns.process_packet(event("two words")) == "here"


# -- access control --------------------------------------------------------------------------------


def test_deleting_from_an_acl_that_is_not_there_is_a_value_error(ns):
    with pytest.raises(ValueError) as caught:
        ns.del_acl_method("on_foo")
    assert caught.value.args[0] == (
        "Trying to delete an ACL method, but none were defined yet! Or: No ACL restrictions yet, "
        "why would you delete one?"
    )


def test_a_method_in_the_acl_is_called(chat):
    assert chat.process_packet(event("foo")) == "a"
    assert not chat.socket.error.called


def test_a_method_outside_the_acl_is_refused(chat):
    chat.process_packet(event("bar"))
    assert_refused(chat, "method_access_denied", 'You do not have access to method "on_bar"')


def test_a_method_added_to_the_acl_is_called(chat):
    chat.add_acl_method("on_bar")
    assert chat.process_packet(event("bar")) == "b"
    assert not chat.socket.error.called


def test_a_method_deleted_from_the_acl_is_refused(chat):
    chat.del_acl_method("on_foo")
    chat.process_packet(event("foo"))
    assert_refused(chat, "method_access_denied", 'You do not have access to method "on_foo"')


def test_without_restrictions_every_method_is_called(chat):
    chat.lift_acl_restrictions()
    assert chat.process_packet(event("foo")) == "a"
    assert chat.process_packet(event("bar")) == "b"
    assert not chat.socket.error.called


def test_a_method_without_self_is_refused_even_where_the_acl_allows_it(chat):
    chat.add_acl_method("on_baz")
    chat.process_packet(event("baz"))
    assert_refused(
        chat,
        "invalid_method_args",
        "The server-side method is invalid, as it doesn't have 'self' as its first argument",
    )


# -- errors ----------------------------------------------------------------------------------------


def test_an_error_of_a_namespace_is_the_socket_s_with_the_endpoint_filled_in(ns):
    ns.error("name", "message", msg_id=3, quiet=True)
    ns.socket.error.assert_called_once_with(
        "name", "message", endpoint="/woot", msg_id=3, quiet=True
    )


def test_the_environ_needs_no_more_than_the_socket():
    server = StandInServer()
    socket = Socket(server, {})
    ns = GlobalNamespace({"socketio": socket}, "/woot")
    assert (ns.socket, ns.ns_name, ns.request) == (socket, "/woot", None)
