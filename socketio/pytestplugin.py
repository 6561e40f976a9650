"""Fixtures for pytest: a server for tests, closed and checked at the end of each.

pytest loads this module at its start, in every project of the environment it is installed in. So
it imports the server, and gevent with it, only for a test that wants one: an earlier import would
come before ``monkey.patch_all()``.

.. versionadded:: 1.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from socketio.testing import TestServer

__all__ = ["make_socketio_server", "socketio_app", "socketio_options", "socketio_server"]


@pytest.fixture
def socketio_app() -> Any:
    """Define it in your ``conftest.py``: returns the application that is tested.

    A WSGI application, or a mapping of endpoints to namespace classes.
    """
    raise pytest.UsageError(
        "socketio_server does not know your application: define a fixture named socketio_app that "
        "returns it (a WSGI application, or a mapping such as {'/chat': Chat}), or use the fixture "
        "make_socketio_server"
    )


@pytest.fixture
def socketio_options() -> dict[str, Any]:
    """Define it to give options of TestServer and SocketIOServer: ``{"authorize": authorize}``."""
    return {}


@pytest.fixture
def make_socketio_server() -> Iterator[Callable[..., TestServer]]:
    """Return a function that makes a TestServer of its arguments; all are closed at the end."""
    from socketio.testing import TestServer

    with ExitStack() as servers:
        yield lambda application, **options: servers.enter_context(
            TestServer(application, **options)
        )


@pytest.fixture
def socketio_server(
    make_socketio_server: Callable[..., TestServer],
    socketio_app: Any,
    socketio_options: dict[str, Any],
) -> TestServer:
    """Return a server for ``socketio_app``, see :class:`socketio.testing.TestServer`."""
    return make_socketio_server(socketio_app, **socketio_options)
