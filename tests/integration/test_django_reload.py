"""``manage.py runserver_socketio`` while the code changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.djangostage import project, serving
from tests.integration.jsclients import wait_until
from tests.remote import RemoteClients
from tests.subprograms import free_port

__all__ = ["project"]  # the fixture

SERVES = r"Starting .*development server"


def edit(path: Path, old: str, new: str) -> None:
    """Change a file as an editor does: at once, and never without a new time."""
    text = path.read_text()
    assert old in text
    before = path.stat().st_mtime_ns
    copy = path.with_suffix(".new")
    copy.write_text(text.replace(old, new))
    if copy.stat().st_mtime_ns <= before:
        os.utime(copy, ns=(before + 10**9, before + 10**9))
    copy.replace(path)


def mend(served, path: Path, old: str, new: str) -> None:
    """Change a file until Django's reloader has seen it: one that begins to look sees no change."""
    seen = len(served.process.output())
    edit(path, old, new)

    def noticed() -> bool:
        if "changed, reloading" in served.process.output()[seen:]:
            return True
        os.utime(path)
        return False

    wait_until(noticed, "the change is seen")


@pytest.fixture
def served(project):
    with serving(project, str(free_port()), settings="probe_settings") as made:
        yield made


@pytest.fixture
def client(served):
    with RemoteClients() as clients:
        yield clients.connect(served.url, "/probe", {"reconnection delay": 200})


def test_a_change_of_a_namespace_is_served_to_the_clients_that_come_back(project, served, client):
    sockets = project / "probe" / "sockets.py"
    assert client.ask("color") == ["none"]
    edit(sockets, '"color", "none"', '"color", "as new"')
    served.process.wait_for_line(r"probe/sockets.py changed, reloading")
    assert client.next("disconnect") != ["booted"]
    served.process.wait_for_line(r"recv_disconnect of /probe: server_stopping")
    served.process.wait_for_line(SERVES)
    client.next("reconnect")
    assert client.ask("color") == ["as new"]
    edit(sockets, '"color", "as new"', '"color", "none"')


def test_a_mistake_in_a_namespace_is_told_and_mended_while_it_runs(project, served, client):
    sockets = project / "chat" / "sockets.py"
    edit(sockets, "class Chat", "1 / 0  class Chat")
    served.process.wait_for_line(r"SyntaxError")
    mend(served, sockets, "1 / 0  class Chat", "class Chat")
    served.process.wait_for_line(SERVES)
    client.next("reconnect")
    assert client.ask("color") == ["none"]


def test_a_mistake_that_keeps_django_from_starting_is_mended_while_it_runs(project, served, client):
    models = project / "chat" / "models.py"
    edit(models, "class Message", "1 / 0  class Message")
    served.process.wait_for_line(r"SyntaxError")
    served.process.wait_for_line(r"^The server did not start: waiting for a change of a file")
    edit(models, "1 / 0  class Message", "class Message")
    served.process.wait_for_line(SERVES)
    client.next("reconnect")
    assert client.ask("color") == ["none"]


def test_a_setting_that_is_refused_is_told_and_mended_while_it_runs(project, served, client):
    settings = project / "probe_settings.py"
    edit(settings, "INSTALLED_APPS +=", "SOCKETIO['heartbeat'] = 5; INSTALLED_APPS +=")
    served.process.wait_for_line(r"^SOCKETIO in the settings: heartbeat: there is no option")
    served.process.wait_for_line(r"^Waiting for a change of a file")
    mend(served, settings, "SOCKETIO['heartbeat'] = 5; ", "")
    served.process.wait_for_line(SERVES)
    client.next("reconnect")
