"""The chat in Flask, in the browser; what its handlers find in Flask is in tests/integration."""

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
    needs("flask", "flask_sqlalchemy")
    env = {"FLASK_SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'chat.db'}"}
    if secret is not None:
        env["FLASK_SECRET_KEY"] = secret
    return run_example("flask_chat", PORT=str(port), **env)


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat("flask_chat", start)


class TestFlaskChat(RoomConversations):
    pass


class TestFlaskChatWithANewSecret(NewSecretConversations):
    pass
