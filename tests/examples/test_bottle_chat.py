"""The chat in Bottle, in the browser; what its handlers find in Bottle is in tests/integration."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.examples.rooms import (
    KEPT,
    Chat,
    NewSecretConversations,
    RoomConversations,
    example,
    folder,
)
from tests.examples.stage import Example, run_example
from tests.integration.chatting import needs

__all__ = ["example", "folder"]  # the fixtures


def start(
    folder: Path, secret: str | None = KEPT, port: int = 0
) -> contextlib.AbstractContextManager[Example]:
    needs("bottle", "sqlalchemy")
    env = {"DATABASE": f"sqlite:///{folder / 'chat.db'}", "SECRET": secret or ""}
    return run_example("bottle_chat", PORT=str(port), **env)


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat("bottle_chat", start)


class TestBottleChat(RoomConversations):
    pass


class TestBottleChatWithANewSecret(NewSecretConversations):
    pass
