"""Servers and tools that run in processes of their own while a test looks at what they print."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests import MEASURED

__all__ = ["TOP", "Subprogram", "free_port", "running"]

TOP = Path(__file__).resolve().parents[1]
DEADLINE = 60.0
"""Seconds after which waiting for a program is given up; never a measure of speed."""


class Subprogram:
    """A program under way. Standard output and error are one stream, in the order of writing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._text = ""
        self._ended = False
        self._news = threading.Condition()
        self._seen = 0
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._text += line
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def output(self) -> str:
        """Return everything it has printed so far."""
        with self._news:
            return self._text

    def wait_for_line(self, pattern: str) -> re.Match[str]:
        """Wait for text that matches, behind what was waited for before."""
        compiled = re.compile(pattern, re.MULTILINE)
        with self._news:
            self._news.wait_for(
                lambda: self._ended or compiled.search(self._text, self._seen), DEADLINE
            )
            found = compiled.search(self._text, self._seen)
            if found is None:
                how = "ended" if self._ended else f"did in {DEADLINE:g} s"
                raise AssertionError(f"{pattern!r} never came, the program {how}:\n{self._text}")
            self._seen = found.end()
            return found

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float = DEADLINE) -> int:
        """Wait for its end; returns its exit status, once all it printed is here."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.output()}") from None
        self._reader.join(DEADLINE)
        return status

    def running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it and all that it has started, and give everything back."""
        # Also when it has ended by itself: its children may not have.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(DEADLINE)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def running(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
) -> Iterator[Subprogram]:
    """Run a program in a process group of its own; at the end nothing of it is left.

    Args:
        argv: The program and its arguments.
        env: What its environment has beyond ours. This library can be imported in it.
        cwd: Where it runs; None: where we do.
    """
    path = os.pathsep.join(filter(None, [str(TOP), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
        env={**os.environ, **MEASURED, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(env or {})},
        start_new_session=True,
    )
    program = Subprogram(process)
    try:
        yield program
    finally:
        program.kill()


def free_port() -> int:
    """Return a port that nobody listens on, for programs that cannot choose one themselves."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
