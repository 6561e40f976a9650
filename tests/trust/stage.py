"""What a row stands on: servers in processes of their own, each with a canary."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import gevent.fileobject
from gevent import socket as gsocket

from tests.client import wait_for

__all__ = ["CANARY_LIMIT_MS", "Fault", "Place", "Stage"]

CANARY_LIMIT_MS = 250.0
# How long what a row opened may take to be given back when it is through.
_GIVEN_BACK_SECONDS = 10.0


class Fault(AssertionError):
    """Something that holds for every row did not hold."""


class Child:
    """A process that talks over its standard streams, one line at a time."""

    def __init__(self, module: str, argument: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        assert self.process.stdout is not None
        self._lines = gevent.fileobject.FileObject(self.process.stdout, "rb", close=False)

    def read_line(self) -> str:
        with gevent.Timeout(60, Fault(f"no answer of {self.process.args}")):
            line = self._lines.readline()
        if not line:
            raise Fault(f"{self.process.args} has ended: {self.errors()[-2000:]}")
        return str(line.decode().strip())

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def errors(self) -> str:
        """Return what it wrote to its standard error."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            with gevent.Timeout(10, False):
                wait_for(lambda: not self.alive)
            if self.alive:
                raise Fault(f"{self.process.args[2]} does not end")
        finally:
            self.process.kill()
            self.process.wait()
            self._lines.close()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self._errors.close()


class Place:
    """A server in a process of its own; the clients of the tests take it for a server of theirs.

    Args:
        app: ``module:name`` of its mapping of namespaces.
        settings: Keywords of the server.
    """

    resource = "socket.io"

    def __init__(self, app: str, settings: dict[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.log_path = Path(self._folder.name) / "log"
        settings = {**settings, "_app": app, "_log": str(self.log_path)}
        self.child = Child("tests.trust.place", json.dumps(settings))
        self.server_port = int(self.child.read_line())
        self._canary: Child | None = Child("tests.trust.canary", str(self.server_port))
        self._canary.read_line()
        self.worst_ms = 0.0
        """The canary's worst round trip in the last row."""
        self.baseline = self.counts()

    def counts(self) -> dict[str, int]:
        """Return what is to be the same before and after a row."""
        stats = self.stats(collect=True)
        process = stats["process"]
        return {
            "sessions": stats["sessions"]["total"],
            "greenlets": process["greenlets"],
            "descriptors": process["descriptors"],
        }

    def ask(self, path: str) -> Any:
        """Return the JSON that the application answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server_port)
        connection.sock = gsocket.create_connection(("127.0.0.1", self.server_port), timeout=60)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stats(self, *, collect: bool = False) -> dict[str, Any]:
        """Return ``server.stats()``, with ``process`` besides."""
        answer: dict[str, Any] = self.ask("/trust/stats" + ("?collect" if collect else ""))
        return answer

    def facts(self) -> dict[str, Any]:
        """Return what the application noted."""
        answer: dict[str, Any] = self.ask("/trust/facts")
        return answer

    def hits(self, sessid: str) -> int:
        """Return how many requests of a session have come in."""
        return int(self.ask(f"/trust/hits?{sessid}"))

    def requests(self) -> list[str]:
        """Return the paths that reached the application as ordinary requests."""
        answer: list[str] = self.ask("/trust/requests")
        return answer

    def log(self) -> str:
        """Return what the server logged."""
        return self.log_path.read_text("utf-8", "replace")

    def lap(self) -> float:
        """Return the canary's worst round trip since the last call, in milliseconds."""
        if self._canary is None:
            return 0.0
        self._canary.say("lap")
        return float(self._canary.read_line().split()[0])

    def send_canary_home(self) -> None:
        """End the canary, for rows that end the server."""
        if self._canary is not None:
            self._canary.end()
            self._canary = None

    def begin(self) -> None:
        """Take the counts that the end of the row is compared with."""
        self.lap()
        self.baseline = self.settled()

    def settled(self) -> dict[str, int]:
        """Return the counts when what came before is gone."""
        before: dict[str, int] = {}

        def unchanged() -> bool:
            nonlocal before
            last, before = before, self.counts()
            return last == before

        wait_for(unchanged, "the counts settle")
        return before

    def check(self) -> None:
        """Check what holds for every row; raises Fault.

        The process lives, its standard error is empty, the canary was answered in time, sessions,
        greenlets and descriptors are what they were.
        """
        self.worst_ms = self.lap()
        if not self.child.alive:
            raise Fault("the server's process has died")
        if self.child.errors():
            raise Fault(f"on the server's standard error: {self.child.errors()[:1000]}")
        self._check_given_back()
        if self.worst_ms >= CANARY_LIMIT_MS:
            raise Fault(f"the canary waited {self.worst_ms:.0f} ms")

    def _check_given_back(self) -> None:
        end = time.monotonic() + _GIVEN_BACK_SECONDS
        while True:
            counts = self.counts()
            if all(counts[name] <= self.baseline[name] for name in counts):
                return
            if time.monotonic() > end:
                raise Fault(f"not given back: {counts}, before: {self.baseline}")
            gevent.sleep(0.05)

    def end(self) -> None:
        self.send_canary_home()
        self.child.end()
        self._folder.cleanup()


class Stage:
    """Gives rows their servers, and ends those.

    Args:
        scale: 1 for the full form; numbers of attempts are multiplied with it.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.worst_ms = 0.0
        """The canary's worst round trip of all places of this row."""
        self._shared: Place | None = None
        self._own: list[Place] = []
        self._used: list[Place] = []

    def number(self, full: int, least: int = 1) -> int:
        """Return how many of ``full`` attempts are made in this form."""
        return max(least, round(full * self.scale))

    def shared(self) -> Place:
        """Return the server with default settings and the application of :mod:`tests.trust.apps`.

        Rows that leave it as they found it share it.
        """
        if self._shared is None:
            self._shared = Place("tests.trust.apps:namespaces", {})
        if self._shared not in self._used:
            self._shared.begin()
            self._used.append(self._shared)
        return self._shared

    def serve(self, app: str = "tests.trust.apps:namespaces", **settings: Any) -> Place:
        """Return a server for this row alone."""
        place = Place(app, settings)
        self._own.append(place)
        self._used.append(place)
        place.begin()
        return place

    def end_row(self, *, failed: bool) -> None:
        """Check every server of the row and end those of its own; raises Fault."""
        try:
            for place in self._used:
                if not failed:
                    place.check()
                self.worst_ms = max(self.worst_ms, place.worst_ms)
        finally:
            broken = failed or sys.exc_info()[0] is not None
            for place in self._own:
                place.end()
            if broken and self._shared is not None:
                self._shared.end()
                self._shared = None
            self._own, self._used = [], []

    def run(self, action: Callable[[Stage], Any]) -> Any:
        """Run one row; raises Fault, and whatever it raises."""
        self.worst_ms = 0.0
        failed = True
        try:
            result = action(self)
            failed = False
        finally:
            self.end_row(failed=failed)
        return result

    def end(self) -> None:
        if self._shared is not None:
            self._shared.end()
