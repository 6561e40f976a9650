"""``server.stats()``: why sessions ended, what went wrong, and what was refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from geventwebsocket.handler import WebSocketHandler

import socketio
from socketio.config import Settings
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.session.lifecycle import DisconnectReason
from tests.client import (
    Connection,
    PollingClient,
    WebSocketClient,
    event,
    fetch,
    handshake,
    serving,
    wait_for,
)
from tests.integration.endings import CASES, Scene, reason_of, scene, settings_of, wait_until_gone
from tests.integration.secure import Certificate, dial, read_until_closed
from tests.unit.websocket.frames import frame

# -- disconnects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "transport"), CASES, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_session_that_ends_is_counted_once_and_with_its_reason(
    ending: Callable[[Scene], None], transport: str
) -> None:
    with scene(transport, **settings_of(ending)) as on:
        assert on.server.stats()["disconnects"] == {}
        ending(on)
        wait_until_gone(on)
        assert on.server.stats()["disconnects"] == {reason_of(ending, transport): 1}


def test_a_handshake_nobody_came_for_and_a_view_without_interest_are_reasons_too() -> None:
    def app(_environ: Any, _start_response: Any) -> list[bytes]:
        return []

    with serving(app, handshake_timeout=0.05) as server:
        handshake(server)
        wait_for(lambda: server.stats()["disconnects"] == {"handshake_timeout": 1})
        client = WebSocketClient(server).open()
        wait_for(lambda: server.stats()["disconnects"].get("app_ended") == 1)
        client.close()


def test_every_reason_has_been_seen() -> None:
    seen = {reason_of(ending, transport) for ending, transport in CASES}
    assert {*seen, "handshake_timeout", "app_ended"} == {str(reason) for reason in DisconnectReason}


# -- errors ----------------------------------------------------------------------------------------


class Careless(BaseNamespace):
    def get_initial_acl(self) -> list[str]:
        return ["on_forbidden_no_more", "on_fail", "on_selfless", "on_two", "recv_connect"]

    def on_fail(self) -> None:
        raise LookupError("as it does")

    def on_selfless() -> None:  # type: ignore[misc]
        pass

    def on_two(self, one: Any, two: Any) -> None:
        pass


def broken_handler(*_: Any) -> None:
    raise LookupError("the error handler")


def say(server: SocketIOServer, *texts: str) -> None:
    client = WebSocketClient(server).open()
    client.send(*texts)
    wait_for(lambda: server.stats()["errors"])
    client.close()


def send_bytes(server: SocketIOServer, data: bytes) -> None:
    connection = Connection(server)
    connection.send_raw(data)
    connection.read_to_end()
    connection.close()


def break_the_websocket(server: SocketIOServer) -> None:
    client = WebSocketClient(server).open()
    client.sock.sendall(frame(3, b"x"))
    with pytest.raises(EOFError):
        client.recv()
    client.close()


def post_nonsense(server: SocketIOServer) -> None:
    client = PollingClient(server).open()
    assert client.post("\ufffdx\ufffd").status == 400
    client.close()


def be_too_slow(server: SocketIOServer) -> None:
    client = PollingClient(server).open()
    for _ in range(3):
        server.sockets[client.sessid].put_client_msg("3:::x")
    client.close()


def be_served_without_tls(server: SocketIOServer) -> None:
    sock = dial(server, b"GET / HTTP/1.1\r\n\r\n")
    read_until_closed(sock)
    sock.close()


def come_to(server: SocketIOServer) -> None:
    client = WebSocketClient(server).open()
    wait_for(lambda: server.stats()["errors"])
    client.close()


def write_what_cannot_be_written(server: SocketIOServer) -> None:
    client = WebSocketClient(server).open()
    link: Any = server.sockets[client.sessid]._link
    link._ws = SimpleNamespace(send=fail)
    server.sockets[client.sessid].put_client_msg("3:::x")
    wait_for(lambda: server.stats()["errors"])
    client.close()


def fail(*_: Any) -> Any:
    raise LookupError("as it does")


def nothing(*_: Any) -> list[bytes]:
    return []


GOOD = {"": Careless}
# Kind -> what makes it, the application, and settings.
ERRORS: dict[str, tuple[Callable[[SocketIOServer], None], Any, dict[str, Any]]] = {
    "invalid_packet": (lambda s: say(s, "nonsense"), GOOD, {}),
    "no_such_namespace": (lambda s: say(s, "1::/nowhere"), GOOD, {}),
    "no_such_method": (lambda s: say(s, event("forbidden_no_more")), GOOD, {}),
    "method_access_denied": (lambda s: say(s, event("secret")), GOOD, {}),
    "unallowed_event_name": (lambda s: say(s, event("<b>")), GOOD, {}),
    "invalid_method_args": (lambda s: say(s, event("selfless")), GOOD, {}),
    "invalid_args": (lambda s: say(s, event("two", 1)), GOOD, {}),
    "handler_failed": (lambda s: say(s, event("fail")), GOOD, {}),
    "malformed_request": (lambda s: send_bytes(s, b"nonsense\r\n\r\n"), GOOD, {}),
    "malformed_payload": (post_nonsense, GOOD, {}),
    "websocket_protocol": (break_the_websocket, GOOD, {}),
    "tls_handshake": (be_served_without_tls, GOOD, {"tls": True}),
    "authorize_failed": (
        lambda s: send_bytes(s, b"GET /socket.io/1/ HTTP/1.0\r\nHost: x\r\n\r\n"),
        GOOD,
        {"authorize": fail},
    ),
    "view_failed": (come_to, fail, {}),
    "view_unmanaged": (come_to, nothing, {}),
    "slow_peer_failed": (be_too_slow, GOOD, {"max_outbound_packets": 2, "slow_peer": fail}),
    "write_failed": (
        write_what_cannot_be_written,
        GOOD,
        {"ws_handler_class": WebSocketHandler},
    ),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_is_counted_by_its_kind(kind: str, tmp_path: Path) -> None:
    provoke, app, settings = ERRORS[kind]
    if settings.get("tls"):
        settings = Certificate.issue(tmp_path).standard_context()
    with serving(app, **settings) as server:
        assert server.stats()["errors"] == {}
        provoke(server)
        wait_for(lambda: server.stats()["errors"] == {kind: 1})
        assert server.stats()["refusals"] == {}


def test_an_error_handler_that_fails_is_counted_beside_what_it_was_called_for() -> None:
    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        socketio.socketio_manage(environ, GOOD, error_handler=broken_handler)
        return []

    with serving(app) as server:
        say(server, "nonsense")
        wait_for(
            lambda: server.stats()["errors"] == {"invalid_packet": 1, "error_handler_failed": 1}
        )


SOURCE = "".join(
    path.read_text(encoding="utf-8") for path in Path(socketio.__file__).parent.rglob("*.py")
)


def words(call: str) -> set[str]:
    """Return the words that the library counts with ``call``."""
    return set(re.findall(rf'journal\.{call}\(\s*"(\w+)"', SOURCE))


def test_every_kind_of_error_has_been_seen() -> None:
    # The second needs a process without descriptors: test_descriptors.py.
    assert words("failed") - {"error_handler_failed", "accept_failed"} <= set(ERRORS)


def test_a_limit_is_counted_by_the_name_of_its_setting() -> None:
    assert words("limited") <= set(Settings())


# -- refusals --------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "origin": ("/socket.io/1/", {"Origin": "http://evil.example"}, {}),
    "version": ("/socket.io/?EIO=4&transport=polling", {}, {}),
    "transport": ("/socket.io/1/carrier-pigeon/1", {}, {}),
    "authorize": ("/socket.io/1/", {}, {"authorize": lambda _: False}),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_counted_by_its_kind(kind: str) -> None:
    target, headers, settings = REFUSALS[kind]
    with serving({}, **settings) as server:
        for number in range(3):
            assert server.stats()["refusals"] == ({kind: number} if number else {})
            assert fetch(server, "GET", target, **headers).status in (400, 403)
        assert server.stats()["refusals"] == {kind: 3}
        assert server.stats()["errors"] == server.stats()["limits"] == {}
        assert server.stats()["sessions"]["opened"] == 0


def test_every_kind_of_refusal_has_been_seen() -> None:
    assert words("refused") == set(REFUSALS)
