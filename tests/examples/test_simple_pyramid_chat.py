"""The chat in Pyramid, in the browser; below pserve and gunicorn it is in tests/integration."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from tests.examples.rooms import Chat, RoomConversations, example, folder
from tests.examples.stage import EXAMPLES, Example, run_example
from tests.integration.chatting import needs

__all__ = ["example", "folder"]  # the fixtures


def start(
    folder: Path, secret: str | None = None, port: int = 0
) -> contextlib.AbstractContextManager[Example]:
    needs("pyramid", "pyramid_tm", "zope.sqlalchemy", "paste.deploy", "plaster_pastedeploy")
    assert secret is None, "it is in the .ini file"
    # Its database is beside its .ini file: it is a copy that runs.
    copy = folder / "simple_pyramid_chat"
    if not copy.exists():
        shutil.copytree(
            EXAMPLES / "simple_pyramid_chat", copy, ignore=shutil.ignore_patterns("chat.db")
        )
        for name in ("look", "node_modules"):
            (folder / name).symlink_to(EXAMPLES / name)
    return run_example(str(copy), PORT=str(port))


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat("simple_pyramid_chat", start)


class TestPyramidChat(RoomConversations):
    pass
