"""A remote control for models: events go through its own ``process_event``, packets are counted."""

import collections

import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from tests.compat.apps.people import TRANSPORTS, people

HANDLERS = {}


def remote(name):
    def register(func):
        HANDLERS[name] = func
        return func

    return register


@remote("todo:create")
def create(ns, model):
    todos = ns.request["todos"]
    todos.append(dict(model, id=len(todos) + 1))
    return todos[-1]


@remote("todo:read")
def read(ns, id=None):
    todos = ns.request["todos"]
    return todos if id is None else todos[id - 1]


@remote("todo:delete")
def delete(ns, id):
    ns.request["todos"].pop(id - 1)


class RemoteNamespace(BaseNamespace):
    """Names have colons, the first argument is a token, answers are (error, result) as in node."""

    def process_packet(self, packet):
        self.request["packets"][packet["type"]] += 1
        if packet["type"] == "event" and self.session.get("banned"):
            return None
        return super(RemoteNamespace, self).process_packet(packet)

    def process_event(self, packet):
        name, args = packet["name"], packet["args"]
        if name == "ban me":
            return super(RemoteNamespace, self).process_event(packet)
        func = HANDLERS.get(name)
        if func is None:
            self.emit("unknown", name)
            return ["unknown", None]
        if not args or args[0] != "secret":
            return ["forbidden", None]
        try:
            return None, func(self, *args[1:])
        except Exception as e:
            return type(e).__name__, None

    def on_ban_me(self):
        self.session["banned"] = True
        return "banned"

    def recv_message(self, data):
        self.send(data[::-1])


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture
def request_():
    return {"todos": [], "packets": collections.Counter()}


@pytest.fixture(params=TRANSPORTS)
def user(request, request_):
    def app(environ, start_response):
        socketio_manage(environ, {"/rpc": RemoteNamespace}, request_)
        return []

    with people(app, "/rpc", transport=request.param) as (_, user):
        yield user


def test_events_with_colons_reach_the_functions_that_are_registered(user):
    todo = {"text": "buy milk", "id": 1}
    assert user.ask("todo:create", "secret", {"text": "buy milk"}) == [None, todo]
    assert user.ask("todo:read", "secret") == [None, [todo]]
    assert user.ask("todo:read", "secret", 1) == [None, todo]
    assert user.ask("todo:delete", "secret", 1) == [None, None]
    assert user.ask("todo:read", "secret") == [None, []]


def test_the_answer_is_a_list_or_a_tuple_as_it_was_returned(user):
    # A list is one argument, a tuple are several.
    assert user.ask("todo:read") == [["forbidden", None]]
    assert user.ask("todo:read", "secret", 9) == ["IndexError", None]
    assert user.ask("todo:create", "secret") == ["TypeError", None]


def test_an_event_that_nobody_registered_is_answered_by_the_application(user):
    assert user.ask("on_ban_me") == [["unknown", None]]
    assert user.next("unknown") == ["on_ban_me"]


def test_what_it_passes_on_goes_the_usual_way(user):
    assert user.ask("ban me") == ["banned"]
    assert user.ask("todo:read", "secret") == [None], "not handled, and so not answered with a list"


def test_every_packet_goes_through_its_process_packet(user, request_):
    user.ask("todo:read", "secret")
    user.send_text("3::/rpc:abc")
    while user.recv_text() != "3::/rpc:cba":
        pass
    assert dict(request_["packets"]) == {"connect": 1, "event": 1, "message": 1}


def test_what_is_no_list_of_arguments_ends_nothing(user):
    user.send_text('5::/rpc:{"name":"todo:read","args":["secret"]')
    assert user.ask("todo:read", "secret") == [None, []]
