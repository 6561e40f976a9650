"""The end of gunicorn: every client is let go, every handler is waited for, nothing else is."""

from __future__ import annotations

import contextlib
import http.client
import signal

from tests.integration.gunicorns import FOR_EVER, come_back, gunicorn, two_clients, where
from tests.subprograms import free_port


def test_clients_leave_a_worker_that_stops_and_come_back_to_the_next_gunicorn() -> None:
    port = free_port()
    with contextlib.ExitStack() as stack:
        with gunicorn(*FOR_EVER, port=port) as first:
            clients = stack.enter_context(two_clients(first))
            pid = where(clients[0])["pid"]
            first.program.signal(signal.SIGTERM)
            assert first.program.wait() == 0
            output = first.program.output()
            assert output.count("over: server_stopping") == 2
            assert "Traceback" not in output
            assert "Exception" not in output
        for client in clients:
            client.next("disconnect")
        stack.enter_context(gunicorn(port=port))
        for client in clients:
            come_back(client, pid)


def test_a_worker_waits_for_handlers_and_for_last_words() -> None:
    with gunicorn(*FOR_EVER) as server, two_clients(server) as (ada, ben):
        ben.ask("last_words", 2.2)  # longer than the worker waits for connections
        ada.emit("work", 1)
        server.program.wait_for_line("^working")
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0
        lines = server.program.output().splitlines()
        end = next(number for number, line in enumerate(lines) if "Worker exiting" in line)
        assert lines.index("worked") < end
        assert lines[:end].count("over: server_stopping") == 2


def test_a_worker_does_not_wait_for_connections_between_two_requests() -> None:
    with gunicorn(*FOR_EVER) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/page")
        connection.getresponse().read()
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0
        connection.close()


def test_a_handler_that_does_not_end_is_killed_before_gunicorn_kills_the_worker() -> None:
    with gunicorn("--graceful-timeout", "3") as server, two_clients(server) as (ada, _):
        ada.emit("work", 1000)
        server.program.wait_for_line("^working")
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0
        output = server.program.output()
        assert "SIGKILL" not in output
        assert "worked" not in output
        assert output.count("over: server_stopping") == 2


def test_a_quick_end_tells_the_clients_too() -> None:
    with gunicorn(*FOR_EVER) as server, two_clients(server) as clients:
        server.program.signal(signal.SIGQUIT)
        assert server.program.wait() == 0
        for client in clients:
            client.next("disconnect")
        assert "over: server_stopping" in server.program.output()
