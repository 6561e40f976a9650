"""A chat with rooms in Bottle: its request, its signed cookies and a database in every handler.

Run it with ``python examples/bottle_chat`` and open http://127.0.0.1:8080/ twice.
"""

# ruff: noqa: E402 - what is imported before the patching may keep hold of what blocks

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from bottle import Bottle, HTTPResponse, abort, request, response, static_file
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve

__all__ = ["Chat", "Line", "app", "engine", "main"]

HERE = Path(__file__).resolve().parent
LOOK = HERE.parent / "look"
CLIENT = HERE.parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"
ORIGINS = os.environ.get("ORIGINS")  # None: only pages of this server; "https://chat.example, ..."
SECRET = os.environ.get("SECRET") or secrets.token_hex()  # a new one: all log in again

engine = create_engine(os.environ.get("DATABASE", f"sqlite:///{HERE / 'chat.db'}"))
database = scoped_session(sessionmaker(engine))
"""The session of the greenlet that asks."""


class Base(DeclarativeBase):
    """The tables."""


class Line(Base):
    """Something that was said."""

    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(index=True)
    user: Mapped[str]
    text: Mapped[str]


def lines_of(room: str) -> list[list[str]]:
    """Return the last lines of a room, the oldest first."""
    last = select(Line).where(Line.room == room).order_by(Line.id.desc()).limit(20)
    return [[line.user, line.text] for line in reversed(database.scalars(last).all())]


def user() -> str | None:
    """Return who sent the request, by its signed cookie; None when nobody has logged in."""
    name: str | None = request.get_cookie("user", secret=SECRET)
    return name


def clean(value: object) -> str:
    """Return what a client sent as text that can be stored and shown; "" if it is none."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode(errors="replace").decode().strip()


class Chat(BaseNamespace, RoomsMixin):
    """One client. In every method ``bottle.request`` is the request that began the session."""

    room = ""

    def recv_connect(self) -> None:
        if not user():
            raise UnauthorizedError("log in first")
        self.session["user"] = user()  # where here() of the others finds it

    def on_join(self, room: object) -> tuple[str, list[list[str]], list[str]]:
        room = clean(room)[:40] or "lobby"
        self.leave_room()
        self.room = room
        self.join(self.room)
        self.emit_to_room(self.room, "joined", user(), self.here())
        path = app.get_url("history", room=quote(self.room, safe=""))
        return urljoin(request.url, path), lines_of(self.room), self.here()

    def on_say(self, text: object) -> bool:
        said = clean(text)[:1000]
        if not self.room or not said:
            return False
        line = Line(room=self.room, user=user(), text=said)
        database.add(line)
        database.commit()  # before anybody is told
        self.emit_to_room(self.room, "said", line.user, line.text)
        return True

    def recv_disconnect(self) -> None:
        self.leave_room()

    def leave_room(self) -> None:
        self.leave(self.room)
        self.emit_to_room(self.room, "left", user(), self.here())

    def here(self) -> list[str]:
        """Return who is in the room, each once, however many windows they have open."""
        return sorted({member.session["user"] for member in self.members(self.room)})


@contextmanager
def event_context(environ: dict[str, Any]) -> Iterator[None]:
    """Surround each call into a namespace with the request and the end of a database session."""
    request.bind(environ)
    try:
        yield
    finally:
        database.remove()


app = Bottle()


@app.install
def with_database(view: Callable[..., Any]) -> Callable[..., Any]:
    """A plugin: a view gives its connection to the database back when it returns."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        finally:
            database.remove()

    return run


@app.get("/")
def page() -> HTTPResponse:
    return static_file("page.html", HERE)


@app.get("/look.css")
def look() -> HTTPResponse:
    return static_file("look.css", LOOK)


@app.post("/login")
def login() -> None:
    name = clean(request.forms.getunicode("user"))[:40]
    if not name:
        abort(400)
    response.set_cookie("user", name, secret=SECRET, httponly=True, samesite="lax")
    response.status = 204


@app.get("/history/<room>", name="history")
def history(room: str) -> str:
    if not user():
        abort(401)
    response.content_type = "application/json"
    return json.dumps(lines_of(room))


@app.route("/socket.io/<_rest:path>", ["GET", "POST"], skip=[with_database])
def socketio(_rest: str) -> None:
    environ = request.environ
    socketio_manage(environ, {"/chat": Chat}, event_context=lambda: event_context(environ))


Base.metadata.create_all(engine)


def main() -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8080")
    serve(app, host=host, port=port, origins=ORIGINS, client_js=CLIENT)
