"""What gunicorn, its environment and its worker classes say to our server."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
from collections.abc import Mapping

import pytest

from tests.integration.gunicorns import APPLICATION, Gunicorn, argv, gunicorn, until, where
from tests.remote import RemoteClients
from tests.subprograms import TOP, free_port, running

SEVERAL = "but a session lives in the worker that began it"
UNPATCHED = "--preload imports the application before gevent patches"


def test_the_environment_goes_before_the_class() -> None:
    env = {
        "SOCKETIO_RESOURCE": "/v1/io/",
        "SOCKETIO_TRANSPORTS": "xhr-polling, websocket",
        "SOCKETIO_HEARTBEAT_INTERVAL": "9.5",
        "SOCKETIO_HEARTBEAT_TIMEOUT": "33",
        "SOCKETIO_CLOSE_TIMEOUT": "44",
        "SOCKETIO_MAX_SESSIONS": "",  # as good as not there
    }
    names = ["resource", "transports", *(name.lower()[9:] for name in list(env)[2:])]
    with gunicorn(worker="OldWorker", env=env) as server, RemoteClients("websocket") as clients:
        ada = clients.connect(server.url, "/chat", {"resource": "v1/io"})
        (found,) = ada.ask("settings", *names)
        assert found == ["v1/io", ["xhr-polling", "websocket"], 9.5, 33, 44, None]


def test_who_may_come_is_for_the_environment_too() -> None:
    env = {"SOCKETIO_ORIGINS": "http://good.example", "SOCKETIO_TRUSTED_PROXIES": "127.0.0.1"}
    with gunicorn("--access-logfile", "-", env=env) as server:
        assert handshake(server, Origin="http://evil.example")[0] == 403
        assert handshake(server, Origin="http://good.example")[0] == 200
        assert handshake(server, **{"X-Forwarded-For": "192.0.2.9"})[0] == 200
        server.program.wait_for_line(r"^192\.0\.2\.9 - - \[")


def handshake(server: Gunicorn, **headers: str) -> tuple[int, str]:
    """Shake hands; returns status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/socket.io/1/", headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_code_that_an_option_names_is_imported_by_the_worker() -> None:
    with gunicorn(env={"SOCKETIO_AUTHORIZE": f"{APPLICATION}:nobody"}) as server:
        assert handshake(server)[0] == 403
        server.program.wait_for_line("asked, patched")


REFUSED = [
    ({"SOCKETIO_HEARTBEAT_INTERVAL": "soon"}, "SOCKETIO_HEARTBEAT_INTERVAL: 'soon' is no number"),
    ({"SOCKETIO_TRANSPORTS": "websocket,pigeon"}, "SOCKETIO_TRANSPORTS: 'pigeon' is unknown"),
    ({"SOCKETIO_STICKY": "maybe"}, "SOCKETIO_STICKY: 'maybe' is neither yes nor no"),
    (
        {"SOCKETIO_TRANSPORT": "websocket"},
        "SOCKETIO_TRANSPORT: there is no such option; did you mean SOCKETIO_TRANSPORTS?",
    ),
    (
        {"SOCKETIO_LOG_FILE": "/tmp/x"},
        "SOCKETIO_LOG_FILE: not under gunicorn; use gunicorn's --access-logfile",
    ),
]


@pytest.mark.parametrize(("env", "message"), REFUSED, ids=[next(iter(env)) for env, _ in REFUSED])
def test_what_means_nothing_is_refused_by_its_name(env: Mapping[str, str], message: str) -> None:
    with running(argv(), env=env) as program:
        assert program.wait() == 1
        assert program.output().splitlines()[-1].partition("[CRITICAL] ")[2].startswith(message)
        assert "Booting worker" not in program.output()
        assert "Traceback" not in program.output()


def test_a_mistake_in_a_worker_class_is_refused_by_its_name_too() -> None:
    with running(argv(worker="MistakenWorker")) as program:
        assert program.wait() == 1
        assert "[CRITICAL] MistakenWorker.heartbeat_timeout: -1 is no" in program.output()


@pytest.mark.parametrize(
    ("worker", "env", "message"),
    [
        (
            "GeventSocketIOWorker",
            {"SOCKETIO_AUTHORIZE": "nowhere:nobody"},
            "[CRITICAL] SOCKETIO_AUTHORIZE: 'nowhere:nobody' cannot be imported",
        ),
        ("BrokenWorker", {}, "ZeroDivisionError: of the application's own making"),
    ],
)
def test_gunicorn_ends_when_a_worker_cannot_serve(
    worker: str, env: Mapping[str, str], message: str
) -> None:
    with running(argv(worker=worker), env=env) as program:
        assert program.wait() == 3
        assert message in program.output()
        assert "Worker failed to boot" in program.output()
        assert program.output().count("Booting worker") == 1
        assert ("Traceback" in program.output()) == (worker == "BrokenWorker")


def test_the_proxy_protocol_is_refused_for_every_request_would_be() -> None:
    with running(argv("--proxy-protocol")) as program:
        assert program.wait() == 1
        assert "[CRITICAL] proxy_protocol: this worker " in program.output()


@pytest.mark.parametrize("sticky", [False, True])
def test_several_workers_are_warned_of_once(*, sticky: bool) -> None:
    env = {"SOCKETIO_STICKY": "1"} if sticky else {}
    with gunicorn("-w", "2", env=env) as server:
        for _ in range(2):
            server.program.wait_for_line("imported the application")
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0
        assert server.program.output().count(SEVERAL) == (0 if sticky else 1)


def two_workers(server: Gunicorn, stack: contextlib.ExitStack) -> dict[str, list[str]]:
    """Shake hands with each of two workers that take one connection each; ids by worker."""
    ids: dict[str, list[str]] = {}
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        stack.enter_context(contextlib.closing(connection))

        def get(path: str, connection: http.client.HTTPConnection = connection) -> str:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

        pid = get("/page")
        ids[pid] = [get("/socket.io/1/").split(":")[0] for _ in range(20)]
        assert get(f"/socket.io/1/xhr-polling/{ids[pid][0]}") == "1::"
    return ids


@pytest.mark.parametrize("patched", [False, True])
def test_workers_of_a_preloaded_application_share_nothing(*, patched: bool) -> None:
    arguments = ["--preload", "-w", "2", "--worker-connections", "1"]
    if patched:
        arguments += ["-c", str(TOP / "examples/gunicorn.conf.py")]
    env = {"SOCKETIO_STICKY": "1"}
    with gunicorn(*arguments, env=env) as server, contextlib.ExitStack() as stack:
        ids = two_workers(server, stack)
        assert len(ids) == 2
        assert len({sessid for group in ids.values() for sessid in group}) == 40
        stack.close()
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0
        assert (UNPATCHED in server.program.output()) == (not patched)
        assert "Traceback" not in server.program.output()


def test_a_preloaded_application_serves_clients_and_is_reloaded() -> None:
    conf = str(TOP / "examples/gunicorn.conf.py")
    with (
        gunicorn("--preload", "-c", conf) as server,
        RemoteClients("websocket") as one,
        RemoteClients("xhr-polling") as other,
    ):
        clients = [one.connect(server.url), other.connect(server.url)]
        facts = [where(client) for client in clients]
        assert all(fact["patched"] for fact in facts)
        server.program.signal(signal.SIGHUP)
        for client in clients:
            client.next("reconnect")
            assert where(client)["pid"] != facts[0]["pid"]


def policy(port: int) -> bytes:
    """Ask for the Flash policy."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(b"<policy-file-request/>\0")
        return sock.recv(4096)


def test_each_worker_can_have_a_policy_server() -> None:
    port = free_port()
    env = {
        "POLICY_SERVER": "true",
        "SOCKETIO_POLICY_LISTENER": f"127.0.0.1:{port}",
        "SOCKETIO_STICKY": "yes",
    }
    # Two addresses, two servers in each worker.
    with gunicorn("-w", "2", "-b", "127.0.0.1:0", env=env) as server:
        for _ in range(2):
            server.program.wait_for_line("imported the application")
        assert handshake(server)[0] == 200
        assert b"cross-domain-policy" in policy(port)
        server.program.signal(signal.SIGHUP)
        # In any order: the new ones import, the old ones end.
        until(lambda: server.program.output().count("imported the application") == 4)
        until(lambda: server.program.output().count("Worker exiting") == 2)
        assert handshake(server)[0] == 200
        assert b"cross-domain-policy" in policy(port)
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0


def test_a_policy_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {"SOCKETIO_POLICY_SERVER": "on"}
        env["SOCKETIO_POLICY_LISTENER"] = f"127.0.0.1:{taken.getsockname()[1]}"
        with running(argv(), env=env) as program:
            assert program.wait() == 3
            assert "[CRITICAL] policy_listener: [Errno " in program.output()
            assert "Traceback" not in program.output()


def test_the_policy_server_can_be_off() -> None:
    with gunicorn(env={"POLICY_SERVER": "false"}) as server:
        assert handshake(server)[0] == 200
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 10843), timeout=5):
            pass
