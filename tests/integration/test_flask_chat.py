"""The Flask example of the docs, with real clients, and what handlers find in Flask."""

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
    needs("flask", "flask_sqlalchemy")
    install_packages(TOP / "examples")
    database = f"sqlite:///{folder / 'chat.db'}"
    return starting([sys.executable, *argv], PORT="0", FLASK_SQLALCHEMY_DATABASE_URI=database)


def example(folder: Path) -> AbstractContextManager[Running]:
    return start(folder, TOP / "examples" / "flask_chat")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with example(tmp_path_factory.mktemp("flask")) as server:
        yield server


@pytest.fixture
def chat_alone(tmp_path: Path) -> Iterator[Running]:
    with example(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with start(tmp_path_factory.mktemp("stage"), "-m", "tests.integration.flaskstage") as server:
        yield server


class TestFlaskChat(ChatConversations):
    """The very file of the docs, as its README starts it."""


class TestFlaskHandlers(StageConversations):
    """Each handler has a request context of its own: what it leaves in ``g`` is gone."""

    def known(self, url: str, user: str) -> list[Any]:
        return [user, url.removeprefix("http://"), "examples.flask_chat.chat", 1]


def test_the_three_examples_have_one_page() -> None:
    pages = {file.read_text() for file in TOP.glob("examples/*_chat/page.html")}
    assert len(pages) == 1
