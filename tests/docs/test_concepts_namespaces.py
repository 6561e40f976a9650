"""The pages about sockets and namespaces."""

from __future__ import annotations

import inspect
from typing import Any

import gevent
import pytest

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer
from tests.client import serving
from tests.docs.concepts import SAMPLES, rows
from tests.docs.howto import load
from tests.streams import ALL_CLIENTS, EVERY, POLLING

namespaces = load(SAMPLES / "namespaces.py")

# -- namespaces ----------------------------------------------------------------------------------


def test_each_initialize_runs_once_and_state_is_of_one_namespace_or_of_the_session() -> None:
    with TestServer(namespaces.NAMESPACES) as server:
        ada, bob = server.connect("/chat"), server.connect("/chat")
        assert ada.session["name"] == "somebody"
        ada.of("/profile").emit("name", "Ada")
        ada.emit("say", "hello")
        bob.expect("said", "Ada", "hello")
        assert (ada.namespace.count, bob.namespace.count) == (1, 0)
        assert bob.session["name"] == "somebody"


def test_a_namespace_is_made_by_its_first_packet_and_anew_when_it_was_left() -> None:
    with TestServer(namespaces.NAMESPACES) as server:
        ada = server.connect("")
        assert ada.socket.active_ns == {}
        chat = ada.of("/chat")
        first = chat.namespace
        chat.emit("say", "x")
        assert chat.namespace is first
        assert list(ada.socket.active_ns) == ["/chat"]
        ada.of("/profile")
        chat.leave()
        again = ada.of("/chat")
        assert again.namespace is not first
        assert again.namespace.count == 0


def test_an_endpoint_that_nobody_serves_is_an_error_and_no_namespace() -> None:
    with TestServer(namespaces.NAMESPACES) as server:
        ada = server.connect("/chat")
        ada.send_raw("1::/nowhere")
        assert list(ada.socket.active_ns) == ["/chat"]


def test_a_refused_namespace_was_never_there() -> None:
    class Refusing(BaseNamespace):
        def recv_connect(self) -> None:
            raise UnauthorizedError

        def recv_disconnect(self) -> None:
            raise AssertionError("never told")

    with TestServer({"/a": BaseNamespace, "/no": Refusing}) as server:
        ada = server.connect("/a")
        with pytest.raises(Exception, match="unauthorized"):
            ada.of("/no")
        assert list(ada.socket.active_ns) == ["/a"]
        assert ada.connected


def test_the_acl_of_the_sample_opens_with_the_password_and_closes_again() -> None:
    with TestServer(namespaces.NAMESPACES) as server:
        ada = server.connect("/game")
        assert ada.ask("move", 1) == [None]
        assert ada.next("error").args[0] == "method_access_denied"
        assert ada.ask("login", "sesame") == [True]
        assert ada.ask("move", 1) == ["moved to 1"]
        ada.namespace.add_acl_method("on_logout")
        ada.emit("logout")
        assert ada.ask("move", 2) == [None]


def test_what_the_page_says_about_lists_of_allowed_methods() -> None:
    with TestServer({"/a": BaseNamespace}) as server:
        ns = server.connect("/a").namespace
        assert ns.allowed_methods is None
        assert ns.is_method_allowed("on_anything")
        with pytest.raises(ValueError, match="none were"):
            ns.del_acl_method("on_x")
        ns.add_acl_method("on_x")
        assert ns.is_method_allowed("on_x")
        assert not ns.is_method_allowed("recv_message")
        ns.del_acl_method("on_x")
        ns.del_acl_method("on_x")
        assert not ns.is_method_allowed("on_x")
        ns.lift_acl_restrictions()
        assert ns.is_method_allowed("on_x")


# -- sockets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", EVERY)
def test_a_session_has_the_greenlets_of_the_page(transport: str) -> None:
    with serving({"/a": BaseNamespace}) as server:
        clients = [ALL_CLIENTS[transport](server).open() for _ in range(5)]
        for client in clients:
            client.send("1::/a")
            client.recv()
        stats = server.stats()
        besides_connections = (stats["greenlets"] - stats["connections"]) / len(clients)
        # The receiver; for polls also the view, which is a stream's connection's.
        assert besides_connections == (2 if transport in POLLING else 1)
        for client in clients:
            client.close()


def test_the_view_runs_once_and_in_another_greenlet_than_handlers() -> None:
    seen: dict[str, Any] = {"views": 0}

    class Noting(BaseNamespace):
        def recv_connect(self) -> None:
            seen["handler"] = gevent.getcurrent()

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        seen["views"] += 1
        seen["view"] = gevent.getcurrent()
        socketio_manage(environ, {"/a": Noting, "/b": Noting})
        return []

    with TestServer(app) as server:
        ada = server.connect("/a")
        ada.of("/b")
        assert seen["views"] == 1
        assert seen["view"] is not seen["handler"]
        assert ada.socket._receiver is seen["handler"]


def test_every_attribute_of_a_socket_that_the_page_names_is_there() -> None:
    with TestServer({"/a": BaseNamespace}) as server:
        socket = server.connect("/a").socket
        for row in rows("socket.csv"):
            value = socket
            for name in row["attribute"].removeprefix("socket.").split("("):
                value = getattr(value, name.removesuffix(")")) if name not in ("", ")") else value
            assert value is not None or row["attribute"] in (
                "socket.disconnect_reason",
                "socket.request",
            )
            assert not inspect.isclass(value)


def test_a_handshake_spawns_nothing_and_calls_no_view() -> None:
    called = []

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        called.append(environ)
        return []

    with TestServer(app) as server:
        socket = server.handshake()
        assert server.real.stats()["greenlets"] == 0
        assert socket.active_ns == {}
        assert called == []
