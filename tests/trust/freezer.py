"""A proxy that stops forwarding: to the server its client is still there, and says nothing."""

from __future__ import annotations

import contextlib
from typing import Any

import gevent
from gevent import socket as gsocket
from gevent.event import Event
from gevent.server import StreamServer

__all__ = ["Freezer"]


class Freezer:
    """Forwards connections to a server until it freezes; clients take it for the server.

    Args:
        server_port: Of the server on this machine.
        resource: Of the server.
    """

    def __init__(self, server_port: int, resource: str) -> None:
        self.resource = resource
        self._target = ("127.0.0.1", server_port)
        self._flowing = Event()
        self._flowing.set()
        self._sockets: list[Any] = []
        self._jobs: list[gevent.Greenlet[..., Any]] = []
        self._listener = StreamServer(("127.0.0.1", 0), self._serve)
        self._listener.start()
        self.server_port: int = self._listener.server_port

    def _serve(self, near: Any, _address: Any) -> None:
        far = gsocket.create_connection(self._target)
        self._sockets += [near, far]
        back = gevent.spawn(self._copy, far, near)
        self._jobs += [gevent.getcurrent(), back]
        self._copy(near, far)
        back.join()

    def _copy(self, source: Any, target: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
            self._flowing.wait()
            target.shutdown(gsocket.SHUT_WR)

    def freeze(self) -> None:
        """Forward nothing any more, neither bytes nor ends of connections."""
        self._flowing.clear()

    def end(self) -> None:
        """Close everything."""
        self._listener.stop()
        gevent.killall(self._jobs)
        for sock in self._sockets:
            sock.close()
