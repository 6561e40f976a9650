"""Run a vector against a server, and put in words what the server did."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import gevent
from gevent import socket as gsocket

from socketio.namespace import BaseNamespace
from tests.client import WebSocketClient, handshake
from tests.unit.websocket.frames import CLOSE, PONG, TEXT, Peer, text
from tests.unit.websocket.handshakes import upgrade
from tests.wsvectors.vector import Vector

# Sent behind every vector: what happens to it shows whether the connection goes on.
_LAST = "3:::the last message"
_LONGEST = 200
_GREETING = b"1::"


class Echo(BaseNamespace):
    """Sends every message back."""

    def recv_message(self, data: str) -> None:
        self.send(data)


NAMESPACES = {"": Echo}


def run_vector(server: Any, vector: Vector) -> str:
    """Return what the server does, and whether it serves others no more."""
    target = f"/{server.resource}/1/websocket/{handshake(server)}"
    peer = Peer(gsocket.create_connection(("127.0.0.1", server.server_port)))
    request = upgrade(target=target, **(vector.upgrade or {}))
    try:
        got = _run(peer, vector, request)
    except (OSError, EOFError) as exc:
        got = f"{type(exc).__name__}: {exc}"
    finally:
        peer.close()
    return got if _serves_another(server) else f"{got}, and nobody else is served"


def _run(peer: Peer, vector: Vector, request: bytes) -> str:
    behind = vector.wire + text(_LAST)
    peer.send(request + (behind if vector.together else b""))
    head = peer.read_head()
    if not head.startswith("HTTP/1.1 101 "):
        return _refusal(peer, head)
    sender = gevent.spawn(_send, peer, b"" if vector.together else behind)
    try:
        if not vector.reads:
            sender.join()
        said = list(_events(peer))
    finally:
        sender.kill()
    # A server need not answer every ping.
    return ", ".join(word for word in said if "pong" in vector.expected or word[:4] != "pong")


def _refusal(peer: Peer, head: str) -> str:
    """Put an answer in words that is no upgrade; the connection must end behind its body."""
    status = head.split()[1]
    length = re.search(r"\r\nContent-Length: ([0-9]+)\r\n", head, re.IGNORECASE)
    if length is None:
        return f"status {status} without a length"
    peer.read(int(length[1]))
    return f"status {status}" if peer.at_end() else f"status {status} and more"


def _send(peer: Peer, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the server has ended the connection
        peer.send(data)


def _events(peer: Peer) -> Iterator[str]:
    """Yield what the server does, up to its echo of the last message or the end."""
    while True:
        try:
            opcode, payload = peer.read_frame()
        except EOFError:
            yield "cut"
            return
        if opcode == CLOSE:
            yield _goodbye(payload) if peer.at_end() else "something behind the close"
            return
        if payload == _LAST.encode():
            yield "open"
            return
        if payload != _GREETING:
            yield _word(opcode, payload)


def _goodbye(payload: bytes) -> str:
    return f"close {int.from_bytes(payload[:2], 'big')}" if payload else "close"


def _word(opcode: int, payload: bytes) -> str:
    said = payload.decode("utf-8", "backslashreplace").removeprefix("3:::")
    short = said if len(said) <= _LONGEST else f"of {len(said)}"
    return f"{ {TEXT: 'echo', PONG: 'pong'}.get(opcode, opcode) } {short}"


def _serves_another(server: Any) -> bool:
    client = WebSocketClient(server)
    try:
        client.open().send("3:::canary")
        return client.recv() == "3:::canary"
    finally:
        client.close()
