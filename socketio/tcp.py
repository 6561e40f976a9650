"""What the kernel knows about a connection and its socket object does not tell."""

from __future__ import annotations

import fcntl
import struct
from enum import Enum
from termios import TIOCOUTQ
from typing import Any

import gevent.socket

__all__ = ["Peer", "look_at_peer", "send_at_once", "unacknowledged"]


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


def unacknowledged(sock: Any) -> int:
    """Return how many of the bytes that were written the peer's system has not confirmed.

    Zero where the system does not tell. Never blocks.
    """
    try:
        answer = fcntl.ioctl(sock.fileno(), TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        return 0
    return int(struct.unpack("i", answer)[0])


def look_at_peer(sock: Any) -> Peer:
    """Tell how the other end stands. Never blocks and takes no data from the connection.

    Over TLS there is no looking ahead: the answer is always OPEN. The system reports a broken
    connection once; who sees it has to remember it.
    """
    try:
        if hasattr(sock, "do_handshake"):
            return Peer.OPEN
        timeout = sock.gettimeout()
        sock.settimeout(0.0)
        try:
            data = sock.recv(1, gevent.socket.MSG_PEEK)
        finally:
            sock.settimeout(timeout)
    except BlockingIOError:
        return Peer.OPEN
    except (OSError, ValueError):  # broken off, or closed on our side
        return Peer.BROKEN
    if data:
        return Peer.OPEN
    # Closed with something of ours on the way: nobody reads that any more.
    return Peer.BROKEN if unacknowledged(sock) else Peer.CLOSED
