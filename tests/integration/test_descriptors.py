"""A process without a free descriptor: the server waits, and serves again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.programs import first_line, program

PROGRAM = """
import json, logging, resource, sys, time
import gevent
from gevent import socket
from socketio.server import SocketIOServer

lines = []

class Keep(logging.Handler):
    def emit(self, record):
        lines.append([record.name, record.levelname, record.getMessage()])

logging.getLogger().addHandler(Keep())

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

def get():
    sock = socket.create_connection(("127.0.0.1", server.server_port))
    sock.settimeout(30)
    sock.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    return sock

def is_full():
    return server.stats()["errors"].get("accept_failed", 0)

def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, condition
        gevent.sleep(0.01)

server = SocketIOServer(("127.0.0.1", 0), app, log=None)
server.start()
first = get()
assert first.recv(100).endswith(b"ok")
before = len(server._connections)
held = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(5)]
wait_for(lambda: len(server._connections) == before + 5)

# Room for one end of a connection, not for the other.
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1].fileno() + 60, hard))
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError:
    files.pop().close()
late = get()
wait_for(is_full)

first.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
existing = first.recv(100).endswith(b"ok")
began, at = time.process_time(), time.monotonic()
wait_for(lambda: is_full() >= 4)
busy = (time.process_time() - began) / (time.monotonic() - at)
accepting = server.started

for file in files:
    file.close()
served = late.recv(100).endswith(b"ok")
again = get().recv(100).endswith(b"ok")
counted = is_full()

if "stop" in sys.argv:
    files = []
    try:
        while True:
            files.append(open("/dev/null"))
    except OSError:
        files.pop().close()
    more = get()
    wait_for(lambda: is_full() > counted)
    server.stop(timeout=1)
    for file in files:
        file.close()
    gevent.sleep(1)  # longer than the pause: it must not begin to accept again
    assert not server.started and server.closed
else:
    server.stop(timeout=1)
print(json.dumps(dict(existing=existing, busy=busy, accepting=accepting, served=served,
                      again=again, counted=counted, lines=lines)))
"""


def outcome(folder: Path, *argv: str) -> dict[str, Any]:
    """Run the program and return what it found; nothing may be printed beside it."""
    path = folder / "full.py"
    path.write_text(PROGRAM, encoding="utf-8")
    with program(path, *argv) as process:
        line = first_line(process)
        _, err = process.communicate(timeout=60)
        assert err == ""
        assert process.returncode == 0
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcome(tmp_path_factory.mktemp("full"))


def test_connections_that_are_there_are_served_on(found: dict[str, Any]) -> None:
    assert found["existing"]
    assert found["accepting"]


def test_the_one_that_waited_is_served_when_there_is_room_and_so_are_others(
    found: dict[str, Any],
) -> None:
    assert found["served"]
    assert found["again"]


def test_the_server_does_not_ask_again_and_again(found: dict[str, Any]) -> None:
    # A loop without a pause would keep the processor busy all the time.
    assert found["busy"] < 0.5


def test_each_pause_is_counted_and_told_in_a_line(found: dict[str, Any]) -> None:
    assert found["counted"] >= 4
    lines = [text for name, level, text in found["lines"] if level == "WARNING"]
    assert 4 <= len(lines) <= 5
    assert set(lines) == {"no connection can be accepted for 0.5 s: [Errno 24] Too many open files"}
    assert {name for name, level, _ in found["lines"] if level == "WARNING"} == {"socketio.server"}


def test_a_server_that_pauses_can_be_stopped(tmp_path: Path) -> None:
    assert outcome(tmp_path, "stop")["served"]
