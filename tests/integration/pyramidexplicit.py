"""An application as Pyramid's cookiecutter makes them: ``request.tm`` and ``request.dbsession``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.threadlocal import RequestContext
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from socketio import socketio_manage
from socketio.namespace import BaseNamespace


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)


class Notes(BaseNamespace):
    def on_add(self, fail: bool) -> int:
        self.request.dbsession.add(Note())
        self.request.dbsession.flush()
        if fail:
            raise RuntimeError("told to fail")
        count: int = self.request.dbsession.scalar(select(func.count()).select_from(Note))
        return count


@contextmanager
def event_context(request: Request) -> Iterator[None]:
    with RequestContext(request), request.tm:
        yield


def is_short(request: Request) -> bool:
    return not request.path_info.startswith("/socket.io/")


SETTINGS = {"tm.manager_hook": "pyramid_tm.explicit_manager", "tm.activate_hook": is_short}


def socketio(request: Request) -> Response:
    socketio_manage(
        request.environ, {"/notes": Notes}, request, event_context=lambda: event_context(request)
    )
    return Response()


def main(_global_config: dict[str, str], **settings: str) -> Any:
    engine = create_engine(settings["sqlalchemy.url"])
    Base.metadata.create_all(engine)
    make_session = sessionmaker(engine)

    def dbsession(request: Request) -> Session:
        session = make_session(info={"request": request})
        zope.sqlalchemy.register(session, transaction_manager=request.tm)
        return session

    with Configurator(settings={**settings, **SETTINGS}) as config:
        config.include("pyramid_tm")
        config.add_request_method(dbsession, reify=True)
        config.add_route("connections", "/connections")
        config.add_view(
            lambda _request: Response(str(engine.pool.checkedout())), route_name="connections"
        )
        config.add_route("socketio", "/socket.io/*remaining")
        config.add_view(socketio, route_name="socketio")
        return config.make_wsgi_app()
