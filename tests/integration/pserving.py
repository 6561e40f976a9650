"""Pyramid's ``pserve`` and files for it, made of the one in ``examples/simple_pyramid_chat``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.integration.chatting import needs
from tests.integration.jsclients import install_packages
from tests.subprograms import TOP
from tests.tools import missing

__all__ = ["CLIENT", "EXAMPLE", "PYRAMID_CHAT", "ini", "pserve"]

EXAMPLE = TOP / "examples" / "simple_pyramid_chat"
"""Where the example is."""
CLIENT = TOP / "examples/node_modules/socket.io-client/dist/socket.io.js"
PYRAMID_CHAT = os.pathsep.join([str(TOP), str(EXAMPLE)])
"""A PYTHONPATH with the example in it, and with us."""


def pserve() -> Path:
    """Return the path of the program."""
    needs("pyramid", "pyramid_tm", "zope.sqlalchemy", "paste.deploy", "plaster_pastedeploy")
    program = Path(sys.executable).with_name("pserve")
    return program if program.is_file() else missing("pserve")


def ini(folder: Path, *changes: tuple[str, str]) -> Path:
    """Return the example's own .ini file, on a free port and with its database in ``folder``.

    Args:
        folder: Where it is put.
        changes: What else is replaced in it, and by what.
    """
    install_packages(TOP / "examples")
    text = (EXAMPLE / "development.ini").read_text()
    # The database stays with the file, the client stays where it is.
    ours = (("port = 8080", "port = 0"), ("%(here)s/..", str(EXAMPLE.parent)))
    for old, new in (*ours, *changes):
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "test.ini"
    file.write_text(text)
    return file
