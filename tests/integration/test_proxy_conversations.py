"""Real clients through nginx and HAProxy as docs/deployment has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.proxied import FRONTS, Stage, staged
from tests.integration.proxiedservers import wait_until
from tests.integration.proxyasking import HERE
from tests.remote import RemoteError

TRANSPORTS = ("websocket", "xhr-polling")


@pytest.fixture(scope="module", params=FRONTS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(request.param) as here:
        yield here


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_clients_talk_in_both_directions(stage: Stage, transport: str) -> None:
    with stage.front.clients(transport) as clients:
        ada, bob = (clients.connect(stage.front.origin) for _ in range(2))
        assert ada.ask("say", "hello") == ["one"]
        assert bob.next("said") == ["hello"]
        assert bob.ask("say", "\N{SNOWMAN}" * 20_000) == ["one"]
        assert ada.next("said") == ["hello"]
        assert ada.next("said") == ["\N{SNOWMAN}" * 20_000]
        assert ada.transport_name() == transport


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_clients_come_back_by_themselves_when_the_server_was_restarted(
    stage: Stage, transport: str
) -> None:
    with stage.front.clients(transport) as clients:
        ada, bob = (clients.connect(stage.front.origin) for _ in range(2))
        assert ada.ask("say", "before") == ["one"]
        before = ada.sessid()
        stage.server.restart()
        for client in (ada, bob):
            client.next("reconnect")
        assert ada.sessid() != before
        assert ada.ask("say", "after") == ["one"]
        assert bob.next("said") == ["before"]
        assert bob.next("said") == ["after"]


def test_clients_come_back_to_a_server_that_was_away_for_a_while(stage: Stage) -> None:
    with stage.front.clients("xhr-polling") as clients:
        ada = clients.connect(stage.front.origin)
        stage.server.stop()
        try:
            # The proxy answers in its place: 502 or 503.
            wait_until(lambda: stage.front.ask("/").status in (502, 503), "the server is away")
            # A client that is new gets the proxy's page for a reason, and does not try again.
            with pytest.raises(RemoteError, match="not connected: <"):
                clients.connect(stage.front.origin)
            for _ in range(3):
                ada.next("reconnecting")
        finally:
            stage.server.start()
        ada.next("reconnect")
        assert ada.ask("say", "after") == ["one"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_server_hears_of_a_client_that_leaves(stage: Stage, transport: str) -> None:
    with stage.front.clients(transport) as clients:
        ada = clients.connect(stage.front.origin)
        sessid = ada.sessid()
        ada.disconnect()
        wait_for_the_end(stage, sessid)


def test_the_server_hears_of_a_client_that_dies(stage: Stage) -> None:
    with stage.front.clients("websocket") as clients:
        sessid = clients.connect(stage.front.origin).sessid()
    wait_for_the_end(stage, sessid)


def wait_for_the_end(stage: Stage, sessid: str) -> None:
    line = f"session {sessid[:6]}... disconnected: "
    wait_until(lambda: line in stage.server.process.output(), line)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_session_knows_its_client(stage: Stage, transport: str) -> None:
    with stage.front.clients(transport, **{"X-Forwarded-For": "192.0.2.66"}) as clients:
        (seen,) = clients.connect(stage.front.origin).ask("seen")
    assert (seen["REMOTE_ADDR"], seen["socketio.proxy_addr"]) == (HERE, stage.proxy)
    assert seen["wsgi.url_scheme"] == ("https" if stage.front.tls else "http")
