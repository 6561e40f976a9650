"""What to say when an application calls us below a server that is not ours. Pure.

The environ is all there is to tell servers apart: what they call themselves, keys of their own, and
whose class reads the request.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["RESOURCE_KEY", "explain"]

Environ: TypeAlias = dict[str, Any]

RESOURCE_KEY = "socketio.resource"
"""Under this name our server puts its resource into the environ of each request."""

_RUN = "python -m socketio module:app"
_CODE = "SocketIOServer((host, port), app).serve_forever()  # of socketio.server"
_WORKER = "gunicorn --worker-class socketio.sgunicorn.GeventSocketIOWorker module:app"
_MANAGE = "python manage.py runserver_socketio"
_INI = "use = egg:gevent-socketio#paster  # in [server:main]"
_LONGEST_PATH = 100


@dataclass(frozen=True, slots=True)
class _Server:
    """A server that cannot serve us.

    Attributes:
        name: What people call it.
        wrong: What starts it: lines of a shell, of code or of a file.
        right: What to have instead of each of them.
        more: What else has to be said.
    """

    name: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    more: str = ""


_GUNICORN = _Server("gunicorn", ("gunicorn module:app",), (_WORKER,))
_GEVENT = _Server("gevent's WSGIServer", ("WSGIServer((host, port), app)",), (_CODE,))
_DJANGO = _Server(
    "Django's development server",
    ("python manage.py runserver",),
    (_MANAGE,),
    "manage.py has that command when INSTALLED_APPS has 'socketio'.",
)
_WERKZEUG = _Server(
    "the development server of Flask and Werkzeug",
    ("flask run", "app.run()"),
    (_RUN, _CODE),
)
_WSGIREF = _Server(
    "wsgiref of the standard library",
    ("make_server(host, port, app).serve_forever()",),
    (_CODE,),
    f"Or from the shell: {_RUN}",
)
_WAITRESS = _Server(
    "waitress", ("waitress-serve module:app", "use = egg:waitress#main"), (_RUN, _INI)
)
_PASTE = _Server("Paste's server", ("use = egg:Paste#http",), (_INI,))
_CHEROOT = _Server("CherryPy's server", ("cheroot module:app",), (_RUN,))
_BEHIND = (
    f"It cannot carry them: run {_RUN} beside it, and have the web server pass what is below "
    "/socket.io/ on to that"
)
_UWSGI = _Server("uWSGI", (), (), f"{_BEHIND} (nginx: proxy_pass; see docs/deployment).")
_APACHE = _Server("Apache's mod_wsgi", (), (), f"{_BEHIND} (Apache: ProxyPass).")
_CGI = _Server("a CGI gateway", (), (), f"{_BEHIND}.")
_ASGI = _Server(
    "an ASGI server with an adapter for WSGI",
    (),
    (),
    f"It cannot carry them: run the WSGI application itself, with {_RUN}; an ASGI application "
    "needs a process of its own, with what is below /socket.io/ routed to ours.",
)
_UNKNOWN = _Server(
    "a server that does not name itself",
    (),
    (),
    f"Run the application with {_RUN}\n  or    {_CODE}\n  or    {_WORKER}\n"
    f"  or    {_INI}\n  or    {_MANAGE}\n"
    "  In a test without a server, the clients of socketio.testing take its place.",
)

_ADAPTERS = ("asgiref.wsgi", "uvicorn.middleware.wsgi", "starlette.middleware.wsgi")


def explain(environ: Environ) -> str:
    """Return why ``environ['socketio']`` is missing, and the line to change. Never fails.

    Called by :func:`socketio.socketio_manage`, in whatever thread or greenlet the server runs the
    application. It looks at the environ and at which modules are loaded, at nothing else.

    Args:
        environ: The WSGI environment of the request.

    Returns:
        A few lines. The first says what was found.

    .. versionadded:: 1.0
    """
    resource = environ.get(RESOURCE_KEY)
    if resource is not None:
        return _explain_path(environ, str(resource))
    software = str(environ.get("SERVER_SOFTWARE") or "")
    server, found = _identify(environ, software)
    first = f"environ['socketio'] is missing: the application is served by {server.name}"
    lines = [f"{first}{found}, which does not know Socket.IO sessions."]
    for wrong, right in zip(server.wrong, server.right, strict=True):
        lines += [f"  change  {wrong}", f"  to      {right}"]
    if server.more:
        lines.append(f"  {server.more}")
    return "\n".join(lines)


def _identify(environ: Environ, software: str) -> tuple[_Server, str]:
    """Return what serves the request, and the word it has for itself, in brackets."""
    for is_it, server in _KNOWN:
        if is_it(environ, software):
            return server, _details(environ, software, server)
    if software:
        return _Server(software[:_LONGEST_PATH], (), (), _UNKNOWN.more), ""
    return _UNKNOWN, _details(environ, software, _UNKNOWN)


def _details(environ: Environ, software: str, server: _Server) -> str:
    if server is _GUNICORN:
        return f" ({software or 'gunicorn'}) with its worker class {_gunicorn_worker(environ)}"
    if server is _UWSGI:
        version = environ["uwsgi.version"]
        software = version.decode("latin-1") if isinstance(version, bytes) else str(version)
    reader = _reader(environ)
    if server is _UNKNOWN and reader.partition(".")[0] not in sys.stdlib_module_names:
        software = f"the module {reader} reads its requests"
    return f" ({software})" if software else ""


def _gunicorn_worker(environ: Environ) -> str:
    if "gunicorn.sock" in environ or _reader(environ) == "gevent.pywsgi":
        return "gevent_pywsgi"
    connection = type(environ.get("gunicorn.socket")).__module__
    if connection.startswith("gevent"):
        return "gevent"
    return "gthread" if environ.get("wsgi.multithread") else "sync"


def _reader(environ: Environ) -> str:
    """Return the name of the module whose class the body of the request is read by."""
    return type(environ.get("wsgi.input")).__module__


def _is_django(environ: Environ, software: str) -> bool:
    if not software.startswith("WSGIServer/"):
        return False
    return _reader(environ).startswith("django.") or "django.core.servers.basehttp" in sys.modules


def _is_adapter(environ: Environ, software: str) -> bool:
    return "asgi.scope" in environ or (
        not software and any(name in sys.modules for name in _ADAPTERS)
    )


def _named(*beginnings: str) -> Callable[[Environ, str], bool]:
    return lambda _, software: software.startswith(beginnings)


def _having(*keys: str) -> Callable[[Environ, str], bool]:
    return lambda environ, _: any(key in environ for key in keys)


# In this order: gunicorn's pywsgi worker looks like gevent, Django's server like wsgiref.
_KNOWN: tuple[tuple[Callable[[Environ, str], bool], _Server], ...] = (
    (_having("gunicorn.socket", "gunicorn.sock"), _GUNICORN),
    (_named("gunicorn"), _GUNICORN),
    (_having("uwsgi.version"), _UWSGI),
    (_having("mod_wsgi.version"), _APACHE),
    (_having("paste.httpserver.thread_pool"), _PASTE),
    (_named("waitress"), _WAITRESS),
    (_named("Werkzeug/"), _WERKZEUG),
    (_is_django, _DJANGO),
    (_named("WSGIServer/"), _WSGIREF),
    (_named("gevent/"), _GEVENT),
    (_named("Cheroot/", "CherryPy/"), _CHEROOT),
    (_is_adapter, _ASGI),
    (lambda environ, _: bool(environ.get("wsgi.run_once")), _CGI),
)


def _explain_path(environ: Environ, resource: str) -> str:
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    shown = repr(path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}...")
    first = f"environ['socketio'] is missing: {shown}"
    below = path.removeprefix(f"/{resource}/") if path.startswith(f"/{resource}/") else None
    if below is not None and re.fullmatch(r"1/[^/]+/[^/]+/?", below):
        return (
            f"{first} is the URL of a session, and SocketIOServer put it there.\n"
            "  Something between the server and the view, a middleware, makes an environ of its\n"
            "  own: give socketio_manage() the one that came in, or keep its keys 'socketio*'."
        )
    if below is not None or path == f"/{resource}":
        return (
            f"{first} names no session.\n"
            f"  SocketIOServer makes sessions at /{resource}/1/ and calls the view once for each;\n"
            "  for other URLs the view is not to call socketio_manage()."
        )
    # Not in a longer one: the search takes the square of its length.
    asked = re.match(r"/+(.+?)/1(?:/|$)", path) if len(path) <= _LONGEST_PATH else None
    wanted = asked[1] if asked else "NAME"
    return (
        f"{first} is not below /{resource}/, the resource of this SocketIOServer.\n"
        f"  Either  SocketIOServer(..., resource={wanted!r})  # the server's side\n"
        f"  or      io.connect(url, {{resource: {resource!r}}})  # the client's side\n"
        "  and have the route of the view begin with the same word."
    )
