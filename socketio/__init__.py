"""Socket.IO 0.9 for gevent and WSGI.

The one function a view needs is here; the rest is in the modules: :mod:`socketio.server`,
:mod:`socketio.namespace`, :mod:`socketio.mixins`.
"""

from __future__ import annotations

# Above the imports: socketio.conflict knows our package by it.
__all__ = ["__version__", "socketio_manage"]

__version__ = (1, 0, 0)

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from socketio.conflict import missing_name
from socketio.errors import NotOurServerError
from socketio.wrongserver import explain

if TYPE_CHECKING:
    from socketio.namespace import BaseNamespace
    from socketio.packet import JsonDumps, JsonLoads
    from socketio.session.surround import EventContext


def socketio_manage(
    environ: dict[str, Any],
    namespaces: dict[str, type[BaseNamespace]],
    request: Any = None,
    error_handler: Callable[..., object] | None = None,
    json_loads: JsonLoads | None = None,
    json_dumps: JsonDumps | None = None,
    *,
    event_context: EventContext | None = None,
) -> None:
    """Serve a Socket.IO session; call it from the view of the Socket.IO URL.

    Blocks the view until the session is over. It is called once a session, whatever its
    transport; handlers run in another greenlet than the view.

    Args:
        environ: The WSGI environment of the request.
        namespaces: Endpoint -> class; ``''`` is the global namespace.
        request: Any object; namespaces get it as ``self.request``. None, or anything falsy, means
            that there is none.
        error_handler: Called instead of :func:`socketio.virtsocket.default_error_handler`.
        json_loads: Parses JSON text; None means the standard library.
        json_dumps: Writes JSON text; None means the standard library.
        event_context: Called without arguments for a context manager, which is entered around
            each call into the code of this session's namespaces: while one is made, while it
            handles a packet, and around every function given to its ``spawn()``. In Flask:
            ``app.app_context``. None: nothing is entered.

    Raises:
        NotOurServerError: Another server than ours runs the application. A ``KeyError``.
        TypeError: ``event_context`` cannot be called.

    .. versionchanged:: 1.0
       ``event_context`` is new.
    """
    if event_context is not None and not callable(event_context):
        raise TypeError(
            f"event_context: {event_context!r:.100} cannot be called; give what makes the context "
            "manager, such as app.app_context, not one that is made already"
        )
    socket = environ.get("socketio")
    if socket is None:
        raise NotOurServerError(explain(environ))
    socket._set_environ(environ)
    socket._set_namespaces(namespaces)
    if request:
        socket._set_request(request)
    if error_handler is not None:
        socket._set_error_handler(error_handler)
    if json_loads is not None:
        socket._set_json_loads(json_loads)
    if json_dumps is not None:
        socket._set_json_dumps(json_dumps)
    if event_context is not None:
        socket._set_event_context(event_context)
    socket._manage()


if not TYPE_CHECKING:  # type checkers still miss a name that is not here

    def __getattr__(name: str) -> NoReturn:
        raise missing_name(name)
