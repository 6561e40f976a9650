"""The page of the documentation says what the command does."""

from __future__ import annotations

import re

from socketio.commandline.parser import PREFIX, Exit, make_parser
from tests.subprograms import TOP

PAGE = (TOP / "docs" / "commandline.rst").read_text(encoding="utf-8")


def test_the_exit_statuses_are_those_of_the_command() -> None:
    section = PAGE.split("Exit status\n")[1].split("\n\n")[1]
    rows = re.findall(r"^(\d+) +(.*)$", section, re.MULTILINE)
    assert [(int(value), text.replace("``", "")) for value, text in rows] == [
        (status.value, status.text) for status in Exit
    ]


def test_every_option_it_speaks_of_exists() -> None:
    known = make_parser("prog").format_help()
    spoken = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert len(spoken) >= 10
    assert {option for option in spoken if not re.search(rf"{option}\b", known)} == set()


def test_every_variable_it_speaks_of_is_one_of_an_option() -> None:
    for name in re.findall(rf"{PREFIX}([A-Z_]+)", PAGE):
        assert f"--{name.lower().replace('_', '-')} " in make_parser("prog").format_help()


def test_the_options_come_from_the_command_itself() -> None:
    assert ".. literalinclude:: _commandline_help.txt" in PAGE
