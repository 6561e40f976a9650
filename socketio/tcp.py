"""What the kernel knows about a connection, how one is written to, and how it ends."""

from __future__ import annotations

import errno
import fcntl
import logging
import select
import struct
from enum import Enum
from termios import TIOCOUTQ
from typing import Any

import gevent
import gevent.socket
from gevent import monkey
from gevent.pywsgi import WSGIHandler

__all__ = ["ConnectionHandler", "Peer", "look_at_peer", "send_at_once", "unacknowledged"]

log = logging.getLogger("socketio.handler")


# Patched, the standard one would let other greenlets run.
_poll = monkey.get_original("select", "poll")
_CLOSED = getattr(select, "POLLRDHUP", select.POLLHUP)


# How long at a time, and how much, we still listen to a client that has its last answer: without
# that the close resets the connection and our answer with it.
_PARTING_SECONDS = 1
_PARTING_BYTES = 1 << 24
# SO_LINGER: close at once, and drop what is not delivered.
_RESET = struct.pack("ii", 1, 0)


class Peer(Enum):
    """What can be seen of the other end of a connection."""

    OPEN = "it may still send"
    CLOSED = "it said that it sends nothing more"
    BROKEN = "it threw away what we had written, or the network did"


def send_at_once(sock: Any) -> None:
    """Have the system send each write when it is made; for TCP, others have no such delay.

    Without it the second write of an answer, its body, waits for the peer to confirm the first,
    which peers put off for 40 ms.
    """
    try:
        sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
    except OSError:
        return


def unacknowledged(sock: Any, *, half_closed: bool = False) -> int:
    """Return how many of the bytes that were written the peer's system has not confirmed.

    Zero where the system does not tell. Never blocks.

    Args:
        sock: The connection.
        half_closed: Whether we have ended our side: the system counts that as a byte.
    """
    try:
        answer = fcntl.ioctl(sock.fileno(), TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        return 0
    count = int(struct.unpack("i", answer)[0])
    return max(0, count - 1) if half_closed else count


def look_at_peer(sock: Any, *, half_closed: bool = False) -> Peer:
    """Tell how the other end stands. Never blocks and takes nothing from the connection.

    The kernel is asked, so that it holds for TLS too. It knows of a broken connection until
    somebody has read the error; who does that has to remember it.

    Args:
        sock: The connection.
        half_closed: Whether we have ended our side.
    """
    poller = _poll()
    try:
        poller.register(sock.fileno(), _CLOSED)
        events = poller.poll(0)
    except (OSError, ValueError):  # closed on our side
        return Peer.BROKEN
    seen = events[0][1] if events else 0
    if seen & select.POLLERR:
        return Peer.BROKEN
    # On a Unix socket that is how a plain end looks; what nobody read would be an error.
    if seen & select.POLLHUP and not half_closed and sock.family != gevent.socket.AF_UNIX:
        return Peer.BROKEN
    if not seen & (_CLOSED | select.POLLHUP):
        return Peer.OPEN
    # Closed with something of ours on the way: nobody reads that any more.
    lost = unacknowledged(sock, half_closed=half_closed)
    return Peer.BROKEN if lost else Peer.CLOSED


class ConnectionHandler(WSGIHandler):
    """What a handler does with its connection, whatever the requests on it are.

    .. versionadded:: 1.0
    """

    server: Any
    status: Any
    ignored_socket_errors = (*WSGIHandler.ignored_socket_errors, errno.ETIMEDOUT, errno.EBADF)
    """What no log needs; the client is gone, or (``EBADF``) we cut it while it was written to."""

    broken = False
    """Whether the client ended the connection before it had all that we wrote."""
    relayed = False
    """Whether the request says that it came through a proxy."""
    _half_closed = False

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        super().__init__(sock, address, server)
        # The one below gevent's; a TLS socket has more than one layer.
        self._bare = getattr(sock, "_sock", None) if type(sock) is gevent.socket.socket else None

    @property
    def _peer(self) -> str:
        """Who is at the other end, for the log."""
        address: Any = self.client_address
        return str(address[0]) if isinstance(address, tuple) and address else "a client"

    def _sendall(self, data: bytes | bytearray) -> None:
        """Write ``data``; a client that takes nothing for ``write_timeout`` seconds is given up."""
        try:
            sent = self._send_now(data)
            if sent < len(data):
                self._send_slowly(memoryview(data)[sent:])
        except OSError as exc:
            self.status = f"socket error: {exc}"
            self.code = -abs(self.code or 0)
            raise
        self.response_length += len(data)

    def _send_now(self, data: bytes | bytearray) -> int:
        """Return how much of ``data`` the kernel took at once: nearly always all of it."""
        if self._bare is None:
            return 0
        try:
            sent: int = self._bare.send(data)
        except BlockingIOError:
            return 0
        return sent

    def _send_slowly(self, view: memoryview) -> None:
        stalled = TimeoutError(errno.ETIMEDOUT, "the client does not read")
        try:
            while view:
                with gevent.Timeout(self.server.config.write_timeout, stalled):
                    view = view[self.socket.send(view) :]
        except TimeoutError as exc:
            if exc is stalled:
                self.server.journal.limited(
                    "write_timeout", log, "%s does not read its answer", self._peer
                )
            raise

    def part(self) -> None:
        """Let the client read our last answer before the connection closes; blocks, bounded."""
        try:
            self.socket.shutdown(gevent.socket.SHUT_WR)
            self._half_closed = True
            waited = 0
            while not self._hear_out():
                waited += _PARTING_SECONDS
                if not self._unconfirmed():
                    break
                if waited >= self.server.config.write_timeout:
                    self._abandon()
                    return
            self.broke_off()
        except (OSError, ValueError):
            self.note_reset()

    def _hear_out(self) -> bool:
        """Read until the client ends its side; False when it takes longer than a moment."""
        left = _PARTING_BYTES
        with gevent.Timeout(_PARTING_SECONDS, False):  # type: ignore[arg-type]  # stubs: False is allowed
            while left > 0 and (data := self.socket.recv(65536)):
                left -= len(data)
            return True
        return False

    def _unconfirmed(self) -> bool:
        return unacknowledged(self.socket, half_closed=self._half_closed) > 0

    def _abandon(self) -> None:
        """Give up what the client has not taken: for good, or it would have it twice."""
        self.broken = True
        self.socket.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_LINGER, _RESET)

    def peer_is_gone(self) -> bool:
        """Tell whether the client has closed the connection while we held its request.

        Never blocks.
        """
        return look_at_peer(self.socket, half_closed=self._half_closed) is not Peer.OPEN

    def broke_off(self) -> bool:
        """Tell whether the client ended the connection before it had all that we wrote.

        May be asked at any time, from any greenlet, also after the connection; never blocks.
        """
        sock = self.__dict__.get("socket")
        if sock is not None:
            peer = look_at_peer(sock, half_closed=self._half_closed)
            if peer is Peer.BROKEN:
                self.note_reset()
        return self.broken

    def note_reset(self) -> None:
        """Remember that the connection broke off, and with it what may not have arrived."""
        # HAProxy resets each connection to a server that it needs no more, and what it has read
        # need not even be confirmed then: systems put that off. So a proxy's reset says nothing.
        self.broken = self.broken or not self.relayed

    def shutdown_connection(self) -> None:
        """Shut the connection down both ways, which wakes whoever reads from it. Never blocks."""
        try:
            self.socket.shutdown(gevent.socket.SHUT_RDWR)
        except (OSError, AttributeError):
            log.debug("the connection was gone already")
