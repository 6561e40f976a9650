"""The chat of ``examples/flask_chat`` with more to ask it; prints its URL."""

from __future__ import annotations

from examples.flask_chat import chat  # first: it patches

# isort: split
from typing import Any

from flask import current_app, g, request, session
from sqlalchemy import select

from socketio.server import serve
from tests.integration.chatstage import Stage


class StagedChat(Stage, chat.Chat):
    def who(self) -> Any:
        g.count = g.get("count", 0) + 1
        return [session["user"], request.host, current_app.import_name, g.count]

    def write(self, text: str) -> None:
        chat.db.session.add(chat.Line(room="tea", user="", text=text))
        chat.db.session.flush()


@chat.app.before_request
def look_something_up() -> None:
    """Do what applications do before each request, that of the session too."""
    chat.db.session.scalars(select(chat.Line).limit(1)).all()


@chat.app.get("/connections")
def connections() -> str:
    chat.db.session.remove()
    return str(chat.db.engine.pool.checkedout())


chat.Chat = StagedChat  # type: ignore[misc]

if __name__ == "__main__":
    serve(chat.app, port=0)
