"""The setting ``slow_peer`` as a function of the application's, and as the text of a file."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest

import socketio.server
from socketio.errors import ConfigError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer, serve
from tests.client import Recorder, handshake, serving, wait_for
from tests.integration.stalled import connect_stalled, message
from tests.streams import EVERY

LIMIT = 20


def overflow(socket: Any, more: int = 1) -> None:
    """Queue ``more`` messages than the session may have waiting, at a limit that is low now."""
    socket.config = {**socket.config, "max_outbound_packets": LIMIT}
    for number in range(LIMIT + more):
        message(socket, str(number))


def answer(value: Any) -> Any:
    return lambda _socket: value


# -- the answer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_a_function_is_given_the_session_and_its_word_counts(transport: str) -> None:
    asked = Recorder()

    def policy(socket: Any) -> str:
        asked(socket)
        return "drop_oldest"

    with serving({"": BaseNamespace}, slow_peer=policy) as server:
        client, socket = connect_stalled(server, transport)
        overflow(socket, 3)
        assert socket.connected
        assert [str(text) for text in socket.client_queue.queue] == [
            f"3:::{number}" for number in range(3, LIMIT + 3)
        ]
        assert asked.seen == [socket] * 3
        assert server.stats()["traffic"]["packets_dropped"] == 3
        client.close()


@pytest.mark.parametrize("value", ["disconnect", None, False, True, "drop", 0, object()])
def test_every_other_answer_disconnects(value: Any) -> None:
    with serving({"": BaseNamespace}, slow_peer=answer(value)) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        overflow(socket)
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "slow_peer"
        assert server.stats()["errors"] == {}
        assert server.stats()["limits"] == {"max_outbound_packets": 1}
        client.close()


def test_the_answer_may_differ_from_session_to_session() -> None:
    def policy(socket: Any) -> str | None:
        return "drop_oldest" if socket.session.get("is_dashboard") else None

    with serving({"": BaseNamespace}, slow_peer=policy) as server:
        dashboard, patient = connect_stalled(server, "xhr-polling")
        other, impatient = connect_stalled(server, "websocket")
        patient.session["is_dashboard"] = True
        for socket in (patient, impatient):
            overflow(socket)
        wait_for(lambda: impatient.state == "DISCONNECTED")
        assert patient.connected
        assert server.stats()["disconnects"] == {"slow_peer": 1}
        for client in (dashboard, other):
            client.close()


def test_a_function_that_fails_is_logged_and_disconnects(caplog: pytest.LogCaptureFixture) -> None:
    def policy(_socket: Any) -> str:
        raise LookupError("no policy today")

    with serving({"": BaseNamespace}, slow_peer=policy) as server:
        client, socket = connect_stalled(server, "websocket")
        overflow(socket)
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "slow_peer"
        assert server.stats()["errors"] == {"slow_peer_failed": 1}
        (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
        assert record.getMessage() == f"session {socket.short_id}: slow_peer() failed"
        assert record.exc_info is not None
        assert isinstance(record.exc_info[1], LookupError)
        client.close()


@pytest.mark.parametrize("value", [None, "drop_oldest"])
def test_a_function_may_end_the_session_itself(value: Any) -> None:
    def policy(socket: Any) -> Any:
        socket.disconnect()
        return value

    with serving({"": BaseNamespace}, slow_peer=policy) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        overflow(socket)
        assert socket.disconnect_reason == "kicked"
        last = client.poll()
        client.close()
        assert last == [*[f"3:::{number}" for number in range(LIMIT + 1)], "0::"]
        wait_for(lambda: server.stats()["disconnects"] == {"kicked": 1})


def test_a_function_may_tell_the_client_that_it_is_too_slow() -> None:
    asked = Recorder()

    def policy(socket: Any) -> str:
        asked("asked")
        message(socket, "you are too slow")
        return "drop_oldest"

    with serving({"": BaseNamespace}, slow_peer=policy) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        overflow(socket)
        assert asked.seen == ["asked"]
        assert socket.connected
        assert client.poll()[-1] == "3:::you are too slow"
        client.close()


def test_a_function_is_not_asked_about_a_client_that_is_quick_enough() -> None:
    asked = Recorder()
    with serving({"": BaseNamespace}, slow_peer=asked) as server:
        client, socket = connect_stalled(server, "xhr-polling")
        overflow(socket, 0)
        assert asked.seen == []
        assert socket.connected
        client.close()


# -- as text ---------------------------------------------------------------------------------------


def by_session(socket: Any) -> str:
    """A policy that a file can name."""
    return "drop_oldest"


class Served(SocketIOServer):
    """Returns at once from ``serve_forever()``."""

    made: list[Any] = []

    def __init__(self, listener: Any, application: Any, **kw: Any) -> None:
        self.made.append(self)
        super().__init__(("127.0.0.1", 0), application, log=None, **kw)

    def serve_forever(self, stop_timeout: float | None = None) -> None:
        handshake(self)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("drop_oldest", "drop_oldest"),
        (" disconnect ", "disconnect"),
        (f"{__name__}:by_session", by_session),
        (f" {__name__}:by_session ", by_session),
        (by_session, by_session),
    ],
)
def test_serve_takes_a_word_the_place_of_a_function_and_a_function(
    text: Any, policy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socketio.server, "SocketIOServer", Served)
    Served.made = []
    serve(lambda *_: [], slow_peer=text, _quiet=True)
    (server,) = Served.made
    assert server.config.slow_peer == policy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{__name__}:nothing_of_that_name", "nothing_of_that_name"),
        ("no_such_module_at_all:policy", "No module named 'no_such_module_at_all'"),
        (f"{__name__}:LIMIT", "neither"),
        ("drop", "neither"),
    ],
)
def test_serve_refuses_a_text_that_names_nothing_callable(
    text: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socketio.server, "SocketIOServer", Served)
    with pytest.raises(ConfigError, match=f"^slow_peer: .*{why}"):
        serve(lambda *_: [], slow_peer=text, _quiet=True)
    gevent.sleep(0)
