r"""Socket.IO in a Django project.

Three lines: ``'socketio'`` in ``INSTALLED_APPS``, and in the URLconf
``socketio.sdjango.autodiscover()`` and ``re_path(r"^socket\.io", include(socketio.sdjango.urls))``.
The namespaces are in the module ``sockets`` of each app, below :func:`namespace`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from gevent.local import local

from socketio import conflict  # noqa: F401 - refuses a package that is not ours

try:
    import django  # noqa: F401 - to be able to say what is missing
except ImportError as exc:
    raise ImportError(
        "socketio.sdjango needs Django: pip install 'gevent-socketio[django]'"
    ) from exc

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.core.cache import close_caches
from django.db import DEFAULT_DB_ALIAS, connections, reset_queries, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import (
    get_script_prefix,
    get_urlconf,
    re_path,
    set_script_prefix,
    set_urlconf,
)
from django.utils import timezone, translation
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.csrf import csrf_exempt

from socketio import socketio_manage
from socketio.namespace import BaseNamespace

__all__ = ["SOCKETIO_NS", "autodiscover", "namespace", "socketio", "urls"]

log = logging.getLogger("socketio")

_Namespace = TypeVar("_Namespace", bound=type[BaseNamespace])

SOCKETIO_NS: dict[str, type[BaseNamespace]] = {}
"""The classes by endpoint that :func:`namespace` has registered; they serve every session."""

_discovered = False


def autodiscover() -> None:
    """Import the module ``sockets`` of each installed app, so that its namespaces are registered.

    Call it where the URLs are defined. Any number of times; the apps have to be loaded. An app
    without that module is passed over in silence. The first session calls it if nobody has.

    Raises:
        AppRegistryNotReady: Django is not set up yet.
        Exception: Whatever importing such a module raises, also when it misses another module.
    """
    global _discovered
    autodiscover_modules("sockets")
    _discovered = True


def namespace(name: str = "") -> Callable[[_Namespace], _Namespace]:
    """Return a class decorator that registers a namespace; it returns the class itself.

    Args:
        name: The endpoint; ``''`` is the global namespace. Of two classes for one endpoint the
            last counts.

    Raises:
        TypeError: It was written without brackets.
    """
    if not isinstance(name, str):
        raise TypeError(f"@namespace is written with brackets, as @namespace('/chat'): {name!r}")

    def register(cls: _Namespace) -> _Namespace:
        known = SOCKETIO_NS.get(name)
        if known is not None and known is not cls:
            log.debug("the endpoint %r was %r and is %r now", name, known, cls)
        SOCKETIO_NS[name] = cls
        return cls

    return register


def _never_atomic(view: Callable[..., Any]) -> Callable[..., Any]:
    """Keep ``ATOMIC_REQUESTS`` from opening a transaction that lasts as long as a client stays."""
    for alias in connections if settings.configured else (DEFAULT_DB_ALIAS,):
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


@_never_atomic
@csrf_exempt
def socketio(request: HttpRequest) -> HttpResponse:
    """Serve a session: the view behind :data:`urls`. Blocks until the session is over.

    Namespaces get the Django request as ``self.request``. While it blocks it keeps no database
    connection; every call into a namespace is surrounded by what Django does for a request:
    queries forgotten, connections and caches closed at its end, the language, the time zone and
    the URLconf of the request active, ``request.session`` as it is stored now and saved when it
    was changed and the handler did not fail.

    Nobody reads the answer. What it raises goes to Django's own handling of errors.

    Raises:
        NotOurServerError: Another server than ours runs the project. A ``KeyError``.
    """
    if not _discovered:
        autodiscover()
    # Below ASGI there is no environ: this key has the message say so.
    environ = getattr(request, "environ", None) or {"asgi.scope": None}
    _save_session(getattr(request, "session", None))  # what middleware changed: not in hours
    _close_connections()
    socketio_manage(environ, SOCKETIO_NS, request, event_context=_surroundings(request))
    # The middleware may save it now, and must not write back what was stored hours ago.
    _reopen_session(request)
    return HttpResponse("")


urls = [re_path(r"", socketio)]
"""What the URLconf includes."""


# -- what surrounds an event -----------------------------------------------------------------------

_inside = local()
"""Whether this greenlet is inside an event; a handler may end other sessions, whose events it then
runs within its own."""


def _surroundings(request: HttpRequest) -> Callable[[], AbstractContextManager[None]]:
    """Return what makes the context of an event; called in the greenlet of the view."""
    language, zone = translation.get_language(), timezone.get_current_timezone()
    prefix, urlconf = get_script_prefix(), get_urlconf()

    @contextmanager
    def surround() -> Iterator[None]:
        before = get_script_prefix(), get_urlconf()
        set_script_prefix(prefix)
        set_urlconf(urlconf)
        try:
            with (
                _own_connections(),
                translation.override(language),
                timezone.override(zone),
                _own_session(request),
            ):
                yield
        finally:
            set_script_prefix(before[0])
            set_urlconf(before[1])

    return surround


@contextmanager
def _own_connections() -> Iterator[None]:
    """Do for databases and caches what Django does before and after a request."""
    if getattr(_inside, "event", False):
        yield
        return
    _inside.event = True
    reset_queries()
    try:
        yield
    finally:
        _inside.event = False
        close_caches()
        _close_connections()


def _close_connections() -> None:
    """Close the database connections of this greenlet, whatever ``CONN_MAX_AGE`` says.

    It may have nothing to do for hours, and there are as many of its kind as there are clients:
    each of them would keep one open that nobody else can use.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # a test case has its transaction around everything
            connection.close()


@contextmanager
def _own_session(request: HttpRequest) -> Iterator[None]:
    """Have ``request.session`` be as fresh as that of a request, and saved like that of one."""
    session = _reopen_session(request)
    try:
        yield
    except BaseException:
        if session is not None:
            session.modified = False  # as after a view that failed: it is not saved
        raise
    _save_session(session)
    # A spawned function of the same client may have put another in its place meanwhile.
    _save_session(getattr(request, "session", None))


def _reopen_session(request: HttpRequest) -> SessionBase | None:
    """Have ``request.session`` read what is stored now, the next time it is used; return it."""
    session = getattr(request, "session", None)
    if isinstance(session, SessionBase) and not session.modified:
        session = request.session = type(session)(session.session_key)
    return session if isinstance(session, SessionBase) else None


def _save_session(session: object) -> None:
    """Save a session that was changed."""
    if not isinstance(session, SessionBase) or not session.modified or session.is_empty():
        return
    try:
        session.save()
    except UpdateError:
        log.info("a Django session was not saved: it has ended meanwhile, with a logout maybe")
    session.modified = False
