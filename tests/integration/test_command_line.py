"""``python -m socketio``: real processes, real clients."""

from __future__ import annotations

import signal
import socket
import ssl
import sys
from pathlib import Path

import pytest

from tests.integration.commands import (
    START,
    command,
    eventually,
    fetch,
    fetch_status,
    finished,
    url_of,
    write_application,
)
from tests.integration.secure import Certificate
from tests.remote import RemoteClients
from tests.subprograms import TOP, running

PORT = ("--port", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_application(tmp_path)
    return tmp_path


# -- serving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["chat:app", "chat:namespaces", "chat.py:create_app('x')"])
@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_a_client_of_each_transport_is_served(folder: Path, transport: str, target: str) -> None:
    with command(folder, target, *PORT) as program, RemoteClients(transport) as clients:
        client = clients.connect(url_of(program), "/chat")
        assert client.ask("version") == ["one"]
        assert client.transport_name() == transport


def test_the_first_line_says_where_it_serves_once_it_does(folder: Path) -> None:
    with command(folder, "chat:app", *PORT) as program:
        line = program.wait_for_line(START)
        assert fetch(line["url"]) == "one"
        assert line["target"] == "chat:app"
        assert line["url"] == f"http://127.0.0.1:{line['port']}/"
        assert line["more"] == ""
        assert line["path"] == "/socket.io/1/"
        assert program.output().startswith(line[0]), "it is the first"


def test_a_server_for_everybody_is_told_by_a_url_that_works(folder: Path) -> None:
    with command(folder, "chat:app", "--bind", "0.0.0.0:0", "--resource", "live/io") as program:
        line = program.wait_for_line(START)
        assert line["url"].startswith("http://localhost:")
        assert line["more"] == " and all other addresses of this machine"
        assert line["path"] == "/live/io/1/"
        assert fetch(f"http://127.0.0.1:{line['port']}/live/io/1/").count(":") == 3


def test_the_example_of_the_documentation_runs() -> None:
    folder = TOP / "examples" / "command_line"
    with command(folder, "live:namespaces", *PORT) as program, RemoteClients() as clients:
        url = url_of(program)
        ada, ben = (clients.connect(url, "/live") for _ in range(2))
        assert ada.ask("say", "hello") == [True]
        assert ben.next("said") == ["hello"]
        assert fetch_status(url) == 404


def test_a_console_script_is_the_same(folder: Path) -> None:
    # What pip makes of the entry point: a program whose own directory is the first on the path.
    assert 'gevent-socketio = "socketio.commandline:main"' in (TOP / "pyproject.toml").read_text()
    script = folder / "bin" / "gevent-socketio"
    script.parent.mkdir()
    script.write_text("import sys\nfrom socketio.commandline import main\nsys.exit(main())\n")
    with running([sys.executable, script, "chat:app", *PORT], cwd=folder) as program:
        assert fetch(url_of(program)) == "one"
    with running([sys.executable, script, "--port", "x", "chat:app"], cwd=folder) as program:
        assert program.wait() == 2
        assert "\ngevent-socketio: error: --port: 'x'" in program.output()


def test_a_unix_socket_is_served_and_removed(folder: Path) -> None:
    path = folder / "chat.sock"
    with command(folder, "chat:app", "--unix", str(path)) as program:
        assert url_of(program) == f"unix:{path}"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.makefile("rb").read().endswith(b"one")
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
    assert not path.exists()


def test_tls_is_served_by_two_options(folder: Path) -> None:
    files = Certificate.issue(folder)
    authority = folder / "authority.pem"
    files.authority.cert_pem.write_to_path(str(authority))
    options = ["--certfile", files.certfile, "--keyfile", files.keyfile]
    with command(folder, "chat:app", *PORT, *options) as program:
        url = url_of(program)
        assert url.startswith("https://")
        trust = ssl.create_default_context(cafile=str(authority))
        assert fetch(f"{url}scheme", context=trust) == "https"
        with RemoteClients("websocket", ca=authority) as clients:
            assert clients.connect(url, "/chat").ask("version") == ["one"]


# -- options -----------------------------------------------------------------------------------


def test_the_command_line_stands_above_the_environment(folder: Path) -> None:
    env = {
        "SOCKETIO_PORT": "0",
        "SOCKETIO_RESOURCE": "environ",
        "SOCKETIO_CLOSE_TIMEOUT": "33",
        "SOCKETIO_HEARTBEAT_TIMEOUT": "22",
    }
    with command(folder, "chat:app", "--heartbeat-timeout=44", env=env) as program:
        line = program.wait_for_line(START)
        assert line["path"] == "/environ/1/"
        handshake = fetch(f"{line['url']}environ/1/").split(":")
        assert handshake[1:3] == ["44", "33"]


@pytest.mark.parametrize(("option", "patched"), [(None, "True"), ("--no-patch", "False")])
def test_the_standard_library_is_patched_unless_it_shall_not_be(
    folder: Path, option: str | None, patched: str
) -> None:
    (folder / "early.py").write_text(
        "import ssl, threading\n"
        "from gevent import monkey\n"
        "patched_before = monkey.is_module_patched('ssl')\n"
        "from chat import app\n"
        "print('patched before the import:', patched_before, flush=True)\n"
    )
    with command(folder, "early:app", *PORT, *filter(None, [option])) as program:
        program.wait_for_line(f"patched before the import: {patched}")
        assert fetch(f"{url_of(program)}patched") == patched


def test_requests_are_logged_unless_they_shall_not_be(folder: Path) -> None:
    access = folder / "access.log"
    line = '"GET /patched HTTP/1.1" 200'
    with command(folder, "chat:app", *PORT) as program:
        fetch(f"{url_of(program)}patched")
        program.wait_for_line(line)
    with command(folder, "chat:app", *PORT, "--log-file", str(access)) as program:
        fetch(f"{url_of(program)}patched")
        eventually(lambda: line in access.read_text())
        assert line not in program.output()
    with command(folder, "chat:app", *PORT, "--no-access-log") as program:
        fetch(f"{url_of(program)}patched")
        program.signal(signal.SIGTERM)
        program.wait()
        assert line not in program.output()


def test_the_log_of_the_server_has_the_level_that_is_asked_for(folder: Path) -> None:
    logged = r"INFO socketio\.\w+: "
    for options, there in ((), True), (("--log-level", "warning"), False):
        with command(folder, "chat:app", *PORT, *options) as program:
            with RemoteClients() as clients:
                clients.connect(url_of(program), "/chat")
                program.wait_for_line("a client is here")
            if there:
                program.wait_for_line(logged)
            program.signal(signal.SIGTERM)
            assert program.wait() == 0
            assert (" INFO " in program.output()) is there


def test_an_application_that_configures_logging_keeps_its_format(folder: Path) -> None:
    (folder / "logged.py").write_text(
        "import logging\nlogging.basicConfig(format='own|%(name)s|%(message)s', level='INFO')\n"
        "from chat import app\n"
    )
    with command(folder, "logged:app", *PORT) as program, RemoteClients() as clients:
        clients.connect(url_of(program), "/chat")
        program.wait_for_line(r"^own\|socketio\.")
        assert " INFO socketio" not in program.output()


def test_an_application_can_be_checked_without_serving(folder: Path) -> None:
    assert finished(folder, "chat:app", "--check") == (0, "chat:app can be served\n")
    assert finished(folder, "chat:ap", "--check")[0] == 3
    assert finished(folder, "chat:app", "--check", "--transports", "x")[0] == 2
    assert finished(folder, "chat:app", "--check", "--certfile", "x")[0] == 1
