"""What the README prints runs as printed, and the demo says what to do when it cannot run."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from socketio.wire.payload import decode_payload, encode_payload
from tests.integration.jsclients import install_packages
from tests.integration.programs import TOP, first_line, program, run

CHAT = TOP / "examples" / "simple_chat"


def get(url: str, body: bytes | None = None) -> str:
    with urllib.request.urlopen(url, body, timeout=30) as answer:
        return answer.read().decode()


def hello_world() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (TOP / "README.md").read_text(), re.DOTALL)
    return next(block for block in blocks if "serve(app" in block)


def test_the_hello_world_of_the_readme_is_that_of_the_documentation() -> None:
    assert hello_world() == (TOP / "docs" / "samples" / "hello" / "hello.py").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_hello_world_of_the_readme_runs_as_printed_and_ends_quietly(
    tmp_path: Path, number: int
) -> None:
    file = tmp_path / "hello.py"
    client = str(TOP / "examples" / "node_modules")
    file.write_text(hello_world().replace("port=8080", "port=0").replace("node_modules", client))
    with program(file) as process:
        said = first_line(process)
        assert re.fullmatch(r"serving on http://127\.0\.0\.1:\d+", said)
        base = f"{said.split()[-1]}/socket.io/1/"
        sessid = get(base).split(":")[0]
        url = f"{base}xhr-polling/{sessid}"
        assert get(url) == "1::"
        asked = '5:1+::{"name":"hello","args":["world"]}'
        assert get(url, encode_payload([asked]).encode()) == "1"
        heard: list[str] = []
        while len(heard) < 2:
            heard += decode_payload(get(url))
        assert heard == [
            '5:::{"args":["Hello world! "],"name":"greeting"}',
            '6:::1+["The greeting is on its way."]',
        ]
        process.send_signal(number)
        _out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in err


def test_the_demo_prints_its_url_and_serves_the_page_and_the_real_client_there() -> None:
    install_packages(CHAT.parent)
    with program(CHAT, "--port", "0") as process:
        said = first_line(process)
        url = said.split()[-1]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url), said
        assert '<script src="/static/socket.io.js"' in get(url)
        assert "Socket.IO.js build:0.9.17" in get(f"{url}static/socket.io.js")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{url}static/../chat.py")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_the_demo_says_in_one_line_that_its_port_is_taken() -> None:
    install_packages(CHAT.parent)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, out, err = run(CHAT, "--port", str(port))
    assert (status, out) == (1, "")
    assert (
        err == f"port {port} is taken: choose another with --port, or make demo PORT={port + 1}\n"
    )


def test_the_demo_says_in_one_line_that_its_client_is_missing(tmp_path: Path) -> None:
    here = tmp_path / "simple_chat"
    shutil.copytree(CHAT, here)
    status, out, err = run(here, "--port", "0")
    assert (status, out) == (1, "")
    assert err == "the Socket.IO client is not installed, run: make demo\n"
