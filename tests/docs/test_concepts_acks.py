"""The page about acks: what a client is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.docs.concepts import Wire, rows

ANSWERS = rows("answers.csv")
REFUSALS = rows("refusals.csv")


def handler_of(code: str) -> Callable[[Any, Any], Any]:
    """Return a handler whose body is what stands in the table."""
    made: dict[str, Any] = {}
    exec(f"def on_ask(self, packet):\n    {code}", made)
    return made["on_ask"]


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["the handler"])
def test_an_event_with_a_plus_is_answered_as_the_table_says(row: dict[str, str]) -> None:
    ns = type("Asked", (BaseNamespace,), {"on_ask": handler_of(row["the handler"])})
    with TestServer({"/ns": ns, "/other": BaseNamespace}, raise_failures=False) as server:
        ada = server.connect("/ns")
        ada.of("/other")
        found = Wire(ada).ask('5:7+:/ns:{"name":"ask"}')
        assert found == (row["the answer"], row["besides"])


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["the handler"])
def test_an_event_with_a_plain_id_is_confirmed_before_its_handler_runs(row: dict[str, str]) -> None:
    order: list[str] = []

    class Asked(BaseNamespace):
        def on_ask(self, packet: Any) -> Any:
            order.append("handler")
            if "self.ack" not in row["the handler"]:
                return handler_of(row["the handler"])(self, packet)
            return None

    with TestServer({"/ns": Asked, "/other": BaseNamespace}, raise_failures=False) as server:
        ada = server.connect("/ns")
        ada.of("/other")
        send_packet = ada.socket.send_packet

        def sending(packet: Any) -> None:
            if packet["type"] == "ack":
                order.append("confirmed")
            send_packet(packet)

        ada.socket.send_packet = sending
        assert Wire(ada).ask('5:7:/ns:{"name":"ask"}')[0] == "[]"
        assert order == ["confirmed", "handler"]


@pytest.mark.parametrize("kind", ["3", "4"])
def test_messages_are_answered_with_what_their_method_returns(kind: str) -> None:
    class Answering(BaseNamespace):
        def recv_message(self, data: str) -> Any:
            return "got", data

        def recv_json(self, data: Any) -> Any:
            return "got", data

    with TestServer({"/ns": Answering}) as server:
        wire = Wire(server.connect("/ns"))
        assert wire.ask(f"{kind}:1+:/ns:5")[0] in ('["got","5"]', '["got",5]')
        assert wire.ask(f"{kind}:2:/ns:5")[0] == "[]"


class Refusing(BaseNamespace):
    def recv_connect(self) -> None:
        raise UnauthorizedError


class Restricted(BaseNamespace):
    def get_initial_acl(self) -> list[str]:
        return ["recv_connect", "on_one", "on_missing"]

    def on_one(self) -> str:
        return "one"

    def on_secret(self) -> str:
        raise AssertionError("forbidden")


PACKETS = {
    "has no handler": '5:{}:/ns:{{"name":"missing"}}',
    "has a name with a dash": '5:{}:/ns:{{"name":"on-e"}}',
    "is forbidden by the ACL": '5:{}:/ns:{{"name":"secret"}}',
    "has too many arguments": '5:{}:/ns:{{"name":"one","args":[1,2]}}',
    "is for a namespace that does not exist": '5:{}:/nowhere:{{"name":"one"}}',
    "is for a namespace that refuses the client": '5:{}:/refusing:{{"name":"one"}}',
    "is an event without a name": "5:{}:/ns:{{}}",
    "has an id that is no number": '5:x{}:/ns:{{"name":"one"}}',
    "is no packet": "what is {}?",
    "comes when the session is over": '5:{}:/ns:{{"name":"one"}}',
}


def test_every_row_about_refusals_is_tried() -> None:
    assert [row["the packet"] for row in REFUSALS] == list(PACKETS)


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row["the packet"])
@pytest.mark.parametrize("ending", ["+", ""])
def test_a_packet_that_reaches_no_handler_is_answered_as_the_table_says(
    row: dict[str, str], ending: str
) -> None:
    with TestServer({"/ns": Restricted, "/refusing": Refusing}) as server:
        ada = server.connect("/ns")
        wire = Wire(ada)
        text = PACKETS[row["the packet"]].format(f"7{ending}")
        if "over" in row["the packet"]:
            ada.socket.kill()  # a packet may be on its way
            ada._connection.link.from_peer.put(text)
            server.drain()
        else:
            wire.ask(text)
        wanted = row[f"answer to id{ending}"].replace("received", "[]")
        assert wire.answer() == wanted
        assert wire.besides() == row["besides"]


def test_a_handler_that_answers_later_may_do_so_from_any_greenlet_and_others_pass_it() -> None:
    class Later(BaseNamespace):
        def on_slow(self, packet: Any) -> Any:
            self.spawn(self.work, packet)
            return self.ACK_LATER

        def work(self, packet: Any) -> None:
            gevent.sleep(0.01)
            self.ack(packet, "late")

        def on_fast(self) -> str:
            return "early"

    with TestServer({"/ns": Later}) as server:
        ada = server.connect("/ns")
        wire = Wire(ada)
        assert wire.ask('5:1+:/ns:{"name":"slow"}')[0] == "none"
        assert wire.ask('5:2+:/ns:{"name":"fast"}')[0] == '["early"]'
        server.settle()
        assert wire.texts[-1] == '6::/ns:1+["late"]'


def test_the_answer_goes_out_behind_what_the_handler_sends_and_behind_after_event() -> None:
    order: list[str] = []

    class Ordered(BaseNamespace):
        def on_ask(self) -> str:
            self.emit("first")
            return "second"

        def after_event(self, packet: Any, error: Any) -> None:
            self.emit(f"after {packet['type']}")

    with TestServer({"/ns": Ordered}) as server:
        wire = Wire(server.connect("/ns"))
        wire.ask('5:1+:/ns:{"name":"ask"}')
        order = [text.split(":", 3)[3] for text in wire.texts]
        assert order == ['{"name":"first"}', '{"name":"after event"}', '1+["second"]']


def test_an_error_carries_the_id_of_the_packet_only_where_the_page_says() -> None:
    class Failing(BaseNamespace):
        def on_fail(self) -> None:
            raise ValueError

        def on_one(self, _argument: Any) -> None: ...

    with TestServer({"/ns": Failing}, raise_failures=False) as server:
        wire = Wire(server.connect("/ns"))
        with_id = set()
        for name in ("fail", "one", "missing"):
            wire.ask(f'5:7+:/ns:{{"name":"{name}"}}')
            if any(text.startswith("5:7:/ns:") for text in wire.texts):
                with_id.add(name)
        assert with_id == {"fail", "one"}


def test_a_packet_without_an_id_cannot_be_answered() -> None:
    class Answering(BaseNamespace):
        def on_ask(self, packet: Any) -> None:
            self.ack(packet, 1)

    with TestServer({"/ns": Answering}) as server:
        ada = server.connect("/ns")
        with server.failing(KeyError):
            ada.emit("ask")


def test_a_packet_without_an_id_is_never_answered() -> None:
    class Answering(BaseNamespace):
        def on_ask(self) -> int:
            return 5

    with TestServer({"/ns": Answering}) as server:
        assert Wire(server.connect("/ns")).ask('5::/ns:{"name":"ask"}') == ("none", "")
