"""The interface of ``socketio.sdjango``, as applications for the original use it."""

import tests.djangosetup  # noqa: F401 - before anything of Django

# isort: split
import sys
import types

import django
import pytest
from django.apps import AppConfig, apps
from django.core.handlers.wsgi import WSGIHandler
from django.urls import resolve

import socketio.sdjango
from socketio.namespace import BaseNamespace
from socketio.sdjango import SOCKETIO_NS, autodiscover, namespace
from tests.client import CLIENTS, event
from tests.compat.standins import online


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setattr(socketio.sdjango, "_discovered", False)
    before = dict(SOCKETIO_NS)
    yield
    SOCKETIO_NS.clear()
    SOCKETIO_NS.update(before)


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Return a function that installs an app with that text in its ``sockets.py``."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, sockets=None):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        if sockets is not None:
            (tmp_path / name / "sockets.py").write_text(sockets)
        monkeypatch.setitem(apps.app_configs, name, AppConfig.create(name))
        for loaded in (name, f"{name}.sockets"):
            monkeypatch.delitem(sys.modules, loaded, raising=False)

    return install


REGISTERS = """
from socketio.namespace import BaseNamespace
from socketio.sdjango import namespace


@namespace("/of-an-app")
class OfAnApp(BaseNamespace):
    def on_add(self, a, b):
        return a + b, self.request.path, self.request.method
"""


# -- namespace -------------------------------------------------------------------------------------


def test_the_decorator_registers_a_class_and_returns_it():
    class Chat(BaseNamespace):
        pass

    assert namespace("/chat")(Chat) is Chat
    assert SOCKETIO_NS["/chat"] is Chat


def test_the_global_namespace_is_what_no_name_means():
    @namespace()
    class Everything(BaseNamespace):
        pass

    assert SOCKETIO_NS[""] is Everything


def test_the_name_may_be_given_by_keyword():
    @namespace(name="/chat")
    class Chat(BaseNamespace):
        pass

    assert SOCKETIO_NS["/chat"] is Chat


def test_of_two_classes_for_one_endpoint_the_last_counts():
    first, second = type("First", (BaseNamespace,), {}), type("Second", (BaseNamespace,), {})
    for cls in (first, second):
        namespace("/chat")(cls)
    assert SOCKETIO_NS["/chat"] is second


def test_a_decorator_without_brackets_says_so():
    with pytest.raises(TypeError, match="brackets"):

        @namespace
        class Chat(BaseNamespace):
            pass


# -- autodiscover ----------------------------------------------------------------------------------


def test_it_imports_the_sockets_of_each_installed_app(install):
    install("app_one", REGISTERS)
    install("app_two", REGISTERS.replace("/of-an-app", "/of-another"))
    assert autodiscover() is None
    assert SOCKETIO_NS["/of-an-app"] is sys.modules["app_one.sockets"].OfAnApp
    assert SOCKETIO_NS["/of-another"] is sys.modules["app_two.sockets"].OfAnApp


def test_it_does_no_harm_twice(install):
    install("app_one", REGISTERS)
    autodiscover()
    known = dict(SOCKETIO_NS)
    autodiscover()
    assert known == SOCKETIO_NS


def test_it_is_silent_about_an_app_without_sockets(install):
    install("app_without")
    autodiscover()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import nowhere", ModuleNotFoundError),
        ("from . import sockets_of_old", ImportError),
        ("1 / 0", ZeroDivisionError),
        ("def", SyntaxError),
    ],
)
def test_it_is_loud_about_sockets_that_fail_each_time_it_is_called(install, text, error):
    install("app_broken", text)
    for _ in range(2):
        with pytest.raises(error):
            autodiscover()


def test_it_says_that_django_is_not_set_up(monkeypatch):
    monkeypatch.setattr(apps, "apps_ready", False)
    with pytest.raises(django.core.exceptions.AppRegistryNotReady):
        autodiscover()


# -- the view and the URLs -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/socket.io", "/socket.io/1/websocket/12", "/socket.io/1/"])
def test_every_url_below_the_resource_is_the_view_s(path):
    assert resolve(path).func is socketio.sdjango.socketio


def test_the_view_is_exempt_from_the_check_of_forms():
    assert socketio.sdjango.socketio.csrf_exempt is True


@pytest.mark.parametrize("transport", sorted(CLIENTS))
def test_a_client_is_served_by_a_namespace_of_an_app_that_nobody_looked_for(install, transport):
    install("app_one", REGISTERS)
    with online(WSGIHandler(), transport) as client:
        client.send("1::/of-an-app", event("add", 1, 2, endpoint="/of-an-app", msgid="1+"))
        assert client.recv() == "1::/of-an-app"
        path = f"/socket.io/1/{transport}/{client.sessid}"
        assert client.recv() == f'6::/of-an-app:1+[3,"{path}","GET"]'
        assert client.socket.namespaces is SOCKETIO_NS


def test_its_answer_after_the_session_is_empty(monkeypatch):
    given = []
    monkeypatch.setattr(
        socketio.sdjango, "socketio_manage", lambda *args, **kwargs: given.append((args, kwargs))
    )
    request = django.http.HttpRequest()
    request.environ = {"socketio": None}
    answer = socketio.sdjango.socketio(request)
    assert (answer.status_code, answer.content) == (200, b"")
    (((environ, namespaces, sent), more),) = given
    assert environ is request.environ
    assert namespaces is SOCKETIO_NS
    assert sent is request
    assert set(more) == {"event_context"}


def test_django_is_needed_and_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "django", None)
    monkeypatch.delitem(sys.modules, "socketio.sdjango")
    monkeypatch.delattr(socketio, "sdjango")
    with pytest.raises(ImportError, match=r"pip install 'gevent-socketio\[django\]'"):
        from socketio import sdjango  # noqa: F401


def test_its_names_are_those_of_the_original():
    assert isinstance(socketio.sdjango, types.ModuleType)
    assert isinstance(SOCKETIO_NS, dict)
    assert isinstance(socketio.sdjango.urls, list)
