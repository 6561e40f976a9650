"""The last chapter of the tutorial: the service, nginx in front of it, and gunicorn."""

from __future__ import annotations

import contextlib
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.tutorialreader import CHAPTERS, Reader, log_in, saves, serves, types
from tests.integration.proxied import Certificate, find_program
from tests.integration.proxiedservers import wait_until
from tests.integration.proxyasking import HERE, ask
from tests.remote import RemoteClients, RemoteError
from tests.subprograms import free_port, running

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    {paths}
    access_log off;
    gzip on;
    include {folder}/chat.conf;
}}
"""
COMMANDS = [step.command for step in types("world")]
UNIT, SITE = (step.text for step in saves("world"))


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """The reader, who has come to the last chapter and saved its files."""
    reader = Reader(tmp_path)
    reader.read(*CHAPTERS[:5])
    for step in saves("world"):
        reader.save(step)
    return reader


def entry(name: str) -> list[str]:
    """Return the values of one line of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.M)


def secret(reader: Reader) -> str:
    """Make the secret as the page says; what root does with it is left out."""
    (line,) = (command for command in COMMANDS if "token_hex" in command)
    command, _, target = line.partition(" | sudo tee ")
    assert [target] == entry("EnvironmentFile")
    made = subprocess.check_output(["bash", "-c", command], env=reader.env, encoding="utf-8")
    assert re.fullmatch(r"FLASK_SECRET_KEY=\w{64}\n", made)
    return made.strip()


@contextlib.contextmanager
def service(reader: Reader) -> Iterator[int]:
    """Run what the unit runs, with the environment that it gives; gives the port."""
    variables = [secret(reader), *entry("Environment")]
    (command,) = entry("ExecStart")
    argv = command.replace("/srv/chat/venv/bin/python", sys.executable).split()
    env = dict(variable.split("=", 1) for variable in variables)
    with running(argv, cwd=reader.folder, env={**env, "SOCKETIO_PORT": "0"}) as program:
        yield int(program.wait_for_line(r"serving chat:app on http://127\.0\.0\.1:(\d+)")[1])


@contextlib.contextmanager
def nginx(server: int) -> Iterator[tuple[str, int, Certificate]]:
    """Run nginx before a server; gives its URL, the port of plain HTTP, and the certificate."""
    plain, secure = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificate = Certificate.issue(folder)
        text = SITE
        for old, new in {
            "listen 80;": f"listen {HERE}:{plain};",
            "listen 443 ssl;": f"listen {HERE}:{secure} ssl;",
            "/etc/ssl/chat.example.com/fullchain.pem": str(certificate.chain),
            "/etc/ssl/chat.example.com/privkey.pem": str(certificate.key),
            "http://127.0.0.1:8080": f"http://127.0.0.1:{server}",
        }.items():
            assert old in text
            text = text.replace(old, new)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        folder.joinpath("chat.conf").write_text(text)
        folder.joinpath("nginx.conf").write_text(NGINX.format(folder=folder, paths=paths))
        argv = [find_program("nginx"), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        with running(argv) as program:

            def listens() -> bool:
                assert program.running(), program.output()
                with contextlib.suppress(OSError):
                    return ask(plain, "/").status == 301
                return False

            wait_until(listens, "nginx listens")
            yield f"https://{HERE}:{secure}", plain, certificate


def test_the_service_is_reached_over_tls_with_its_own_secret(reader: Reader) -> None:
    with service(reader) as port, nginx(port) as (url, _, certificate):
        tls = ssl.create_default_context(cafile=certificate.authority)
        headers, cookie = log_in(url, "ada", "engine", tls)
        assert "; Secure" in cookie
        with RemoteClients("websocket", ca=certificate.authority, headers=headers) as clients:
            ada = clients.connect(url, "/chat")
            assert ada.ask("join", "kitchen") == [[]]
            assert ada.ask("say", "1", "hello") == [True]
            assert ada.next("said") == ["1", "ada", "hello"]


def test_who_knows_the_secret_of_the_tutorial_does_not_come_in(reader: Reader) -> None:
    forge = (
        "import chat; chat.app.secret_key = 'for development';"
        "signer = chat.app.session_interface.get_signing_serializer(chat.app);"
        "print(signer.dumps({'user': 'ada'}))"
    )
    argv = [sys.executable, "-c", forge]
    forged = subprocess.check_output(argv, cwd=reader.folder, encoding="utf-8").strip()
    with (
        service(reader) as port,
        RemoteClients("xhr-polling", headers={"Cookie": f"session={forged}"}) as clients,
        pytest.raises(RemoteError, match="unauthorized"),
    ):
        clients.connect(f"http://127.0.0.1:{port}", "/chat")


def test_systemd_understands_the_unit(reader: Reader) -> None:
    unit = reader.folder / "chat.service"
    unit.write_text(UNIT.replace("/srv/chat/venv/bin/python", sys.executable))
    analyze = find_program("systemd-analyze")
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    # It looks at the units that ours wants, too.
    ours = [line for line in f"{done.stdout}{done.stderr}".splitlines() if unit.name in line]
    assert (done.returncode, ours) == (0, [])


def test_what_root_copies_is_there(reader: Reader) -> None:
    copies = [shlex.split(command)[2:] for command in COMMANDS if " cp " in command]
    for words in copies:
        *sources, target = [word for word in words if not word.startswith("-")]
        assert all(reader.folder.joinpath(source).exists() for source in sources)
        assert target in ("/srv/chat", "/etc/systemd/system", "/etc/nginx/conf.d")
    assert len(copies) == 3
    assert entry("WorkingDirectory") == ["/srv/chat"]


def test_gunicorn_serves_it_too(reader: Reader) -> None:
    (line,) = (step for step in types("world") if serves(step))
    (export,) = (step for step in types("world") if step.command.startswith("export "))
    reader.type(export)
    with reader.serving(line) as (_, url):
        headers, _ = log_in(url, "bob", "shovel")
        assert headers
        assert ask(int(url.rpartition(":")[2]), "/socket.io/socket.io.js").status == 200
        with RemoteClients(headers=headers) as clients:
            assert clients.connect(url, "/chat").next("rooms")
