"""This library with one feature more than in ``ours.py``: ``features.py FEATURE FOLDER``."""

from __future__ import annotations

import logging
import os
import ssl
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gevent.socket import wait_read

from benchmarks.features_tls import SERVER_PEM
from benchmarks.servers.ours import Bench, json_options
from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

__all__ = ["SETUPS", "Setup"]

log = logging.getLogger("benchmarks")


@dataclass(slots=True)
class Setup:
    """How a server differs from the plain one.

    Attributes:
        server: Arguments of the server.
        manage: Arguments of ``socketio_manage()``.
        namespace: What handles the events.
        metrics: Whether ``/metrics`` tells its numbers.
    """

    server: dict[str, Any] = field(default_factory=dict)
    manage: dict[str, Any] = field(default_factory=dict)
    namespace: type[BaseNamespace] = Bench
    metrics: bool = False


class Caught(Bench):
    """Wraps every call of a handler."""

    def exception_handler_decorator(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``method`` so wrapped that its failures are logged."""

        def caught(*args: Any) -> Any:
            try:
                return method(*args)
            except Exception:
                log.exception("a handler failed")
                raise

        return caught


class Listed(Bench):
    """Lets clients call only what is in a list."""

    def get_initial_acl(self) -> Collection[str]:
        """Return the list."""
        return {"recv_connect", "recv_disconnect", "on_echo", "on_cast"}


def judge(_session: object) -> str:
    """Decide about a client that is slow; none is, here."""
    return "drop_oldest"


def small_limits(_folder: Path) -> Setup:
    """Return limits just above what the load does."""
    return Setup(
        {
            "max_inbound_packets": 10,
            "max_inbound_size": 20_000,
            "max_outbound_packets": 100,
            "max_outbound_size": 100_000,
            "max_message_size": 10_000,
            "max_body_size": 10_000,
            "max_payload_packets": 10,
            "max_pending_acks": 10,
            "max_handshakes": 100,
            "max_sessions": 100,
        }
    )


def tls(folder: Path) -> Setup:
    """Return a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / SERVER_PEM)
    return Setup({"ssl_context": context})


def debug(_folder: Path) -> Setup:
    """Have everything logged, to nowhere."""
    library = logging.getLogger("socketio")
    library.setLevel(logging.DEBUG)
    library.addHandler(logging.NullHandler())
    return Setup()


#: By name; each is given the folder where it may leave files, or finds some.
SETUPS: dict[str, Callable[[Path], Setup]] = {
    "plain": lambda _: Setup(),
    "block_warning": lambda _: Setup({"block_warning": 1}),
    "pool": lambda _: Setup({"spawn": 1000}),
    "slow_peer": lambda _: Setup({"slow_peer": judge}),
    "limits": small_limits,
    "metrics": lambda _: Setup(metrics=True),
    "decorator": lambda _: Setup(namespace=Caught),
    "acl": lambda _: Setup(namespace=Listed),
    "orjson": lambda _: Setup(manage=json_options("orjson")),
    "debug": debug,
    "access_log": lambda folder: Setup({"log_file": str(folder / "access.log")}),
    "tls": tls,
}


def make_server(setup: Setup) -> SocketIOServer:
    """Return the server, which does not listen yet."""
    namespaces = {"": setup.namespace}
    numbers: Any = None

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if numbers is not None and environ["PATH_INFO"] == "/metrics":
            return numbers(environ, start_response)
        socketio_manage(environ, namespaces, **setup.manage)
        return []

    server = SocketIOServer(("127.0.0.1", 0), app, **{"log": None, **setup.server})
    if setup.metrics:
        from socketio.metrics import metrics_app

        numbers = metrics_app(server)
    return server


def main() -> None:
    """Print the port, serve until the standard input is closed."""
    _, name, folder = sys.argv
    server = make_server(SETUPS[name](Path(folder)))
    server.start()
    print(server.server_port, flush=True)
    while True:
        wait_read(0)
        if not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
