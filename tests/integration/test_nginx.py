"""nginx with each file of docs/deployment: what the conversations through it do not show."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.proxied import DEPLOYMENT, NGINX, Front, check
from tests.integration.proxiedservers import Backend, Mute, wait_until
from tests.integration.proxyasking import ask

POST = b"3:::hello, this is the end"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.mark.parametrize("name", NGINX)
def test_the_configuration_is_valid(folder: Path, name: str) -> None:
    said = check(Front(folder, name).command)
    assert "test is successful" in said
    assert "[warn]" not in said


def test_a_mistake_would_be_found(folder: Path) -> None:
    command = Front(folder, "nginx.conf").command
    file = folder / "ours.conf"
    file.write_text(file.read_text().replace("proxy_read_timeout 90s", "proxy_read_timeout soon"))
    with pytest.raises(AssertionError, match="proxy_read_timeout"):
        check(command)


def test_all_files_say_the_same_of_a_request() -> None:
    def common(name: str, begin: str, end: str) -> str:
        text = (DEPLOYMENT / name).read_text(encoding="utf-8")
        assert begin in text
        assert end in text
        return text[text.index(begin) : text.index(end) + len(end)]

    for name in NGINX[1:]:
        for part in [
            ("# A WebSocket asks", "$http_user_agent"),
            ("# Without HTTP/1.1", 'Forwarded "";'),
            ("location /socket.io/", "location / {"),
        ]:
            assert common(name, *part) == common("nginx.conf", *part)


def test_plain_http_is_sent_to_https(folder: Path) -> None:
    with Backend(folder / "server.sock", proxies="unix"):
        front = Front(folder, "nginx-tls.conf", folder / "server.sock")
        with front:
            assert front.ask("/page?x=1").status == 301


@pytest.mark.parametrize(("name", "number"), [("nginx.conf", 1), ("nginx-several.conf", 2)])
def test_a_post_is_never_sent_twice(folder: Path, name: str, number: int) -> None:
    mutes = [Mute() for _ in range(2)]
    with mutes[0], mutes[1], Front(folder, name, *[mute.port for mute in mutes[:number]]) as front:
        # A request that changes nothing may go to the next one.
        assert front.ask("/socket.io/1/xhr-polling/1").status == 502
        wait_until(lambda: sum(mute.asked("GET") for mute in mutes) == number, "the GETs")
        assert front.ask("/socket.io/1/xhr-polling/1", body=POST).status == 502
        wait_until(lambda: sum(mute.asked("POST") for mute in mutes), "the POST")
        assert sum(mute.asked("POST") for mute in mutes) == 1


# -- several servers -------------------------------------------------------------------------------


def test_a_client_stays_with_its_server(folder: Path) -> None:
    with (
        Backend(name="one") as one,
        Backend(name="two") as two,
        Front(folder, "nginx-several.conf", one.port, two.port) as front,
    ):
        names = set()
        for number in range(2, 12):
            source = f"127.0.0.{number}"
            name = front.ask("/", source=source).json["name"]
            names.add(name)
            for _ in range(3):
                sessid = front.ask("/socket.io/1/", source=source).sessid
                path = f"/socket.io/1/xhr-polling/{sessid}"
                assert front.ask(path, source=source).body == b"1::"
                # It is there, and not at the other one.
                other = two if name == "one" else one
                assert ask(other.port, path).status == 400
        assert names == {"one", "two"}


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_clients_move_on_when_their_server_is_gone(folder: Path, transport: str) -> None:
    with (
        Backend(name="one") as one,
        Backend(name="two") as two,
        Front(folder, "nginx-several.conf", one.port, two.port) as front,
        front.clients(transport) as clients,
    ):
        ada = clients.connect(front.origin)
        (first,) = ada.ask("say", "before")
        (one if first == "one" else two).stop()
        ada.next("reconnect")
        (second,) = ada.ask("say", "after")
        assert {first, second} == {"one", "two"}
