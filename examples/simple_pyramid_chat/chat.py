"""A chat with rooms in Pyramid: its request, security and transactions work in every handler.

Run it with ``python examples/simple_pyramid_chat``, or from this directory with
``PYTHONPATH=. pserve development.ini``, and open http://127.0.0.1:8080/ twice. It needs a patched
standard library, see that file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import transaction
import zope.sqlalchemy
from pyramid.authentication import SessionAuthenticationHelper
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import FileResponse, Response
from pyramid.router import Router
from pyramid.security import remember
from pyramid.session import SignedCookieSessionFactory
from pyramid.threadlocal import RequestContext
from sqlalchemy import engine_from_config, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace

__all__ = ["Chat", "Line", "database", "main"]

HERE = Path(__file__).resolve().parent
ROUTES = {
    "page": "/",
    "look": "/look.css",
    "login": "/login",
    "history": "/history/{room}",
    "socketio": "/socket.io/*remaining",
}

database = scoped_session(sessionmaker())
"""The session of the greenlet that asks; it ends, and gives its connection back, with the
transaction of :mod:`transaction`."""
zope.sqlalchemy.register(database)


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


def clean(value: object) -> str:
    """Return what a client sent as text that can be stored and shown; "" if it is none."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode(errors="replace").decode().strip()


class Chat(BaseNamespace, RoomsMixin):
    """One client. Every method runs in a transaction of its own, with Pyramid's thread locals."""

    request: Request
    room = ""

    def recv_connect(self) -> None:
        if not self.request.authenticated_userid:
            raise UnauthorizedError("log in first")
        self.session["user"] = self.request.authenticated_userid  # here() of the others needs it

    def on_join(self, room: object) -> tuple[str, list[list[str]], list[str]]:
        room = clean(room)[:40] or "lobby"
        self.leave_room()
        self.room = room
        self.join(self.room)
        self.emit_to_room(self.room, "joined", self.request.authenticated_userid, self.here())
        history = self.request.route_url("history", room=self.room)
        return history, lines_of(self.room), self.here()

    def on_say(self, text: object) -> bool:
        user, line = self.request.authenticated_userid, clean(text)[:1000]
        if not self.room or not line:
            return False
        database.add(Line(room=self.room, user=user, text=line))
        transaction.commit()  # before anybody is told
        self.emit_to_room(self.room, "said", user, line)
        return True

    def recv_disconnect(self) -> None:
        self.leave_room()

    def leave_room(self) -> None:
        self.leave(self.room)
        self.emit_to_room(self.room, "left", self.request.authenticated_userid, self.here())

    def here(self) -> list[str]:
        """Return who is in the room, each once, however many windows they have open."""
        return sorted({member.session["user"] for member in self.members(self.room)})


@contextmanager
def event_context(request: Request) -> Iterator[None]:
    """Surround each call into a namespace with what the router and pyramid_tm give a view."""
    with RequestContext(request), transaction.manager:
        yield


def socketio(request: Request) -> Response:
    """Serve a session."""
    transaction.abort()  # the call below lasts as long as its client: keep no connection for it
    socketio_manage(
        request.environ, {"/chat": Chat}, request, event_context=lambda: event_context(request)
    )
    return Response()


class Policy(SessionAuthenticationHelper):  # type: ignore[misc]  # Pyramid has no annotations
    """Who may do what: everybody is who they say they are, and may do everything."""

    def identity(self, request: Request) -> object:
        return self.authenticated_userid(request)

    def permits(self, request: Request, _context: object, _permission: str) -> bool:
        return self.identity(request) is not None


def page(request: Request) -> Response:
    return FileResponse(HERE / "page.html", request)


def look(request: Request) -> Response:
    return FileResponse(HERE.parent / "look" / "look.css", request)


def login(request: Request) -> Response:
    user = clean(request.POST.get("user"))[:40]
    if not user:
        return Response(status=400)
    remember(request, user)
    return Response(status=204)


def history(request: Request) -> list[list[str]]:
    return lines_of(request.matchdict["room"])


def main(_global_config: dict[str, str], **settings: str) -> Router:
    """Return the application, as ``[app:main]`` of the .ini file asks for it."""
    engine = engine_from_config(settings)
    database.configure(bind=engine)
    Base.metadata.create_all(engine)
    with Configurator(settings=settings) as config:
        config.set_session_factory(
            SignedCookieSessionFactory(settings["session.secret"], samesite="Lax")
        )
        config.set_security_policy(Policy())
        config.include("pyramid_tm")
        for name, path in ROUTES.items():
            config.add_route(name, path)
        config.add_view(page, route_name="page", request_method="GET")
        config.add_view(look, route_name="look", request_method="GET")
        config.add_view(login, route_name="login", request_method="POST")
        config.add_view(history, route_name="history", renderer="json", permission="read")
        config.add_view(socketio, route_name="socketio")
        return config.make_wsgi_app()
