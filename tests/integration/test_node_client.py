"""The Socket.IO 0.9.17 client for node talks to a live server, over websocket and xhr-polling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.jsclients import JS, Clients, NodeClients, Server, install_packages, serving
from tests.integration.jsconversations import TIMINGS, Conversations


@pytest.fixture(scope="module")
def clients() -> Clients:
    clients = NodeClients()
    install_packages(JS)
    return clients


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def brisk_server() -> Iterator[Server]:
    with serving(**TIMINGS) as server:
        yield server


@pytest.fixture(scope="module")
def polling_server() -> Iterator[Server]:
    with serving(transports="xhr-polling") as server:
        yield server


@pytest.fixture(params=["websocket", "xhr-polling"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


class TestNodeClient(Conversations):
    """Every conversation, with a client in node."""
