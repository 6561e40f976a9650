"""What is at work when a server stops may finish, for as long as stop() says."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Connection, Recorder, WebSocketClient, event, make_app, wait_for
from tests.integration.stopping import (
    LONG,
    SOON,
    gave_everything_back,
    nothing_on_stderr,
    seconds_of_stop,
    serving,
)
from tests.streams import ALL_CLIENTS, EVERY

__all__ = ["nothing_on_stderr"]  # a fixture of every test here


@pytest.mark.parametrize("transport", EVERY)
def test_a_handler_that_needs_less_than_the_timeout_finishes(transport: str) -> None:
    with serving() as (server, busy):
        client = ALL_CLIENTS[transport](server).open()
        client.send(event("hold"))
        wait_for(lambda: busy.record.seen == ["held"])
        stopping = gevent.spawn(server.stop, LONG)
        wait_for(lambda: server.stopping)
        busy.gate.set()
        stopping.get(timeout=SOON)
        assert busy.record.seen == ["held", "finished", "told"]
        assert gave_everything_back(server)
        client.close()


@pytest.mark.parametrize("transport", EVERY)
def test_a_handler_that_needs_longer_is_killed_and_its_namespace_told(transport: str) -> None:
    with serving() as (server, busy):
        client = ALL_CLIENTS[transport](server).open()
        client.send(event("hold"))
        wait_for(lambda: busy.record.seen == ["held"])
        assert 0.1 <= seconds_of_stop(server, timeout=0.1) < SOON
        assert busy.record.seen == ["held", "killed", "told"]
        client.close()


def test_a_request_of_the_application_may_finish_too() -> None:
    gate, seen = Event(), Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen("asked")
        gate.wait()
        start_response("200 OK", [("Content-Length", "4")])
        return [b"late"]

    server = SocketIOServer(("127.0.0.1", 0), app, log=None)
    server.start()
    connection = Connection(server)
    connection.start("GET", "/")
    wait_for(lambda: seen.seen)
    stopping = gevent.spawn(server.stop, LONG)
    wait_for(lambda: server.stopping)
    gate.set()
    assert connection.read_answer().text == "late"
    stopping.get(timeout=SOON)
    assert gave_everything_back(server)
    connection.close()


def test_a_handler_that_will_not_be_killed_is_left_behind() -> None:
    gate, kills = Event(), Recorder()

    class Stubborn(BaseNamespace):
        def on_stay(self) -> None:
            kills("at work")
            while not gate.is_set():
                try:
                    gate.wait()
                except gevent.GreenletExit:
                    kills("no")

    server = SocketIOServer(("127.0.0.1", 0), make_app({"": Stubborn}), log=None)
    server.start()
    client = WebSocketClient(server).open()
    client.send(event("stay"))
    wait_for(lambda: kills.seen)
    server.stop(timeout=0.1)
    assert "no" in kills.seen
    gate.set()
    wait_for(lambda: gave_everything_back(server))
    client.close()


def test_a_handler_may_stop_its_server_and_does_not_wait_for_itself() -> None:
    stopped = Event()

    class Stopper(BaseNamespace):
        def on_stop(self) -> None:
            server.stop(LONG)
            stopped.set()

    server = SocketIOServer(("127.0.0.1", 0), make_app({"": Stopper}), log=None)
    server.start()
    clients = [ALL_CLIENTS[transport](server).open() for transport in EVERY]
    clients[0].send(event("stop"))
    assert stopped.wait(SOON)
    wait_for(lambda: gave_everything_back(server))
    for client in clients:
        client.close()
