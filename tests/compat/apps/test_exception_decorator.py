"""A service with a decorator of its own for whatever its handlers and loops raise."""

import functools
import logging

import gevent
import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from tests.client import wait_for
from tests.compat.apps.people import TRANSPORTS, people

log = logging.getLogger("service")


class Refused(Exception):
    pass


def report_errors(fun):
    """Tell the client what it did wrong, and the operator what we did."""

    @functools.wraps(fun)
    def wrap(self, *args, **kwargs):
        try:
            return fun(self, *args, **kwargs)
        except gevent.GreenletExit:
            raise
        except Refused as e:
            self.emit("refused", str(e))
            return False
        except Exception as e:
            log.exception("in %s", fun.__name__)
            self.session.setdefault("errors", []).append(type(e).__name__)
            self.emit("oops")
            return False

    return wrap


class ServiceNamespace(BaseNamespace):
    def exception_handler_decorator(self, fun):
        @functools.wraps(fun)
        def wrap(*args, **kwargs):
            return report_errors(lambda self: fun(*args, **kwargs))(self)

        return wrap

    def recv_connect(self):
        self.request["connects"] += 1
        if self.request["closed"]:
            raise Refused("we are closed")

    def on_divide(self, a, b):
        return a / b

    def on_buy(self, what):
        if what != "tea":
            raise Refused("no %s today" % what)
        return True

    def on_start(self):
        self.spawn(self.loop)
        return "started"

    def loop(self):
        raise ValueError("in the loop")

    def on_errors(self):
        return self.session.get("errors", [])

    def recv_message(self, data):
        self.send(data.upper())


class PlainNamespace(BaseNamespace):
    """Has none: what its handlers raise is logged."""

    def on_divide(self, a, b):
        return a / b


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture
def state():
    return {"connects": 0, "closed": False}


@pytest.fixture(params=TRANSPORTS)
def served(request, state):
    def app(environ, start_response):
        socketio_manage(environ, {"/service": ServiceNamespace, "/plain": PlainNamespace}, state)
        return []

    return lambda *endpoints: people(app, *endpoints, transport=request.param)


def test_what_goes_well_is_not_touched(served):
    with served("/service") as (_, user):
        assert user.ask("divide", 6, 2) == [3.0]
        assert user.ask("buy", "tea") == [True]
        user.send_text("3::/service:abc")
        assert user.recv_text() == "3::/service:ABC"


def test_what_a_handler_raises_is_told_to_the_client_and_answered(served, caplog):
    with served("/service") as (_, user):
        assert user.ask("buy", "milk") == [False]
        assert user.next("refused") == ["no milk today"]
        assert user.ask("divide", 1, 0) == [False]
        assert user.next("oops") == []
        assert user.ask("errors") == [["ZeroDivisionError"]]
    assert [record.name for record in caplog.records if record.exc_info] == ["service"]


def test_what_a_spawned_loop_raises_is_told_too(served):
    with served("/service") as (_, user):
        assert user.ask("start") == ["started"]
        user.next("oops")
        wait_for(lambda: user.ask("errors") == [["ValueError"]])


def test_what_recv_connect_raises_is_told_too(served, state):
    state["closed"] = True
    with served("/service") as (_, user):
        assert user.next("refused") == ["we are closed"]
        assert state["connects"] == 1


def test_without_one_the_session_goes_on_all_the_same(served, caplog):
    with served("/plain") as (_, user):
        user.emit("divide", 1, 0)
        assert user.ask("divide", 6, 3) == [2.0]
    assert "ZeroDivisionError" in caplog.text
