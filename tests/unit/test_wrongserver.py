"""What is said below a server that is not ours: which it is, and the line to change."""

from __future__ import annotations

import ast
import io
import re
from typing import Any

import pytest

from socketio.wrongserver import RESOURCE_KEY, explain
from tests.subprograms import TOP


class Reader(io.BytesIO):
    """Stands for the class of another module that reads requests."""


def read_by(module: str) -> io.BytesIO:
    return type("Input", (Reader,), {"__module__": module})()


def connection_of(module: str) -> object:
    return type("socket", (), {"__module__": module})()


WORKER = "gunicorn --worker-class socketio.sgunicorn.GeventSocketIOWorker module:app"
# What the servers put into the environ, as their current versions do, and a line of the answer.
ENVIRONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "waitress": (
        {"SERVER_SOFTWARE": "waitress"},
        "by waitress (waitress), which",
        "to      python -m socketio module:app",
    ),
    "wsgiref": (
        {"SERVER_SOFTWARE": "WSGIServer/0.2"},
        "by wsgiref of the standard library (WSGIServer/0.2), which",
        "to      SocketIOServer((host, port), app).serve_forever()",
    ),
    "werkzeug": (
        {"SERVER_SOFTWARE": "Werkzeug/3.1.9", "werkzeug.socket": None},
        "by the development server of Flask and Werkzeug (Werkzeug/3.1.9), which",
        "change  flask run\n  to      python -m socketio module:app",
    ),
    "django": (
        {
            "SERVER_SOFTWARE": "WSGIServer/0.2",
            "wsgi.input": read_by("django.core.handlers.wsgi"),
        },
        "by Django's development server (WSGIServer/0.2), which",
        "change  python manage.py runserver\n  to      python manage.py runserver_socketio",
    ),
    "gunicorn sync": (
        {
            "SERVER_SOFTWARE": "gunicorn/27.0.1",
            "gunicorn.socket": connection_of("socket"),
            "wsgi.multithread": False,
        },
        "by gunicorn (gunicorn/27.0.1) with its worker class sync, which",
        f"to      {WORKER}",
    ),
    "gunicorn gthread": (
        {
            "SERVER_SOFTWARE": "gunicorn/27.0.1",
            "gunicorn.socket": connection_of("socket"),
            "wsgi.multithread": True,
        },
        "with its worker class gthread, which",
        WORKER,
    ),
    "gunicorn gevent": (
        {
            "SERVER_SOFTWARE": "gunicorn/27.0.1",
            "gunicorn.socket": connection_of("gevent._socket3"),
            "wsgi.multithread": True,
        },
        "with its worker class gevent, which",
        WORKER,
    ),
    "gunicorn gevent_pywsgi": (
        {
            "SERVER_SOFTWARE": "gunicorn/27.0.1",
            "gunicorn.sock": connection_of("gevent._socket3"),
            "wsgi.input": read_by("gevent.pywsgi"),
        },
        "with its worker class gevent_pywsgi, which",
        WORKER,
    ),
    "gunicorn named by nothing but its software": (
        {"SERVER_SOFTWARE": "gunicorn/19.0"},
        "by gunicorn (gunicorn/19.0) with",
        WORKER,
    ),
    "gunicorn that hides its name": (
        {"SERVER_SOFTWARE": "", "gunicorn.socket": connection_of("socket")},
        "by gunicorn (gunicorn) with",
        WORKER,
    ),
    "uWSGI": (
        {"uwsgi.version": b"2.0.30"},
        "by uWSGI (2.0.30), which",
        "It cannot carry them: run python -m socketio module:app beside it",
    ),
    "uWSGI with text": ({"uwsgi.version": "2.1"}, "by uWSGI (2.1), which", "proxy_pass"),
    "mod_wsgi": (
        {"mod_wsgi.version": (5, 0, 2), "SERVER_SOFTWARE": "Apache/2.4.62"},
        "by Apache's mod_wsgi (Apache/2.4.62), which",
        "ProxyPass",
    ),
    "gevent": (
        {"SERVER_SOFTWARE": "gevent/20.0 Python/3.11", "wsgi.input": read_by("gevent.pywsgi")},
        "by gevent's WSGIServer (gevent/20.0 Python/3.11), which",
        "change  WSGIServer((host, port), app)\n  to      SocketIOServer((host, port), app)",
    ),
    "Paste": (
        {"paste.httpserver.thread_pool": object()},
        "by Paste's server, which",
        "change  use = egg:Paste#http\n  to      use = egg:gevent-socketio#paster",
    ),
    "cheroot": (
        {"SERVER_SOFTWARE": "Cheroot/11.1.2 Server"},
        "by CherryPy's server (Cheroot/11.1.2 Server), which",
        "change  cheroot module:app",
    ),
    "a2wsgi": (
        {"asgi.scope": {}},
        "by an ASGI server with an adapter for WSGI, which",
        "run the WSGI application itself, with python -m socketio module:app",
    ),
    "CGI": ({"wsgi.run_once": True}, "by a CGI gateway, which", "It cannot carry them"),
    "a server with another name": (
        {"SERVER_SOFTWARE": "bjoern/9"},
        "is served by bjoern/9, which",
        "Run the application with python -m socketio module:app",
    ),
    "a server known by its classes": (
        {"wsgi.input": read_by("eventlet.wsgi")},
        "(the module eventlet.wsgi reads its requests), which",
        WORKER,
    ),
    "a test client": ({}, "by a server that does not name itself, which", "socketio.testing"),
}


@pytest.mark.parametrize("name", ENVIRONS)
def test_the_server_is_named_and_the_line_to_change_is_given(name: str) -> None:
    environ, found, line = ENVIRONS[name]
    text = explain({"wsgi.input": io.BytesIO(), "PATH_INFO": "/socket.io/1/", **environ})
    first, *rest = text.splitlines()
    assert first.startswith("environ['socketio'] is missing: the application is served by ")
    assert found in first
    assert first.endswith(", which does not know Socket.IO sessions.")
    assert line in text
    assert rest
    assert all(line.startswith("  ") for line in rest)
    assert len(rest) <= 6


@pytest.mark.parametrize("module", ["asgiref.wsgi", "uvicorn.middleware.wsgi"])
def test_an_adapter_that_leaves_no_trace_is_known_by_its_module(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, object())
    assert "an ASGI server with an adapter" in explain({})
    assert "by waitress" in explain({"SERVER_SOFTWARE": "waitress"})


def test_a_name_without_end_is_cut() -> None:
    assert len(explain({"SERVER_SOFTWARE": "x" * 10_000})) < 1000


@pytest.mark.parametrize("path", ["", "/", "/chat/1/", "/socket.iox/1/", "/a/socket.io/1/"])
def test_a_path_beside_our_resource_is_said_to_be_that(path: str) -> None:
    text = explain({RESOURCE_KEY: "socket.io", "PATH_INFO": path, "SERVER_SOFTWARE": "gevent/20.0"})
    assert text.startswith(f"environ['socketio'] is missing: {path!r} is not below /socket.io/, ")
    assert "gevent" not in text


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/chat/1/", "chat"),
        ("/api/v1/chat/1/websocket/123", "api/v1/chat"),
        ("//chat/1", "chat"),
        ("/page", "NAME"),
        ("/x/2/", "NAME"),
    ],
)
def test_both_sides_that_may_be_changed_are_shown(path: str, wanted: str) -> None:
    text = explain({RESOURCE_KEY: "socket.io", "PATH_INFO": path})
    assert f"SocketIOServer(..., resource={wanted!r})" in text
    assert "io.connect(url, {resource: 'socket.io'})" in text


def test_the_path_is_the_whole_one_also_where_the_application_is_mounted() -> None:
    text = explain({RESOURCE_KEY: "io", "SCRIPT_NAME": "/app", "PATH_INFO": "/io/1/"})
    assert "'/app/io/1/' is not below /io/" in text
    assert "resource='app/io'" in text


@pytest.mark.parametrize("path", ["/io", "/io/", "/io/1/", "/io/page", "/io/1/a/b/c", "/io/2/a/b"])
def test_a_path_below_our_resource_that_is_no_session_is_said_to_be_that(path: str) -> None:
    text = explain({RESOURCE_KEY: "io", "PATH_INFO": path})
    assert f"{path!r} names no session." in text
    assert "at /io/1/ " in text


@pytest.mark.parametrize("path", ["/io/1/websocket/123", "/io/1/xhr-polling/123/"])
def test_a_session_whose_environ_was_replaced_is_said_to_be_that(path: str) -> None:
    text = explain({RESOURCE_KEY: "io", "PATH_INFO": path})
    assert "a middleware" in text
    assert "is the URL of a session" in text


def test_a_path_of_a_client_breaks_no_line_and_has_an_end() -> None:
    text = explain({RESOURCE_KEY: "io", "PATH_INFO": "/x\r\nINFO forged" + "y" * 9000})
    assert "\\r\\nINFO forged" in text
    assert not re.search(r"^INFO", text, re.MULTILINE)
    assert len(text) < 600
    assert "resource='NAME'" in explain({RESOURCE_KEY: "io", "PATH_INFO": f"/{'x' * 9000}/1/"})


def test_it_never_fails_whatever_is_in_the_environ() -> None:
    for value in (None, 5, b"\xff", [], object()):
        for key in ("SERVER_SOFTWARE", "wsgi.input", "gunicorn.socket", "uwsgi.version", "PATH"):
            assert explain({key: value}).startswith("environ['socketio'] is missing")


def test_code_in_the_answer_is_code() -> None:
    text = explain({"SERVER_SOFTWARE": "gevent/20.0"})
    (line,) = re.findall(r"  to      (.+)", text)
    ast.parse(line)


SHOWN: list[dict[str, Any]] = [
    ENVIRONS["gunicorn sync"][0],
    {RESOURCE_KEY: "socket.io", "PATH_INFO": "/chat/1/"},
]


@pytest.mark.parametrize("environ", SHOWN, ids=["another server", "another path"])
def test_what_the_docs_show_is_what_is_said(environ: dict[str, Any]) -> None:
    page = (TOP / "docs" / "troubleshooting.rst").read_text(encoding="utf-8")
    shown = "NotOurServerError: " + explain(environ)
    assert "".join(f"   {line}\n" for line in shown.splitlines()) in page


def test_the_docs_have_every_line_that_is_advised() -> None:
    page = (TOP / "docs" / "troubleshooting.rst").read_text(encoding="utf-8")
    for environ, _, _ in ENVIRONS.values():
        for line in re.findall(r"  to      (.+)", explain(environ)):
            assert f"``{line.partition('  #')[0]}``" in page
