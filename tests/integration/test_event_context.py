"""What surrounds the handlers of an application: the context of a session, and the hooks."""

import contextlib
from types import SimpleNamespace
from unittest.mock import MagicMock, Mock

import gevent
import pytest

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from tests.client import Recorder, event, make_app, serving, wait_for
from tests.compat.standins import client_of, online
from tests.streams import EVERY

every = pytest.mark.parametrize("transport", EVERY)


class Watched:
    """A context that keeps a diary; handlers write into the same."""

    def __init__(self):
        self.diary = []
        self.open = 0

    @contextlib.contextmanager
    def __call__(self):
        self.open += 1
        self.diary.append("(")
        try:
            yield
        except BaseException as exc:
            self.diary.append(type(exc).__name__)
            raise
        finally:
            self.diary.append(")")
            self.open -= 1

    def note(self, word):
        assert self.open, word
        self.diary.append(word)


class Diarist(BaseNamespace):
    def __init__(self, environ, ns_name, request=None):
        super().__init__(environ, ns_name, request)
        request.note("init")

    def initialize(self):
        self.request.note("initialize")

    def recv_connect(self):
        self.request.note("connect")

    def before_event(self, packet):
        self.request.note(f"before {packet['type']}")

    def after_event(self, packet, error):
        self.request.note(f"after {packet['type']} {type(error).__name__ if error else 'well'}")

    def on_work(self, what):
        self.request.note(what)
        return what

    def on_fail(self):
        raise LookupError("nothing there")

    def on_ask(self):
        self.emit("question", callback=lambda answer: self.request.note(answer))

    def on_spawn(self):
        self.spawn(self.request.note, "spawned")

    def on_leave(self):
        self.socket.disconnect()
        self.request.note("left")

    def recv_message(self, data):
        self.request.note(data)

    def recv_disconnect(self):
        self.request.note("disconnect")
        super().recv_disconnect()


def diary(watched, wanted):
    """Wait until nothing is open and ``wanted`` was written; returns the diary, and begins anew."""
    wait_for(lambda: wanted in watched.diary and not watched.open, watched.diary)
    taken, watched.diary = watched.diary, []
    return taken


@every
def test_a_whole_session_runs_within_its_context_and_its_packets_between_the_hooks(transport):
    watched = Watched()
    app = make_app({"/d": Diarist}, request=watched, event_context=watched)
    with online(app, transport) as client:
        client.send("1::/d")
        assert client.recv() == "1::/d"
        assert diary(watched, "after connect well") == [
            *["(", "init", "initialize", ")"],
            *["(", "before connect", "connect", "after connect well", ")"],
        ]
        client.send(event("work", "hard", endpoint="/d", msgid="1+"))
        assert client.recv() == '6:::1+["hard"]'.replace(":::", "::/d:")
        assert diary(watched, "hard") == ["(", "before event", "hard", "after event well", ")"]
        client.send("3::/d:hello")
        assert "hello" in diary(watched, "hello")
        client.send(event("ask", endpoint="/d"))
        question = client.recv()
        assert question.startswith("5:1+:/d:")
        diary(watched, "after event well")
        client.send('6::/d:1+["the answer"]')
        assert diary(watched, "the answer") == [
            *["(", "before ack", "the answer", "after ack well", ")"]
        ]
        client.send("0::/d")
        assert diary(watched, "disconnect") == [
            *["(", "before disconnect", "disconnect", "after disconnect well", ")"]
        ]


def test_the_end_of_a_session_is_told_within_it_too():
    watched = Watched()
    with online(make_app({"": Diarist}, request=watched, event_context=watched)) as client:
        client.send(event("work", "a"))
        diary(watched, "a")
        client.close()
        assert diary(watched, "disconnect") == [
            *["(", "before disconnect", "disconnect", "after disconnect well", ")"]
        ]


def test_a_handler_that_ends_its_session_is_surrounded_once():
    watched = Watched()
    with online(make_app({"": Diarist}, request=watched, event_context=watched)) as client:
        client.send(event("leave"))
        assert diary(watched, "left")[-6:] == [
            *["(", "before event", "disconnect", "left", "after event well", ")"]
        ]


def test_another_namespace_that_a_handler_ends_has_hooks_of_its_own():
    watched = Watched()
    namespaces = {"/a": Diarist, "/b": Diarist}
    with online(make_app(namespaces, request=watched, event_context=watched)) as client:
        for name in namespaces:
            client.send(f"1::{name}")
            client.recv()
            diary(watched, "after connect well")
        client.send(event("leave", endpoint="/a"))
        words = diary(watched, "left")
        assert words.count("before disconnect") == words.count("after disconnect well") == 1
        assert words.count("disconnect") == 2


def test_what_a_handler_raises_goes_through_hooks_and_context(caplog):
    watched = Watched()
    with online(make_app({"": Diarist}, request=watched, event_context=watched)) as client:
        client.send(event("fail"))
        assert "internal_error" in client.recv()
        assert diary(watched, "LookupError")[-5:] == [
            *["(", "before event", "after event LookupError", "LookupError", ")"]
        ]
        assert "nothing there" in caplog.text
        client.send(event("work", "on"))
        assert "on" in diary(watched, "on")


def test_spawned_functions_run_within_a_context_and_without_hooks():
    watched = Watched()
    with online(make_app({"": Diarist}, request=watched, event_context=watched)) as client:
        client.send(event("spawn"))
        words = diary(watched, "spawned")
        assert words[-3:] == ["(", "spawned", ")"]


def test_a_job_that_the_end_of_the_session_kills_leaves_its_context():
    watched = Watched()

    class Busy(BaseNamespace):
        def on_begin(self):
            self.spawn(gevent.sleep, 1000)
            return True

    with online(make_app({"": Busy}, event_context=watched)) as client:
        client.send(event("begin", msgid="1+"))
        client.recv()
        wait_for(lambda: watched.open == 1)
        client.close()
        assert "GreenletExit" in diary(watched, "GreenletExit")


def test_a_handler_that_the_end_of_the_session_interrupts_leaves_its_context():
    watched = Watched()
    over = Recorder()

    class Stuck(BaseNamespace):
        def after_event(self, packet, error):
            over(packet["type"], type(error))

        def on_wait(self):
            self.socket.put_client_msg("3:::waiting")
            gevent.sleep(1000)

    with online(make_app({"": Stuck}, event_context=watched)) as client:
        client.send(event("wait"))
        client.recv()
        client.socket.server.sockets[client.sessid].kill()
        wait_for(lambda: not watched.open)
    # Who kills the session tells its namespaces at once, and only then interrupts the handler.
    assert [kind for kind, _ in over.seen] == ["disconnect", "event"]
    assert issubclass(over.seen[1][1], gevent.GreenletExit)


class Broken(BaseNamespace):
    """Its hooks fail at what the request names."""

    def before_event(self, packet):
        if packet["type"] in self.request["before"]:
            raise LookupError("no database")

    def after_event(self, packet, error):
        if packet["type"] in self.request["after"]:
            raise LookupError("cannot give back")

    def on_work(self):
        self.request["done"].append("work")
        return "well"

    def recv_disconnect(self):
        self.request["done"].append("disconnect")
        super().recv_disconnect()


def broken(before=(), after=()):
    return {"before": before, "after": after, "done": []}


def test_a_hook_that_fails_before_an_event_is_the_failure_of_its_handler(caplog):
    state = broken(before=["event"])
    with online(make_app({"": Broken}, request=state)) as client:
        client.send(event("work", msgid="1+"))
        assert "internal_error" in client.recv()
        assert state["done"] == []
    assert "no database" in caplog.text


def test_a_hook_that_fails_after_an_event_is_the_failure_of_its_handler(caplog):
    state = broken(after=["event"])
    with online(make_app({"": Broken}, request=state)) as client:
        client.send(event("work", msgid="1+"))
        assert "internal_error" in client.recv()
        assert state["done"] == ["work"]
    assert "cannot give back" in caplog.text


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_hook_keeps_a_namespace_from_hearing_of_the_end_once(when, caplog):
    state = broken(**{when: ["disconnect"]})
    with online(make_app({"": Broken}, request=state)) as client:
        client.send(event("work", msgid="1+"))
        client.recv()
        client.close()
        wait_for(lambda: client.socket.state == "DISCONNECTED")
    assert state["done"] == ["work", "disconnect"]
    assert len(caplog.records) == 1


def test_a_context_that_cannot_be_made_fails_the_opening_and_harms_nobody_else(caplog):
    def no_context():
        raise LookupError("no context today")

    with online(make_app({"/d": Broken}, request=broken(), event_context=no_context)) as client:
        client.send("1::/d")
        assert "internal_error" in client.recv()
        assert client.recv() == "0::/d"
    assert "no context today" in caplog.text


def test_a_refusal_in_recv_connect_passes_the_hooks():
    seen = Recorder()

    class Guarded(BaseNamespace):
        def recv_connect(self):
            raise UnauthorizedError("not you")

        def after_event(self, packet, error):
            seen(type(error))

    with online(make_app({"/g": Guarded})) as client:
        client.send("1::/g")
        assert client.recv() == "7::/g:2"
    assert seen.seen == [UnauthorizedError]


def test_a_hook_that_fails_does_not_take_recv_disconnect_out_of_its_context(caplog):
    watched = Watched()

    class Hooked(Diarist):
        def before_event(self, packet):
            if packet["type"] == "disconnect":
                raise LookupError("no database")

    with online(make_app({"": Hooked}, request=watched, event_context=watched)) as client:
        client.send(event("work", "a"))
        diary(watched, "a")
        client.close()
        assert diary(watched, "disconnect")[-3:] == ["(", "disconnect", ")"]
    assert len(caplog.records) == 1


def test_a_context_that_fails_at_the_end_is_left_out_for_recv_disconnect(caplog):
    state = broken()
    making = [contextlib.nullcontext, contextlib.nullcontext]

    with online(
        make_app({"": Broken}, request=state, event_context=lambda: making.pop()())
    ) as client:
        client.send(event("work", msgid="1+"))
        client.recv()
        client.close()
        wait_for(lambda: client.socket.state == "DISCONNECTED")
    assert state["done"] == ["work", "disconnect"]


def test_what_fails_behind_recv_connect_is_followed_by_recv_disconnect(caplog):
    state = broken(after=["connect"])

    class Entered(Broken):
        def recv_connect(self):
            self.request["done"].append("connect")

    with online(make_app({"/d": Entered}, request=state)) as client:
        client.send("1::/d")
        assert client.recv() == "1::/d"
        assert "internal_error" in client.recv()
        assert client.recv() == "0::/d"
        assert "/d" not in client.socket.active_ns
        assert state["done"] == ["connect", "disconnect"]
    assert "cannot give back" in caplog.text


@pytest.mark.parametrize("method", ["__init__", "initialize", "before_event", "recv_connect"])
def test_no_context_makes_a_refusal_unsaid(method):
    def refuse(self, *args, **kwargs):
        raise UnauthorizedError("not you")

    guarded = type("Guarded", (BaseNamespace,), {method: refuse, "on_x": lambda self: "secret"})
    suppress = contextlib.suppress(Exception)
    with online(make_app({"/g": guarded}, event_context=lambda: suppress)) as client:
        client.send("1::/g")
        assert client.recv() == "7::/g:2"
        assert "/g" not in client.socket.active_ns


def test_a_context_cannot_suppress_what_a_handler_raises(caplog):
    suppress = contextlib.suppress(Exception)
    with online(
        make_app({"": Diarist}, request=Watched(), event_context=lambda: suppress)
    ) as client:
        client.send(event("fail", msgid="1+"))
        assert "internal_error" in client.recv()
    assert "nothing there" in caplog.text or "AssertionError" in caplog.text


@pytest.mark.parametrize("where", ["context", "hook"])
def test_a_failing_clean_up_does_not_keep_an_interrupted_handler_alive(where, caplog):
    reached = Recorder()

    @contextlib.contextmanager
    def failing():
        try:
            yield
        finally:
            if where == "context" and reached.seen:
                raise LookupError("cannot give back")

    class Stuck(BaseNamespace):
        def after_event(self, packet, error):
            if where == "hook" and error is not None:
                raise LookupError("cannot give back")

        def on_wait(self):
            reached("begun")
            gevent.sleep(1000)

    with online(make_app({"": Stuck}, event_context=failing)) as client:
        client.send(event("wait"), event("wait"))
        wait_for(lambda: reached.seen)
        client.socket._receiver.kill(block=False)
        wait_for(lambda: client.socket.sessid not in client.socket.server.sockets)
    assert reached.seen == ["begun"]


@pytest.mark.parametrize("socket", [Mock(), MagicMock(), SimpleNamespace()])
def test_a_namespace_with_a_stand_in_for_its_socket_spawns_as_ever(socket):
    socket.session = {}
    ns = BaseNamespace({"socketio": socket}, "/n")
    assert ns.spawn(lambda: "done").get() == "done"


@pytest.mark.parametrize("wrong", [contextlib.nullcontext(), "app.app_context", 7])
def test_what_cannot_be_called_is_refused_where_it_is_given(wrong):
    with pytest.raises(TypeError, match=r"event_context: .* cannot be called"):
        socketio_manage({"socketio": object()}, {}, event_context=wrong)


def test_sessions_of_one_server_may_have_different_contexts():
    contexts = [Watched(), Watched()]
    waiting = list(contexts)

    def app(environ, start_response):
        context = waiting.pop(0)
        socketio_manage(environ, {"": Diarist}, request=context, event_context=context)
        return []

    with serving(app) as server:
        for number, context in enumerate(contexts):
            with client_of(server) as client:
                client.send(event("work", number, msgid="1+"))
                client.recv()
                assert number in diary(context, number)
