"""``use = egg:gevent-socketio#paster`` below the real pserve: each option is text of a file."""

from __future__ import annotations

import signal
import socket
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.integration.chatting import Running, get, starting
from tests.integration.jsclients import wait_until
from tests.integration.pserving import pserve
from tests.remote import RemoteClients
from tests.subprograms import free_port, running

INI = """\
[DEFAULT]
place = 127.0.0.1

[app:main]
use = call:tests.integration.pasteapp:main

[server:main]
use = egg:gevent-socketio#paster
"""
ANYWHERE = {"host": "%(place)s", "port": "0"}


def file_of(folder: Path, **options: str) -> Path:
    file = folder / "test.ini"
    lines = [f"{name} = {value}\n" for name, value in options.items()]
    file.write_text(INI + "".join(lines))
    return file


def serving(folder: Path, **options: str) -> AbstractContextManager[Running]:
    return starting([pserve(), file_of(folder, **ANYWHERE, **options)])


def failing(folder: Path, **options: str) -> tuple[int, str]:
    """Return the exit status of a pserve that cannot serve, and what it says at last."""
    with running([pserve(), file_of(folder, **options)]) as process:
        return process.wait(), process.output().strip().splitlines()[-1]


def handshake(url: str, query: str = "", **headers: str) -> str:
    request = urllib.request.Request(f"{url}/socket.io/1/?{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def say(port: int, what: bytes) -> bytes:
    """Return all that comes for some bytes on a connection of their own."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(what)
        with connection.makefile("rb") as answer:
            return answer.read()


def test_numbers_and_lists_take_effect(tmp_path: Path) -> None:
    with serving(
        tmp_path,
        heartbeat_interval="10",
        heartbeat_timeout="12.5",
        close_timeout="15",
        max_sessions="none",
        max_message_size="2000000",
        transports="websocket, xhr-polling",
    ) as server:
        assert handshake(server.url).endswith(":12.5:15:websocket,xhr-polling")
        with RemoteClients() as clients:
            client = clients.connect(server.url, "/asked")
            assert client.ask("config", "heartbeat_interval") == [10]
            assert client.ask("config", "heartbeat_timeout") == [12.5]
            assert client.ask("config", "max_sessions") == [None]
            assert client.ask("config", "max_message_size") == [2000000]
            assert client.ask("transports") == [["websocket", "xhr-polling"]]


def test_what_is_not_there_has_its_default(tmp_path: Path) -> None:
    with serving(tmp_path) as server, RemoteClients("xhr-polling") as clients:
        client = clients.connect(server.url, "/asked")
        assert client.ask("config", "heartbeat_interval") == [25]
        assert len(client.ask("transports")[0]) == 6


def test_the_resource_and_the_origins_take_effect(tmp_path: Path) -> None:
    origins = "https://shop.example, https://www.shop.example"
    with serving(tmp_path, resource="/live/", origins=origins) as server:
        url = f"{server.url}/live/1/"
        for origin, status in (("https://www.shop.example", 200), ("https://evil.example", 403)):
            request = urllib.request.Request(url, headers={"Origin": origin})
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    found = answer.status
            except urllib.error.HTTPError as refusal:
                found = refusal.code
                refusal.close()
            assert found == status, origin


@pytest.mark.parametrize(("word", "status"), [("false", b"200"), ("no", b"200"), ("yes", b"400")])
def test_switches_take_effect(tmp_path: Path, word: str, status: bytes) -> None:
    # Two parsers may read that differently, see the settings.
    odd = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"
    with serving(tmp_path, strict_http=word) as server:
        assert say(int(server.url.rpartition(":")[2]), odd).split()[1] == status


def test_functions_are_imported(tmp_path: Path) -> None:
    with serving(tmp_path, authorize="tests.integration.pasteapp:only_friends") as server:
        assert handshake(server.url, "friend=1")
        with pytest.raises(urllib.error.HTTPError, match="403") as refusal:
            handshake(server.url)
        refusal.value.close()


def test_files_may_be_named_beside_the_ini_file(tmp_path: Path) -> None:
    (tmp_path / "client.js").write_text("the client")
    with serving(
        tmp_path, log_file="%(here)s/access.log", client_js="%(here)s/client.js"
    ) as server:
        assert get(f"{server.url}/socket.io/socket.io.js") == "the client"
        wait_until(lambda: "socket.io.js" in (tmp_path / "access.log").read_text(), "the line")
        assert "socket.io.js" not in server.process.output()


def test_the_policy_server_listens_where_it_is_told(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, policy_server="True", policy_listener_port=str(port)):
        assert b"<cross-domain-policy>" in say(port, b"<policy-file-request/>\0")


def test_variables_of_the_command_line_are_filled_in(tmp_path: Path) -> None:
    file = file_of(tmp_path, port="%(http_port)s", close_timeout="%(patience)s")
    port = free_port()
    with starting([pserve(), file, f"http_port={port}", "patience=7"]) as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert ":7:" in handshake(server.url)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("heartbeat_intervall", "10", ["heartbeat_intervall", "did you mean 'heartbeat_interval'"]),
        ("prot", "8080", ["prot", "did you mean 'port'"]),
        ("close_timeout", "soon", ["close_timeout", "'soon'"]),
        ("close_timeout", "-1", ["close_timeout", "-1"]),
        ("port", "http", ["port", "'http'"]),
        ("strict_http", "perhaps", ["strict_http", "'perhaps'"]),
        ("policy_server", "perhaps", ["policy_server", "'perhaps'"]),
        ("transports", "websocket, carrier-pigeon", ["transports", "'carrier-pigeon'"]),
        ("authorize", "tests.integration.pasteapp:nothing", ["authorize", "pasteapp:nothing"]),
        ("client_js", "/no/such/file.js", ["client_js", "/no/such/file.js"]),
        ("log_file", "/no/such/place/access.log", ["/no/such/place/access.log"]),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(
    tmp_path: Path, option: str, value: str, said: list[str]
) -> None:
    status, line = failing(tmp_path, **{**ANYWHERE, option: value})
    assert status not in (0, -signal.SIGKILL)
    for words in said:
        assert words in line


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        status, line = failing(tmp_path, port=port)
    assert status not in (0, -signal.SIGKILL)
    assert "Address already in use" in line
    assert port in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_with_clients(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as server, RemoteClients() as one, RemoteClients("xhr-polling") as two:
        one.connect(server.url, "/asked")
        two.connect(server.url, "/asked")
        server.process.signal(number)
        assert server.process.wait() == 0
    assert "Traceback" not in server.process.output()
