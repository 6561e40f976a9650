"""One server process: starting it, what it uses of the machine, and its end."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from benchmarks.errors import BenchError

__all__ = ["ServerProcess", "cores", "cpu_seconds_of", "pinned", "raise_file_limit"]

#: Which CPU clock of a process Linux is asked for: time on a core, all threads, in nanoseconds.
_CLOCK_OF_PROCESS = 2


def raise_file_limit() -> int:
    """Let this process and those it starts open as many files as the machine allows; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def cores() -> tuple[int | None, int | None]:
    """Return the core for the server and the one for the load, (None, None) if there is just one.

    The load gets the last core: the first one is where most machines handle their interrupts,
    which belong to the server's work.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else (None, None)


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on one core; None changes nothing."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds_of(pid: int) -> float:
    """Return user plus system time of one process, its threads included, in seconds.

    The clock of the process counts nanoseconds where there is one (Linux); the table of processes
    counts hundredths of a second, too coarse for a figure of one second.
    """
    if hasattr(time, "clock_gettime"):
        with contextlib.suppress(OSError):
            return time.clock_gettime((~pid << 3) | _CLOCK_OF_PROCESS)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class ServerProcess:
    """A server in a process of its own, as a context manager.

    The program prints its port as the first line and ends when its standard input is closed.

    Args:
        command: The program and its arguments.
        env: Variables added to the environment; None adds nothing.
        core: The core it has to stay on; None leaves that to the system.
        cwd: The directory it runs in; None is the present one.

    Attributes:
        port: Where it listens, on 127.0.0.1.
    """

    port: int

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        core: int | None = None,
        cwd: Path | None = None,
    ) -> None:
        with pinned(core):
            self._popen = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **(env or {})},
                cwd=cwd,
            )
        try:
            self.port = self._read_port(20.0)
            self._process = psutil.Process(self._popen.pid)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._popen.pid

    def cpu_seconds(self) -> float:
        """Return user plus system time of the process and of its children so far, in seconds."""
        return sum(cpu_seconds_of(process.pid) for process in self._family())

    def rss(self) -> int:
        """Return the resident memory of the process and of its children, in bytes."""
        return sum(int(process.memory_info().rss) for process in self._family())

    def settle(self, quiet: float = 0.1, limit: float = 5.0) -> None:
        """Wait until the process is idle: no CPU time to speak of in ``quiet`` seconds.

        Gives up after ``limit`` seconds: a server that never rests is measured all the same.
        """
        end = time.monotonic() + limit
        before = self.cpu_seconds()
        while time.monotonic() < end:
            time.sleep(quiet)
            now = self.cpu_seconds()
            if now - before < quiet / 50:
                return
            before = now

    def stop(self) -> None:
        """End the process: ask by closing its input, then insist. Doing it twice does no harm."""
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._popen.wait(3.0)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise BenchError(f"the server died, exit status {self._popen.poll()}") from None

    def _read_port(self, timeout: float) -> int:
        assert self._popen.stdout is not None
        ready, _, _ = select.select([self._popen.stdout], [], [], timeout)
        line = self._popen.stdout.readline() if ready else b""
        try:
            return int(line)
        except ValueError:
            raise BenchError(f"the server did not say its port but {line!r}") from None
