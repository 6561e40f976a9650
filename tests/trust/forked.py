"""A process that has a hub and a server, and then forks: what a preloading supervisor does.

``python -m tests.trust.forked "CHILDREN IDS FOLDER"``: the parent and each of its children print a
line of JSON: the file where session ids are and, for the children, the port they serve on. Ends
with its standard input.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import gevent
from gevent.fileobject import FileObject

from socketio.server import SocketIOServer
from tests.client import make_app
from tests.trust.apps import namespaces


def write_ids(server: Any, count: int, folder: Path) -> str:
    """Write ids of new sessions, as a handshake gets them, to a file; return its path."""
    path = folder / str(os.getpid())
    with path.open("w") as file:
        for _ in range(count):
            socket = server.get_socket()
            file.write(f"{socket.sessid}\n")
            socket.detach()
    return str(path)


def tell(**what: Any) -> None:
    # One write for each line: several processes share the pipe.
    os.write(1, json.dumps(what).encode() + b"\n")


def serve(count: int, folder: Path) -> None:
    """Be a worker: serve until the standard input, which all processes share, ends."""
    gevent.reinit()
    random.seed(0)  # whatever an application does to the other generator is no matter
    server = SocketIOServer(("127.0.0.1", 0), make_app(namespaces), log=None)
    server.start()
    tell(port=server.server_port, ids=write_ids(server, count, folder))
    FileObject(sys.stdin.buffer, "rb").read()
    server.stop(2)


def main() -> None:
    first, second, third = sys.argv[1].split(" ", 2)
    children, count, folder = int(first), int(second), Path(third)
    # The hub runs, and a server and its sessions are there before the fork.
    random.seed(0)
    server = SocketIOServer(("127.0.0.1", 0), make_app(namespaces), log=None)
    server.start()
    gevent.sleep(0)
    tell(ids=write_ids(server, count, folder))
    server.stop(0)
    pids = []
    for _ in range(children):
        pid = os.fork()
        if not pid:
            serve(count, folder)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
