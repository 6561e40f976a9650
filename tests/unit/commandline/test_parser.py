"""``--help``: complete, and true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields

import gevent
import pytest

import socketio
from socketio.commandline import values
from socketio.commandline.parser import LOG_LEVELS, OPTIONS, VERSION, Exit, make_parser
from socketio.config import Settings
from socketio.connections import ConnectionServer
from socketio.options import KNOWN_OPTIONS
from tests.subprograms import TOP


@pytest.fixture(scope="module")
def help_text() -> str:
    """What ``--help`` says, its lines joined."""
    return re.sub(r"\s+", " ", make_parser("prog").format_help())


def entry(help_text: str, flag: str) -> str:
    """Return what is said about one option."""
    found = re.search(rf" {flag}(?:, --no-\S+| [A-Z:]+) (.*?)(?= --[a-z]|$)", help_text)
    assert found, flag
    return found[1]


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_a_setting_has_its_own_words_and_its_default(help_text: str, field: object) -> None:
    name, default = field.name, field.default  # type: ignore[attr-defined]
    said = entry(help_text, f"--{name.replace('_', '-')}")
    assert field.metadata["effect"] in said  # type: ignore[attr-defined]
    assert (f"(default: {default})" in said) == (default is not None)


@pytest.mark.parametrize("name", [name for name in KNOWN_OPTIONS if name != "namespace"])
def test_every_option_of_the_server_is_explained(help_text: str, name: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    assert len(entry(help_text, flag)) > 20
    assert "see SocketIOServer" not in entry(help_text, flag), "it wants a text in parser.py"


def test_the_groups_come_in_the_order_in_which_they_are_needed(help_text: str) -> None:
    titles = ["address:", "Socket.IO:", "server:", "timings", "limits", "TLS:", "log:"]
    places = [help_text.index(f" {title}") for title in [*titles, "development:", "examples:"]]
    assert places == sorted(places)


def test_the_first_lines_say_how_it_is_called(help_text: str) -> None:
    assert help_text.startswith("usage: prog [OPTION ...] MODULE:APPLICATION Serve a WSGI")


def test_the_exit_statuses_and_the_environment_are_in_it(help_text: str) -> None:
    for status in Exit:
        assert f" {status.value} {status.text}" in help_text
    assert "SOCKETIO_ORIGINS" in help_text
    assert all(level in help_text for level in LOG_LEVELS)


def test_what_is_said_about_the_defaults_of_gevent_and_of_the_server_is_true(
    help_text: str,
) -> None:
    assert ConnectionServer.stop_timeout == values._STOP_TIMEOUT
    assert f"(default: {ConnectionServer.stop_timeout:g})" in entry(help_text, "--stop-timeout")
    assert f"(default: {ConnectionServer.backlog})" in entry(help_text, "--backlog")


def test_no_option_is_there_twice_and_the_deprecated_one_not_at_all() -> None:
    assert len(set(OPTIONS)) == len(OPTIONS) == len(KNOWN_OPTIONS) - 1
    assert "namespace" not in OPTIONS


def test_the_lines_fit_a_terminal() -> None:
    assert max(map(len, make_parser("python -m socketio").format_help().splitlines())) <= 100


def test_the_versions_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        make_parser("prog").parse_args(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(
        f"gevent-socketio {VERSION}, gevent {gevent.__version__}"
    )
    assert ".".join(map(str, socketio.__version__)) == VERSION


def test_reading_the_command_line_loads_nothing_that_has_to_be_patched_before() -> None:
    code = (
        "import sys, socketio.commandline; print({'gevent', 'ssl', 'threading'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "gevent" not in done.stdout
    assert "ssl" not in done.stdout
