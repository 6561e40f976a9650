"""Namespaces that a unit test makes and calls itself, without a server that runs."""

from __future__ import annotations

from typing import Any, TypeVar

from socketio.defaultjson import default_json_loads
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.session.receiver import _initialize
from socketio.testing.clock import ManualClock
from socketio.testing.link import Visitor
from socketio.testing.records import Record, record_of
from socketio.virtsocket import Socket

__all__ = ["make_namespace", "sent_by"]

N = TypeVar("N", bound=BaseNamespace)

_SERVER = "socketio.testing.server"
_SENT = "socketio.testing.sent"


def make_namespace(
    cls: type[N],
    endpoint: str = "",
    *,
    session: dict[str, Any] | None = None,
    request: Any = None,
    environ: dict[str, Any] | None = None,
    beside: BaseNamespace | None = None,
    socket: Socket | None = None,
) -> N:
    """Return a namespace to call handlers of directly: ``ns.on_say("hello")``.

    It is connected to a client that takes everything: see :func:`sent_by`. ``initialize()`` was
    called; ``recv_connect()`` was not. No greenlet runs, and nothing is left to give back.

    Args:
        cls: Its class.
        endpoint: Its name.
        session: What to put into ``socket.session``; None: nothing.
        request: What the view gives to ``socketio_manage()``.
        environ: What to change in the WSGI environment.
        beside: A namespace that was made so: the new one is another client's of the same server,
            so that they hear each other's broadcasts. None: of a server of its own.
        socket: The session of a namespace that was made so, to be another namespace of the same
            client; None: of another client.

    .. versionadded:: 1.0
    """
    if socket is None:
        socket = _connected_socket(beside, environ or {})
    socket.session.update(session or {})
    ns = cls(socket.environ, endpoint, request=request)
    socket.active_ns[endpoint] = ns
    _initialize(ns)
    return ns


def _connected_socket(beside: BaseNamespace | None, changes: dict[str, Any]) -> Socket:
    if beside is None:
        # Never started: it holds nothing that would have to be given back.
        server = SocketIOServer(("127.0.0.1", 0), log=None, error_log=None, clock=ManualClock())
    else:
        server = beside.environ[_SERVER]
    socket = server.get_socket()
    socket.state = Socket.STATE_CONNECTED
    socket.connection_established = True
    environ = Visitor(environ=changes).environ_of(server, "")
    # The socket knows its server weakly.
    socket._set_environ({**environ, "socketio": socket, _SERVER: server, _SENT: {}})
    return socket


def sent_by(namespace: BaseNamespace) -> list[Record]:
    """Take what was sent to the client of a namespace that :func:`make_namespace` has made.

    It went through the encoding of the wire: a tuple that was sent is a list.

    Returns:
        The records, the oldest first; what other namespaces sent to the same client is left.

    .. versionadded:: 1.0
    """
    socket = namespace.socket
    sent: dict[str, list[Record]] = namespace.environ[_SENT]
    while socket.client_queue.qsize():
        text = socket.get_client_msg(block=False)
        packet = None if text is None else socket.dialect.decode(text, default_json_loads)
        record = None if packet is None else record_of(packet)
        if packet is not None and record is not None:
            sent.setdefault(packet["endpoint"], []).append(record)
    return sent.pop(namespace.ns_name, [])
