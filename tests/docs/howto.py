"""The samples of the how-to guides and of other pages: as modules, and as programs."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.jsclients import JS, find_node, install_packages
from tests.subprograms import TOP, Subprogram, running

__all__ = ["HOWTO", "PAGES", "load", "run_in_node", "serving_sample"]

HOWTO = TOP / "docs" / "samples" / "howto"
PAGES = TOP / "docs" / "samples" / "pages"
_numbers = itertools.count()


def load(path: Path) -> Any:
    """Import a sample anew, under a name that nothing else has."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_{next(_numbers)}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def serving_sample(path: Path, **env: str) -> Iterator[tuple[Subprogram, str]]:
    """Run a sample that serves, on a free port; yields the program and its URL."""
    with running([sys.executable, path], env={"PORT": "0", **env}) as program:
        yield program, program.wait_for_line(r"^serving on (http://\S+)$")[1]


def run_in_node(script: str, *arguments: str) -> str:
    """Run JavaScript, for which the 0.9 client is there as ``io``; returns what it prints."""
    install_packages(JS)
    begin = "(function (io) { io.transports.splice(0, 9, 'websocket');"
    program = (
        f"{begin}\n{script}\n}})(require('socket.io-client'));"  # a global io would be its own
    )
    done = subprocess.run(
        [find_node(), "-e", program, *arguments],
        cwd=JS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
