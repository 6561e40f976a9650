"""The interface of ``socketio.namespace``, row by row."""

import functools
import logging
import re
import types
from unittest.mock import MagicMock

import gevent
import pytest

import socketio.namespace
from socketio.namespace import BaseNamespace
from tests.client import PollingClient, Recorder, event, handshake, serving, wait_for
from tests.compat.standins import (
    StandInServer,
    connected_socket,
    online,
    put_in,
    queued,
    refusing,
    session,
)
from tests.streams import EVERY

every = pytest.mark.parametrize("transport", EVERY)


def chat_event(name, *args, msgid=""):
    return event(name, *args, endpoint="/chat", msgid=msgid)


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def socket(server):
    return connected_socket(server)


@pytest.fixture
def ns(socket):
    return put_in(socket, BaseNamespace, "/chat")


# -- its life --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", ["1::/chat", "3::/chat:hi", "4::/chat:{}", chat_event("x"), "1::/chat:?a=b"]
)
def test_a_namespace_is_made_when_its_first_packet_arrives_and_never_earlier(first):
    made = []

    class Chat(BaseNamespace):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    with session({"/chat": Chat, "/news": Chat}) as on:
        assert made == []
        on.tell("2::")
        assert made == []
        on.tell(first)
        on.tell(first)
        assert [ns.ns_name for ns in made] == ["/chat"]
        assert on.socket.active_ns == {"/chat": made[0]}


@pytest.mark.parametrize("packet", ["0::/chat", "6::/chat:1", "7::/chat:0"])
def test_a_packet_that_means_nothing_to_a_new_namespace_makes_none(packet):
    with session(BaseNamespace) as on:
        assert on.tell(packet) == []
        assert on.socket.active_ns == {}


def test_a_namespace_left_and_entered_again_is_a_new_one():
    with session({"/chat": BaseNamespace, "/news": BaseNamespace}) as on:
        on.tell("1::/chat", "1::/news")
        first = on.socket["/chat"]
        on.tell("0::/chat")
        assert list(on.socket.active_ns) == ["/news"]
        on.tell("1::/chat")
        assert on.socket["/chat"] is not first


def test_a_namespace_has_all_its_attributes(socket):
    request = object()
    environ = {"socketio": socket, "REMOTE_ADDR": "127.0.0.1"}
    ns = BaseNamespace(environ, "/chat", request=request)
    assert ns.environ is environ
    assert ns.socket is socket
    assert ns.session is socket.session
    assert ns.request is request
    assert ns.ns_name == "/chat"
    assert ns.allowed_methods is None
    assert ns.jobs == []


def test_the_request_is_optional(socket):
    assert BaseNamespace(socket.environ, "/chat").request is None
    assert BaseNamespace(socket.environ, "/chat", "third").request == "third"


def test_the_environ_is_that_of_the_first_request_and_stays():
    environs = []

    class Chat(BaseNamespace):
        def recv_message(self, data):
            environs.append((data, self.environ))

    with serving({"": Chat}) as server:
        client = PollingClient(server, handshake(server))
        client.url += "&request=first"
        client.open()
        client.url = client.url.replace("first", "later")
        client.send("3:::one")
        client.send("3:::two")
        wait_for(lambda: len(environs) == 2)
        assert environs[0][1] is environs[1][1]
        assert environs[0][1]["QUERY_STRING"] == "t=2&request=first"
        assert environs[0][1]["REMOTE_ADDR"] == "127.0.0.1"
        assert environs[0][1]["socketio"] is server.sockets[client.sessid]
        client.close()


def test_attributes_and_methods_may_be_set_on_instances(ns):
    ns.room, ns.on_hello = "lobby", lambda name: f"hello {name}"
    ns.emit = MagicMock()
    ns.recv_message = MagicMock(return_value="mine")
    ns.is_method_allowed = MagicMock(return_value=True)
    assert ns.process_packet({"type": "message", "data": "x", "endpoint": "/chat"}) == "mine"
    ns.is_method_allowed.assert_called_once_with("recv_message")
    ns.emit("anything", 1)
    ns.emit.assert_called_once_with("anything", 1)
    assert ns.room == "lobby"


def test_methods_may_be_replaced_on_classes_later(ns, monkeypatch):
    class Chat(BaseNamespace):
        def on_hello(self):
            return "old"

    chat = Chat(ns.environ, "/chat")
    packet = {"type": "event", "name": "hello", "args": [], "endpoint": "/chat"}
    assert chat.process_packet(packet) == "old"
    monkeypatch.setattr(Chat, "on_hello", lambda self: "new")
    assert chat.process_packet(packet) == "new"
    monkeypatch.setattr(BaseNamespace, "process_event", lambda self, packet: "patched")
    assert chat.process_packet(packet) == "patched"


@pytest.mark.parametrize("first", [True, False])
def test_the_constructor_goes_on_to_the_classes_behind(socket, first):
    class Mixin:
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.mixed_in = hasattr(self, "ns_name")

    bases = (Mixin, BaseNamespace) if first else (BaseNamespace, Mixin)
    ns = type("Chat", bases, {})(socket.environ, "/chat", request=1)
    # Behind, it runs at the end of the constructor, when everything is there.
    assert ns.mixed_in is True
    assert ns.request == 1


@pytest.mark.parametrize("where", ["__init__", "get_initial_acl", "initialize", "recv_connect"])
@pytest.mark.parametrize("first", ["1::/chat", chat_event("anything")])
def test_a_namespace_that_cannot_be_made_is_refused_and_the_session_goes_on(where, first, caplog):
    ran = Recorder()

    def fails(self, *args, **kwargs):
        raise ZeroDivisionError("of the application")

    class Chat(BaseNamespace):
        def on_anything(self):
            ran("on_anything")

    setattr(Chat, where, fails)
    with session({"/chat": Chat, "/news": BaseNamespace}) as on:
        on.tell("1::/news")
        said = on.tell(first)
        assert said[-1] == "0::/chat"
        assert any("internal_error" in text for text in said)
        assert "of the application" in caplog.text
        assert "of the application" not in "".join(said)
        assert list(on.socket.active_ns) == ["/news"]
        assert on.tell("3:1:/news:x") == ["6::/news:1"]
    assert ran.seen == []


# -- initialize() ----------------------------------------------------------------------------------


def test_initialize_runs_once_for_each_class_that_defines_it_in_mro_order():
    record = Recorder()

    class Mixin:
        def initialize(self):
            record("Mixin")

    class Parent(BaseNamespace, Mixin):
        def initialize(self):
            record("Parent", self.ns_name, self.request)

    class Silent(Parent):
        """Only inherits it."""

    class Child(Silent):
        def initialize(self):
            record("Child")

    with session(Child, request="the request") as on:
        on.tell("1::/chat", chat_event("x"))
    assert record.seen == ["Child", ("Parent", "/chat", "the request"), "Mixin"]


def test_initialize_may_emit_and_comes_before_the_first_packet():
    class Chat(BaseNamespace):
        def initialize(self):
            self.emit("welcome", self.socket["/chat"] is self)

        def recv_connect(self):
            self.emit("connected")

    with session(Chat) as on:
        assert on.tell("1::/chat") == [
            '5::/chat:{"args":[true],"name":"welcome"}',
            "1::/chat",
            '5::/chat:{"name":"connected"}',
        ]


def test_initialize_may_open_what_the_initial_acl_closes():
    class Chat(BaseNamespace):
        def get_initial_acl(self):
            return []

        def initialize(self):
            if self.request == "admin":
                self.lift_acl_restrictions()

        def on_x(self):
            return "x"

    with session(Chat, request="admin") as on:
        assert on.tell("1::/chat", chat_event("x", msgid="1+")) == ["1::/chat", '6::/chat:1+["x"]']
    with session(Chat, request="guest") as on:
        answers = on.tell("1::/chat", chat_event("x"))
        assert [("method_access_denied" in text) for text in answers] == [False, True, True]


# -- dispatch --------------------------------------------------------------------------------------


def test_an_overridden_process_packet_gets_every_packet_and_nothing_else_is_called():
    record = Recorder()

    class Chat(BaseNamespace):
        def process_packet(self, packet):
            record(packet["type"])
            return "mine", packet["type"]

        def forbidden(self, *args):
            raise AssertionError("process_packet() is overridden")

        process_event = call_method_with_acl = call_method = forbidden
        recv_message = recv_json = recv_error = on_x = recv_connect = forbidden

    with session(Chat) as on:
        assert on.tell(chat_event("x", msgid="1+")) == ['6::/chat:1+["mine","event"]']
        assert on.tell("3:2+:/chat:x") == ['6::/chat:2+["mine","message"]']
        assert on.tell("7::/chat:0", "6::/chat:1") == []
    assert [kind for kind in record.seen if kind != "connect"] == [
        "event",
        "message",
        "error",
        "ack",
    ]


def test_an_overridden_process_packet_decides_about_the_echo_of_a_connect():
    class Chat(BaseNamespace):
        def process_packet(self, packet):
            return None

    with session(Chat) as on:
        assert on.tell("1::/chat") == []
        assert "/chat" in on.socket


@pytest.mark.parametrize(
    ("packet", "method", "args"),
    [
        ({"type": "message", "data": "text"}, "recv_message", ("text",)),
        ({"type": "json", "data": {"a": 1}}, "recv_json", ({"a": 1},)),
        ({"type": "connect", "qs": ""}, "recv_connect", ()),
        ({"type": "disconnect"}, "recv_disconnect", ()),
        ({"type": "event", "name": "a b", "args": [1, 2]}, "on_a_b", (1, 2)),
    ],
)
def test_every_method_is_called_through_call_method_with_acl(ns, packet, method, args):
    packet["endpoint"] = "/chat"
    ns.call_method_with_acl = MagicMock(return_value="returned")
    assert ns.process_packet(packet) == "returned"
    ns.call_method_with_acl.assert_called_once_with(method, packet, *args)


def test_an_error_packet_is_given_to_recv_error_through_call_method_with_acl(ns):
    packet = {"type": "error", "reason": "", "advice": "", "endpoint": "/chat"}
    ns.call_method_with_acl = MagicMock()
    ns.process_packet(packet)
    assert ns.call_method_with_acl.call_args.args[:2] == ("recv_error", packet)


def test_a_connect_is_echoed_before_recv_connect_is_called():
    class Chat(BaseNamespace):
        def recv_connect(self):
            self.emit("welcome")

    with session(Chat) as on:
        assert on.tell("1::/chat") == ["1::/chat", '5::/chat:{"name":"welcome"}']


def test_recv_connect_is_not_called_for_the_global_namespace():
    record = Recorder()

    class Everywhere(BaseNamespace):
        def recv_connect(self):
            record(self.ns_name)

    with session({"": Everywhere, "/chat": Everywhere}) as on:
        assert on.tell("1::") == ["1::"]
        on.tell(event("x"), "3:::hi")
        assert record.seen == []
        on.tell("1::/chat")
        assert record.seen == ["/chat"]


def test_recv_connect_comes_first_whatever_packet_opens_the_namespace():
    record = Recorder()

    class Chat(BaseNamespace):
        def recv_connect(self):
            record("connect")

        def on_x(self):
            record("x")

    with session(Chat) as on:
        assert on.tell(chat_event("x"), "1::/chat") == ["1::/chat"]
        assert record.seen == ["connect", "x"]


def test_connecting_twice_is_answered_twice_but_fires_once():
    record = Recorder()

    class Chat(BaseNamespace):
        def recv_connect(self):
            record("connect")

    with session(Chat) as on:
        assert on.tell("1::/chat", "1::/chat") == ["1::/chat", "1::/chat"]
        assert record.seen == ["connect"]


@pytest.mark.parametrize("value", ["text", ("a", 1), None])
def test_the_return_value_of_process_packet_is_the_ack_value(value):
    class Chat(BaseNamespace):
        def process_packet(self, packet):
            super().process_packet(packet)
            return value

        def on_x(self):
            return "not this"

    with session(Chat) as on:
        answer = on.tell("1::/chat", chat_event("x", msgid="1+"))[-1]
        wanted = {"text": '["text"]', ("a", 1): '["a",1]', None: "[null]"}[value]
        assert answer == f"6::/chat:1+{wanted}"


def test_an_ack_for_an_unknown_id_is_logged_and_never_raised(ns, caplog):
    packet = {"type": "ack", "ackId": 99, "args": ["x"], "endpoint": "/chat"}
    with caplog.at_level(logging.DEBUG, logger="socketio.namespace"):
        assert ns.process_packet(packet) is None
    assert "unknown id" in caplog.text


def test_process_event_needs_only_name_and_args(ns):
    # Applications call it themselves with what they read from Redis.
    ns.on_news = MagicMock(return_value="done")
    assert ns.process_event({"name": "news", "args": ["a", {"b": 1}]}) == "done"
    ns.on_news.assert_called_once_with("a", {"b": 1})


@pytest.mark.parametrize("name", ["missing", "$", "two"])
def test_process_event_needs_no_more_where_the_event_is_refused(name):
    class Chat(BaseNamespace):
        def on_two(self, _a, _b):
            raise AssertionError

    ns, _server = refusing(Chat)
    assert ns.process_event({"name": name, "args": []}) is None
    assert ns.socket.error.call_count == 1


@pytest.mark.parametrize("name", ["x", "X", "hello", "a1", "a_b", "a b", "camelCase", "a__", "z "])
def test_a_name_of_letters_digits_underscores_and_blanks_is_dispatched(ns, name):
    called = MagicMock()
    setattr(ns, "on_" + name.replace(" ", "_"), called)
    ns.process_event({"name": name, "args": []})
    called.assert_called_once_with()


@pytest.mark.parametrize(
    "name", ["", " ", "1a", "_a", "a:b", "a-b", "a.b", "a\n", "é", "aé", "a\x00", "__init__", "a/b"]
)
def test_any_other_name_is_an_unallowed_event_name(name):
    ns, _server = refusing(BaseNamespace, "/chat")
    ns.process_event({"name": name, "args": []})
    ns.socket.error.assert_called_once_with(
        "unallowed_event_name",
        "name must only contains alpha numerical characters",
        msg_id=None,
        endpoint="/chat",
        quiet=False,
    )


def test_the_regex_of_the_module_may_be_replaced(ns, monkeypatch):
    calls = MagicMock()
    setattr(ns, "on_room:join", calls)
    monkeypatch.setattr(
        socketio.namespace, "allowed_event_name_regex", re.compile(r"^[A-Za-z][A-Za-z0-9_: ]*$")
    )
    ns.process_event({"name": "room:join", "args": [1]})
    calls.assert_called_once_with(1)


def test_the_regex_of_the_module_can_be_imported_and_matched_with():
    # Overrides of process_event() do.
    assert socketio.namespace.allowed_event_name_regex.match("hello")
    assert not socketio.namespace.allowed_event_name_regex.match("$hello")


def test_the_regex_of_a_class_goes_before_that_of_the_module(socket):
    class Chat(BaseNamespace):
        allowed_event_name_regex = re.compile(r"[a-z:]+\Z")

    ns, calls = Chat(socket.environ, "/chat"), MagicMock()
    setattr(ns, "on_room:join", calls)
    ns.process_event({"name": "room:join", "args": []})
    calls.assert_called_once_with()


# -- call_method() and call_method_with_acl() ------------------------------------------------------


class Methods(BaseNamespace):
    attribute = on_attribute = "no method"

    def on_none(self):
        return "none"

    def on_two(self, a, b):
        return a + b

    def on_optional(self, a, b="b"):
        return a + b

    def on_any(self, *args):
        return list(args)

    def on_packet(self, packet):
        return packet

    def on_packet_and_more(self, packet, more):
        return [packet, more]

    def on_keywords(self, a, **kwargs):
        return [a, kwargs]

    def on_keyword_only(self, a, *, packet=None):
        return [a, packet]

    def on_without_self(this):
        raise AssertionError

    def on_without_anything():
        raise AssertionError

    @staticmethod
    def on_static(a):
        raise AssertionError

    @classmethod
    def on_class(cls):
        raise AssertionError


@pytest.mark.parametrize(
    ("method", "args", "result"),
    [
        ("on_none", [], "none"),
        ("on_two", ["a", "b"], "ab"),
        ("on_optional", ["a"], "ab"),
        ("on_optional", ["a", "c"], "ac"),
        ("on_any", [], []),
        ("on_any", [1, 2, 3], [1, 2, 3]),
        ("on_packet", [1, 2, 3], {"type": "event", "id": 7}),
        ("on_packet_and_more", [1, 2], [1, 2]),
        ("on_keywords", [1], [1, {}]),
        ("on_keyword_only", [1], [1, None]),
    ],
)
def test_a_method_gets_the_args_or_the_packet_if_that_is_its_only_parameter(method, args, result):
    ns, _server = refusing(Methods)
    assert ns.call_method(method, {"type": "event", "id": 7}, *args) == result
    assert not ns.socket.error.called


def assert_error(ns, *expected):
    ns.socket.error.assert_called_once_with(
        *expected, msg_id=None, endpoint=ns.ns_name, quiet=False
    )


@pytest.mark.parametrize("method", ["on_missing", "on_attribute"])
def test_a_missing_method_or_one_that_cannot_be_called_is_no_such_method(method):
    ns, _server = refusing(Methods)
    assert ns.call_method(method, {}) is None
    assert_error(ns, "no_such_method", f'The method "{method}" was not found')


@pytest.mark.parametrize(
    "method", ["on_without_self", "on_without_anything", "on_static", "on_class"]
)
def test_a_method_whose_first_parameter_is_not_self_is_invalid(method):
    ns, _server = refusing(Methods)
    assert ns.call_method(method, {}) is None
    assert_error(
        ns,
        "invalid_method_args",
        "The server-side method is invalid, as it doesn't have 'self' as its first argument",
    )


@pytest.mark.parametrize("method", ["on_none", "recv_connect", "on_missing"])
def test_a_method_that_is_not_allowed_is_refused_and_not_looked_for(method):
    ns, _server = refusing(Methods)
    ns.allowed_methods = []
    ns.call_method = MagicMock()
    assert ns.call_method_with_acl(method, {"type": "event"}) is None
    assert_error(ns, "method_access_denied", f'You do not have access to method "{method}"')
    assert not ns.call_method.called


def test_an_allowed_method_is_called_through_call_method():
    ns, _server = refusing(Methods)
    ns.call_method = MagicMock(return_value="called")
    assert ns.call_method_with_acl("on_two", {"type": "event"}, 1, 2) == "called"
    ns.call_method.assert_called_once_with("on_two", {"type": "event"}, 1, 2)


@pytest.mark.parametrize(
    ("name", "args"), [("none", [1]), ("two", []), ("two", [1, 2, 3]), ("keywords", [])]
)
def test_a_wrong_number_of_arguments_is_told_to_the_client_and_logged_and_harms_nothing(
    name, args, caplog
):
    with session(Methods) as on:
        _, error = on.tell("1::/chat", chat_event(name, *args))
        assert error.startswith("5::/chat:")
        assert '"name":"error"' in error
        assert name in error
        assert f"Methods.on_{name}" in caplog.text
        assert on.tell(chat_event("two", 1, 2, msgid="1+")) == ["6::/chat:1+[3]"]


def test_a_getattr_that_raises_something_else_means_that_there_is_no_such_method():
    class Proxy(BaseNamespace):
        def __getattr__(self, name):
            raise RuntimeError(f"there is no {name}")

    with session(Proxy) as on:
        connect, error = on.tell("1::/chat", chat_event("missing"))
        assert connect == "1::/chat"
        assert '["no_such_method","The method \\"on_missing\\" was not found"]' in error
        assert on.tell("3:1+:/chat:x", "0::/chat") == ['6::/chat:1+["x"]', "0::"]


def test_a_getattr_may_provide_the_methods():
    class Dynamic(BaseNamespace):
        def __getattr__(self, name):
            if name.startswith("on_"):
                return types.MethodType(lambda self, *args: [name, *args], self)
            raise AttributeError(name)

    with session(Dynamic) as on:
        answers = on.tell("1::/chat", chat_event("anything", 1, msgid="1+"))
        assert answers == ["1::/chat", '6::/chat:1+[["on_anything",1]]']


# -- exception_handler_decorator -------------------------------------------------------------------


def catching(function):
    """Return ``function`` with its exceptions turned into a return value."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ZeroDivisionError:
            return f"caught in {function.__name__}"

    return wrapped


class Failing(BaseNamespace):
    def on_fail(self, number):
        return number / 0

    def on_packet(self, packet):
        return packet["args"][0] / 0

    def recv_message(self, data):
        raise ZeroDivisionError

    def recv_connect(self):
        self.session["connected"] = 1 / 0


class Static(Failing):
    @staticmethod
    def exception_handler_decorator(fn):
        return catching(fn)


class Class(Failing):
    @classmethod
    def exception_handler_decorator(cls, fn):
        return catching(fn)


class Method(Failing):
    def exception_handler_decorator(self, fn):
        assert self.ns_name == "/chat"
        return catching(fn)


class Later(Failing):
    """Gets its decorator below, when the class is long made."""


class OnInstance(Failing):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.exception_handler_decorator = catching


class Catcher:
    @staticmethod
    def exception_handler_decorator(fn):
        return catching(fn)


class MixinBefore(Catcher, Failing):
    pass


class MixinBehind(Failing, Catcher):
    pass


Later.exception_handler_decorator = staticmethod(catching)
decorated = pytest.mark.parametrize(
    "cls", [Static, Class, Method, Later, OnInstance, MixinBefore, MixinBehind]
)


@decorated
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (chat_event("fail", 1, msgid="1+"), '6::/chat:1+["caught in on_fail"]'),
        (chat_event("packet", 1, msgid="1+"), '6::/chat:1+["caught in on_packet"]'),
        ("3:1+:/chat:x", '6::/chat:1+["caught in recv_message"]'),
    ],
)
def test_the_exception_handler_decorator_wraps_every_handler(cls, text, answer):
    with session(cls) as on:
        assert on.tell("1::/chat") == ["1::/chat"]
        assert on.tell(text) == [answer]


@decorated
def test_the_exception_handler_decorator_wraps_spawned_functions(cls, socket):
    ns = put_in(socket, cls, "/chat")

    def divide(number):
        return number / 0

    assert ns.spawn(divide, 1).get(timeout=5) == "caught in divide"


@pytest.mark.parametrize("text", [chat_event("fail", 1), "3::/chat:x"])
def test_without_it_an_exception_is_logged_with_its_traceback_and_the_session_goes_on(text, caplog):
    class Chat(Failing):
        def recv_connect(self):
            pass

        def on_ok(self):
            return "ok"

    with session(Chat) as on:
        on.tell("1::/chat", text)
        assert "Traceback" in caplog.text
        assert "ZeroDivisionError" in caplog.text
        assert on.tell(chat_event("ok", msgid="1+")) == ['6::/chat:1+["ok"]']


def test_the_client_of_a_handler_that_raises_learns_no_detail():
    class Chat(BaseNamespace):
        def on_fail(self):
            raise ValueError("the password is swordfish")

    with session({"": Chat}) as on:
        (answer,) = on.tell(event("fail", msgid="1+"))
        assert "swordfish" not in answer
        assert "ValueError" not in answer


# -- sending ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("x",), '5::/chat:{"name":"x"}'),
        (("x", 1, "two", None), '5::/chat:{"args":[1,"two",null],"name":"x"}'),
        (("x", {"b": 1, "a": [2]}), '5::/chat:{"args":[{"a":[2],"b":1}],"name":"x"}'),
        (("x", None), '5::/chat:{"args":[null],"name":"x"}'),
    ],
)
def test_emit_sends_an_event(ns, args, text):
    ns.emit(*args)
    assert queued(ns.socket) == [text]


@pytest.mark.parametrize("keyword", ["id", "room", "namespace", "json"])
def test_emit_takes_no_keyword_but_callback(ns, keyword):
    with pytest.raises(ValueError):
        ns.emit("x", 1, **{keyword: 1})
    assert queued(ns.socket) == []


def test_emit_with_a_callback_asks_for_an_answer_and_calls_it_once():
    record = Recorder()

    class Chat(BaseNamespace):
        def on_ask(self):
            self.emit("question", callback=record)
            self.emit("question", 1, callback=lambda *args: record("second", *args))

    with session(Chat) as on:
        assert on.tell("1::/chat", chat_event("ask"))[1:] == [
            '5:1+:/chat:{"name":"question"}',
            '5:2+:/chat:{"args":[1],"name":"question"}',
        ]
        on.tell('6::/chat:2+["a",1]', "6::/chat:1", '6::/chat:1+["again"]')
        assert record.seen == [("second", "a", 1)] or record.seen[0] == ("second", "a", 1)
        assert len(record.seen) == 2


def test_send_sends_a_message_and_with_json_a_json_message(ns):
    ns.send("hello")
    ns.send({"a": 1}, json=True)
    ns.send([1], True)
    assert queued(ns.socket) == ["3::/chat:hello", '4::/chat:{"a":1}', "4::/chat:[1]"]


def test_send_with_a_callback_asks_with_a_plain_id():
    record = Recorder()

    class Chat(BaseNamespace):
        def on_ask(self):
            self.send("hello", callback=lambda: record("received"))

    with session(Chat) as on:
        assert on.tell("1::/chat", chat_event("ask"))[1:] == ["3:1:/chat:hello"]
        on.tell("6::/chat:1")
        assert record.seen == ["received"]


def test_error_goes_to_the_socket_with_the_endpoint_filled_in():
    ns, _server = refusing(BaseNamespace, "/chat")
    ns.error("name", "message")
    ns.error("name", "message", 3, True)
    assert [(call.args, call.kwargs) for call in ns.socket.error.call_args_list] == [
        (("name", "message"), {"endpoint": "/chat", "msg_id": None, "quiet": False}),
        (("name", "message"), {"endpoint": "/chat", "msg_id": 3, "quiet": True}),
    ]


def test_error_reaches_the_client_as_the_event_error(ns):
    ns.error("name", "message")
    assert queued(ns.socket) == ['5::/chat:{"args":["name","message"],"name":"error"}']


@pytest.mark.parametrize(("silent", "said"), [(False, ["0::/chat"]), (True, [])])
def test_disconnect_leaves_the_endpoint(socket, silent, said):
    chat, news = (put_in(socket, BaseNamespace, name) for name in ("/chat", "/news"))
    job, other = chat.spawn(gevent.sleep, 3600), news.spawn(gevent.sleep, 3600)
    chat.disconnect(silent=silent)
    assert queued(socket) == said
    assert socket.active_ns == {"/news": news}
    assert socket.connected
    job.join(timeout=5)
    assert job.dead
    assert not other.dead
    assert chat.jobs == []
    other.kill()


def test_a_namespace_that_was_made_by_hand_says_goodbye_too(socket):
    # As tests of applications make it: it is not among the active ones.
    ns = BaseNamespace(socket.environ, "/woot")
    job = ns.spawn(gevent.sleep, 3600)
    ns.disconnect()
    assert queued(socket) == ["0::/woot"]
    job.join(timeout=5)
    assert job.dead


def test_leaving_the_last_namespace_ends_the_session(socket):
    for name in ("/chat", "/news"):
        put_in(socket, BaseNamespace, name)
    socket["/chat"].disconnect()
    assert socket.connected
    socket["/news"].disconnect()
    assert socket.state == "DISCONNECTING"
    assert socket.disconnect_reason == "last_namespace"


def test_disconnect_may_be_called_again_and_by_position(socket):
    chat, _news = (put_in(socket, BaseNamespace, name) for name in ("/chat", "/news"))
    chat.disconnect(True)
    chat.disconnect()
    assert queued(socket) == []
    assert socket.connected


def test_every_send_on_a_dead_socket_is_silent(socket):
    ns = put_in(socket, BaseNamespace, "/chat")
    socket.kill()
    wait_for(lambda: socket.state == "DISCONNECTED")
    ns.emit("x", 1)
    ns.emit("x", callback=print)
    ns.send("x")
    ns.error("x", "x")
    ns.disconnect()
    ns.ack(1, "x")
    assert socket.client_queue.qsize() == 0


# -- hooks -----------------------------------------------------------------------------------------


def test_the_hooks_have_their_default_behaviour(ns):
    assert ns.recv_message("data") == "data"
    assert ns.recv_json({"a": 1}) == {"a": 1}
    assert ns.recv_connect() is None
    assert ns.recv_error({"type": "error"}) is None
    assert ns.initialize() is None
    ns.disconnect = MagicMock()
    ns.recv_disconnect()
    ns.disconnect.assert_called_once_with(silent=True)


def left(socket):
    return socket.active_ns == {} and socket.state == "DISCONNECTED"


@every
@pytest.mark.parametrize("behaviour", ["calls super", "does not", "raises", "leaves"])
def test_when_the_client_goes_every_namespace_is_told_once_whatever_it_does(transport, behaviour):
    record = Recorder()
    jobs = []

    class Chat(BaseNamespace):
        def recv_connect(self):
            jobs.append(self.spawn(gevent.sleep, 3600))

        def recv_disconnect(self):
            record(self.ns_name)
            if behaviour == "calls super":
                super().recv_disconnect()
            elif behaviour == "raises":
                raise ZeroDivisionError
            elif behaviour == "leaves":
                self.disconnect(silent=True)

    with online({"/a": Chat, "/b": Chat, "/c": Chat}, transport) as client:
        client.send("1::/a", "1::/b", "1::/c")
        wait_for(lambda: len(jobs) == 3)
        client.send("0::")
        wait_for(lambda: left(client.socket))
        assert sorted(record.seen) == ["/a", "/b", "/c"]
        wait_for(lambda: all(job.dead for job in jobs))
        assert client.sessid not in client.server.sockets


def test_a_lost_connection_is_a_disconnect_of_every_namespace():
    record = Recorder()

    class Chat(BaseNamespace):
        def recv_disconnect(self):
            record(self.ns_name)

    with online({"": Chat, "/a": Chat, "/b": Chat}) as client:
        client.send("3:::x", "1::/a", "1::/b")
        wait_for(lambda: len(client.socket.active_ns) == 3)
        client.close()
        wait_for(lambda: left(client.socket))
        assert sorted(record.seen) == ["", "/a", "/b"]


def test_a_client_that_leaves_one_endpoint_is_reported_there_alone():
    record = Recorder()

    class Chat(BaseNamespace):
        def recv_disconnect(self):
            record(self.ns_name)
            super().recv_disconnect()

    with session({"/a": Chat, "/b": Chat}) as on:
        on.tell("1::/a", "1::/b")
        assert on.tell("0::/a") == []
        assert record.seen == ["/a"]
        assert list(on.socket.active_ns) == ["/b"]
        assert on.socket.connected


def test_recv_disconnect_may_have_the_packet_form():
    record = Recorder()

    class Chat(BaseNamespace):
        def recv_disconnect(self, packet):
            record(packet["type"], packet["endpoint"])

    with session({"/a": Chat, "/b": Chat}) as on:
        on.tell("1::/a", "1::/b", "0::/a")
    assert record.seen == [("disconnect", "/a"), ("disconnect", "/b")]


# -- greenlets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [functools.partial(sum, [1, 2]), MagicMock(return_value=3)])
def test_spawn_takes_functions_without_a_name(ns, function):
    assert not hasattr(function, "__name__")
    assert ns.spawn(function).get(timeout=5) == 3


def test_spawn_gives_the_arguments_and_returns_a_greenlet_of_the_namespace(ns):
    job = ns.spawn(lambda *args, **kwargs: (args, kwargs), 1, two=2)
    assert isinstance(job, gevent.Greenlet)
    assert job in ns.jobs
    assert job not in ns.socket.jobs
    assert job.get(timeout=5) == ((1,), {"two": 2})
    wait_for(lambda: ns.jobs == [], "a finished job removes itself")


def test_kill_local_jobs_kills_the_jobs_of_this_namespace_alone(socket):
    chat, news = (put_in(socket, BaseNamespace, name) for name in ("/chat", "/news"))
    mine = [chat.spawn(gevent.sleep, 3600) for _ in range(3)]
    others = [news.spawn(gevent.sleep, 3600), socket.spawn(gevent.sleep, 3600)]
    chat.kill_local_jobs()
    gevent.joinall(mine, timeout=5)
    assert all(job.dead for job in mine)
    assert chat.jobs == []
    assert not any(job.dead for job in others)
    gevent.killall(others)


def test_a_job_that_kills_the_local_jobs_goes_on_and_ends_with_the_session(socket):
    record = Recorder()
    ns = put_in(socket, BaseNamespace, "/chat")

    def work():
        ns.kill_local_jobs()
        record("after")
        gevent.sleep(3600)

    job = ns.spawn(work)
    wait_for(lambda: record.seen)
    assert not job.dead
    socket.kill()
    job.join(timeout=5)
    assert job.dead


# -- access control --------------------------------------------------------------------------------


def with_acl(acl):
    return type("Restricted", (BaseNamespace,), {"get_initial_acl": lambda self: acl})


def test_without_an_initial_acl_everything_is_allowed(ns):
    assert ns.get_initial_acl() is None
    assert ns.is_method_allowed("on_anything")
    assert ns.is_method_allowed("recv_connect")


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_an_initial_acl_allows_what_is_in_it(socket, kind):
    ns = with_acl(kind(["on_a", "recv_connect"]))(socket.environ, "/chat")
    assert ns.is_method_allowed("on_a")
    assert ns.is_method_allowed("recv_connect")
    assert not ns.is_method_allowed("on_b")


@pytest.mark.parametrize("kind", [list, tuple, set])
def test_an_empty_acl_allows_nothing(socket, kind):
    assert not with_acl(kind())(socket.environ, "/chat").is_method_allowed("on_a")


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_adding_and_deleting_keeps_the_rest(socket, kind):
    ns = with_acl(kind(["on_a", "on_b"]))(socket.environ, "/chat")
    ns.add_acl_method("on_c")
    ns.del_acl_method("on_a")
    assert [ns.is_method_allowed(f"on_{c}") for c in "abc"] == [False, True, True]


def test_adding_to_no_restrictions_leaves_that_method_alone(ns):
    ns.add_acl_method("on_a")
    assert ns.is_method_allowed("on_a")
    assert not ns.is_method_allowed("on_b")


def test_deleting_what_is_not_there_is_no_error(socket):
    ns = with_acl(["on_a"])(socket.environ, "/chat")
    ns.del_acl_method("on_b")
    ns.del_acl_method("on_a")
    ns.del_acl_method("on_a")
    assert not ns.is_method_allowed("on_a")


def test_changing_the_acl_of_one_client_changes_no_other_s(socket):
    shared = {"on_a"}
    cls = with_acl(shared)
    one, other = cls(socket.environ, "/chat"), cls(socket.environ, "/news")
    one.add_acl_method("on_b")
    one.del_acl_method("on_a")
    assert other.is_method_allowed("on_a")
    assert not other.is_method_allowed("on_b")
    assert shared == {"on_a"}


@pytest.mark.parametrize("kind", [list, set])
def test_the_application_may_change_the_acl_itself(socket, kind):
    ns = with_acl(kind(["on_a"]))(socket.environ, "/chat")
    assert isinstance(ns.allowed_methods, kind)
    ns.allowed_methods.remove("on_a")
    assert not ns.is_method_allowed("on_a")
    ns.allowed_methods = ["on_b"]
    assert ns.is_method_allowed("on_b")


def test_restrictions_may_be_lifted_and_reset(socket):
    ns = with_acl(["on_a"])(socket.environ, "/chat")
    ns.lift_acl_restrictions()
    assert ns.allowed_methods is None
    assert ns.is_method_allowed("on_b")
    ns.reset_acl()
    assert not ns.is_method_allowed("on_b")
    assert ns.is_method_allowed("on_a")


def test_get_initial_acl_may_look_at_the_session_and_send():
    class Chat(BaseNamespace):
        def get_initial_acl(self):
            if self.request is None and "user" not in self.session:
                self.emit("connect_failed", self.ns_name, self.socket.sessid[:0])
            return ["recv_connect"]

    with session(Chat) as on:
        assert on.tell("1::/chat") == [
            '5::/chat:{"args":["/chat",""],"name":"connect_failed"}',
            "1::/chat",
        ]


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("1::/chat", "recv_connect"),
        ("3::/chat:x", "recv_message"),
        ("4::/chat:{}", "recv_json"),
        ("7::/chat:0", "recv_error"),
        (chat_event("packet"), "on_packet"),
        (chat_event("plain"), "on_plain"),
    ],
)
def test_the_acl_guards_every_dispatched_method(text, method):
    def called(self, *args):
        raise AssertionError(f"{method} ran")

    def called_with_packet(self, packet):
        raise AssertionError(f"{method} ran")

    class Chat(BaseNamespace):
        recv_connect = recv_message = recv_json = recv_error = on_plain = called
        on_packet = called_with_packet

        def get_initial_acl(self):
            return ["on_enter"]

        def on_enter(self):
            pass

    with session(Chat) as on:
        assert on.tell(chat_event("enter")) == []
        assert "/chat" in on.socket
    with session(Chat) as on:
        # An error packet opens no namespace; it has to be there.
        answers = on.tell(*([chat_event("enter")] if text[0] == "7" else []), text)
        refusal = f'["method_access_denied","You do not have access to method \\"{method}\\""]'
        assert refusal in answers[-1]


def test_an_endpoint_may_be_left_whatever_the_acl_says():
    record = Recorder()

    class Chat(BaseNamespace):
        def get_initial_acl(self):
            return ["recv_connect"]

        def recv_disconnect(self):
            record("told")

    with session({"/a": Chat, "/b": Chat}) as on:
        on.tell("1::/a", "1::/b", "0::/a")
        assert list(on.socket.active_ns) == ["/b"]
        assert record.seen == ["told"]


@every
def test_a_client_that_may_not_connect_is_told_and_the_namespace_stays_closed(transport):
    class Chat(BaseNamespace):
        def get_initial_acl(self):
            return []

        def recv_connect(self):
            raise AssertionError

    with online({"/chat": Chat, "/news": BaseNamespace}, transport) as client:
        client.send("1::/chat")
        assert client.recv() == "1::/chat"
        assert "method_access_denied" in client.recv()
