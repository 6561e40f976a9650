"""F50 and G16: stop() and signals, and clients, some in JavaScript, that come back after them."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.client import wait_for
from tests.returning import JS, JavaScriptClients
from tests.streams import EVERY
from tests.trust.rows import Figure, row
from tests.trust.rows_stop import (
    GRACE,
    TIMEOUT,
    all_back,
    clients_of,
    left_over,
    start,
    stop,
    told_once,
)
from tests.trust.stage import Child, Fault, Stage

_APP = "tests.trust.apps_life:namespaces"


class Served:
    """A process that runs ``serve()``.

    Args:
        port: To serve on; 0 means any.
    """

    resource = "socket.io"

    def __init__(self, port: int = 0) -> None:
        self.child = Child("tests.trust.apps_life", json.dumps({"port": port}))
        line = self.child.read_line()
        if not line.startswith("serving on http://127.0.0.1:"):
            raise Fault(f"serve() said {line!r}")
        self.server_port = int(line.rsplit(":", 1)[1])
        self._left = 0

    def signal(self, number: signal.Signals) -> tuple[float, dict[str, Any]]:
        """Send a signal; return the seconds until the process was gone, and what it noted."""
        begin = time.monotonic()
        self.child.process.send_signal(number)
        facts = json.loads(self.child.read_line())
        self._left = facts["process"]["greenlets"]
        wait_for(lambda: not self.child.alive, "the process ends")
        return time.monotonic() - begin, facts

    def faults(self) -> str:
        """Return what is wrong with how the process ended; "" is good."""
        status, said = self.child.process.returncode, self.child.errors()
        if status == 0 and not said and not self._left:
            return ""
        return f"exit status {status}, {self._left} greenlets left, stderr {said!r:.300}"

    def end(self) -> None:
        self.child.process.kill()
        self.child.end()


@row(
    "F50",
    "SIGTERM and SIGINT to serve() with live clients over all six transports",
    passes="exit status 0, nothing on stderr, each session told once, within the timeout",
    original="died at once with status 143, no recv_disconnect",
)
def signals(stage: Stage) -> Figure:
    number, told, slowest, faults, wanted = stage.number(60, least=6), 0, 0.0, "", 0
    for which in (signal.SIGTERM, signal.SIGINT):
        served = Served()
        try:
            with clients_of(served, EVERY, number) as clients:
                sessids = [client.sessids[0] for client in clients]
                seconds, facts = served.signal(which)
            told += told_once(facts, sessids)
            wanted += number
            slowest = max(slowest, seconds)
            faults += served.faults()
        finally:
            served.end()
    return Figure(
        told == wanted and not faults and slowest <= TIMEOUT + GRACE,
        f"{faults or 'exit status 0 twice, nothing on stderr or left'}, {told} of {wanted} told "
        f"once, gone within {slowest:.2f} s; standalone only: gunicorn comes with a later release",
    )


# -- 200 clients, some of them in JavaScript -------------------------------------------------------

_NODE_TRANSPORTS = ("websocket", "xhr-polling")


@contextmanager
def node_clients(server: Any, number: int) -> Iterator[list[JavaScriptClients]]:
    """Give two node processes, one for each transport of the 0.9 client there."""
    node = shutil.which("node")
    if node is None or not (JS / "node_modules" / "socket.io-client").is_dir():
        raise Fault("node and its socket.io-client are needed: apt-get install nodejs npm")
    url = f"http://127.0.0.1:{server.server_port}"
    command = [node, str(JS / "returning.js")]
    programs = [
        JavaScriptClients(command, url=url, transport=transport, number=number)
        for transport in _NODE_TRANSPORTS
    ]
    try:
        for program in programs:
            program.wait_for("answered", number)
        yield programs
        for program in programs:
            program.leave()
    finally:
        for program in programs:
            program.end()


def end_and_come_back(
    server: Any, number: int, in_js: int, end: Callable[[list[str]], tuple[int, float]]
) -> tuple[int, float, int]:
    """Have clients connect and come back after ``end``, which brings the next server.

    Args:
        server: The first server.
        number: Of clients in all.
        in_js: Of those, how many are in each node process.
        end: Ends the server and starts the next. Given the sessions of the Python clients, returns
            how many sessions ended as they should, and the seconds it took.

    Returns:
        What ``end`` returned, and how many clients came back.
    """
    with (
        node_clients(server, in_js) as programs,
        clients_of(server, EVERY, number - len(programs) * in_js) as clients,
    ):
        ended, seconds = end([client.sessids[0] for client in clients])
        back = all_back(clients)
        for program in programs:
            program.wait_for("answered", 2 * in_js)
            back += min(program.counts["reconnect"], in_js)
    return ended, seconds, back


def judge(facts: dict[str, Any], sessids: list[str], in_js: int) -> int:
    """Return how many sessions ended for the right reason; 0 if one was told twice."""
    stopped = int(facts["reasons"].get("server_stopping", 0))
    right = told_once(facts, sessids) == len(sessids) and stopped == len(sessids) + 2 * in_js
    return stopped if right else 0


def after_stop(stage: Stage, number: int, in_js: int) -> tuple[int, float, int, str]:
    """Have clients come back to a server that is stopped and started again.

    Returns:
        How many sessions ended as they should, the seconds it took, how many clients came back, and
        what was left over.
    """
    place = stage.serve(_APP)
    place.send_canary_home()
    quiet, left = place.settled(), []

    def end(sessids: list[str]) -> tuple[int, float]:
        seconds, held = stop(place, TIMEOUT)
        start(place)
        left.append(left_over(held, quiet))
        return judge(place.facts(), sessids, in_js), seconds

    return *end_and_come_back(place, number, in_js, end), "".join(left)


def after_signal(number: int, in_js: int) -> tuple[int, float, int, str]:
    """Have clients come back to the process that follows one that had a signal; as above."""
    served = [Served()]

    def end(sessids: list[str]) -> tuple[int, float]:
        seconds, facts = served[0].signal(signal.SIGTERM)
        served.append(Served(served[0].server_port))
        return judge(facts, sessids, in_js), seconds

    try:
        return *end_and_come_back(served[0], number, in_js, end), served[0].faults()
    finally:
        for server in served:
            server.end()


@row(
    "G16",
    "stop(5), and SIGTERM to serve(), with 200 clients over all six transports, 20 of them "
    "socket.io-client 0.9.17 in node",
    passes="200 sessions ended as server_stopping within 5.5 s, nothing left, all 200 clients back "
    "when a server is on the port again, by themselves",
    original="no recv_disconnect, no close frame; the sessions survived stop()",
    short=False,
)
def everyone_comes_back(stage: Stage) -> Figure:
    number, in_js = stage.number(200, least=16), stage.number(10, least=2)
    results = {
        "stop()": after_stop(stage, number, in_js),
        "SIGTERM": after_signal(number, in_js),
    }
    texts = [
        f"{how}: {ended} of {number} ended as server_stopping within {seconds:.2f} s, "
        f"{back} of {number} back ({2 * in_js} in node), {left or 'nothing left'}"
        for how, (ended, seconds, back, left) in results.items()
    ]
    good = all(
        ended == back == number and seconds <= TIMEOUT + GRACE and not left
        for ended, seconds, back, left in results.values()
    )
    return Figure(good, "; ".join(texts))
