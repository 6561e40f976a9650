"""The chat of ``examples/bottle_chat`` with more to ask it; prints its URL."""

from __future__ import annotations

from examples.bottle_chat import chat  # first: it patches

# isort: split
from typing import Any

from bottle import request

from socketio.server import serve
from tests.integration.chatstage import Stage


class StagedChat(Stage, chat.Chat):
    def who(self) -> Any:
        return [chat.user(), request.urlparts.netloc]

    def write(self, text: str) -> None:
        chat.database.add(chat.Line(room="tea", user="", text=text))
        chat.database.flush()


@chat.app.get("/connections")
def connections() -> str:
    return str(chat.engine.pool.checkedout())


chat.Chat = StagedChat  # type: ignore[misc]

if __name__ == "__main__":
    serve(chat.app, port=0)
