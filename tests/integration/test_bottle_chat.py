"""The Bottle example of the docs, with real clients, and what handlers find in Bottle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.chatting import (
    ChatConversations,
    Running,
    StageConversations,
    needs,
    starting,
)
from tests.integration.jsclients import install_packages
from tests.subprograms import TOP


def start(folder: Path, *argv: str | Path) -> AbstractContextManager[Running]:
    needs("bottle", "sqlalchemy")
    install_packages(TOP / "examples")
    database = f"sqlite:///{folder / 'chat.db'}"
    return starting([sys.executable, *argv], PORT="0", DATABASE=database)


def example(folder: Path) -> AbstractContextManager[Running]:
    return start(folder, TOP / "examples" / "bottle_chat")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with example(tmp_path_factory.mktemp("bottle")) as server:
        yield server


@pytest.fixture
def chat_alone(tmp_path: Path) -> Iterator[Running]:
    with example(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with start(tmp_path_factory.mktemp("stage"), "-m", "tests.integration.bottlestage") as server:
        yield server


class TestBottleChat(ChatConversations):
    """The very file of the docs, as its README starts it."""


class TestBottleHandlers(StageConversations):
    """``bottle.request`` is the request that began the session."""

    def known(self, url: str, user: str) -> list[Any]:
        return [user, url.removeprefix("http://")]
