"""The quickstart: what its page has its reader save and type."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.docs.tutorialreader import saves, types
from tests.integration.jsclients import install_packages
from tests.remote import RemoteClients
from tests.subprograms import TOP, running

EXAMPLES = TOP / "examples"
PAGE = "../quickstart"


def test_the_client_is_the_one_of_the_examples() -> None:
    command = types(PAGE)[0].command
    dependencies = json.loads((EXAMPLES / "package.json").read_text())["dependencies"]
    version = dependencies["socket.io-client"]
    assert command == f"npm install --ignore-scripts socket.io-client@{version}"


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_the_program_answers(transport: str, tmp_path: Path) -> None:
    install_packages(EXAMPLES)
    (tmp_path / "node_modules").symlink_to(EXAMPLES / "node_modules")
    (program,) = saves(PAGE)
    assert "port=8080" in program.text
    (tmp_path / program.name).write_text(program.text.replace("port=8080", "port=0"))
    _, line = types(PAGE)
    shown, _, port = line.seen.strip().rpartition(":")
    assert port == "8080"
    python, *arguments = shlex.split(line.command)
    assert python == "python"
    with running([sys.executable, *arguments], cwd=tmp_path) as process:
        url = process.wait_for_line(rf"^{shown.replace('.', '[.]')}:\d+$")[0].split()[-1]
        with RemoteClients(transport) as clients:
            ada = clients.connect(url)
            assert ada.ask("hello", "Ada") == ["The greeting is on its way."]
            assert ada.next("greeting") == ["Hello Ada! "]
