"""The end of a worker, for whatever reason: its clients come back to the next one."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import time
from pathlib import Path

import pytest

from tests.integration.gunicorns import (
    FOR_EVER,
    Gunicorn,
    come_back,
    gunicorn,
    two_clients,
    where,
)


def status_of_page(server: Gunicorn) -> int:
    """Ask for a page on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/page")
        return connection.getresponse().status


def test_clients_move_to_the_new_worker_on_a_reload() -> None:
    with gunicorn(*FOR_EVER) as server, two_clients(server) as clients:
        pid = where(clients[0])["pid"]
        for _ in range(2):
            server.program.signal(signal.SIGHUP)
            new = {come_back(client, pid) for client in clients}
            assert len(new) == 1
            (pid,) = new
        assert server.program.output().count("over: server_stopping") == 4
        assert server.program.running()


def test_clients_move_to_the_next_worker_when_one_had_its_requests() -> None:
    arguments = ("--max-requests", "30", "--max-requests-jitter", "1")
    with gunicorn(*FOR_EVER, *arguments) as server, two_clients(server) as clients:
        pid = where(clients[0])["pid"]
        # Who keeps a connection for later does not keep the worker.
        idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        idle.request("GET", "/page")
        idle.getresponse().read()
        answers = set()
        for _ in range(30):
            answers.add(status_of_page(server))
            if "Autorestarting" in server.program.output():
                break
        assert answers == {200}  # of the last one too
        server.program.wait_for_line("Autorestarting worker after current request")
        for client in clients:
            come_back(client, pid)
        assert server.program.output().count("Autorestarting") == 1
        idle.close()


def test_a_change_of_a_file_reloads_at_once_whoever_keeps_a_connection_for_later(
    tmp_path: Path,
) -> None:
    watched = tmp_path / "watched.txt"
    watched.write_text("one")
    arguments = ("--reload", "--reload-engine", "poll", "--reload-extra-file", str(watched))
    with gunicorn(*FOR_EVER, *arguments) as server, two_clients(server) as clients:
        pid = where(clients[0])["pid"]
        idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        with contextlib.closing(idle):
            idle.request("GET", "/page")
            idle.getresponse().read()
            watched.write_text("two")
            later = time.time() + 10  # on any file system
            os.utime(watched, (later, later))
            for client in clients:
                come_back(client, pid)


@pytest.mark.parametrize("blocked", [False, True], ids=["killed", "blocked"])
def test_clients_come_back_after_a_worker_that_broke_down(*, blocked: bool) -> None:
    env = {"SOCKETIO_BLOCK_WARNING": "0.3"}
    with gunicorn("--timeout", "2", env=env) as server, two_clients(server) as clients:
        pid = where(clients[0])["pid"]
        if blocked:
            clients[0].emit("block")
            server.program.wait_for_line("^blocking")
            server.program.wait_for_line("on_block")  # who it is, before gunicorn loses patience
            server.program.wait_for_line("WORKER TIMEOUT")
        else:
            os.kill(pid, signal.SIGKILL)
        for client in clients:
            come_back(client, pid)
