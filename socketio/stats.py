"""What ``server.stats()`` tells: numbers for people, dashboards and tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypedDict

import gevent

if TYPE_CHECKING:
    from socketio.server import SocketIOServer

__all__ = ["QueueStats", "ServerStats", "SessionStats", "TrafficStats", "collect_stats"]


class SessionStats(TypedDict):
    """The sessions there are."""

    total: int
    """All that the server knows, ending ones included."""
    pending: int
    """Handshakes whose client has not come yet."""
    by_state: dict[str, int]
    """By state, see :class:`~socketio.session.lifecycle.State`; states without a session lack."""
    by_transport: dict[str, int]
    """By the transport that carries them now; ``none`` are between two polls."""
    opened: int
    """Handshakes answered with a session id since the server was made."""
    connected: int
    """Sessions whose client came, since the server was made."""


class QueueStats(TypedDict):
    """What waits in the queues of all sessions."""

    inbound_packets: int
    inbound_size: int
    """In bytes of memory, one for each character, four where a text is not ASCII."""
    inbound_longest: int
    """Packets in the longest queue."""
    outbound_packets: int
    outbound_size: int
    outbound_longest: int


class TrafficStats(TypedDict):
    """What went through since the server was made."""

    packets_received: int
    packets_sent: int
    packets_dropped: int
    """Thrown away by ``slow_peer="drop_oldest"``."""
    bytes_received: int
    bytes_sent: int


class ServerStats(TypedDict):
    """The answer of :meth:`socketio.server.SocketIOServer.stats`.

    .. versionadded:: 1.0
    """

    sessions: SessionStats
    queues: QueueStats
    traffic: TrafficStats
    connections: int
    """Open connections, those of the application's own requests included."""
    greenlets: int
    """Greenlets that the server and its sessions run, jobs of ``spawn()`` included."""
    disconnects: dict[str, int]
    """Ended sessions by reason, see :class:`~socketio.session.lifecycle.DisconnectReason`."""
    errors: dict[str, int]
    """Input that made no sense and code that failed, by kind."""
    limits: dict[str, int]
    """How often each setting stopped something, by its name."""
    refusals: dict[str, int]
    """Requests that may not be, by kind (origin, version, transport, authorize)."""


def collect_stats(server: SocketIOServer) -> ServerStats:
    """Return the numbers of ``server``; never blocks."""
    journal = server.journal
    sockets = list(server.sockets.values())
    return {
        "sessions": {
            "total": len(sockets),
            "pending": server.pending_handshakes,
            "by_state": dict(Counter(str(socket.state) for socket in sockets)),
            "by_transport": dict(Counter(socket.transport or "none" for socket in sockets)),
            "opened": journal.sessions_opened,
            "connected": journal.sessions_connected,
        },
        "queues": _queues(sockets),
        "traffic": {
            "packets_received": journal.packets_received,
            "packets_sent": journal.packets_sent,
            "packets_dropped": journal.packets_dropped,
            "bytes_received": journal.bytes_received,
            "bytes_sent": journal.bytes_sent,
        },
        "connections": len(server._connections) + len(server._shaking),
        "greenlets": _count_greenlets(server, sockets),
        "disconnects": dict(journal.disconnects),
        "errors": dict(journal.errors),
        "limits": dict(journal.limits),
        "refusals": dict(journal.refusals),
    }


def _queues(sockets: list[Any]) -> QueueStats:
    inbound = [socket.server_queue for socket in sockets]
    outbound = [socket.client_queue for socket in sockets]
    return {
        "inbound_packets": sum(queue.qsize() for queue in inbound),
        "inbound_size": sum(getattr(queue, "size", 0) for queue in inbound),
        "inbound_longest": max((queue.qsize() for queue in inbound), default=0),
        "outbound_packets": sum(queue.qsize() for queue in outbound),
        "outbound_size": sum(getattr(queue, "size", 0) for queue in outbound),
        "outbound_longest": max((queue.qsize() for queue in outbound), default=0),
    }


def _count_greenlets(server: SocketIOServer, sockets: list[Any]) -> int:
    """Count each greenlet once: the view of a WebSocket is its connection's."""
    found = {*server._connections, *server._shaking}
    for socket in sockets:
        writer = getattr(socket._link, "worker", None)
        jobs = (socket.wsgi_app_greenlet, writer, *socket.jobs)  # the receiver is a job
        found.update(job for job in jobs if isinstance(job, gevent.Greenlet) and not job.dead)
        for ns in socket.active_ns.values():
            found.update(job for job in getattr(ns, "jobs", ()) if not job.dead)
    return len(found)
