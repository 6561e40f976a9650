"""The command: run the suite, print what it found, exit with 1 unless goal G4 is met."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from gevent import subprocess

from tests.autobahn.echo import echoing
from tests.autobahn.suites import SECTIONS, NoSuite, command, find_suite
from tests.autobahn.verdicts import passes, read_index, summary

_MOST_SECONDS = 1800


def run_suite(suite: Path, cases: list[str], folder: Path) -> None:
    """Run ``cases`` against a server of this process; the reports go into ``folder``."""
    with echoing() as server, (folder / "output.txt").open("wb") as output:
        url = f"ws://127.0.0.1:{server.server_port}"
        subprocess.run(
            command(suite, url, cases, folder),
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_MOST_SECONDS,
        )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.autobahn", description=__doc__)
    parser.add_argument("cases", nargs="*", default=SECTIONS, help="default: goal G4's sections")
    parser.add_argument("--suite", help="wstest or kosoku, or a path to one of them")
    parser.add_argument("--reports", type=Path, help="keep the reports in this folder")
    options = parser.parse_args(argv)
    try:
        suite = find_suite(options.suite)
    except NoSuite as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    folder = (options.reports or Path(tempfile.mkdtemp(prefix="autobahn-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    run_suite(suite, options.cases, folder)
    if not (folder / "index.json").exists():
        sys.stderr.write((folder / "output.txt").read_text(errors="replace"))
        return 2
    cases = read_index(folder / "index.json")
    sys.stdout.write("\n".join([f"{suite.name}, reports in {folder}:", *summary(cases), ""]))
    return 0 if passes(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
