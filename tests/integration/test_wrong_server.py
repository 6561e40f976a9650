"""An application of ours below servers of others: the answer to its first request says what to do.

All that such a server ever sees is the handshake. What the application raises upon it is found in
the output of the server.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.wrongserver import RESOURCE_KEY
from tests.client import fetch, serving
from tests.subprograms import Subprogram, free_port, running
from tests.tools import missing

APP = "tests.integration.wrongapp"
PYTHON = [sys.executable]
GUNICORN = [*PYTHON, "-m", "gunicorn", "--no-control-socket", "--bind", "127.0.0.1:PORT"]
RUN = "python -m socketio module:app"
WORKER = "gunicorn --worker-class socketio.sgunicorn.GeventSocketIOWorker module:app"


def code(text: str) -> list[str]:
    return [*PYTHON, "-c", text]


# What has to be installed, the command, what the message calls it, and what it says to run.
SERVERS: dict[str, tuple[str, list[str], str, str]] = {
    "waitress": (
        "waitress",
        [*PYTHON, "-m", "waitress", "--listen", "127.0.0.1:PORT", f"{APP}:app"],
        "waitress (waitress)",
        RUN,
    ),
    "wsgiref": (
        "wsgiref",
        code(
            f"import {APP} as a, wsgiref.simple_server as s\n"
            "s.make_server('127.0.0.1', PORT, a.app).serve_forever()"
        ),
        "wsgiref of the standard library (WSGIServer/",
        "SocketIOServer((host, port), app).serve_forever()",
    ),
    "flask run": (
        "flask",
        [*PYTHON, "-m", "flask", "--app", f"{APP}:make_flask()", "run", "--port", "PORT"],
        "the development server of Flask and Werkzeug (Werkzeug/",
        RUN,
    ),
    "runserver": (
        "django",
        [*PYTHON, "-m", APP, "PORT"],
        "Django's development server (WSGIServer/",
        "python manage.py runserver_socketio",
    ),
    "gunicorn sync": (
        "gunicorn",
        [*GUNICORN, f"{APP}:app"],
        "gunicorn (NAMES) with its worker class sync",
        WORKER,
    ),
    "gunicorn gthread": (
        "gunicorn",
        [*GUNICORN, "--worker-class", "gthread", f"{APP}:app"],
        "gunicorn (NAMES) with its worker class gthread",
        WORKER,
    ),
    "gunicorn gevent": (
        "gunicorn",
        [*GUNICORN, "--worker-class", "gevent", f"{APP}:app"],
        "gunicorn (NAMES) with its worker class gevent,",
        WORKER,
    ),
    "gunicorn gevent_pywsgi": (
        "gunicorn",
        [*GUNICORN, "--worker-class", "gevent_pywsgi", f"{APP}:app"],
        "gunicorn (NAMES) with its worker class gevent_pywsgi,",
        WORKER,
    ),
    "uWSGI": (
        "pyuwsgi",
        [
            *code("import pyuwsgi; pyuwsgi.run()"),
            *("--http-socket", "127.0.0.1:PORT", "--module", f"{APP}:app", "--need-app"),
        ],
        "uWSGI (2.",
        f"run {RUN} beside it",
    ),
    "gevent": (
        "gevent",
        code(
            f"import {APP} as a, gevent.pywsgi as s\n"
            "s.WSGIServer(('127.0.0.1', PORT), a.app).serve_forever()"
        ),
        "gevent's WSGIServer (gevent/",
        "SocketIOServer((host, port), app).serve_forever()",
    ),
}


@contextlib.contextmanager
def serving_elsewhere(name: str) -> Iterator[tuple[Subprogram, int]]:
    """Run the application below another server."""
    package, command, _, _ = SERVERS[name]
    if importlib.util.find_spec(package) is None:
        missing(package)
    port = free_port()
    with running([part.replace("PORT", str(port)) for part in command]) as server:
        yield server, port


def get(server: Subprogram, port: int, path: str) -> tuple[int, str]:
    """Fetch a page, as soon as the server is there; the status is 0 when it only hangs up."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionRefusedError:
            assert server.running(), server.output()
        except (http.client.RemoteDisconnected, http.client.IncompleteRead):
            return 0, ""
        finally:
            connection.close()


@pytest.mark.parametrize("name", SERVERS)
def test_the_handshake_says_which_server_it_is_and_what_to_run_instead(name: str) -> None:
    _, _, found, advice = SERVERS[name]
    with serving_elsewhere(name) as (server, port):
        assert get(server, port, "/") == (200, "hello")
        status, _ = get(server, port, "/socket.io/1/?t=1")
        # uWSGI answers with nothing at all.
        assert status == 500 or (name == "uWSGI" and status in (0, 500))
        pattern = re.escape(f"the application is served by {found}")
        server.wait_for_line(
            r"NotOurServerError: environ\['socketio'\] is missing: "
            + pattern.replace("NAMES", r"[^)]*gunicorn/[\d.]+")
        )
        server.wait_for_line(re.escape(advice))


def manage_everywhere(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with what is raised."""
    try:
        socketio_manage(environ, {"": BaseNamespace})
        text = "served"
    except KeyError as exc:
        text = f"{type(exc).__name__}: {exc}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


def test_our_own_server_says_that_the_url_is_not_below_its_resource() -> None:
    with serving(manage_everywhere, resource="chat") as server:
        text = fetch(server, "GET", "/socket.io/1/").text
        first = "NotOurServerError: environ['socketio'] is missing: '/socket.io/1/' is not below"
        assert text.startswith(f"{first} /chat/, ")
        assert "resource='socket.io'" in text
        assert "{resource: 'chat'}" in text
        assert "names no session" in fetch(server, "GET", "/chat/").text


def test_the_application_sees_the_resource_under_the_key_that_is_documented() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(environ.get(RESOURCE_KEY)).encode()]

    with serving(app, resource="/a/b/") as server:
        assert json.loads(fetch(server, "GET", "/page").text) == "a/b"
