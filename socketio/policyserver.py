"""The Flash policy server: tells a Flash player that it may open a socket here."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.server import StreamServer

import socketio.conflict  # noqa: F401 - refuses a package that is not ours

__all__ = ["FlashPolicyServer"]

# How long a player may take to send its 23 bytes.
_PATIENCE = 3
_MOST = 128


class FlashPolicyServer(StreamServer):
    """Answers policy requests, and nothing else (section 13 of the protocol text).

    Off by default in :class:`~socketio.server.SocketIOServer`, which owns one if asked for it.

    Args:
        listener: ``(host, port)`` or a socket; None means port 10843 on every interface.
        backlog: Length of the queue of connections; None means gevent's default.
    """

    policyrequest = b"<policy-file-request/>"
    policy = (
        b'<?xml version="1.0"?><!DOCTYPE cross-domain-policy SYSTEM '
        b'"http://www.macromedia.com/xml/dtds/cross-domain-policy.dtd">\n'
        b'<cross-domain-policy><allow-access-from domain="*" to-ports="*"/></cross-domain-policy>'
    )

    def __init__(self, listener: Any = None, backlog: int | None = None) -> None:
        if listener is None:
            listener = ("0.0.0.0", 10843)  # noqa: S104 - the player asks any address of the site
        super().__init__(listener, backlog=backlog)

    def handle(self, sock: Any, _address: Any) -> None:
        """Serve one connection, in a greenlet of its own; gevent closes it afterwards."""
        request = b""
        try:
            with gevent.Timeout(_PATIENCE, False):  # type: ignore[arg-type]  # stubs: False is allowed
                while len(request) < len(self.policyrequest):
                    data = sock.recv(_MOST)
                    if not data:
                        break
                    request += data
            if request.startswith(self.policyrequest):
                sock.sendall(self.policy)
        except OSError:
            return
