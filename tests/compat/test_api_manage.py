"""The interface of the package itself: its version, its distribution, ``socketio_manage()``."""

import functools
from importlib.metadata import entry_points
from unittest.mock import MagicMock

import gevent
import pytest

import socketio
from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import serve_paste
from tests.client import PollingClient, Recorder, event, make_app, serving, wait_for
from tests.compat.standins import StandInServer, connected_socket, online
from tests.streams import EVERY

every = pytest.mark.parametrize("transport", EVERY)


def test_the_version_is_a_tuple_of_ints():
    assert socketio.__version__ == (1, 0, 0)
    assert all(type(part) is int for part in socketio.__version__)


def test_paste_finds_the_server_runner_under_the_name_of_the_distribution():
    # What "use = egg:gevent-socketio#paster" in an .ini file asks for.
    found = [
        entry
        for entry in entry_points(group="paste.server_runner", name="paster")
        if entry.dist.name == "gevent-socketio"
    ]
    assert [entry.value for entry in found] == ["socketio.server:serve_paste"] * len(found) != []
    assert found[0].load() is serve_paste


# -- what it gives to the session ------------------------------------------------------------------


def manage(*args, **kwargs):
    """Call ``socketio_manage()`` for a session that ends at once; returns its socket."""
    server = StandInServer()
    socket = connected_socket(server)
    environ = {"socketio": socket}
    job = gevent.spawn(socketio_manage, environ, *args, **kwargs)
    wait_for(lambda: socket.namespaces)
    assert not job.dead, "it blocks"
    assert socket.environ is environ
    socket.kill()
    assert job.get(timeout=5) is None
    return socket


def test_the_session_gets_the_environ_and_the_mapping_and_the_view_is_blocked():
    namespaces = {"": BaseNamespace}
    assert manage(namespaces).namespaces is namespaces


@pytest.mark.parametrize("positional", [True, False])
def test_the_session_gets_everything_else_too(positional):
    names = ("request", "error_handler", "json_loads", "json_dumps")
    given = {name: MagicMock() for name in names}
    namespaces = {"": BaseNamespace}
    if positional:
        socket = manage(namespaces, *given.values())
    else:
        socket = manage(namespaces, **given)
    assert all(getattr(socket, name) is value for name, value in given.items())


def test_what_is_not_given_stays_as_it_is():
    socket, fresh = manage({"": BaseNamespace}), connected_socket(StandInServer())
    for name in ("request", "error_handler", "json_loads", "json_dumps"):
        assert getattr(socket, name) is getattr(fresh, name)


@pytest.mark.parametrize("request_", [None, "", {}, 0, False])
def test_a_falsy_request_counts_as_not_given(request_):
    assert manage({"": BaseNamespace}, request_).request is None


@every
def test_everything_reaches_the_namespaces(transport):
    errors = Recorder()

    class Chat(BaseNamespace):
        def on_who(self):
            return self.request, self.ns_name, type(self.environ) is dict

    app = make_app({"/chat": Chat}, request="the request", error_handler=errors)
    with online(app, transport) as client:
        client.send(event("who", endpoint="/chat", msgid="1+"))
        assert client.recv() == '6::/chat:1+["the request","/chat",true]'
        client.send(event("missing", endpoint="/chat"))
        wait_for(lambda: errors.seen)
        assert errors.seen == [
            (
                client.socket,
                "no_such_method",
                'The method "on_missing" was not found',
                "/chat",
                None,
                False,
            )
        ]


@every
def test_the_json_functions_are_used_on_the_wire(transport):
    class Chat(BaseNamespace):
        def on_upper(self, text):
            return text

    app = make_app(
        {"": Chat},
        json_loads=lambda text: {"name": "upper", "args": [text.upper()]},
        json_dumps=lambda data: f"<{data}>",
    )
    with online(app, transport) as client:
        client.send("5:1+::hello")
        assert client.recv() == "6:::1+<['HELLO']>"


@pytest.mark.parametrize("kind", ["partial", "lambda", "function"])
def test_a_value_of_the_mapping_may_be_anything_that_makes_a_namespace(kind):
    class Chat(BaseNamespace):
        def __init__(self, context, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.context = context

        def on_context(self):
            return self.context

    def function(environ, ns_name, request=None):
        return Chat("context", environ, ns_name, request=request)

    maker = {
        "partial": functools.partial(Chat, "context"),
        "lambda": lambda *args, **kwargs: Chat("context", *args, **kwargs),
        "function": function,
    }[kind]
    with online({"/chat": maker}) as client:
        client.send(event("context", endpoint="/chat", msgid="1+"))
        assert client.recv() == '6::/chat:1+["context"]'


# -- how often, and how long -----------------------------------------------------------------------


@every
def test_the_view_is_called_once_for_a_session_and_blocked_until_it_ends(transport):
    record = Recorder()
    managing = make_app({"": BaseNamespace})

    def app(environ, start_response):
        record("begin")
        managing(environ, start_response)
        record("end")
        return []

    with online(app, transport) as client:
        for number in range(5):
            client.send(f"3:{number}::hello")
            assert client.recv() == f"6:::{number}"
        assert record.seen == ["begin"]
        client.send("0::")
        client.close()
        wait_for(lambda: len(record.seen) == 2)
        assert record.seen == ["begin", "end"]


def test_later_polls_do_not_reach_the_view():
    views = Recorder()
    managing = make_app({"": BaseNamespace})

    def app(environ, start_response):
        views(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        return managing(environ, start_response)

    with serving(app, polling_duration=0.02) as server:
        client = PollingClient(server).open()
        for _ in range(3):
            assert client.poll() == ["8::"]
        assert views.seen == [("GET", f"/socket.io/1/xhr-polling/{client.sessid}")]
        client.close()


def test_nothing_is_said_about_a_session_whose_view_returns_nothing(caplog):
    # A WSGI application that was written for the original returns None from here: its answer
    # was never looked at.
    managing = make_app({"": BaseNamespace})

    def app(environ, start_response):
        managing(environ, start_response)

    with online(app) as client:
        client.send("0::")
        wait_for(lambda: client.socket.state == "DISCONNECTED")
    assert [record.getMessage() for record in caplog.records if record.levelno > 20] == []


# -- under another server --------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [{}, {"SERVER_SOFTWARE": "WSGIServer/0.2 CPython/3.11"}])
def test_another_server_than_ours_is_a_key_error_that_names_it_and_tells_what_to_do(environ):
    with pytest.raises(KeyError) as caught:
        socketio_manage(environ, {})
    text = str(caught.value)
    assert environ.get("SERVER_SOFTWARE", "does not name itself") in text
    assert "environ['socketio']" in text
    assert "SocketIOServer((host, port), app).serve_forever()" in text
    assert "python -m socketio module:app" in text


def test_a_server_that_does_not_name_itself_is_told_every_way_to_run_an_application():
    with pytest.raises(KeyError) as caught:
        socketio_manage({}, {})
    for line in (
        "python -m socketio module:app",
        "SocketIOServer((host, port), app).serve_forever()",
        "gunicorn --worker-class socketio.sgunicorn.GeventSocketIOWorker module:app",
        "use = egg:gevent-socketio#paster",
        "python manage.py runserver_socketio",
    ):
        assert line in str(caught.value)
