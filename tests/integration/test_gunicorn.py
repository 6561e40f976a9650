"""Sessions under gunicorn: with real clients, on every kind of socket, in every kind of worker."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.integration.gunicorns import TRANSPORTS, argv, gunicorn, where
from tests.integration.secure import Certificate
from tests.remote import RemoteClients, RemoteError
from tests.subprograms import running


def test_clients_of_every_transport_talk_to_each_other() -> None:
    with (
        gunicorn() as server,
        RemoteClients("websocket") as one,
        RemoteClients("xhr-polling") as other,
    ):
        ada, ben = one.connect(server.url), other.connect(server.url)
        assert [ada.transport_name(), ben.transport_name()] == list(TRANSPORTS)
        ada.emit("say", "hello")
        assert ada.next("said") == ben.next("said") == ["hello"]
        ben.emit("say", "hi ✓")
        assert ada.next("said") == ben.next("said") == ["hi ✓"]
        facts = where(ada)
        assert facts["patched"]
        assert facts["scheme"] == "http"
        assert facts["client"] == "127.0.0.1"
        assert "gunicorn/" in facts["software"]
        ada.disconnect()
        server.program.wait_for_line("over: peer_left")


def test_other_requests_are_answered_by_the_application() -> None:
    with gunicorn() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for _ in range(2):  # on one connection
            connection.request("GET", "/page")
            response = connection.getresponse()
            assert response.status == 200
            assert response.read().isdigit()
        connection.close()


def test_the_worker_for_nginx_offers_polling_only() -> None:
    with gunicorn(worker="NginxGeventSocketIOWorker") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/socket.io/1/")
        assert connection.getresponse().read().decode().split(":")[3] == "xhr-polling"
        connection.close()
        with RemoteClients(None) as clients:
            ada = clients.connect(server.url)
            assert ada.transport_name() == "xhr-polling"
            assert where(ada)["sessid"] == ada.sessid()


def test_a_worker_as_old_applications_write_it_has_its_own_classes() -> None:
    with (
        gunicorn(worker="OldWorker") as server,
        RemoteClients("websocket") as clients,
    ):
        ada = clients.connect(server.url, "/chat", {"resource": "chat/io"})
        server.program.wait_for_line("a new session")
        server.program.wait_for_line("request: GET")
        server.program.wait_for_line("an upgrade")
        names = ["resource", "transports", "heartbeat_interval"]
        assert ada.ask("settings", *names) == [["chat/io", ["websocket", "xhr-polling"], 7]]
        with pytest.raises(RemoteError):
            clients.connect(server.url, "", {"connect timeout": 2000})


def test_tls_is_gunicorns_own(tmp_path: Path) -> None:
    certificate = Certificate.issue(tmp_path)
    ca = tmp_path / "ca.pem"
    certificate.authority.cert_pem.write_to_path(str(ca))
    with gunicorn("--certfile", certificate.certfile, "--keyfile", certificate.keyfile) as server:
        assert server.url.startswith("https:")
        for transport in TRANSPORTS:
            with RemoteClients(transport, ca=ca) as clients:
                ada = clients.connect(server.url)
                assert ada.transport_name() == transport
                assert where(ada)["scheme"] == "https"


class UnixConnection(http.client.HTTPConnection):
    """A connection to a server on a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> str:
        self.request(method, path, body, headers)
        return self.getresponse().read().decode()


def test_sessions_live_on_a_unix_socket_too(tmp_path: Path) -> None:
    path = tmp_path / "gunicorn.sock"
    command = argv("--access-logfile", "-", bind=f"unix:{path}")
    with running(command, env={"SOCKETIO_TRUSTED_PROXIES": "unix"}) as program:
        program.wait_for_line("Listening at: unix:")
        connection = UnixConnection(path)
        sessid = connection.ask("GET", "/socket.io/1/").split(":")[0]
        url = f"/socket.io/1/xhr-polling/{sessid}"
        forwarded = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
        assert connection.ask("GET", url, **forwarded) == "1::"
        assert connection.ask("POST", url, '5:1+::{"name":"where"}') == "1"
        kind, _, answer = connection.ask("GET", url).partition(":::1+")
        assert kind == "6"
        facts = json.loads(answer)[0]
        assert (facts["client"], facts["scheme"]) == ("192.0.2.7", "https")
        connection.close()
        program.wait_for_line(r"^192\.0\.2\.7 .*GET /socket\.io/1/xhr-polling/")
        # gunicorn asks for the address of the client, which there is none without the header.
        program.wait_for_line(r"^- .*POST /socket\.io/1/xhr-polling/")


def test_a_session_may_come_by_any_of_the_addresses_that_a_worker_listens_on() -> None:
    with gunicorn("-b", "127.0.0.1:0") as server:
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)", server.program.output())
        assert len(ports) == 2
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        with urlopen(f"{urls[0]}/socket.io/1/", timeout=30) as answer:
            sessid = answer.read().decode().split(":")[0]
        with urlopen(f"{urls[1]}/socket.io/1/xhr-polling/{sessid}", timeout=30) as answer:
            assert answer.read() == b"1::"
        with RemoteClients("websocket") as one, RemoteClients("xhr-polling") as other:
            ada, ben = one.connect(urls[0]), other.connect(urls[1])
            where(ben)
            ada.emit("say", "hello")
            assert ada.next("said") == ben.next("said") == ["hello"]
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0
