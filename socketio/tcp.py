"""What the kernel knows about a connection and its socket object does not tell."""

from __future__ import annotations

import fcntl
import select
import struct
from enum import Enum
from termios import TIOCOUTQ
from typing import Any

import gevent.socket
from gevent import monkey

__all__ = ["Peer", "look_at_peer", "send_at_once", "unacknowledged"]


# Patched, the standard one would let other greenlets run.
_poll = monkey.get_original("select", "poll")
_CLOSED = getattr(select, "POLLRDHUP", select.POLLHUP)


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
    if seen & select.POLLERR or (seen & select.POLLHUP and not half_closed):
        return Peer.BROKEN
    if not seen & (_CLOSED | select.POLLHUP):
        return Peer.OPEN
    # Closed with something of ours on the way: nobody reads that any more.
    lost = unacknowledged(sock, half_closed=half_closed)
    return Peer.BROKEN if lost else Peer.CLOSED
