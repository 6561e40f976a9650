"""Two programs that know the cases: the suite itself, and a port of it to a living Python.

The suite, ``wstest`` of the package autobahntestsuite, needs Python 2.7. The package kosoku runs
the same case files from a runner of its own and is there for everybody else. Both leave an
``index.json`` behind, with the same keys.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

SECTIONS = [f"{number}.*" for number in (1, 2, 3, 4, 5, 6, 7, 10)]
NAMES = ("wstest", "kosoku")


class NoSuite(Exception):
    """There is no program to run the cases with."""


def find_suite(wanted: str | None) -> Path:
    """Return the program to run: the one that was named, else the first there is."""
    beside = str(Path(sys.executable).parent)
    for name in [wanted] if wanted else [os.environ.get("WSTEST"), *NAMES]:
        found = name and (shutil.which(name) or shutil.which(name, path=beside))
        if found:
            return Path(found)
    missing = f"There is no {wanted}" if wanted else "The Autobahn Testsuite is not installed"
    raise NoSuite(
        f"{missing}: pip install kosoku, or autobahntestsuite into an environment of Python 2.7 "
        "whose wstest the variable WSTEST then names."
    )


def command(suite: Path, url: str, cases: list[str], folder: Path) -> list[str]:
    """Return the command line that runs ``cases`` against ``url``, reporting into ``folder``."""
    if suite.name == "kosoku":
        chosen = [word for case in cases for word in ("--include", case)]
        return [str(suite), "--mode", "fuzzingclient", *chosen, "--outdir", str(folder), url]
    spec = folder / "spec.json"
    spec.write_text(json.dumps(_spec(url, cases, folder)), encoding="utf-8")
    return [str(suite), "--mode", "fuzzingclient", "--spec", str(spec)]


def _spec(url: str, cases: list[str], folder: Path) -> dict[str, object]:
    return {
        "outdir": str(folder),
        "servers": [{"agent": "gevent-socketio", "url": url}],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
