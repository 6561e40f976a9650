"""The Pyramid example of the docs below pserve, with real clients, and what handlers find there."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.chatting import (
    ChatConversations,
    Running,
    StageConversations,
    entering,
    no_connection_is_out,
    starting,
)
from tests.integration.jsclients import wait_until
from tests.integration.pserving import EXAMPLE, PYRAMID_CHAT, ini, pserve
from tests.remote import RemoteClients
from tests.subprograms import TOP, free_port

STAGED = ("call:chat:main", "call:tests.integration.pyramidstage:main")


def start(file: Path, *argv: str) -> AbstractContextManager[Running]:
    return starting([pserve(), file, *argv], PYTHONPATH=PYRAMID_CHAT)


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with start(ini(tmp_path_factory.mktemp("pyramid"))) as server:
        yield server


@pytest.fixture
def chat_alone(tmp_path: Path) -> Iterator[Running]:
    with start(ini(tmp_path)) as server:
        yield server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with start(ini(tmp_path_factory.mktemp("stage"), STAGED)) as server:
        yield server


class TestPyramidChat(ChatConversations):
    """The very files of the docs, below our own server."""


class TestPyramidHandlers(StageConversations):
    """Each handler has Pyramid's thread locals, in which the request is that of the namespace."""

    def known(self, url: str, user: str) -> list[Any]:
        return [user, url.removeprefix("http://"), True, True]


def test_the_request_of_the_cookiecutter_has_a_transaction_for_each_event(tmp_path: Path) -> None:
    app = ("call:chat:main", "call:tests.integration.pyramidexplicit:main")
    with start(ini(tmp_path, app)) as server, RemoteClients() as clients:
        client = clients.connect(server.url, "/notes")
        assert client.ask("add", False) == [1]
        client.emit("add", True)
        assert client.next("error")[0] == "internal_error"
        assert client.ask("add", False) == [2]
        no_connection_is_out(server.url)


def test_with_reload_a_change_restarts_the_server_and_clients_come_back(tmp_path: Path) -> None:
    for name in ("chat.py", "page.html"):
        shutil.copy(EXAMPLE / name, tmp_path)
    file = ini(tmp_path, ("port = 0", f"port = {free_port()}"))
    reloading = [pserve(), file, "--reload"]
    with starting(reloading, PYTHONPATH=f"{TOP}:{tmp_path}") as server:
        with entering(server.url, "Ada") as ada, entering(server.url, "Bob", "xhr-polling") as bob:
            for client in (ada, bob):
                client.ask("join", "tea")
            changed = tmp_path / "chat.py"
            changed.write_text(changed.read_text().replace("[:1000]", "[:5]"))

            def noticed() -> bool:
                changed.touch()  # again: the file may not be watched yet
                return "chat.py changed" in server.process.output()

            wait_until(noticed, "the change being noticed")
            server.process.wait_for_line("serving on")
            for client in (ada, bob):
                client.next("reconnect")
                client.ask("join", "tea")
            ada.ask("say", "hello again")
            assert bob.next("said") == ["Ada", "hello"]
        server.process.signal(signal.SIGTERM)
        server.process.wait()
