"""Every way in which a session ends, as the pages about concepts name them."""

from __future__ import annotations

import socket as stdsocket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent

from tests.client import fetch
from tests.docs.concepts import Stage
from tests.streams import POLLING, WEBSOCKETS

__all__ = ["CAUSES", "Cause", "caller"]


@dataclass(frozen=True)
class Cause:
    """One way to end.

    Args:
        do: Does it; the client is in ``/chat`` then.
        app: The application if it is not the usual one.
        settings: Of the server.
        within: What a handler does that ends its own session so.
    """

    do: Callable[[Stage], object] | None = None
    app: Callable[..., Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    within: Callable[[Any], object] | None = None


def caller(stage: Stage, function: Callable[[], object]) -> None:
    """Call ``function`` in a greenlet of its own, which the stage knows."""
    stage.caller = gevent.spawn(function)


def _goodbye(stage: Stage) -> None:
    stage.client.send("0::")


def _disconnect_url(stage: Stage) -> None:
    fetch(stage.server, "GET", f"/socket.io/1//{stage.client.sessid}/?disconnect=1")


def _connection_ends(stage: Stage) -> None:
    """End the connection in three ways, in turn from test to test."""
    if stage.transport in POLLING:
        stage.client.close()
    elif stage.how == "close frame" and stage.transport in WEBSOCKETS:
        stage.client.core.send_close(1000)
        stage.client._flush()
    elif stage.how == "reset":
        linger = struct.pack("ii", 1, 0)
        stage.client.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
        stage.client.sock.close()
    else:
        stage.client.sock.shutdown(stdsocket.SHUT_WR)


def _silence(stage: Stage) -> None:
    stage.clock.advance(61)


def _too_much(stage: Stage) -> None:
    for _ in range(2000):
        if not stage.socket.connected:
            break
        stage.socket["/chat"].emit("much", "x" * 65536)


def _leave(stage: Stage) -> None:
    caller(stage, stage.socket["/chat"].disconnect)


def _nothing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b""]


def _raising(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise RuntimeError("the view is broken")


CAUSES = {
    "the client says 0::": Cause(_goodbye),
    "the client asks for the disconnect URL": Cause(_disconnect_url),
    "the client leaves its last namespace": Cause(lambda s: s.client.send("0::/chat")),
    "the connection ends": Cause(_connection_ends),
    "silence": Cause(_silence),
    "the client does not take its packets": Cause(_too_much, settings={"max_outbound_packets": 20}),
    "socket.disconnect()": Cause(
        lambda s: caller(s, s.socket.disconnect), within=lambda ns: ns.socket.disconnect()
    ),
    "socket.disconnect(silent=True)": Cause(
        lambda s: caller(s, lambda: s.socket.disconnect(silent=True)),
        within=lambda ns: ns.socket.disconnect(silent=True),
    ),
    "socket.kill()": Cause(lambda s: caller(s, s.socket.kill), within=lambda ns: ns.socket.kill()),
    "the application leaves the last namespace": Cause(_leave, within=lambda ns: ns.disconnect()),
    "the receiver greenlet is killed": Cause(lambda s: s.socket._receiver.kill(block=False)),
    "the view returns without socketio_manage()": Cause(app=_nothing),
    "the view raises": Cause(app=_raising),
    "server.stop()": Cause(lambda s: gevent.spawn(s.server.stop, 30)),
    "server.stop(goodbye=True)": Cause(lambda s: gevent.spawn(s.server.stop, 30, goodbye=True)),
}
"""By the words of the tables; nobody comes after a handshake is not among them."""
