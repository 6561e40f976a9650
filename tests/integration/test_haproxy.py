"""HAProxy with each file of docs/deployment: what the conversations through it do not show."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.proxied import DEPLOYMENT, HAPROXY, Front, check
from tests.integration.proxiedservers import Backend, Mute, wait_until

POST = b"3:::hello, this is the end"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture(scope="module")
def several() -> Iterator[Front]:
    with (
        tempfile.TemporaryDirectory() as path,
        Backend(name="one") as one,
        Backend(name="two") as two,
        Front(Path(path), "haproxy-several.cfg", one.port, two.port) as front,
    ):
        yield front


@pytest.mark.parametrize("name", HAPROXY)
def test_the_configuration_is_valid(folder: Path, name: str) -> None:
    said = check(Front(folder, name).command)
    assert "Configuration file is valid" in said
    assert "WARNING" not in said


def test_a_mistake_would_be_found(folder: Path) -> None:
    command = Front(folder, "haproxy.cfg").command
    file = folder / "haproxy.cfg"
    file.write_text(file.read_text().replace("timeout tunnel 90s", "timeout tunnel soon"))
    with pytest.raises(AssertionError, match="timeout tunnel"):
        check(command)


def test_both_files_say_the_same_of_a_request() -> None:
    texts = [(DEPLOYMENT / name).read_text(encoding="utf-8") for name in HAPROXY]
    parts = [text[text.index("global\n") : text.index("\nbackend servers\n")] for text in texts]
    assert parts[0] == parts[1]


@pytest.mark.parametrize(("name", "number"), [("haproxy.cfg", 1), ("haproxy-several.cfg", 2)])
def test_a_post_is_never_sent_twice(folder: Path, name: str, number: int) -> None:
    mutes = [Mute() for _ in range(2)]
    with mutes[0], mutes[1], Front(folder, name, *[mute.port for mute in mutes[:number]]) as front:
        assert front.ask("/socket.io/1/xhr-polling/1").status == 502
        assert front.ask("/socket.io/1/xhr-polling/1", body=POST).status == 502
        wait_until(lambda: sum(mute.asked("POST") for mute in mutes), "the POST")
        assert sum(mute.asked("POST") for mute in mutes) == 1


# -- several servers -------------------------------------------------------------------------------


@pytest.mark.parametrize("handshake", ["/socket.io/1/", "/socket.io/1", "/socket.io/1/?jsonp=12"])
def test_a_session_stays_with_its_server_wherever_its_client_is(
    several: Front, handshake: str
) -> None:
    names = []
    for number in range(12):
        answer = several.ask(handshake).body.decode()
        (sessid,) = re.findall(r"\d{40}", answer)
        path = f"/socket.io/1/xhr-polling/{sessid}"
        assert several.ask(path, source=f"127.0.1.{number}").body == b"1::"
        asked = b'5:1+::{"name":"say","args":["hello"]}'
        assert several.ask(path, body=asked, source=f"127.0.2.{number}").body == b"1"
        told = several.ask(path, source=f"127.0.3.{number}").body.decode()
        names += json.loads(re.search(r"6:::1\+(\[.*?\])", told)[1])  # type: ignore[index]
    assert set(names) == {"one", "two"}


def test_a_refused_handshake_is_not_held_up(several: Front) -> None:
    assert several.ask("/socket.io/1/", Origin="http://evil.example").status == 403
    refused = several.ask("/socket.io/1/?jsonp=0", Referer="http://evil.example/")
    assert b"handshake bad origin" in refused.body
    assert several.ask("/socket.io/1/xhr-polling/123").status == 400


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_real_clients_stay_with_their_servers(several: Front, transport: str) -> None:
    with several.clients(transport) as clients:
        here = [clients.connect(several.origin) for _ in range(6)]
        names = [client.ask("say", "hello")[0] for client in here]
        assert set(names) == {"one", "two"}
        for _ in range(3):
            assert [client.ask("say", "again")[0] for client in here] == names
        for client in here:
            assert "disconnect" not in [event[0] for event in client.log()]


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_clients_move_on_when_their_server_is_gone(folder: Path, transport: str) -> None:
    with (
        Backend(name="one") as one,
        Backend(name="two") as two,
        Front(folder, "haproxy-several.cfg", one.port, two.port) as front,
        front.clients(transport) as clients,
    ):
        ada = clients.connect(front.origin)
        (first,) = ada.ask("say", "before")
        (one if first == "one" else two).stop()
        ada.next("reconnect")
        (second,) = ada.ask("say", "after")
        assert {first, second} == {"one", "two"}
