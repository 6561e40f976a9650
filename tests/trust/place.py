"""The server of a row, in a process of its own.

``python -m tests.trust.place JSON``: the settings are keywords of the server, ``_app`` names a
mapping of namespaces as ``module:name``. Prints its port. What it logs goes to the file ``_log``;
what comes on its standard error is a mistake. Ends with its standard input.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent.fileobject import FileObject

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


def rss() -> int:
    """Return the resident memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def vsz() -> int:
    """Return the virtual memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def process_stats(*, collect: bool) -> dict[str, int]:
    """Return what this process holds; ``collect`` counts after the garbage is gone."""
    if collect:
        gc.collect()
    greenlets = [thing for thing in gc.get_objects() if isinstance_of_greenlet(thing)]
    return {
        "greenlets": sum(1 for greenlet in greenlets if not greenlet.dead),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "rss": rss(),
        "vsz": vsz(),
        "cpu_ms": int(sum(os.times()[:2]) * 1000),
    }


def isinstance_of_greenlet(thing: object) -> bool:
    # Not isinstance(): it would ask proxies of servers that are gone for their class.
    return issubclass(type(thing), gevent.Greenlet)


class CanaryNamespace(BaseNamespace):
    """What the canary echoes on, whatever the row's own namespaces do."""

    def on_echo(self, number: int) -> int:
        return number


class Application:
    """Serves the namespaces, the page ``/`` and what the rows want to know."""

    server: SocketIOServer

    def __init__(self, namespaces: dict[str, Any], module: Any) -> None:
        self._namespaces = {**namespaces, "/canary": CanaryNamespace}
        self._module = module
        self.requests: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if "socketio" in environ:
            socketio_manage(environ, self._namespaces)
            return []
        status, body = "200 OK", b"the application's page"
        if path == "/trust/stats":
            collect = environ["QUERY_STRING"] == "collect"
            body = json.dumps(
                {**self.server.stats(), "process": process_stats(collect=collect)}
            ).encode()
        elif path == "/trust/hits":
            body = json.dumps(self.server.sockets[environ["QUERY_STRING"]].hits).encode()
        elif path == "/trust/facts":
            body = json.dumps(self._module.facts()).encode()
        else:
            self.requests.append(path)
            with contextlib.suppress(OSError):
                environ["wsgi.input"].read()
        if path == "/trust/requests":
            body = json.dumps(self.requests).encode()
        start_response(status, [("Content-Length", str(len(body)))])
        return [body]


def main() -> None:
    settings: dict[str, Any] = json.loads(sys.argv[1])
    log_path, app_name = settings.pop("_log"), settings.pop("_app")
    logging.basicConfig(
        filename=log_path, level=logging.INFO, format="%(levelname)s %(name)s %(message)s"
    )
    module = importlib.import_module(app_name.split(":")[0])
    namespaces = getattr(module, app_name.split(":")[1])
    if hasattr(module, "prepare"):
        settings = module.prepare(settings)
    application = Application(namespaces, module)
    server = SocketIOServer(("127.0.0.1", 0), application, log=None, **settings)
    application.server = server
    server.start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    control = FileObject(sys.stdin.buffer, "rb")
    for line in control:
        command = line.decode().strip()
        if command.startswith("stop"):
            server.stop(float(command.split()[1]))
            sys.stdout.write(json.dumps(process_stats(collect=True)) + "\n")
            sys.stdout.flush()
        elif command == "start":
            server.start()
            sys.stdout.write(f"{server.server_port}\n")
            sys.stdout.flush()
    server.stop(2)


if __name__ == "__main__":
    main()
