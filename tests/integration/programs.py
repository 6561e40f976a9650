"""Programs under test, in processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def program(*argv: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run Python with ``argv``; kill it at the end if it is still there."""
    env = {**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        cwd=TOP,
    ) as process:
        killer = threading.Timer(60, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line that the program prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def run(*argv: str | Path) -> tuple[int, str, str]:
    """Run a program to its end; returns exit status, output and errors."""
    with program(*argv) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err
