"""``serve()`` takes the hook and the client file as a file of settings gives them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.hooks import HANDSHAKE, UNAUTHORIZED, ask
from tests.integration.programs import first_line, program

DOOR = """
from socketio.errors import UnauthorizedError

def only_ann(environ):
    if "user=ann" not in environ["QUERY_STRING"]:
        raise UnauthorizedError("not ann")

class Door:
    @staticmethod
    def closed(environ):
        return False
"""


RUNNER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from socketio.server import serve

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"the application's page"]

serve(app, host="127.0.0.1", port="0", log_file="/dev/null", **json.loads(sys.argv[2]))
"""


@contextlib.contextmanager
def served(directory: Path, **settings: str) -> Iterator[int]:
    """Run ``serve()`` in a process, with settings as an .ini file gives them; yields its port."""
    (directory / "door.py").write_text(DOOR)
    with program("-c", RUNNER, directory, json.dumps(settings)) as process:
        line = first_line(process)
        assert line.startswith("serving on http://127.0.0.1:"), (line, process.stderr)
        yield int(line.rsplit(":", 1)[1])


def test_serve_takes_the_hook_as_the_name_of_a_function(tmp_path: Path) -> None:
    with served(tmp_path, authorize="door:only_ann") as port:
        assert ask(port) == (403, UNAUTHORIZED)
        assert ask(port, f"{HANDSHAKE}&user=ann")[0] == 200


def test_serve_takes_the_hook_as_the_name_of_an_attribute(tmp_path: Path) -> None:
    with served(tmp_path, authorize="door:Door.closed") as port:
        assert ask(port, f"{HANDSHAKE}&user=ann") == (403, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("text", "status"), [("none", 404), ("None", 404), ("", 404), ("false", 200), ("False", 200)]
)
def test_serve_reads_the_words_that_stand_for_no_client_file(
    tmp_path: Path, text: str, status: int
) -> None:
    with served(tmp_path, client_js=text) as port:
        answer = ask(port, "/socket.io/socket.io.js")
        assert answer[0] == status
        assert ("client_js=" in answer[1]) == (status == 404)
        assert (answer[1] == "the application's page") == (status == 200)


def test_serve_takes_the_path_of_a_client_file(tmp_path: Path) -> None:
    path = tmp_path / "client.js"
    path.write_text("var io;")
    with served(tmp_path, client_js=str(path)) as port:
        assert ask(port, "/socket.io/socket.io.js") == (200, "var io;")
