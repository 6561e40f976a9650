"""Servers behind a proxy, in processes of their own: one that serves, and one that fails."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.proxyasking import DEADLINE, HERE
from tests.subprograms import Subprogram, free_port, running


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Poll for a condition; returns its first true value."""
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)
    return value


class Backend:
    """A server behind a proxy.

    Args:
        listen: Port, or path of a Unix socket; 0 takes a free port and keeps it.
        name: What it calls itself.
        proxies: Whom it trusts.
        settings: Other options of the server.
    """

    def __init__(
        self,
        listen: int | Path = 0,
        name: str = "one",
        proxies: str | None = HERE,
        **settings: object,
    ) -> None:
        self.port = listen if isinstance(listen, int) else 0
        if listen == 0:
            self.port = free_port()
        self._bind = f"{HERE}:{self.port}" if self.port else f"unix:{listen}"
        self._env = {"SERVER_NAME": name}
        if proxies is not None:
            settings["trusted_proxies"] = proxies
        for option, value in settings.items():
            self._env[f"SOCKETIO_{option.upper()}"] = str(value)
        self._life: contextlib.ExitStack
        self.process: Subprogram

    def __enter__(self) -> Backend:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()

    def start(self) -> None:
        """Start it; it serves when this returns."""
        application = "tests.integration.proxiedapp:app"
        argv = [sys.executable, "-m", "socketio", application, "--bind", self._bind]
        with contextlib.ExitStack() as life:
            self.process = life.enter_context(running(argv, env=self._env))
            self.process.wait_for_line("serving .* on ")
            self._life = life.pop_all()

    def stop(self) -> None:
        """Have it stop as an init system does, and wait."""
        self.process.signal(signal.SIGTERM)
        assert self.process.wait() == 0, self.process.output()
        self._life.close()

    def restart(self) -> None:
        """Replace it by another process, as a new version of the application would be."""
        self.stop()
        self.start()


# Reads a request up to its last words and hangs up, whatever it was.
_MUTE = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    sock, _ = listener.accept()
    sock.settimeout(60)
    data = b""
    while not data.endswith((b"the end", b"\\r\\n\\r\\n")) and (piece := sock.recv(65536)):
        data += piece
    if data:
        print("asked", data[:4].decode(), flush=True)
    sock.close()
"""


class Mute:
    """A server that does not answer: it may have handled the request, or not."""

    def __init__(self) -> None:
        self.port = free_port()
        self._life: contextlib.ExitStack
        self._process: Subprogram

    def __enter__(self) -> Mute:
        with contextlib.ExitStack() as life:
            argv = [sys.executable, "-c", _MUTE, str(self.port)]
            self._process = life.enter_context(running(argv))
            self._process.wait_for_line("ready")
            self._life = life.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()

    def asked(self, method: str) -> int:
        """Return how many such requests it has had."""
        return self._process.output().count(f"asked {method}")
