"""Clients that take nothing, on every transport, so that what is queued for them stays queued."""

from __future__ import annotations

import time
from typing import Any

import gevent

from socketio.server import SocketIOServer
from tests.client import DEADLINE, wait_for
from tests.streams import ALL_CLIENTS, POLLING

CHUNK = "x" * 65536


def message(socket: Any, text: str) -> None:
    socket.send_packet({"type": "message", "data": text})


def connect_stalled(server: SocketIOServer, transport: str) -> tuple[Any, Any]:
    """Connect a client that reads no more than the greeting; return it and its session.

    With a stream the buffers of the kernel are filled, so that the outbox is empty and what comes
    into it stays; between two polls it does anyway.
    """
    client = ALL_CLIENTS[transport](server).open()
    socket = server.sockets[client.sessid]
    if transport in POLLING:
        wait_for(lambda: socket.transport is None)
        return client, socket
    end = time.monotonic() + DEADLINE
    while not _stuck(socket._link._writer):
        assert time.monotonic() < end, "the network takes everything"
        message(socket, CHUNK)
    assert socket.client_queue.qsize() == 0
    assert socket.connected
    return client, socket


def _stuck(writer: Any) -> bool:
    """Tell whether the network takes nothing any more; it may change its mind, so look twice."""
    for _ in range(5):
        gevent.sleep(0.002)
        if writer._drainer is None:
            return False
    gevent.sleep(0.05)
    return writer._drainer is not None
