"""What Django does for a request, done for each event: connections, sessions, languages."""

import tests.djangosetup  # noqa: F401 - before anything of Django

# isort: split
import contextlib
import datetime
import logging

import gevent
import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.cache import SessionStore
from django.db import connections, transaction
from django.http import HttpRequest
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from django.utils import timezone, translation

import socketio
from socketio import sdjango
from socketio.errors import NotOurServerError


@pytest.fixture(autouse=True)
def _as_before():
    yield
    connections["file"].close()
    translation.deactivate()
    timezone.deactivate()
    set_script_prefix("/")
    set_urlconf(None)


@pytest.fixture
def stored():
    """A session as a browser has it."""
    session = SessionStore()
    session["color"] = "red"
    session.save()
    return session


@pytest.fixture
def request_(stored):
    request = HttpRequest()
    request.session = SessionStore(stored.session_key)
    return request


def now_stored(session):
    return SessionStore(session.session_key).load()


def is_open(alias="file"):
    return connections[alias].connection is not None


# -- databases -------------------------------------------------------------------------------------


def test_an_event_forgets_queries_and_gives_its_connection_back_in_spite_of_its_age(request_):
    connection = connections["file"]
    connection.force_debug_cursor = True
    try:
        for _ in range(2):
            with sdjango._surroundings(request_)():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                assert len(connection.queries) == 1
                assert is_open()
            assert not is_open()
    finally:
        connection.force_debug_cursor = False


def test_a_handler_that_fails_gives_its_connection_back_too(request_):
    with pytest.raises(ZeroDivisionError), sdjango._surroundings(request_)():
        connections["file"].ensure_connection()
        raise ZeroDivisionError
    assert not is_open()


def test_an_event_within_an_event_leaves_the_connection_to_the_outer_one(request_):
    # A handler that ends another session runs its recv_disconnect().
    outer, inner = sdjango._surroundings(request_), sdjango._surroundings(HttpRequest())
    with outer():
        connections["file"].ensure_connection()
        with inner():
            pass
        assert is_open()
        with contextlib.suppress(ZeroDivisionError), inner():
            raise ZeroDivisionError
        assert is_open()
    assert not is_open()


def test_what_another_greenlet_does_meanwhile_is_no_event_within(request_):
    def other():
        with sdjango._surroundings(HttpRequest())():
            connections["file"].ensure_connection()

    with sdjango._surroundings(request_)():
        gevent.spawn(other).join()
        assert not is_open(), "in this unpatched process they share it"


def test_a_transaction_around_everything_is_left_alone(request_):
    with transaction.atomic(using="file"):
        with sdjango._surroundings(request_)():
            pass
        with connections["file"].cursor() as cursor:
            cursor.execute("SELECT 1")


def test_the_view_keeps_no_connection_while_it_blocks(monkeypatch, request_):
    seen = []
    monkeypatch.setattr(sdjango, "socketio_manage", lambda *_, **__: seen.append(is_open()))
    connections["file"].ensure_connection()
    request_.environ = {}
    sdjango.socketio(request_)
    assert seen == [False]


def test_the_view_is_in_no_transaction_whatever_the_database():
    assert sdjango.socketio._non_atomic_requests == {"default", "file"}


# -- the session -----------------------------------------------------------------------------------


def test_each_event_sees_the_session_as_it_is_then(request_, stored):
    surround = sdjango._surroundings(request_)
    for color in ("red", "green", "blue"):
        stored["color"] = color
        stored.save()
        with surround():
            assert request_.session["color"] == color


def test_what_a_handler_changes_is_saved_when_it_ends(request_, stored):
    with sdjango._surroundings(request_)():
        request_.session["color"] = "grey"
        assert now_stored(stored)["color"] == "red"
    assert now_stored(stored)["color"] == "grey"
    assert not request_.session.modified


def test_what_it_only_reads_is_not_saved(request_, stored, monkeypatch):
    monkeypatch.setattr(SessionStore, "save", lambda self: pytest.fail("saved"))
    with sdjango._surroundings(request_)():
        assert request_.session["color"] == "red"


def test_what_it_changed_before_it_failed_is_forgotten(request_, stored):
    surround = sdjango._surroundings(request_)
    with contextlib.suppress(ZeroDivisionError), surround():
        request_.session["color"] = "black"
        raise ZeroDivisionError
    assert now_stored(stored)["color"] == "red"
    with surround():
        assert request_.session["color"] == "red"
    assert now_stored(stored)["color"] == "red"


def test_what_two_events_change_at_the_same_time_is_saved(request_, stored):
    surround = sdjango._surroundings(request_)
    with contextlib.ExitStack() as handler:
        handler.enter_context(surround())
        before = request_.session
        with surround():  # a function that was spawned
            assert request_.session is not before
            request_.session["color"] = "green"
            handler.close()
            assert now_stored(stored)["color"] == "green"
    with contextlib.ExitStack() as handler:
        handler.enter_context(surround())
        before = request_.session
        with surround():
            before["color"] = "blue"
            handler.close()
            assert now_stored(stored)["color"] == "blue"


def test_a_session_that_ended_meanwhile_is_no_failure(request_, monkeypatch, caplog):
    def save(self):
        raise UpdateError

    monkeypatch.setattr(SessionStore, "save", save)
    with caplog.at_level(logging.INFO, "socketio"), sdjango._surroundings(request_)():
        request_.session["color"] = "grey"
    assert "it has ended meanwhile" in caplog.text


def test_a_session_that_was_emptied_is_not_saved_anew(request_, monkeypatch):
    with sdjango._surroundings(request_)():
        request_.session.flush()
        monkeypatch.setattr(SessionStore, "save", lambda self: pytest.fail("saved"))


def test_what_middleware_changed_before_the_view_is_saved_before_it_blocks(
    request_, stored, monkeypatch
):
    seen = []
    monkeypatch.setattr(
        sdjango, "socketio_manage", lambda *_, **__: seen.append(now_stored(stored)["color"])
    )
    request_.session["color"] = "green"
    request_.environ = {}
    sdjango.socketio(request_)
    assert seen == ["green"]


def test_an_old_session_is_not_there_to_be_saved_when_the_view_returns(
    request_, stored, monkeypatch
):
    def manage(*_, **__):
        assert request_.session["color"] == "red"
        stored["color"] = "green"
        stored.save()

    monkeypatch.setattr(sdjango, "socketio_manage", manage)
    request_.environ = {}
    sdjango.socketio(request_)
    request_.session.save()  # as with SESSION_SAVE_EVERY_REQUEST
    assert now_stored(stored)["color"] == "green"


def test_there_may_be_no_sessions():
    request = HttpRequest()
    with sdjango._surroundings(request)():
        assert not hasattr(request, "session")


# -- language, time zone, URLs ---------------------------------------------------------------------


def local():
    return (
        translation.get_language(),
        timezone.get_current_timezone_name(),
        get_script_prefix(),
        get_urlconf(),
    )


def test_what_the_middleware_has_activated_is_active_in_each_event():
    before = local()
    translation.activate("de")
    timezone.activate(datetime.timezone(datetime.timedelta(hours=9), "JST"))
    set_script_prefix("/mounted/")
    set_urlconf("tests.djangourls")
    surround = sdjango._surroundings(HttpRequest())
    assert local() == ("de", "JST", "/mounted/", "tests.djangourls")

    def handler():
        seen.append(local())
        with surround():
            seen.append(local())
            translation.activate("en")
        seen.append(local())

    seen = []
    gevent.spawn(handler).join()
    assert seen[1] == ("de", "JST", "/mounted/", "tests.djangourls")
    assert seen[0] == seen[2]
    assert seen[0] in (before, seen[1])  # a greenlet may begin with what its parent has


# -- the wrong server ------------------------------------------------------------------------------


def test_asgi_is_named_where_that_is_the_mistake(monkeypatch):
    given = []
    monkeypatch.setattr(sdjango, "socketio_manage", lambda environ, *_, **__: given.append(environ))
    sdjango.socketio(HttpRequest())
    assert given == [{"asgi.scope": None}]
    with pytest.raises(NotOurServerError):
        socketio.socketio_manage(given[0], {})


def test_another_class_for_an_endpoint_is_mentioned_in_the_log(caplog):
    classes = [type(name, (socketio.sdjango.BaseNamespace,), {}) for name in ("One", "Two")]
    with caplog.at_level(logging.DEBUG, "socketio"):
        for cls in (classes[0], classes[0], classes[1]):
            sdjango.namespace("/unit")(cls)
    del sdjango.SOCKETIO_NS["/unit"]
    assert len(caplog.records) == 1
    assert "Two" in caplog.text
