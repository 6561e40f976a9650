"""Views that return early or raise, handlers that misbehave: they harm only themselves."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import ManualClock
from tests.client import Recorder, event, handshake, make_app, serving, wait_for
from tests.integration.endings import scene, stay_away, wait_until_gone
from tests.streams import ALL_CLIENTS, EVERY, STREAMING


def connect(server: SocketIOServer, transport: str) -> tuple[Any, Any]:
    """Return a connected client and its session, which may be over already."""
    sessid = handshake(server)
    socket = server.sockets[sessid]
    return ALL_CLIENTS[transport](server, sessid).open(), socket


every = pytest.mark.parametrize("transport", EVERY)


# -- views ---------------------------------------------------------------------------------------


@every
def test_a_view_that_returns_without_managing_ends_the_session(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(stay_away) as server:
        client, socket = connect(server, transport)
        assert client.recv() == "0::"
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "app_ended"
        assert "404 Not Found" in caplog.text
        assert "socketio_manage()" in caplog.text
        client.close()


@every
def test_a_view_that_raises_ends_the_session_so_that_the_client_comes_back(
    transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    def app(_environ: Any, _start_response: Any) -> list[bytes]:
        raise RuntimeError("the view is broken")

    with serving(app) as server:
        client, socket = connect(server, transport)
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket.disconnect_reason == "app_ended"
        assert "the view is broken" in caplog.text
        if transport in STREAMING:
            with pytest.raises(EOFError):
                client.recv()
        client.close()


@every
def test_the_view_gets_one_call_returns_afterwards_and_its_result_is_closed(transport: str) -> None:
    record = Recorder()

    class Result(list[bytes]):
        def close(self) -> None:
            record("closed")

    manage = make_app({"": BaseNamespace})

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        record("called", "HTTP_UPGRADE" in environ, environ["socketio"].sessid)
        manage(environ, start_response)
        record("returned")
        return Result([b"ignored"])

    with serving(app) as server:
        client = ALL_CLIENTS[transport](server).open()
        sessid = client.sessid
        client.send("3:::one", "3:::two")
        client.send("0::")
        wait_for(lambda: sessid not in server.sockets)
        wait_for(lambda: len(record.seen) == 3)
        assert record.seen == [("called", False, sessid), "returned", "closed"]
        client.close()


# -- handlers that misbehave ---------------------------------------------------------------------


class Misbehaving(BaseNamespace):
    def on_raise(self, kind: str) -> None:
        raise {"e": ValueError("broken handler"), "s": SystemExit("leave"), "m": MemoryError()}[
            kind
        ]

    def on_two(self, _a: int, _b: int) -> str:
        return "two"

    def on_unserialisable(self) -> object:
        return object()

    def on_forever(self) -> None:
        gevent.sleep(3600)

    def on_ok(self, value: Any) -> Any:
        return value


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (event("raise", "e", msgid="7+"), "internal_error"),
        (event("raise", "s", msgid="7+"), "internal_error"),
        (event("raise", "m", msgid="7+"), "internal_error"),
        (event("two", 1, msgid="7+"), "invalid_args"),
        (event("unserialisable", msgid="7+"), "internal_error"),
        (event("nothing"), "no_such_method"),
        ("x", "invalid_packet"),
        ("9:::", "invalid_packet"),
        ("5:::{bad", "invalid_packet"),
        ('5:::{"name":5}', "invalid_packet"),
        ('5:::{"name":"ok","args":"abc"}', "invalid_packet"),
        ("4:::[" + "[" * 100_000, "invalid_packet"),
        ("1::/nowhere", "no_such_namespace"),
    ],
)
@every
def test_a_bad_packet_or_handler_harms_only_itself(transport: str, bad: str, error: str) -> None:
    with serving({"": Misbehaving}) as server:
        client = ALL_CLIENTS[transport](server).open()
        client.send(bad)
        answer = client.recv()
        while '"name":"error"' not in answer:  # an ack that was refused comes first
            answer = client.recv()
        assert f'"{error}"' in answer
        assert "Traceback" not in answer
        assert "broken handler" not in answer
        client.send(event("ok", 1, msgid="8+"))
        while (answer := client.recv()) != "6:::8+[1]":
            assert answer.startswith("6:::7")
        client.close()


@every
def test_a_handler_that_never_returns_stops_neither_others_nor_the_end(transport: str) -> None:
    with serving({"": Misbehaving}, linger_timeout=0.2) as server:
        stuck = ALL_CLIENTS[transport](server).open()
        stuck.send(event("forever"))
        other = ALL_CLIENTS[transport](server).open()
        other.send(event("ok", "fine", msgid="1+"))
        assert other.recv() == '6:::1+["fine"]'
        socket = server.sockets[stuck.sessid]
        wait_for(lambda: socket.server_queue.qsize() == 0)
        socket.disconnect()
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert socket._receiver.dead
        stuck.close()
        other.close()


def test_packets_that_arrived_before_a_lost_connection_are_still_handled_in_order() -> None:
    seen: list[int] = []

    class Counting(BaseNamespace):
        def on_number(self, number: int) -> None:
            gevent.sleep(0)
            seen.append(number)

        def recv_connect(self) -> None:
            seen.append(-1)

        def recv_disconnect(self) -> None:
            seen.append(-2)

    with serving({"/n": Counting}) as server:
        client, socket = connect(server, "websocket")
        client.send("1::/n", *[event("number", n, endpoint="/n") for n in range(50)])
        client.close()
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert seen == [-1, *range(50), -2]


def test_a_handler_still_busy_when_the_connection_is_lost_is_interrupted_after_the_grace() -> None:
    record = Recorder()

    class Busy(BaseNamespace):
        def on_work(self) -> None:
            record("started")
            try:
                gevent.sleep(3600)
            except gevent.GreenletExit:
                record("interrupted")
                raise

        def recv_disconnect(self) -> None:
            record("told")

    clock = ManualClock()
    with serving({"": Busy}, clock=clock) as server:
        client, socket = connect(server, "websocket")
        client.send(event("work"))
        wait_for(lambda: record.seen)
        client.close()
        wait_for(lambda: socket.state == "DISCONNECTING")
        clock.advance(server.config.close_timeout - 1)
        assert record.seen == ["started"]
        clock.advance(2)
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert record.seen == ["started", "interrupted", "told"]


@pytest.mark.parametrize("greenlet", ["receiver", "other"])
def test_a_disconnect_that_is_interrupted_by_nothing_runs_to_its_end(greenlet: str) -> None:
    record = Recorder()

    class Slow(BaseNamespace):
        def recv_disconnect(self) -> None:
            record("begin")
            gevent.sleep(0.01)
            record("end")
            raise ValueError("even so")

    with serving({"/a": Slow, "/b": Slow}) as server:
        client, socket = connect(server, "websocket")
        client.send("1::/a", "1::/b")
        client.recv()
        client.recv()
        if greenlet == "receiver":
            client.close()
            wait_for(lambda: record.seen)
            socket.disconnect()
            socket.kill()
        else:
            gevent.joinall([gevent.spawn(socket.disconnect) for _ in range(3)])
        wait_for(lambda: socket.state == "DISCONNECTED")
        assert record.seen.count("begin") == record.seen.count("end") == 2
        client.close()


def test_sends_of_an_ended_session_go_nowhere_and_raise_nothing() -> None:
    with scene("websocket") as on:
        chat = on.socket["/chat"]
        on.socket.kill()
        chat.emit("late")
        chat.send("late")
        chat.disconnect()
        on.socket.send_packet({"type": "noop"})
        wait_until_gone(on)
        chat.emit("later")
        chat.broadcast_event("later")
        chat.emit_to_room("everyone", "later")
