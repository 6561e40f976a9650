"""The page about the way of an event."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import gevent
import pytest
from gevent.event import Event as Gate

from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.testing import TestServer
from socketio.virtsocket import Socket
from tests.client import event, serving, wait_for
from tests.docs.concepts import SAMPLES, rows
from tests.docs.howto import load
from tests.streams import ALL_CLIENTS, EVERY

diary = load(SAMPLES / "diary.py")


# -- the way of an event -------------------------------------------------------------------------


class WatchedSocket(Socket):
    def put_client_msg(self, msg: str | None) -> None:
        diary.DIARY.append(f"queued for the client: {msg}")
        super().put_client_msg(msg)


class WatchedServer(SocketIOServer):
    def get_socket(self, sessid: str = "") -> Any:
        if sessid:
            return super().get_socket(sessid)
        socket = WatchedSocket(self, self.config)
        self.sockets[socket.sessid] = socket
        return socket


def test_a_connect_and_an_event_take_the_way_of_the_page() -> None:
    diary.DIARY.clear()
    with TestServer(diary.app, server_class=WatchedServer) as server:
        server.connect("/first").ask("work", "done")
        written, wanted = diary.DIARY[:], (SAMPLES / "event_order.txt").read_text().splitlines()
        assert written == wanted


@pytest.mark.parametrize("row", rows("names.csv"), ids=lambda row: row["event name"])
def test_an_event_finds_the_method_that_the_table_names(row: dict[str, str]) -> None:
    called = []
    result = row["method"]

    class Named(BaseNamespace):
        def __getattr__(self, name: str) -> Any:
            if name.startswith("on_"):
                return lambda *_: called.append(f"{name}()")
            raise AttributeError(name)

    with TestServer({"/ns": Named}) as server:
        ada = server.connect("/ns")
        ada.emit(row["event name"])
        if result.endswith("()"):
            assert called == [result]
        else:
            assert ada.next("error").args[0] == result


@pytest.mark.parametrize("row", rows("calls.csv"), ids=lambda row: str(list(row.values())))
def test_a_handler_is_called_as_the_table_says(row: dict[str, str]) -> None:
    made: dict[str, Any] = {}
    exec(f"{row['the handler']}:\n    return {{**locals()}}", made)
    handler, wanted = made["on_x"], row["what it gets"]

    class Called(BaseNamespace):
        def on_ask(self, *args: Any) -> None: ...

        def call_method(self, method_name: str, packet: Any, *args: Any) -> Any:
            found = super().call_method(method_name, packet, *args)
            if method_name == "on_x" and found is not None:
                found.pop("self", None)
                self.socket.session["got"] = found
            return None

    Called.on_x = handler
    arguments = json.loads(f"[{row['''the client's arguments''']}]")
    with TestServer({"/ns": Called}) as server:
        ada = server.connect("/ns")
        ada.emit("x", *arguments)
        if wanted == "the packet":
            assert ada.session["got"]["packet"]["args"] == arguments
        elif "=" in wanted:
            assert ada.session["got"] == eval(f"dict({wanted})")
        else:
            assert ada.next("error").args[0] == wanted
            assert "got" not in ada.session


class Waiting(BaseNamespace):
    """Has one handler that waits; ``gate`` and ``seen`` are set by the tests."""

    gate: Gate
    seen: list[str]

    def on_wait(self) -> None:
        self.gate.wait()
        self.seen.append(f"{self.ns_name} waited")

    def on_note(self) -> None:
        self.seen.append(f"{self.ns_name} noted")


def waiting() -> Any:
    return type("WaitingHere", (Waiting,), {"gate": Gate(), "seen": []})


@pytest.mark.parametrize("transport", EVERY)
def test_a_handler_that_waits_holds_up_its_own_session_and_no_other(transport: str) -> None:
    ns = waiting()
    with serving({"/a": ns, "/b": ns}) as server:
        slow, quick = (ALL_CLIENTS[transport](server).open() for _ in range(2))
        slow.send(event("wait", endpoint="/a"), event("note", endpoint="/b"))
        wait_for(lambda: server.sockets[slow.sessid].server_queue.qsize())
        quick.send(event("note", endpoint="/a"))
        wait_for(lambda: ns.seen)
        assert ns.seen == ["/a noted"]
        ns.gate.set()
        wait_for(lambda: len(ns.seen) == 3)
        assert ns.seen[1:] == ["/a waited", "/b noted"]
        slow.close()
        quick.close()


def test_heartbeats_go_on_and_what_others_send_arrives_while_a_handler_waits() -> None:
    ns = waiting()
    with TestServer({"/a": ns}) as server:
        ada = server.connect("/a")
        instance = ada.namespace
        ada.emit("wait")
        for _ in range(10):
            server.clock.advance(25)
        assert ada.connected
        instance.emit("from elsewhere")
        ada.expect("from elsewhere")
        ns.gate.set()


def test_what_a_handler_sends_is_written_when_it_waits_or_returns() -> None:
    class Working(BaseNamespace):
        def on_work(self) -> None:
            self.emit("begun")
            self.session["at once"] = list(ada.inbox_of_link())
            gevent.sleep(0.001)
            self.session["later"] = list(ada.inbox_of_link())

    with TestServer({"/a": Working}) as server:
        ada: Any = server.connect("/a")
        ada.inbox_of_link = lambda: [record.name for record in ada._inbox.records]
        ada.emit("work")
        server.settle()
        assert (ada.session["at once"], ada.session["later"]) == ([], ["begun"])


def test_a_handler_gets_what_json_can_express_and_gives_it() -> None:
    class Echo(BaseNamespace):
        def on_echo(self, value: Any) -> Any:
            return value

        def on_nan(self) -> float:
            return float("nan")

    with TestServer({"/a": Echo}, raise_failures=False) as server:
        ada = server.connect("/a")
        for value in (None, True, 1, 1.5, "grüße", [1, [2]], {"a": {"b": None}}):
            assert ada.ask("echo", value) == [value]
        with pytest.raises(AssertionError, match="no answer"):
            ada.ask("nan")
        assert ada.next("error").args[0] == "internal_error"


def test_what_has_no_json_form_raises_in_emit_and_a_decimal_is_a_number() -> None:
    with TestServer({"/a": BaseNamespace}) as server:
        ada = server.connect("/a")
        with pytest.raises(TypeError):
            ada.namespace.emit("now", datetime.now(timezone.utc))
        with pytest.raises(ValueError, match="JSON"):
            ada.namespace.emit("number", float("inf"))
        ada.namespace.emit("price", Decimal("1.5"), ("a", "b"))
        ada.expect("price", 1.5, ["a", "b"])
        ada.send_raw('5::/a:{"name":"x","args":[NaN]}')
        assert ada.next("error").args[0] == "invalid_packet"


@pytest.mark.parametrize("place", ["before_event", "on_x", "after_event"])
def test_what_raises_is_logged_and_the_client_learns_no_more_than_that_it_failed(
    place: str,
) -> None:
    def broken(_self: Any, packet: Any, *_error: Any) -> None:
        if packet["type"] == "event" and packet["name"] == "x":
            raise ValueError("a secret")

    made = {"on_x": lambda self: None, "on_y": lambda self: "fine"}
    made[place] = (lambda self, packet: broken(self, packet)) if place == "on_x" else broken
    with TestServer({"/a": type("Broken", (BaseNamespace,), made)}) as server:
        ada = server.connect("/a")
        with server.failing(ValueError):
            ada.emit("x")
        error = ada.next("error")
        assert error.args[0] == "internal_error"
        assert "secret" not in str(error)
        assert ada.ask("y") == ["fine"]
