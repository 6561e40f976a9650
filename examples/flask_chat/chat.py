"""A chat with rooms in Flask: its contexts, session and database work in every handler.

Run it with ``python examples/flask_chat`` and open http://127.0.0.1:8080/ twice.
"""

# ruff: noqa: E402 - what is imported before the patching may keep hold of what blocks

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import secrets
from contextlib import AbstractContextManager
from pathlib import Path

from flask import Flask, abort, jsonify, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import serve

__all__ = ["Chat", "Line", "app", "db", "main"]

HERE = Path(__file__).resolve().parent
LOOK = HERE.parent / "look"
CLIENT = HERE.parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"
ORIGINS = os.environ.get("ORIGINS")  # None: only pages of this server; "https://chat.example, ..."


class Base(DeclarativeBase):
    """The tables."""


app = Flask(__name__, static_folder=LOOK, static_url_path="/")
app.config["SECRET_KEY"] = secrets.token_hex()  # a new one with each start: all log in again
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{HERE / 'chat.db'}"
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
app.config.from_prefixed_env()  # FLASK_SECRET_KEY=... and the like take precedence
db = SQLAlchemy(app, model_class=Base)


class Line(db.Model):  # type: ignore[name-defined, misc]  # made at run time
    """Something that was said."""

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str] = mapped_column(index=True)
    user: Mapped[str]
    text: Mapped[str]


def lines_of(room: str) -> list[list[str]]:
    """Return the last lines of a room, the oldest first."""
    last = select(Line).where(Line.room == room).order_by(Line.id.desc()).limit(20)
    return [[line.user, line.text] for line in reversed(db.session.scalars(last).all())]


def clean(value: object) -> str:
    """Return what a client sent as text that can be stored and shown; "" if it is none."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode(errors="replace").decode().strip()


class Chat(BaseNamespace, RoomsMixin):
    """One client. Every method runs in a request context of its own."""

    room = ""

    def recv_connect(self) -> None:
        if not session.get("user"):
            raise UnauthorizedError("log in first")
        self.session["user"] = session["user"]  # where here() of the others finds it

    def on_join(self, room: object) -> tuple[str, list[list[str]], list[str]]:
        room = clean(room)[:40] or "lobby"
        self.leave_room()
        self.room = room
        self.join(self.room)
        self.emit_to_room(self.room, "joined", session["user"], self.here())
        history = url_for("history", room=self.room, _external=True)
        return history, lines_of(self.room), self.here()

    def on_say(self, text: object) -> bool:
        said = clean(text)[:1000]
        if not self.room or not said:
            return False
        line = Line(room=self.room, user=session["user"], text=said)
        db.session.add(line)
        db.session.commit()  # before anybody is told
        self.emit_to_room(self.room, "said", line.user, line.text)
        return True

    def recv_disconnect(self) -> None:
        self.leave_room()

    def leave_room(self) -> None:
        self.leave(self.room)
        self.emit_to_room(self.room, "left", session["user"], self.here())

    def here(self) -> list[str]:
        """Return who is in the room, each once, however many windows they have open."""
        return sorted({member.session["user"] for member in self.members(self.room)})


@app.get("/")
def page() -> ResponseReturnValue:
    return send_file(HERE / "page.html")


@app.post("/login")
def login() -> ResponseReturnValue:
    user = clean(request.form.get("user"))[:40]
    if not user:
        abort(400)
    session["user"] = user
    return "", 204


@app.get("/history/<room>")
def history(room: str) -> ResponseReturnValue:
    if not session.get("user"):
        abort(401)
    return jsonify(lines_of(room))


@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def socketio(_rest: str) -> ResponseReturnValue:
    environ = request.environ

    def event_context() -> AbstractContextManager[object]:
        return app.request_context(environ)

    db.session.remove()  # the call below lasts as long as its client: keep no connection for it
    socketio_manage(environ, {"/chat": Chat}, event_context=event_context)
    return ""


with app.app_context():
    db.create_all()


def main() -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8080")
    serve(app, host=host, port=port, origins=ORIGINS, client_js=CLIENT)
