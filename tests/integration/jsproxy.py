"""A TCP connection that can be cut: what lies between a client and the server in some tests."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator


class Proxy:
    """Passes TCP connections on to a port of this machine.

    Once it is cut it resets all connections there are and all that come, until it is mended, and so
    it does when nobody listens on ``target``. One thread owns all the sockets.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._cut = False
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._orders, self._inbox = socket.socketpair()
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._inbox, selectors.EVENT_READ, self._obey)
        self._running = True
        self._thread = threading.Thread(target=self._serve, name="proxy")
        self._thread.start()

    def cut(self) -> int:
        """Reset all connections; return how many there were."""
        return self._order(b"c")

    def mend(self) -> None:
        self._order(b"m")

    def close(self) -> None:
        self._order(b"q")
        self._thread.join()
        self._orders.close()

    def _order(self, letter: bytes) -> int:
        self._orders.sendall(letter)
        return self._orders.recv(1)[0]

    def _serve(self) -> None:
        while self._running:
            for key, _ in self._selector.select():
                key.data(key.fileobj)
        self._listener.close()
        self._inbox.close()
        self._selector.close()

    def _obey(self, inbox: socket.socket) -> None:
        letter = inbox.recv(1)
        connections = len(self._peers) // 2
        if letter != b"m":
            for end in list(self._peers):
                self._drop(end)
        self._cut = letter == b"c"
        self._running = letter != b"q"
        inbox.sendall(bytes([min(connections, 255)]))

    def _accept(self, listener: socket.socket) -> None:
        near, _ = listener.accept()
        if self._cut:
            reset(near)
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            reset(near)
            return
        for end, other in ((near, far), (far, near)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[end] = other
            self._selector.register(end, selectors.EVENT_READ, self._pass_on)

    def _pass_on(self, end: socket.socket) -> None:
        if end not in self._peers:  # dropped a moment ago, with its peer
            return
        try:
            data = end.recv(65536)
            if data:
                self._peers[end].sendall(data)
                return
        except OSError:
            pass
        self._drop(end, gently=True)

    def _drop(self, end: socket.socket, *, gently: bool = False) -> None:
        other = self._peers.pop(end, None)
        if other is None:
            return
        del self._peers[other]
        for connection in (end, other):
            self._selector.unregister(connection)
            if gently:
                connection.close()
            else:
                reset(connection)


def reset(connection: socket.socket) -> None:
    """Close a connection so that the peer gets a reset and not an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextlib.contextmanager
def proxying(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
