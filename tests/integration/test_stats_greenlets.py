"""``server.stats()``: greenlets are those that there are, as the garbage collector knows them."""

from __future__ import annotations

import gc
from typing import Any

import gevent
import pytest
from geventwebsocket.handler import WebSocketHandler

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Connection, Recorder, WebSocketClient, event, serving, wait_for
from tests.integration.endings import enter, watching
from tests.integration.httpplace import place
from tests.integration.secure import Certificate, dial
from tests.integration.stalled import connect_stalled, message
from tests.streams import EVERY, POLLING, STREAMING


def living() -> set[Any]:
    """Return all greenlets of gevent's that are alive."""
    # By their type: a weak proxy would claim to be what it stands for.
    return {one for one in gc.get_objects() if issubclass(type(one), gevent.Greenlet) and one}


@pytest.fixture
def before() -> set[Any]:
    """What was alive before the test, whose clients run in no greenlet of gevent's."""
    gc.collect()
    return living()


def agrees(server: SocketIOServer, before: set[Any], least: int = 0) -> bool:
    """Tell whether the count is right, and high enough to mean something."""
    gevent.sleep(0)
    here = len(living() - before)
    return bool(server.stats()["greenlets"] == here >= least)


@pytest.mark.parametrize("transport", EVERY)
def test_the_greenlets_of_a_session_are_counted(transport: str, before: set[Any]) -> None:
    with serving(watching(Recorder())) as server:
        assert agrees(server, before)
        scenes = [enter(server, transport, Recorder()) for _ in range(3)]
        # Each has a receiver, a job in each of its two namespaces, and its view or connection.
        wait_for(lambda: agrees(server, before, 3 * 4))
        scenes[0].socket.spawn(gevent.sleep, 3600)
        scenes[1].socket["/chat"].spawn(gevent.sleep, 3600)
        wait_for(lambda: agrees(server, before, 3 * 4 + 2))
        scenes[0].client.send("0::")
        wait_for(lambda: len(server.sockets) == 2)
        wait_for(lambda: agrees(server, before, 2 * 4 + 1))
        for scene in scenes:
            scene.client.close()
            scene.socket.kill()
        wait_for(lambda: agrees(server, before) and server.stats()["greenlets"] == 0)


def test_a_handshake_nobody_came_for_has_no_greenlet(before: set[Any]) -> None:
    with place() as on:
        for _ in range(10):
            on.new_session()
        wait_for(lambda: agrees(on.server, before) and on.server.stats()["greenlets"] == 0)


@pytest.mark.parametrize("transport", POLLING)
def test_a_poll_that_is_held_is_a_greenlet(transport: str, before: set[Any]) -> None:
    with serving({"": BaseNamespace}) as server:
        client, socket = connect_stalled(server, transport)
        client.start_poll()
        wait_for(lambda: socket.transport)
        wait_for(lambda: agrees(server, before, 3))
        client.close()


def test_requests_of_the_application_are_greenlets(before: set[Any]) -> None:
    with place() as on:
        connections = [Connection(on.server) for _ in range(5)]
        for connection in connections:
            assert connection.request("GET", "/page").status == 200
        wait_for(lambda: agrees(on.server, before, 5))
        for connection in connections:
            connection.close()


def test_a_handler_that_is_busy_is_not_counted_twice(before: set[Any]) -> None:
    with place() as on:
        client = on.websocket()
        client.send(event("hold"))
        wait_for(lambda: "held" in on.site.record.seen)
        assert agrees(on.server, before, 2)
        on.site.gate.set()


@pytest.mark.parametrize("transport", STREAMING)
def test_a_greenlet_that_writes_to_a_slow_client_is_counted(
    transport: str, before: set[Any]
) -> None:
    with serving({"": BaseNamespace}) as server:
        client, socket = connect_stalled(server, transport)
        message(socket, "x")
        try:
            assert agrees(server, before, 3)
        finally:
            client.close()


def test_the_greenlet_that_another_websocket_handler_needs_is_counted(before: set[Any]) -> None:
    with serving({"": BaseNamespace}, ws_handler_class=WebSocketHandler) as server:
        client = WebSocketClient(server).open()
        try:
            assert agrees(server, before, 3)
        finally:
            client.close()


def test_a_connection_in_its_tls_handshake_is_counted(before: set[Any], tmp_path: Any) -> None:
    with serving({}, **Certificate.issue(tmp_path).standard_context()) as server:
        sock = dial(server)
        wait_for(lambda: server._shaking)
        try:
            assert agrees(server, before, 1)
            assert server.stats()["connections"] == 1
        finally:
            sock.close()
