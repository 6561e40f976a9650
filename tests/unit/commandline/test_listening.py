"""Addresses, and sockets that listen there."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from socketio.commandline.listening import Address, CannotListenError, Listener, parse_bind
from tests.tools import missing


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80, None)),
        ("localhost:0", ("localhost", 0, None)),
        (":8080", ("", 8080, None)),
        ("[::1]:8080", ("::1", 8080, None)),
        ("unix:/run/chat.sock", ("127.0.0.1", 8080, "/run/chat.sock")),
        ("unix:chat:1", ("127.0.0.1", 8080, "chat:1")),
    ],
)
def test_an_address_is_read(text: str, address: tuple[str, int, str | None]) -> None:
    found = parse_bind(text)
    assert (found.host, found.port, found.path) == address


@pytest.mark.parametrize("text", ["", "x", "80", "x:", "x:y", "x:65536", "x:-1", "x:²", "unix:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no HOST:PORT"):
        parse_bind(text)


def test_an_ipv6_address_wants_brackets() -> None:
    with pytest.raises(ValueError, match=r"is written \[::1\]:80"):
        parse_bind("::1:80")


@pytest.mark.parametrize(
    ("host", "tls", "described"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:{}/"),
        ("localhost", True, "https://localhost:{}/"),
        ("0.0.0.0", False, "http://localhost:{}/ and all other addresses of this machine"),
        ("", False, "http://localhost:{}/ and all other addresses of this machine"),
    ],
)
def test_where_it_listens_is_told_as_a_url_that_works(host: str, tls: bool, described: str) -> None:
    with Listener(Address(host, 0)) as listener:
        assert listener.describe(tls=tls) == described.format(listener.port)
        assert listener.port
        with socket.create_connection(("127.0.0.1", listener.port), timeout=10):
            listener.socket.accept()[0].close()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_is_listened_on(host: str) -> None:
    if not has_ipv6():
        missing("IPv6")
    with Listener(Address(host, 0)) as listener:
        url = listener.describe(tls=False)
        assert url.startswith("http://[::1]:" if host == "::1" else "http://localhost:")
        for reached in ["::1"] if host == "::1" else ["::1", "127.0.0.1"]:
            with socket.create_connection((reached, listener.port or 0), timeout=10):
                pass


def test_a_port_that_is_taken_is_told_with_what_to_change() -> None:
    with Listener(Address(port=0)) as first:
        port = first.port or 0
        with pytest.raises(CannotListenError) as caught:
            Listener(Address(port=port, advice="--bind"))
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port}: something else listens there; "
        "choose another address with --bind"
    )


@pytest.mark.parametrize(
    ("host", "reason"),
    [("nowhere.invalid", "the name is unknown"), ("192.0.2.1", "this machine has no such address")],
)
def test_a_host_that_is_not_ours_is_told(host: str, reason: str) -> None:
    with pytest.raises(CannotListenError, match=reason):
        Listener(Address(host, 0))


def test_a_unix_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with Listener(Address(path=str(path))) as listener:
        assert path.is_socket()
        assert listener.port is None
        assert listener.describe(tls=True) == f"unix:{path}"
    assert not path.exists()
    listener.close()


def test_the_socket_of_a_server_that_died_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with Listener(Address(path=str(path))), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_the_socket_of_a_server_that_lives_is_left(tmp_path: Path) -> None:
    address = Address(path=str(tmp_path / "chat.sock"), advice="--unix")
    with Listener(address):
        with pytest.raises(CannotListenError, match=r"something else listens.*with --unix$"):
            Listener(address)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(address.path))


def test_a_file_that_is_no_socket_is_left(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("kept")
    with pytest.raises(CannotListenError, match="a file that is no socket"):
        Listener(Address(path=str(path)))
    assert path.read_text() == "kept"


def test_the_socket_of_a_successor_is_left(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with Listener(Address(path=str(path))):
        path.unlink()
        successor = Listener(Address(path=str(path)))
    assert path.is_socket()
    successor.close()
    assert not path.exists()


def test_a_path_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotListenError, match="No such file or directory"):
        Listener(Address(path=str(tmp_path / "nowhere" / "chat.sock")))


def test_a_child_process_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with Listener(Address(path=str(path))) as listener:
        listener._owner = os.getpid() + 1
        listener.close()
        assert path.is_socket()
        listener._owner = os.getpid()
