"""A live graph of how busy this machine's processors are: one measurement, told to every client.

The sampler measures for all clients together. It is one greenlet, however many people watch: it
begins with the first of them and ends with the last, so that nobody watching costs nothing.

Run it with ``python examples/live_cpu_graph``.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
import psutil
from whitenoise import WhiteNoise

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer, serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["CpuNamespace", "Sampler", "main", "make_application"]

HERE = Path(__file__).resolve().parent
LOOK = HERE.parent / "look"
PACKAGES = HERE.parent / "node_modules"
CLIENT = PACKAGES / "socket.io-client" / "dist" / "socket.io.js"
CHART = PACKAGES / "uplot" / "dist"

ENDPOINT = "/cpu"
HISTORY = 120
"""How many samples are kept: what a graph shows at most."""


class Sampler:
    """Measures once per interval while anybody watches, and tells all who do.

    Args:
        interval: Seconds between two samples.
    """

    def __init__(self, interval: float = 1) -> None:
        self.interval = interval
        self.samples: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self._viewers: set[CpuNamespace] = set()
        self._job: gevent.Greenlet[..., None] | None = None
        # Use is what was busy since the last look: without this one the first sample were zero.
        psutil.cpu_percent(percpu=True)

    @property
    def running(self) -> bool:
        """Whether the sampler is at work."""
        return self._job is not None and not self._job.dead

    def add(self, viewer: CpuNamespace) -> None:
        """Begin to measure, unless that goes on already for somebody else."""
        self._viewers.add(viewer)
        if not self.running:
            self._job = gevent.spawn(self._run, viewer.socket.server)

    def remove(self, viewer: CpuNamespace) -> None:
        """Stop measuring, unless somebody else watches."""
        self._viewers.discard(viewer)
        if not self._viewers and self._job is not None:
            self._job.kill(block=False)
            self._job = None

    def history(self) -> dict[str, Any]:
        """Return what a new viewer begins with."""
        return {
            "samples": list(self.samples),
            "interval": self.interval,
            "seconds": self.interval * HISTORY,
        }

    def _run(self, server: SocketIOServer) -> None:
        while True:
            gevent.sleep(self._until_due())
            self.samples.append(measure())
            server.emit("sample", self.samples[-1], namespace=ENDPOINT)

    def _until_due(self) -> float:
        # Counted from the last sample, not from our start: when the only viewer loads the page
        # again, a measurement over the milliseconds in between would be noise.
        if not self.samples:
            return 0
        passed: float = time.time() - self.samples[-1]["time"]
        return min(max(self.interval - passed, 0), self.interval)


def measure() -> dict[str, Any]:
    """Return how busy the processors were since the last call; it takes microseconds."""
    cores = psutil.cpu_percent(percpu=True)
    return {
        "time": time.time(),
        "total": round(sum(cores) / len(cores), 1),
        "cores": cores,
        "load": [round(load, 2) for load in psutil.getloadavg()],
    }


class CpuNamespace(BaseNamespace):
    """One viewer."""

    def recv_connect(self) -> None:
        """Called by the library when the client is there; also after it has reconnected."""
        self.emit("history", self.request.history())
        self.request.add(self)

    def recv_disconnect(self) -> None:
        """Called by the library when the client is gone, whatever the way it went."""
        self.request.remove(self)
        super().recv_disconnect()


def make_application(sampler: Sampler) -> WhiteNoise:
    """Return the page and its sockets as one WSGI application."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "socketio" in environ:  # the call lasts as long as the client stays
            socketio_manage(environ, {ENDPOINT: CpuNamespace}, request=sampler)
            return []
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"not found\n"]

    files = WhiteNoise(application, root=HERE / "static", index_file=True)
    files.add_files(LOOK)
    files.add_files(CHART, prefix="uplot")
    return files


def main() -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM."""
    interval = max(float(os.environ.get("INTERVAL", "1")), 0.1)
    serve(
        make_application(Sampler(interval)),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=os.environ.get("PORT", "8080"),
        origins=os.environ.get("ORIGINS"),  # None: pages of this server alone
        client_js=CLIENT,
    )


if __name__ == "__main__":
    main()
