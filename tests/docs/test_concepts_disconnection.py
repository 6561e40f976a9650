"""The page about disconnection: in which order, and what is usable meanwhile."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest

from socketio import socketio_manage
from socketio.config import Settings
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.session.lifecycle import DisconnectReason
from socketio.testing import Event, TestServer
from tests.client import event, serving, wait_for
from tests.docs.concepts import SAMPLES, Wire, rows, stage
from tests.docs.howto import load
from tests.streams import ALL_CLIENTS, EVERY, STREAMING
from tests.subprograms import TOP

diary = load(SAMPLES / "diary.py")


def lines(name: str) -> list[str]:
    return (SAMPLES / name).read_text().splitlines()


# -- in which order ------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_the_end_of_a_session_has_the_order_of_the_page_on_every_transport(transport: str) -> None:
    with serving(diary.app, linger_timeout=0.05) as server:
        client = ALL_CLIENTS[transport](server).open()
        socket = server.sockets[client.sessid]
        for name in ("/first", "/second"):
            client.send(f"1::{name}")
            assert client.recv() == f"1::{name}"
        client.send(event("spawn", endpoint="/first"))
        wait_for(lambda: len(socket.jobs) == 2)
        gevent.sleep(0)  # both have begun
        diary.DIARY.clear()
        client.send("0::")
        wait_for(lambda: socket.state == "DISCONNECTED")
        client.close()
        wait_for(lambda: "socketio_manage() returns" in diary.DIARY)
        returned = diary.DIARY.index("socketio_manage() returns")
        assert returned > diary.DIARY.index("/second: recv_disconnect()")
        wait_for(lambda: len(diary.DIARY) > len(lines("end_order.txt")))
        assert [line for line in diary.DIARY if "returns" not in line] == lines("end_order.txt")


def test_the_end_of_one_namespace_has_the_order_of_the_page() -> None:
    with TestServer(diary.app) as server:
        client = server.connect("/first")
        client.of("/second")
        client.emit("spawn")
        diary.DIARY.clear()
        client.leave()
        written, wanted = diary.DIARY, lines("leave_order.txt")
        assert written == wanted
        assert client.socket.connected


# -- what is usable ------------------------------------------------------------------------------


class Usable(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Tries what the table has, at each of its moments."""

    moment: Callable[[str, Any], None]

    def recv_connect(self) -> None:
        self.join("lobby")
        self.session["name"] = "Ada"

    def on_try(self) -> None:
        self.spawn(gevent.sleep, 3600)
        self.moment("in a handler", self)

    def recv_disconnect(self) -> None:
        self.moment("in recv_disconnect()", self)


def outcome(what: str, ns: Any, client: Any, other: Any) -> str:
    """Say what comes of the expression ``what``, in the words of the table."""
    client._inbox.records.clear()
    other._inbox.records.clear()
    value = eval(what, {"self": ns})
    if value is not None or "reason" in what:
        return value if isinstance(value, (list, bool, int)) else value and str(value)
    gevent.sleep(0)
    gevent.sleep(0)
    heard = tuple(Event("news", []) in one._inbox.records for one in (client, other))
    return {
        (True, False): "reaches the client",
        (True, True): "reaches all",
        (False, True): "reaches the others",
        (False, False): "goes nowhere",
    }[heard]


@pytest.mark.parametrize("row", rows("usable.csv"), ids=lambda row: row["what"])
def test_what_the_table_says_about_the_three_moments(row: dict[str, str]) -> None:
    found: dict[str, Any] = {}
    ns_class = type("UsableHere", (Usable,), {})
    with TestServer({"/chat": ns_class, "/other": Usable}) as server:
        ada, bob = server.connect("/chat"), server.connect("/chat")

        def moment(name: str, ns: Any) -> None:
            if ns.socket is ada.socket:
                found[name] = outcome(row["what"], ns, ada, bob)

        ns_class.moment = staticmethod(moment)
        namespace = ada.namespace
        ada.emit("try")
        ada.drop()
        moment("afterwards", namespace)
    wanted = {name: cell for name, cell in row.items() if name != "what"}
    assert list(found) == list(wanted)
    for name, cell in wanted.items():
        literal = cell[0] in "'[TFN0123456789"
        assert found[name] == (ast.literal_eval(cell) if literal else cell), name


def test_a_namespace_that_the_client_leaves_can_still_be_heard_by_it() -> None:
    class Polite(BaseNamespace):
        def recv_disconnect(self) -> None:
            assert self.socket.connected
            assert self.socket.disconnect_reason is None
            self.emit("late")

    with TestServer({"/chat": Polite, "/news": BaseNamespace}) as server:
        ada = server.connect("/chat")
        ada.of("/news")
        ada.leave()
        ada.expect("late")


# -- what goes out -------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_what_was_queued_before_the_end_goes_out_before_the_good_bye(transport: str) -> None:
    with stage(transport) as made:
        made.enter()
        made.socket["/chat"].emit("before")
        made.socket.disconnect()
        assert [made.client.recv(), made.client.recv()] == ['5::/chat:{"name":"before"}', "0::"]


@pytest.mark.parametrize("transport", STREAMING)
def test_the_view_returns_at_the_latest_two_seconds_behind_the_end(transport: str) -> None:
    returned: list[bool] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        socketio_manage(environ, {"/chat": BaseNamespace})
        returned.append(True)
        return []

    with stage(transport, app) as made:
        made.enter()
        made.socket.disconnect()
        wait_for(lambda: made.socket.state == "DISCONNECTED")
        made.clock.advance(1.9)
        for _ in range(5):
            gevent.sleep(0)
        assert not returned
        made.clock.advance(0.2)
        wait_for(lambda: returned)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("silent", [False, True])
def test_a_namespace_is_left_silently_only_while_there_is_another(last: bool, silent: bool) -> None:
    with TestServer({"/a": BaseNamespace, "/b": BaseNamespace}) as server:
        ada = server.connect("/a")
        if not last:
            ada.of("/b")
        wire = Wire(ada)
        ada.namespace.disconnect(silent=silent)
        server.drain()
        assert wire.texts == ([] if silent else ["0::/a"]) + (["0::"] if last else [])


# -- the page ------------------------------------------------------------------------------------


def test_the_numbers_on_the_pages_are_the_defaults() -> None:
    settings = Settings()
    assert SocketIOServer.stop_timeout == 5
    assert (settings.handshake_timeout, settings.linger_timeout) == (30, 10)
    assert settings.max_pending_acks == 1000
    assert settings.close_timeout == 60


def test_the_page_has_every_reason() -> None:
    in_table = {cell for row in rows("reasons.csv") for cell in list(row.values())[1:]}
    assert (in_table - {"goes on"}) | {"handshake_timeout"} == {*map(str, DisconnectReason)}


def test_the_page_explains_every_reason() -> None:
    page = (TOP / "docs" / "concepts" / "disconnection.rst").read_text()
    named = re.findall(r"^``(\w+)`` +[A-Z`].{40}", page, re.MULTILINE)
    assert named == [*map(str, DisconnectReason)]


@pytest.mark.parametrize("table", sorted(SAMPLES.glob("*.[ct][sx][vt]")), ids=lambda it: it.name)
def test_every_table_that_is_tested_is_on_a_page(table: Path) -> None:
    pages = "".join(page.read_text() for page in (TOP / "docs" / "concepts").glob("*.rst"))
    assert f"../samples/concepts/{table.name}\n" in pages
