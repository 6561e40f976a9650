"""A server ends: its sessions too, its handlers may finish, and its clients come back.

Real servers; the clients that come back are the 0.9.17 client's, in node and in Chromium.
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socketio.server import SocketIOServer
from tests.client import wait_for
from tests.integration.httpplace import Site
from tests.integration.jsapp import FILES, PAGE
from tests.integration.jsclients import find_chromium, find_node, install_packages
from tests.integration.programs import first_line, program
from tests.returning import JS, JavaScriptClients

NODE = ["websocket", "xhr-polling"]
PAGES = {
    **{path: file.read_bytes for path, file in FILES.items() if path != "/strangers.js"},
    "/returning.js": (JS / "returning.js").read_bytes,
    "/returning": PAGE.replace("strangers", "returning").encode,
}
IN_EACH = 3
"""JavaScript clients in each program."""


@pytest.fixture(autouse=True)
def nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr().err == ""


class Pages(Site):
    """The application of a :class:`Site`, with a page for browsers."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        page = PAGES.get(environ["PATH_INFO"])
        if page is None:
            return super().__call__(environ, start_response)
        kind = "text/javascript" if environ["PATH_INFO"].endswith(".js") else "text/html"
        start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8")])
        return [page()]


@contextlib.contextmanager
def serving(port: int = 0) -> Iterator[SocketIOServer]:
    """Give a server with its own :class:`Pages`; stopped at the end."""
    server = SocketIOServer(("127.0.0.1", port), Pages(), log=None)
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=5)


@contextlib.contextmanager
def node_clients(port: int, transport: str) -> Iterator[JavaScriptClients]:
    install_packages(JS)
    command = [find_node(), str(JS / "returning.js")]
    url = f"http://127.0.0.1:{port}"
    clients = JavaScriptClients(command, url=url, transport=transport, number=IN_EACH)
    try:
        clients.wait_for("answered", IN_EACH)
        yield clients
    finally:
        clients.end()


def all_came_back(clients: JavaScriptClients) -> None:
    clients.wait_for("reconnect", IN_EACH)
    clients.wait_for("answered", 2 * IN_EACH)
    assert clients.counts["disconnect"] == IN_EACH
    assert clients.counts["reconnect_failed"] == clients.counts["connect_failed"] == 0


def gave_everything_back(server: SocketIOServer) -> bool:
    stats = server.stats()
    return (stats["sessions"]["total"], stats["connections"], stats["greenlets"]) == (0, 0, 0)


# -- the clients come back -------------------------------------------------------------------------


@pytest.mark.parametrize("transport", NODE)
def test_clients_of_a_stopped_server_come_back_when_it_starts_again(transport: str) -> None:
    with serving() as server, node_clients(server.server_port, transport) as clients:
        port = server.server_port
        server.stop(timeout=5)
        assert gave_everything_back(server)
        assert server.stats()["disconnects"] == {"server_stopping": IN_EACH}
        clients.wait_for("disconnect", IN_EACH)
        assert "booted" not in clients.reasons
        server.start()
        assert server.server_port == port
        all_came_back(clients)


@pytest.mark.parametrize("transport", NODE)
def test_clients_of_a_closed_server_come_back_to_the_next_one_on_its_port(transport: str) -> None:
    with serving() as server, node_clients(server.server_port, transport) as clients:
        server.close()
        with serving(server.server_port) as second:
            all_came_back(clients)
            server.stop(timeout=5)
            assert gave_everything_back(server)
            assert second.stats()["sessions"]["connected"] == IN_EACH


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling", "jsonp-polling"])
def test_a_browser_comes_back_too(transport: str) -> None:
    install_packages(JS)
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        browser = JavaScriptClients(
            [find_node(), str(JS / "chromium.js"), find_chromium()],
            scenario="returning",
            url=url,
            page=f"{url}/returning",
            transport=transport,
            number=1,
            deadline=60_000,
        )
        try:
            browser.wait_for("answered", 1)
            server.stop(timeout=5)
            browser.wait_for("disconnect", 1)
            server.start()
            browser.wait_for("answered", 2)
            assert browser.counts["reconnect"] == 1
        finally:
            browser.end()


@pytest.mark.parametrize("transport", NODE)
def test_clients_that_are_told_goodbye_stay_away(transport: str) -> None:
    with serving() as server, node_clients(server.server_port, transport) as clients:
        # Who is between two polls has nobody to tell them.
        wait_for(lambda: server.stats()["sessions"]["by_transport"] == {transport: IN_EACH})
        server.stop(timeout=5, goodbye=True)
        assert gave_everything_back(server)
        clients.wait_for("disconnect", IN_EACH)
        assert clients.reasons == ["booted"] * IN_EACH
        with serving(server.server_port) as second, node_clients(second.server_port, transport):
            # These came after the others would have: they wait 50 ms.
            assert second.stats()["sessions"]["opened"] == IN_EACH
        assert clients.counts["reconnecting"] == clients.counts["reconnect"] == 0


# -- serve() and signals ---------------------------------------------------------------------------

SERVE = """
import sys
from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import serve

class Echo(BaseNamespace):
    def on_echo(self, *args):
        return args
    def recv_disconnect(self):
        print("told", self.socket.disconnect_reason, flush=True)

def app(environ, start_response):
    return socketio_manage(environ, {"": Echo}) or []

serve(app, port=sys.argv[1], log=None)
print("returned")
"""


@pytest.mark.parametrize("transport", NODE)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_serve_in_order_and_its_clients_come_to_the_next(
    number: signal.Signals, transport: str
) -> None:
    with program("-c", SERVE, "0") as process:
        port = first_line(process).rsplit(":", 1)[1]
        with node_clients(int(port), transport) as clients:
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            assert process.returncode == 0
            assert err == ""
            assert out.splitlines() == ["told server_stopping"] * IN_EACH + ["returned"]
            with program("-c", SERVE, port) as second:
                assert first_line(second) == f"serving on http://127.0.0.1:{port}"
                all_came_back(clients)


def test_two_signals_at_once_end_serve_like_one() -> None:
    with program("-c", SERVE, "0") as process:
        assert first_line(process)
        # At once: all of them are there when it next does anything.
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: _state(process.pid) == "T")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "returned\n", "")


def _state(pid: int) -> str:
    """Return the letter that Linux has for what a process is doing."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_serve_leaves_the_handlers_of_signals_as_they_were() -> None:
    code = SERVE.replace("import sys", "import signal, sys\nsignal.signal(15, print)", 1)
    ends = "print(signal.getsignal(2) is signal.default_int_handler)\nsignal.raise_signal(15)"
    with program("-c", f"{code}\n{ends}", "0") as process:
        assert first_line(process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
        assert re.fullmatch(r"returned\nTrue\n15 <frame .*>\n", out)
