"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.install import ROOT, SERVERS
from benchmarks.machine import checkout, machine
from benchmarks.rows import ROWS, Effort
from benchmarks.run import Run
from benchmarks.server import raise_file_limit
from benchmarks.table import markdown, rst, tables, warnings

QUICK = Effort(warm_up=0.3, seconds=0.7, idle=1000)


def names(text: str, known: dict[str, Any]) -> list[str]:
    """Return the names of a comma-separated list, in the order of ``known``."""
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := wanted - set(known):
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}"
        )
    return [name for name in known if name in wanted]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Work per second of server CPU time, beside other Socket.IO servers. "
        "Installs those into .bench at the first run.",
    )
    parser.add_argument("--quick", action="store_true", help="one short round, under two minutes")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5)")
    parser.add_argument(
        "--rows", type=lambda text: names(text, ROWS), default=list(ROWS), metavar="A,B"
    )
    parser.add_argument(
        "--servers", type=lambda text: names(text, SERVERS), default=list(SERVERS), metavar="A,B"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure of every round")
    parser.add_argument("--format", choices=("markdown", "rst"), default="markdown")
    parser.add_argument("--list", action="store_true", help="name the rows and the servers")
    return parser.parse_args(arguments)


def show_names() -> None:
    """Print what there is to choose from."""
    for row in ROWS.values():
        print(f"{row.name:16} {row.title} ({row.unit})")
    print()
    for name in SERVERS:
        print(name)


def show(run: Run, layout: str) -> None:
    """Print the tables and what has to be known about them."""
    for title, grid in tables(run.results):
        print(
            f"\n{title}:\n\n{markdown(grid)}" if layout == "markdown" else f"\n{rst(grid, title)}"
        )
    print()
    for line in warnings(run.results):
        print(line)


def main(arguments: list[str] | None = None) -> int:
    """Run; returns the exit status, 1 if a figure of ours failed: of others the table says so."""
    options = parse(arguments)
    if options.list:
        show_names()
        return 0
    raise_file_limit()
    run = Run(
        rows=[ROWS[name] for name in options.rows],
        servers=[SERVERS[name] for name in options.servers],
        effort=QUICK if options.quick else Effort(),
        rounds=options.rounds or (1 if options.quick else 5),
    )
    run.prepare()
    about = {"machine": machine(), "checkout": checkout(ROOT), "versions": run.versions()}
    run.measure()
    show(run, options.format)
    if options.json:
        found = {**about, "absent": run.results.absent, "figures": run.raw}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(any("failure" in raw for raw in run.raw if raw["server"] == "ours"))


if __name__ == "__main__":
    sys.exit(main())
