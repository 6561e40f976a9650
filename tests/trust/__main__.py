"""Runs the rows of the fault matrix and the goals, prints a line for each.

``python -m tests.trust [--short] [--json FILE] [ROW ...]``; exits with 1 when a row falls short.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.trust import matrix
from tests.trust.rows import ROWS, Figure, Row
from tests.trust.stage import Stage

_SHORT = 0.02


def run_row(row: Row, stage: Stage) -> dict[str, Any]:
    """Run ``row`` and return its result as the JSON has it."""
    begin = time.monotonic()
    try:
        figure = stage.run(row.run)
    except Exception as exc:
        figure = Figure(False, f"{type(exc).__name__}: {exc}"[:600])
    return {
        "name": row.name,
        "title": row.title,
        "passes": row.passes,
        "original": row.original,
        "figure": figure.text,
        "ok": figure.ok,
        "canary_ms": round(stage.worst_ms, 1),
        "seconds": round(time.monotonic() - begin, 1),
    }


def print_line(result: dict[str, Any]) -> None:
    verdict = "pass" if result["ok"] else "FAIL"
    canary = f"canary {result['canary_ms']:.0f} ms, " if result["canary_ms"] else ""
    sys.stdout.write(
        f"{verdict} {result['name']:4} {result['title']}: {result['figure']} "
        f"[{canary}{result['seconds']} s]\n"
    )
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer attempts, fewer rows")
    parser.add_argument("--json", type=Path, help="where the results are kept")
    parser.add_argument("rows", nargs="*", help="names of rows, such as F6; all by default")
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(matrix.names())}")
    # The servers and their canaries go first; this process only makes trouble.
    os.nice(5)
    stage = Stage(_SHORT if options.short else 1.0)
    begin, results = time.monotonic(), []
    try:
        for row in matrix.in_order():
            if row.name in options.rows or (not options.rows and (row.short or not options.short)):
                results.append(run_row(row, stage))
                print_line(results[-1])
    finally:
        stage.end()
    seconds = round(time.monotonic() - begin)
    if not (options.short or options.rows):
        for result in matrix.conclusions(results, seconds):
            results.append(result)
            print_line(result)
        for name, why in matrix.ELSEWHERE.items():
            sys.stdout.write(f"not here {name}: {why}\n")
    passed = sum(result["ok"] for result in results)
    if options.json:
        form = "short" if options.short else "full"
        report = {"form": form, "seconds": seconds, "rows": results, "elsewhere": matrix.ELSEWHERE}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    sys.stdout.write(f"{passed} of {len(results)} rows hold, {seconds} s\n")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
