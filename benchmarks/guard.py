"""Counts the machine instructions of fixed pieces of work and compares them with what is recorded.

Seconds differ from run to run; the instructions of the same program hardly do. Valgrind counts
them, so that a change which costs a few percent is seen on a busy machine too. A count belongs to
one interpreter and one set of libraries: elsewhere it is printed and not judged.

``python -m benchmarks.guard`` compares, ``--update`` records.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.scenarios import SCENARIOS

__all__ = ["Record", "Row", "compare", "differences", "drift", "per_unit", "read_total", "table"]

RECORDED = Path(__file__).with_name("instructions.json")
TOLERANCE = 5.0
"""Percent of drift that is let pass."""

_TOTAL = re.compile(r"^(?:totals|summary): *(\d+)", re.MULTILINE)
_REPOSITORY = Path(__file__).resolve().parent.parent
# The function of the C library by which benchmarks.scenarios marks the end of a part.
_MARK = "getppid"
_NAMES = {
    "python": "Python",
    "compiler": "compiled by",
    "machine": "machine",
    "gevent": "gevent",
    "websockets": "websockets",
    "valgrind": "Valgrind",
}


class GuardError(Exception):
    """The instructions cannot be counted; the text says why."""


@dataclass(frozen=True)
class Record:
    """Instructions per unit of each scenario, and what they depend on."""

    conditions: Mapping[str, str]
    instructions: Mapping[str, int]

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read what ``save()`` has written; an empty record if there is no such file."""
        if not path.exists():
            return cls({}, {})
        content = json.loads(path.read_text())
        return cls(content["conditions"], content["instructions"])

    def save(self, path: Path) -> None:
        """Write the record, the same one always as the same text."""
        content = {"conditions": dict(self.conditions), "instructions": dict(self.instructions)}
        path.write_text(json.dumps(content, indent=2) + "\n")


@dataclass(frozen=True)
class Row:
    """One scenario in the table; None where a figure is missing."""

    name: str
    unit: str
    recorded: int | None
    now: int | None

    @property
    def drift(self) -> float | None:
        """How many percent more than recorded; None when there is nothing to compare."""
        return drift(self.recorded, self.now)

    @property
    def too_much(self) -> bool:
        """Whether it costs more than the tolerance allows."""
        return self.drift is not None and self.drift > TOLERANCE


# -- arithmetic ------------------------------------------------------------------------------------


def drift(recorded: int | None, now: int | None) -> float | None:
    """Return how many percent ``now`` is above ``recorded``, None when one of them is missing."""
    if not recorded or now is None:
        return None
    return (now - recorded) * 100 / recorded


def read_total(text: str) -> int:
    """Return the instructions that a callgrind file counts.

    Raises:
        GuardError: There is no total in it.
    """
    found = _TOTAL.search(text)
    if found is None:
        raise GuardError("valgrind wrote a file without a total")
    return int(found[1])


def per_unit(parts: list[int], scenario: str) -> int:
    """Return the instructions of one unit, from three parts: before, N steps and 2 N steps.

    What the marks and the loop cost is the same in both and so in neither.
    """
    _, once, twice = parts
    steps = SCENARIOS[scenario].steps
    return round((twice - once) / steps / SCENARIOS[scenario].units)


def differences(recorded: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return one line that says why the figures cannot be compared; "" if they can."""
    differing = [key for key in _NAMES if recorded.get(key) != here.get(key)]
    if not recorded or not differing:
        return "" if recorded else "nothing is recorded yet: --update does it"
    there = ", ".join(f"{_NAMES[key]} {recorded.get(key, 'unknown')}" for key in differing)
    present = ", ".join(f"{_NAMES[key]} {here.get(key, 'unknown')}" for key in differing)
    return f"not comparable: recorded with {there}; here {present}"


def compare(recorded: Record, now: Mapping[str, int], names: list[str]) -> list[Row]:
    """Return a row for each scenario."""
    return [
        Row(name, SCENARIOS[name].unit, recorded.instructions.get(name), now.get(name))
        for name in names
    ]


def table(rows: list[Row], *, judged: bool) -> str:
    """Return the rows as text; ``judged`` marks what drifted too far."""
    lines = [f"{'scenario':10} {'instructions per':16} {'recorded':>10} {'now':>10} {'drift':>8}"]
    for row in rows:
        change = "" if row.drift is None else f"{row.drift:+.1f} %"
        line = f"{row.name:10} {row.unit:16} {_number(row.recorded)} {_number(row.now)} {change:>8}"
        lines.append(f"{line}{_remark(row) if judged else ''}".rstrip())
    return "\n".join(lines)


def _number(value: int | None) -> str:
    return f"{'-' if value is None else format(value, ','):>10}"


def _remark(row: Row) -> str:
    if row.too_much:
        return f"  <- more than {TOLERANCE:g} % above"
    if row.drift is not None and row.drift < -TOLERANCE:
        return "  <- less than recorded: --update keeps it"
    return ""


# -- counting --------------------------------------------------------------------------------------


def conditions() -> dict[str, str]:
    """Return what the number of instructions depends on, beside the code."""
    return {
        "python": platform.python_version(),
        "compiler": platform.python_compiler(),
        "machine": platform.machine(),
        "gevent": version("gevent"),
        "websockets": version("websockets"),
        "valgrind": _valgrind_version(),
    }


def _valgrind_version() -> str:
    if shutil.which("valgrind") is None:
        return "missing"
    done = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("valgrind-") or "unknown"


def count(names: list[str]) -> dict[str, int]:
    """Return the instructions per unit of each scenario. Takes about half a minute for all.

    Raises:
        GuardError: Valgrind is missing, or failed.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise GuardError("valgrind is missing: apt-get install valgrind")
    return {name: _count_one(valgrind, name) for name in names}


def _count_one(valgrind: str, name: str) -> int:
    """Count one scenario in a process of its own: what ran before would be felt a little."""
    with tempfile.TemporaryDirectory() as folder:
        _run_counted(valgrind, f"{folder}/part", name)
        # The first is called part.1; what follows the last mark has no number and no interest.
        files = [Path(f"{folder}/part.{at}") for at in (1, 2, 3)]
        if not files[-1].exists():
            raise GuardError(f"valgrind did not see the calls of {_MARK}()")
        return per_unit([read_total(file.read_text()) for file in files], name)


def _run_counted(valgrind: str, target: str, name: str) -> None:
    command = [
        *(valgrind, "--tool=callgrind", f"--callgrind-out-file={target}"),
        f"--dump-before={_MARK}",
        *(sys.executable, "-m", "benchmarks.scenarios", "--count", name),
    ]
    # Nothing of ours besides: where the stack begins depends on how much the environment holds.
    surroundings = {"PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command, cwd=_REPOSITORY, env=surroundings, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise GuardError(f"the counted run failed: {' '.join(last)}")


def run(names: list[str], path: Path, *, update: bool, strict: bool) -> int:
    """Print the table and return the exit code."""
    recorded, here = Record.load(path), conditions()
    obstacle, now = differences(recorded.conditions, here), {}
    try:
        now = count(names)
    except GuardError as exc:
        obstacle = f"not compared: {exc}"
    rows = compare(recorded, now, names)
    print(table(rows, judged=not obstacle))
    if update and now:
        kept = {} if obstacle else recorded.instructions
        Record(here, {**kept, **now}).save(path)
        print(f"recorded in {path.name}")
        return 0
    if obstacle:
        print(obstacle)
        return 2 if strict else 0
    return int(strict and any(row.too_much for row in rows))


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--update", action="store_true", help="record the figures of this run")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 when a scenario costs too much, with 2 when that cannot be told",
    )
    options = parser.parse_args()
    names = options.names or list(SCENARIOS)
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return run(names, RECORDED, update=options.update, strict=options.strict)


if __name__ == "__main__":
    sys.exit(main())
