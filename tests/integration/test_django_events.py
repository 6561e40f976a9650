"""What surrounds a handler in Django: the user, the session, the databases, the language.

The project has ``ATOMIC_REQUESTS`` and connections that stay open for ever, and a middleware that
asks the database: what keeps most.
"""

from __future__ import annotations

import pytest

from tests.integration.djangostage import cookies, log_in, project, serving
from tests.integration.jsclients import wait_until
from tests.remote import RemoteClients

__all__ = ["project"]  # the fixture

both = pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])


@pytest.fixture(scope="module")
def probed(project):
    with serving(project, "--noreload", "127.0.0.1:0", settings="probe_settings") as served:
        yield served


@pytest.fixture(scope="module")
def ada(probed):
    return log_in(probed.url, "ada")


@pytest.fixture
def clients(ada):
    with RemoteClients(headers=cookies(ada) | {"Accept-Language": "de"}) as made:
        yield made


@pytest.fixture
def client(probed, clients):
    return clients.connect(probed.url, "/probe")


# -- the user --------------------------------------------------------------------------------------


@both
def test_a_handler_knows_who_has_logged_in(probed, ada, transport):
    with RemoteClients(transport, headers=cookies(ada)) as clients:
        assert clients.connect(probed.url, "/probe").ask("who") == ["ada", True]


def test_a_handler_knows_who_has_not(probed):
    with RemoteClients() as clients:
        assert clients.connect(probed.url, "/probe").ask("who") == ["", False]


def test_who_logs_out_meanwhile_is_known_to_have_done_so(probed):
    person = log_in(probed.url, "carl")
    with RemoteClients(headers=cookies(person)) as clients:
        client = clients.connect(probed.url, "/probe")
        assert client.ask("who") == ["carl", True]
        token = {"csrfmiddlewaretoken": person.cookies["csrftoken"]}
        assert person.post(f"{probed.url}/logout/", token).status_code == 200
        assert client.ask("who") == ["carl", False]


# -- the session -----------------------------------------------------------------------------------


def test_a_handler_sees_what_a_view_has_put_into_the_session_meanwhile(probed, ada, client):
    for color in ("red", "green"):
        assert ada.get(f"{probed.url}/color?is={color}").text == color
        assert client.ask("color") == [color]


def test_a_view_sees_what_a_handler_has_put_into_the_session(probed, ada, client):
    assert client.ask("color", "blue") == ["blue"]
    assert ada.get(f"{probed.url}/color").text == "blue"


def test_what_a_handler_that_fails_has_put_into_the_session_is_not_kept(probed, ada, client):
    client.ask("color", "white")
    client.emit("fail", "black")
    assert client.ask("color") == ["white"]
    assert ada.get(f"{probed.url}/color").text == "white"


def test_the_end_of_a_connection_does_not_write_back_an_old_session(probed, ada, client):
    client.ask("color", "grey")
    ada.get(f"{probed.url}/color?is=pink")
    client.disconnect()
    probed.process.wait_for_line(r'"GET /socket.io/1/websocket/')  # the view has returned
    assert ada.get(f"{probed.url}/color").text == "pink"


# -- the databases ---------------------------------------------------------------------------------


@both
def test_a_client_keeps_no_connection_to_a_database(probed, ada, transport):
    with RemoteClients(transport, headers=cookies(ada)) as clients:
        made = [
            clients.connect(probed.url, "/probe", {"force new connection": True}) for _ in range(3)
        ]
        for client in made:
            used, _, _ = client.ask("query")
            assert used == 1, "its own alone"
        wait_until(lambda: made[0].ask("open") == [0], "all connections are closed")


def test_a_spawned_function_gives_its_connection_back(client):
    client.emit("spawn")
    name, used, _, _ = client.next("worked")
    assert (name, used) == ("other", 1)
    wait_until(lambda: client.ask("open") == [0], "all connections are closed")


def test_each_event_begins_without_transaction_and_without_the_queries_of_the_last(client):
    first = client.ask("query")
    assert client.ask("query") == first
    assert first[1:] == [False, 1]


def test_what_a_handler_did_before_it_failed_is_undone_where_it_is_atomic(client):
    client.emit("fail_atomic")
    client.emit("fail", "brown")
    assert client.ask("exists", "undone") == [False]
    assert client.ask("exists", "half done") == [True]
    wait_until(lambda: client.ask("open") == [0], "all connections are closed")


# -- the rest --------------------------------------------------------------------------------------


def test_the_language_and_the_time_zone_of_the_request_are_active(client):
    assert client.ask("local") == ["Ja", "Asia/Tokyo", "/color"]


def test_handlers_of_people_with_other_languages_do_not_mix(probed, client):
    with RemoteClients(headers={"Accept-Language": "fr"}) as others:
        other = others.connect(probed.url, "/probe")
        for _ in range(3):
            assert other.ask("local")[0] == "Oui"
            assert client.ask("local")[0] == "Ja"
