"""How ``manage.py runserver_socketio`` ends."""

from __future__ import annotations

import os
import signal

import pytest

from tests.integration.djangostage import project, serving
from tests.remote import RemoteClients

__all__ = ["project"]  # the fixture


@pytest.mark.parametrize("reload", [(), ("--noreload",)])
@pytest.mark.parametrize(
    "end",
    [
        # ^C reaches all processes of a terminal, the stop button of an editor but the first.
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), id="control-c"),
        pytest.param(lambda pid: os.kill(pid, signal.SIGINT), id="interrupt"),
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), id="terminate"),
    ],
)
def test_it_ends_quietly_and_lets_its_clients_go(project, reload, end):
    args = (*reload, "127.0.0.1:0")
    with RemoteClients() as clients, serving(project, *args, settings="probe_settings") as served:
        client = clients.connect(served.url, "/probe")
        end(served.process.pid)
        assert client.next("disconnect") != ["booted"], "it comes back"
        assert served.process.wait() == 0
        assert "Traceback" not in served.process.output()
        assert "KeyboardInterrupt" not in served.process.output()
        assert "recv_disconnect of /probe: server_stopping" in served.process.output()
