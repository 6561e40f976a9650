"""What can be served: WSGI applications, and mappings of endpoints to namespaces.

.. versionadded:: 1.0
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gevent.baseserver import BaseServer

from socketio import socketio_manage
from socketio.namespace import BaseNamespace

__all__ = ["as_application"]

_ASGI = (
    "it is an ASGI application, and gevent serves WSGI; name its WSGI counterpart (Django has one "
    "in wsgi.py), or give the Socket.IO part an application of its own"
)


def as_application(value: Any) -> Callable[..., Iterable[bytes]]:
    """Return ``value`` if it can be a WSGI application; a mapping of namespaces becomes one.

    Calls nothing of it. Never blocks.

    Raises:
        TypeError: It can not; the text says what it is, and what would do.
    """
    if isinstance(value, Mapping) and value and all(map(_is_namespace, value.values())):
        return _serve_namespaces(dict(value))
    wrong = _why_not_wsgi(value)
    if wrong is not None:
        raise TypeError(wrong)
    application: Callable[..., Iterable[bytes]] = value
    return application


def _serve_namespaces(
    namespaces: dict[str, type[BaseNamespace]],
) -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "socketio" in environ:
            socketio_manage(environ, namespaces)
            return []
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Here are Socket.IO namespaces only, no pages.\n"]

    return application


def _is_namespace(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseNamespace)


def _why_not_wsgi(value: Any) -> str | None:
    kind = type(value).__name__
    if _is_namespace(value):
        return f"it is a namespace; name a mapping, as {{'': {value.__name__}}}"
    if isinstance(value, BaseServer):
        return f"it is a {kind}, a server already; name the application that it serves"
    if isinstance(value, Mapping):
        return f"it is a {kind}; only a mapping of endpoints to namespaces can be served"
    if not callable(value):
        return f"it is a {kind}, which cannot be called"
    if any(map(inspect.iscoroutinefunction, (value, type(value).__call__))):
        return _ASGI
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):  # of an extension module: nobody can tell
        return None
    if _takes(signature, 2):
        return None
    if _takes(signature, 3):
        return _ASGI
    if _takes(signature, 0):
        return "it is to be called without arguments; if it makes the application, put () behind it"
    return "it cannot be called with environ and start_response"


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True
