"""Every way a session can end, as one function each, for the lifecycle and the leak tests."""

from __future__ import annotations

import contextlib
import socket as stdsocket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Recorder, event, fetch, make_app, serving, wait_for
from tests.streams import ALL_CLIENTS, EVERY, POLLING, STREAMING, WEBSOCKETS


@dataclass
class Scene:
    """A server, a connected client that is in /chat and /news, and what their handlers saw."""

    server: SocketIOServer
    client: Any
    socket: Any
    record: Recorder


class Watched(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Reports its connect and its disconnect; ``record`` is set by :func:`watching`."""

    record: Recorder

    def recv_connect(self) -> None:
        self.join("everyone")
        self.spawn(gevent.sleep, 3600)
        self.record("connect", self.ns_name)

    def recv_disconnect(self) -> None:
        self.record("disconnect", self.ns_name)
        self.disconnect(silent=True)

    def on_kick(self) -> None:
        self.socket.disconnect()
        self.record("after", self.ns_name)

    def on_kill(self) -> None:
        self.socket.kill()
        self.record("after", self.ns_name)

    def on_leave(self) -> None:
        self.disconnect()
        self.record("after", self.ns_name)


def watching(record: Recorder) -> dict[str, Any]:
    """Return a mapping of two namespaces that report to ``record``."""
    ns = type("WatchedHere", (Watched,), {"record": record})
    return {"/chat": ns, "/news": ns}


def stay_away(_environ: Any, start_response: Callable[..., Any]) -> list[bytes]:
    """An application that does not know Socket.IO."""
    start_response("404 Not Found", [])
    return [b"no such page"]


def enter(server: SocketIOServer, transport: str, record: Recorder) -> Scene:
    """Connect a client and have it enter both namespaces."""
    client = ALL_CLIENTS[transport](server).open()
    client.send("1::/chat", "1::/news")
    for echo in ("1::/chat", "1::/news"):
        while (heard := client.recv()) == "2::":
            pass  # a heartbeat, where settings are short
        assert heard == echo
    return Scene(server, client, server.sockets[client.sessid], record)


@contextlib.contextmanager
def scene(transport: str, **kw: Any) -> Iterator[Scene]:
    """A fresh server with one client in two namespaces."""
    record = Recorder()
    with serving(make_app(watching(record)), **kw) as server:
        entered = enter(server, transport, record)
        yield entered
        entered.client.close()


# -- the ways to end -------------------------------------------------------------------------------


def client_says_goodbye(scene: Scene) -> None:
    scene.client.send("0::")


def disconnect_url(scene: Scene) -> None:
    assert fetch(scene.server, "GET", f"/socket.io/1//{scene.client.sessid}/?disconnect=1").status


def websocket_close_frame(scene: Scene) -> None:
    scene.client.core.send_close(1000)
    scene.client._flush()


def tcp_fin(scene: Scene) -> None:
    scene.client.sock.shutdown(stdsocket.SHUT_WR)


def tcp_rst(scene: Scene) -> None:
    linger = struct.pack("ii", 1, 0)
    scene.client.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
    scene.client.sock.close()


def silence(scene: Scene) -> None:
    """Nothing more comes from the client, which stays connected; settings must be short."""


def kicked_by_handler(scene: Scene) -> None:
    scene.client.send(event("kick", endpoint="/chat"))


def killed_by_handler(scene: Scene) -> None:
    scene.client.send(event("kill", endpoint="/chat"))


def kicked_from_outside(scene: Scene) -> None:
    scene.socket.disconnect()


def killed_from_outside(scene: Scene) -> None:
    scene.socket.kill()


def receiver_killed(scene: Scene) -> None:
    scene.socket._receiver.kill(block=False)


def client_leaves_last_namespace(scene: Scene) -> None:
    scene.client.send("0::/news")
    scene.client.send("0::/chat")


def server_leaves_last_namespace(scene: Scene) -> None:
    scene.client.send("0::/news")
    scene.client.send(event("leave", endpoint="/chat"))


def server_stops(scene: Scene) -> None:
    gevent.spawn(scene.server.stop, 2)


def peer_too_slow(scene: Scene) -> None:
    """The client does not read, and more is queued than the network and the limit take."""
    for _ in range(2000):
        if not scene.socket.connected:
            break
        scene.socket["/chat"].emit("much", "x" * 65536)


SHORT = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.2, "close_timeout": 0.2}

# Way of ending -> transports it exists on, settings it needs, the reason it is recorded with.
ENDINGS: dict[Callable[[Scene], None], tuple[tuple[str, ...], dict[str, Any], dict[str, str]]] = {
    client_says_goodbye: (EVERY, {}, {"": "peer_left"}),
    disconnect_url: (EVERY, {}, {"": "peer_left"}),
    websocket_close_frame: (WEBSOCKETS, {}, {"": "transport_lost"}),
    tcp_fin: (STREAMING, {}, {"": "transport_lost"}),
    tcp_rst: (STREAMING, {}, {"": "transport_lost"}),
    silence: (
        EVERY,
        SHORT,
        {"": "heartbeat_timeout", **dict.fromkeys(POLLING, "close_timeout")},
    ),
    kicked_by_handler: (EVERY, {}, {"": "kicked"}),
    killed_by_handler: (EVERY, {}, {"": "killed"}),
    kicked_from_outside: (EVERY, {}, {"": "kicked"}),
    killed_from_outside: (EVERY, {}, {"": "killed"}),
    receiver_killed: (EVERY, {}, {"": "killed"}),
    client_leaves_last_namespace: (EVERY, {}, {"": "last_namespace"}),
    server_leaves_last_namespace: (EVERY, {}, {"": "last_namespace"}),
    server_stops: (EVERY, {}, {"": "server_stopping"}),
    peer_too_slow: (EVERY, {"max_outbound_packets": 20}, {"": "slow_peer"}),
}

CASES = [
    (ending, transport)
    for ending, (transports, _, _) in ENDINGS.items()
    for transport in transports
]


def settings_of(ending: Callable[[Scene], None]) -> dict[str, Any]:
    # Between two polls what an application wanted said waits for the next poll; not for long here.
    return {"linger_timeout": 0.2, **ENDINGS[ending][1]}


def reason_of(ending: Callable[[Scene], None], transport: str) -> str:
    reasons = ENDINGS[ending][2]
    return reasons.get(transport) or reasons[""]


def wait_until_gone(scene: Scene) -> None:
    """Wait until the server has forgotten the session of the scene."""
    sessid = scene.socket.sessid
    wait_for(lambda: scene.socket.state == "DISCONNECTED", scene.socket)
    wait_for(lambda: sessid not in scene.server.sockets)
