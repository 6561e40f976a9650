"""Connections as proxies make them: whom the server believes, and what a proxy's closing means."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.proxiedservers import Backend
from tests.integration.proxyasking import CLIENT, HERE, UPGRADE, ask

LIES = {
    "X_Forwarded_For": "192.0.2.66",
    "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Proto": "https",
    "X_Real_IP": "192.0.2.66",
    "Forwarded": "for=192.0.2.66;host=evil.example;proto=https",
}
STRANGER = "127.0.0.9"
# Keeps a poll short that has nothing to bring.
SOON = 0.2


@pytest.fixture(scope="module")
def server() -> Iterator[Backend]:
    with Backend(proxies="127.0.0.1, 127.0.0.8/30", polling_duration=SOON) as backend:
        yield backend


# -- whom the server believes ----------------------------------------------------------------------


def test_who_is_no_proxy_is_not_believed(server: Backend) -> None:
    seen = ask(server.port, "/", source=CLIENT, **LIES).json
    assert seen == {
        "name": "one",
        "REMOTE_ADDR": CLIENT,
        "HTTP_HOST": f"{HERE}:{server.port}",
        "wsgi.url_scheme": "http",
        "socketio.proxy_addr": None,
    }


def test_who_is_no_proxy_cannot_pass_for_another_origin(server: Backend) -> None:
    lies = {**LIES, "Origin": "https://evil.example"}
    sessid = ask(server.port, "/socket.io/1/").sessid
    for path in ("/socket.io/1/", f"/socket.io/1/xhr-polling/{sessid}"):
        assert ask(server.port, path, source=CLIENT, **lies).status == 403
        assert ask(server.port, path, source=HERE, **lies).status == 200
    path = f"/socket.io/1/websocket/{sessid}"
    assert ask(server.port, path, source=CLIENT, **lies, **UPGRADE).status == 403


def test_a_network_of_proxies_is_believed(server: Backend) -> None:
    seen = ask(server.port, "/", source=STRANGER, **LIES).json
    assert (seen["REMOTE_ADDR"], seen["socketio.proxy_addr"]) == ("192.0.2.66", STRANGER)
    assert seen["wsgi.url_scheme"] == "https"


def test_each_request_of_a_connection_has_its_own_client(server: Backend) -> None:
    with Raw(socket.create_connection((HERE, server.port), 60)) as proxy:
        for client in ("192.0.2.1", "192.0.2.2"):
            assert json.loads(proxy.ask("/", client))["REMOTE_ADDR"] == client
        assert json.loads(proxy.ask("/", None))["REMOTE_ADDR"] == HERE


def test_a_server_without_trusted_proxies_leaves_all_as_it_is() -> None:
    with Backend(proxies=None) as server:
        seen = ask(server.port, "/", **LIES).json
    assert seen["REMOTE_ADDR"] == HERE
    assert seen["HTTP_X_FORWARDED_FOR"] == "192.0.2.66"


# -- what a proxy's closing means ------------------------------------------------------------------


class Raw:
    """A connection of a proxy."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *exc: object) -> None:
        self.sock.close()

    def ask(self, path: str, client: str | None, body: bytes | None = None) -> bytes:
        """Send a request for a client, and return the body of the answer."""
        lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: a.example"]
        if client is not None:
            lines.append(f"X-Forwarded-For: {client}")
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.sock.recv(65536)
        head, _, content = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), answer
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(content) < length:
            content += self.sock.recv(65536)
        return content

    def reset(self) -> None:
        """Close as HAProxy does when it needs a connection no more."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@contextlib.contextmanager
def reachable(kind: str) -> Iterator[Callable[[], Raw]]:
    """Run a server on a port or on a Unix socket; gives how to connect to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.sock"
        listen = path if kind == "unix" else 0
        proxies = "unix" if kind == "unix" else HERE
        with Backend(listen, proxies=proxies, polling_duration=SOON) as server:

            def connect() -> Raw:
                if kind != "unix":
                    return Raw(socket.create_connection((HERE, server.port), 60))
                sock = socket.socket(socket.AF_UNIX)
                sock.settimeout(60)
                sock.connect(str(path))
                return Raw(sock)

            yield connect


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("end", ["reset", "close"])
def test_an_answer_that_a_proxy_has_read_is_not_sent_again(kind: str, end: str) -> None:
    with reachable(kind) as connect, connect() as other:
        sessid = other.ask("/socket.io/1/", CLIENT).decode().split(":")[0]
        url = f"/socket.io/1/xhr-polling/{sessid}"
        assert other.ask(url, CLIENT) == b"1::"
        said = b'5:::{"name":"say","args":["once"]}'
        for number in range(3):
            assert other.ask(url, CLIENT, said) == b"1"
            with connect() as poll:
                for _ in range(3):  # by then the system puts off to confirm what it has
                    poll.ask("/", CLIENT)
                assert poll.ask(url, CLIENT).count(b"once") == 1, number
                getattr(poll if end == "reset" else poll.sock, end)()
            assert other.ask(url, CLIENT) == b"8::"
