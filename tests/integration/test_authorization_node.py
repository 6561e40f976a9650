"""What the node client of the time makes of a refusal."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from typing import Any

import pytest

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from tests.client import Recorder, serving, wait_for
from tests.integration.doors import Door, Open
from tests.integration.hooks import SECRET, UNAUTHORIZED, answering
from tests.integration.jsclients import JS, install_packages
from tests.tools import missing


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        missing("node")
    if not (JS / "node_modules" / ".package-lock.json").is_file() and not shutil.which("npm"):
        missing("npm")
    install_packages(JS)
    return str(found)


def run_node(node: str, server: SocketIOServer, scenario: str, transport: str) -> list[Any]:
    """Run a scenario of authorization.js to its end and return what its client saw."""
    url = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with subprocess.Popen(
            [node, str(JS / "authorization.js"), url, scenario, transport], stdout=out, stderr=err
        ) as process:
            try:
                # Not process.wait(): the server that it talks to runs in this thread.
                wait_for(lambda: process.poll() is not None, scenario)
            finally:
                process.kill()
        for file in (out, err):
            file.seek(0)
        assert process.returncode == 0, err.read().decode()
        return [json.loads(line) for line in out.read().decode().splitlines()]


both_transports = pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])


def name_in(environ: dict[str, Any]) -> str:
    match = re.search(r"name=(\w+)", environ["QUERY_STRING"])
    assert match
    return match[1]


@pytest.mark.parametrize(
    ("what", "text"), [(False, UNAUTHORIZED), (UnauthorizedError(SECRET), UNAUTHORIZED)]
)
@both_transports
def test_a_refused_node_client_shows_why_and_does_not_come_back(
    node: str, transport: str, what: Any, text: str
) -> None:
    asked = Recorder()

    def authorize(environ: dict[str, Any]) -> Any:
        asked(name_in(environ))
        return answering(what)(environ)

    with serving({}, authorize=authorize) as server:
        seen = run_node(node, server, "refused", transport)
        assert seen == [["first", "error", text], ["second", "error", text]]
        assert asked.seen == ["first", "second"]
        assert not server.sockets


class Dropping(BaseNamespace):
    def on_drop(self) -> None:
        self.socket.disconnect(silent=True)


@both_transports
def test_a_reconnecting_node_client_that_is_refused_gives_up(node: str, transport: str) -> None:
    asked = Recorder()

    def authorize(environ: dict[str, Any]) -> bool:
        asked(name_in(environ))
        return asked.count("first") < 2

    with serving({"": Dropping}, authorize=authorize) as server:
        seen = run_node(node, server, "dropped", transport)
        assert seen[:2] == [["first", "connect"], ["first", "disconnect"]]
        assert ["first", "error", UNAUTHORIZED] in seen
        assert ["first", "reconnect"] not in seen
        assert asked.seen == ["first", "first", "second"]


@both_transports
def test_a_reconnecting_node_client_comes_back_after_an_error_of_the_hook(
    node: str, transport: str
) -> None:
    asked = Recorder()

    def authorize(environ: dict[str, Any]) -> None:
        asked(name_in(environ))
        if asked.count("first") == 2:
            raise ValueError(SECRET)

    with serving({"": Dropping}, authorize=authorize) as server:
        seen = run_node(node, server, "returning", transport)
        assert seen[:2] == [["first", "connect"], ["first", "disconnect"]]
        assert seen[-1] == ["first", "reconnect"]
        assert asked.seen == ["first", "first", "first"]


@both_transports
def test_a_node_client_hears_that_it_may_not_enter_a_namespace(node: str, transport: str) -> None:
    record = Recorder()
    door = type("DoorHere", (Door,), {"record": record})
    with serving({"": BaseNamespace, "/ns": door, "/open": Open}) as server:
        seen = run_node(node, server, "namespace", transport)
        assert seen == [["/ns", "connect_failed", "unauthorized"], ["/open", "ack", "still here"]]
        assert record.seen == ["connect"]
