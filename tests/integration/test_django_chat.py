"""The chat of ``examples/django_chat`` as it is: people who log in, and real 0.9 clients."""

from __future__ import annotations

import pytest
import requests

from tests.integration.djangostage import cookies, log_in, manage, project, serving
from tests.remote import RemoteClients, RemoteError

__all__ = ["project"]  # the fixture


@pytest.fixture(scope="module")
def chat(project):
    with serving(project, "--noreload", "127.0.0.1:0") as served:
        yield served


@pytest.fixture(scope="module")
def ada(chat):
    return log_in(chat.url, "ada")


@pytest.fixture(scope="module")
def bob(chat):
    return log_in(chat.url, "bob")


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_people_who_have_logged_in_talk(chat, ada, bob, transport):
    with (
        RemoteClients(transport, headers=cookies(ada)) as first,
        RemoteClients(transport, headers=cookies(bob)) as second,
    ):
        a = first.connect(chat.url, "/chat")
        before = a.next("history")[0]
        b = second.connect(chat.url, "/chat")
        assert a.transport_name() == b.transport_name() == transport
        assert a.next("joined") == ["bob"]

        assert a.ask("say", f"  good morning by {transport}  ") == [True]
        said = b.next("said")[0]
        assert (said["author"], said["text"]) == ("ada", f"good morning by {transport}")
        assert a.next("said") == [said]

        b.disconnect()
        assert a.next("left") == ["bob"]
        again = second.connect(chat.url, "/chat", {"force new connection": True})
        assert again.next("history") == [[*before, said][-20:]]


def test_what_is_no_message_is_not_taken(chat, ada):
    with RemoteClients(headers=cookies(ada)) as clients:
        client = clients.connect(chat.url, "/chat")
        for nothing in ("", " \n", None, 5, {"text": "hello"}, "x" * 501):
            assert client.ask("say", nothing) == [False]
        assert client.ask("say", "x" * 500) == [True]


def test_who_has_not_logged_in_is_refused(chat):
    with RemoteClients() as clients, pytest.raises(RemoteError, match="unauthorized"):
        clients.connect(chat.url, "/chat")


def test_the_page_is_for_people_who_have_logged_in(chat, ada):
    page = ada.get(f"{chat.url}/")
    assert "ada" in page.text
    assert "/static/chat/chat.js" in page.text
    away = requests.get(f"{chat.url}/", timeout=30, allow_redirects=False)
    assert (away.status_code, away.headers["Location"]) == (302, "/login/?next=/")


def test_static_files_are_served(chat):
    answer = requests.get(f"{chat.url}/static/chat/chat.js", timeout=30)
    assert answer.status_code == 200
    assert "io.connect" in answer.text


def test_the_migrations_are_those_of_the_models(project):
    done = manage(project, "makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout


def test_the_project_passes_the_checks_of_django(project):
    done = manage(project, "check", "--fail-level", "DEBUG")
    assert done.returncode == 0, done.stderr
