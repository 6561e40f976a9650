"""How many sessions there may be: at the limit all are served, one more has to come again."""

from __future__ import annotations

import pytest

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import ManualClock
from tests.client import Answer, event, fetch, handshake, serving, wait_for
from tests.streams import ALL_CLIENTS, EVERY

TARGETS = ["/socket.io/1/", "/socket.io/1/?jsonp=0"]


class Echo(BaseNamespace):
    def on_echo(self, value: object) -> object:
        return value


def told_to_come_again(answer: Answer) -> bool:
    assert answer.text == "too many sessions"
    return (answer.status, answer.headers["retry-after"]) == (503, "5")


def works(client: object) -> bool:
    """Tell whether a session still answers."""
    client.send(event("echo", 1, msgid="7+"))  # type: ignore[attr-defined]
    return client.recv() == "6:::7+[1]"  # type: ignore[attr-defined,no-any-return]


def limits(server: SocketIOServer) -> dict[str, int]:
    return server.stats()["limits"]


# -- sessions in all -------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
@pytest.mark.parametrize("target", TARGETS)
def test_one_session_more_than_max_sessions_is_a_503_and_the_others_go_on(
    transport: str, target: str
) -> None:
    with serving({"": Echo}, max_sessions=3) as server:
        clients = [ALL_CLIENTS[transport](server).open() for _ in range(3)]
        assert limits(server) == {}
        for times in (1, 2):
            assert told_to_come_again(fetch(server, "GET", target))
            assert limits(server) == {"max_sessions": times}
        assert all(works(client) for client in clients)
        assert len(server.sockets) == 3
        for client in clients:
            client.close()


def test_max_sessions_counts_handshakes_nobody_came_for_too() -> None:
    with serving({"": Echo}, max_sessions=3) as server:
        client = ALL_CLIENTS["xhr-polling"](server).open()
        handshake(server)
        handshake(server)
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        assert works(client)
        client.close()


def test_a_session_that_ends_makes_room_below_max_sessions() -> None:
    with serving({"": Echo}, max_sessions=1) as server:
        first = ALL_CLIENTS["websocket"](server).open()
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        first.send("0::")
        wait_for(lambda: not server.sockets)
        second = ALL_CLIENTS["websocket"](server).open()
        assert works(second)
        for client in (first, second):
            client.close()


def test_without_max_sessions_there_is_no_limit() -> None:
    with serving({"": Echo}) as server:
        assert server.config.max_sessions is None
        for _ in range(50):
            handshake(server)
        assert limits(server) == {}


def test_authorize_is_not_asked_about_a_session_there_is_no_room_for() -> None:
    asked = []
    with serving({"": Echo}, max_sessions=1, authorize=lambda _: asked.append(1)) as server:
        handshake(server)
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        assert asked == [1]
        assert server.stats()["refusals"] == {}


# -- handshakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_one_handshake_more_than_max_handshakes_is_a_503(target: str) -> None:
    with serving({"": Echo}, max_handshakes=3) as server:
        for number in range(3):
            assert fetch(server, "GET", target).status == 200
            assert server.stats()["sessions"]["pending"] == number + 1
        assert limits(server) == {}
        assert told_to_come_again(fetch(server, "GET", target))
        assert limits(server) == {"max_handshakes": 1}
        assert server.stats()["sessions"]["pending"] == 3


@pytest.mark.parametrize("transport", EVERY)
def test_a_client_that_comes_makes_room_below_max_handshakes(transport: str) -> None:
    with serving({"": Echo}, max_handshakes=1) as server:
        clients = [ALL_CLIENTS[transport](server).open() for _ in range(4)]
        handshake(server)
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        assert all(works(client) for client in clients)
        for client in clients:
            client.close()


def test_time_makes_room_below_max_handshakes() -> None:
    clock = ManualClock()
    with serving({"": Echo}, max_handshakes=2, clock=clock) as server:
        handshake(server)
        clock.advance(10)
        handshake(server)
        clock.advance(19.9)
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        clock.advance(0.1)  # 30 seconds after the first
        handshake(server)
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        assert limits(server) == {"max_handshakes": 2}
        assert server.stats()["disconnects"] == {"handshake_timeout": 1}


def test_max_sessions_is_told_where_both_limits_are_reached() -> None:
    with serving({"": Echo}, max_sessions=2, max_handshakes=2) as server:
        handshake(server)
        handshake(server)
        assert told_to_come_again(fetch(server, "GET", TARGETS[0]))
        assert limits(server) == {"max_sessions": 1}
