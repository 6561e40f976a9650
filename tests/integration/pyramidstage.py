"""The chat of ``examples/simple_pyramid_chat`` with more to ask it, for ``use = call:``."""

from __future__ import annotations

from typing import Any

import transaction
from pyramid.config import Configurator
from pyramid.events import NewRequest
from pyramid.request import Request
from pyramid.response import Response
from pyramid.threadlocal import get_current_registry, get_current_request
from sqlalchemy import select

from examples.simple_pyramid_chat import chat
from tests.integration.chatstage import Stage

Configured = Configurator.make_wsgi_app


class StagedChat(Stage, chat.Chat):
    def who(self) -> Any:
        current = get_current_request()
        known = "session.secret" in get_current_registry().settings
        return [current.authenticated_userid, current.host, current is self.request, known]

    def write(self, text: str) -> None:
        chat.database.add(chat.Line(room="tea", user="", text=text))
        chat.database.flush()


def connections(_request: Request) -> Response:
    transaction.abort()
    return Response(str(chat.database.get_bind().pool.checkedout()))


def look_something_up(_event: NewRequest) -> None:
    """Do what applications do with each request, that of the session too."""
    chat.database.scalars(select(chat.Line).limit(1)).all()


def make_wsgi_app(config: Configurator) -> Any:
    config.add_subscriber(look_something_up, NewRequest)
    config.add_route("connections", "/connections")
    config.add_view(connections, route_name="connections")
    return Configured(config)


def main(global_config: dict[str, str], **settings: str) -> Any:
    """Return the application of the example, with the additions."""
    chat.Chat = StagedChat  # type: ignore[misc]
    Configurator.make_wsgi_app = make_wsgi_app
    return chat.main(global_config, **settings)
