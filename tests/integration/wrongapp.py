"""The same small application for every server that cannot serve it: as WSGI, for Flask, for Django.

``socketio_manage()`` is called where people call it, in the view of the Socket.IO URL.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from socketio import socketio_manage
from socketio.namespace import BaseNamespace


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Serve a page, and Socket.IO below its usual URL."""
    if environ["PATH_INFO"].startswith("/socket.io/"):
        socketio_manage(environ, {"": BaseNamespace})
        return []
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def make_flask() -> Any:
    """Return the application of Flask."""
    from flask import Flask, request

    flask = Flask(__name__)

    @flask.route("/socket.io/<path:rest>")
    def view(rest: str) -> str:
        socketio_manage(request.environ, {"": BaseNamespace}, request)
        return ""

    @flask.route("/")
    def page() -> str:
        return "hello"

    return flask


def django_view(request: Any, rest: str) -> Any:
    """Serve Socket.IO in Django."""
    from django.http import HttpResponse

    socketio_manage(request.environ, {"": BaseNamespace}, request)
    return HttpResponse("")


def django_page(request: Any) -> Any:
    """Serve a page in Django."""
    from django.http import HttpResponse

    return HttpResponse("hello")


def run_django(port: str) -> None:
    """Run Django's own server."""
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.urls import path

    urls = [path("socket.io/<path:rest>", django_view), path("", django_page)]
    settings.configure(
        DEBUG=False,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=type("urls", (), {"urlpatterns": urls}),
        SECRET_KEY="of this test alone",
        INSTALLED_APPS=[],
        LOGGING_CONFIG=None,
    )
    execute_from_command_line(["manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"])


if __name__ == "__main__":
    run_django(sys.argv[1])
