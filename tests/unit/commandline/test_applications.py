"""What can be served, and what is said about the rest."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest
from gevent.server import StreamServer

from socketio.commandline.applications import as_application
from socketio.namespace import BaseNamespace


def function(environ: Any, start_response: Any) -> list[bytes]:
    return []


class Instance:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []

    def method(self, environ: Any, start_response: Any, extra: object = None) -> list[bytes]:
        return []


class OldStyle:
    """The class is the application: its instances are iterated over."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        pass


class Bare:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


class Asgi:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        pass


async def asgi_function(scope: Any, receive: Any, send: Any) -> None:
    pass


def three(scope: Any, receive: Any, send: Any) -> None:
    pass


def one(argument: Any) -> None:
    pass


class Chat(BaseNamespace):
    pass


@pytest.mark.parametrize(
    "value",
    [
        *(function, Instance(), Instance().method, OldStyle),
        *(lambda *args: [], functools.partial(function), type),
    ],
)
def test_a_wsgi_application_is_taken_as_it_is(value: Any) -> None:
    assert as_application(value) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Asgi(), "ASGI"),
        (asgi_function, "ASGI"),
        (three, "ASGI"),
        (one, "cannot be called with environ and start_response"),
        (Bare, r"put \(\) behind it"),
        (lambda: function, r"put \(\) behind it"),
        (Chat, "a namespace; name a mapping, as {'': Chat}"),
        ({}, "it is a dict; only a mapping of endpoints to namespaces"),
        ({"": function}, "it is a dict; only a mapping of endpoints to namespaces"),
        ({"": Chat, "/x": 1}, "only a mapping of endpoints"),
        ("text", "it is a str, which cannot be called"),
        (math, "it is a module, which cannot be called"),
        (StreamServer(("127.0.0.1", 0), print), "it is a StreamServer, a server already"),
    ],
)
def test_what_is_none_is_told_what_it_is(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        as_application(value)


def test_what_hides_its_arguments_is_taken() -> None:
    class Hidden(Instance):
        __signature__ = "nothing"

    hidden = Hidden()
    assert as_application(hidden) is hidden


def test_namespaces_are_served_and_nothing_else_is() -> None:
    seen: list[Any] = []
    application = as_application({"": Chat})
    answer = application({"PATH_INFO": "/"}, lambda *args: seen.append(args))
    assert b"".join(answer).startswith(b"Here are Socket.IO namespaces only")
    assert seen == [("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])]
