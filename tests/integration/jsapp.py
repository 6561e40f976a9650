"""The server application that the JavaScript clients talk to, as a program.

It listens on a port of the system's choosing, prints it as one line of JSON, and stops when its
standard input ends. Beside the namespaces it has a few ordinary routes on the same server:

- ``/`` an empty page with the 0.9 browser client and the scenarios;
- ``/sandboxed`` the same page, which is of no origin at all;
- ``/cookies`` sets one cookie for each of the values of ``SameSite``;
- ``/observed?token=T`` what the handlers saw of the sessions with that token in their query;
- ``/sessions?token=T`` how many handshakes with it were granted, how many sessions there are;
- ``/finish?token=T`` emits the event ``finish`` to them, ``/kick?token=T`` disconnects them.

Clients put the token of their test into the query of the URL that they connect to.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gevent
import gevent.socket

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

JS = Path(__file__).resolve().parents[1] / "js"
JAVASCRIPT = "text/javascript; charset=utf-8"
FILES = {
    "/socket.io.js": JS / "node_modules" / "socket.io-client" / "dist" / "socket.io.js",
    "/scenarios.js": JS / "scenarios.js",
    "/strangers.js": JS / "strangers.js",
}
PAGE = """<!DOCTYPE html>
<meta charset="utf-8"><title>0.9</title><link rel="icon" href="data:,">
<body><script src="/socket.io.js"></script><script src="/scenarios.js"></script>
<script src="/strangers.js"></script>
"""
PAGES = {"/": [], "/sandboxed": [("Content-Security-Policy", "sandbox allow-scripts allow-forms")]}
COOKIES = [
    ("Set-Cookie", f"{site.lower()}={site}; Path=/; HttpOnly; SameSite={site}{more}")
    for site, more in (("Strict", ""), ("Lax", ""), ("None", "; Secure"))
]


@dataclass
class Record:
    """What was seen of one session."""

    sessid: str
    transport: str
    views: int = 0
    """How many times the WSGI view was called for it."""
    ended: int = 0
    """How many times the view's call of ``socketio_manage()`` came back."""
    reason: str | None = None
    """``socket.disconnect_reason`` after that."""
    origin: str | None = None
    """``Origin`` of its handshake."""
    cookie: str | None = None
    """``Cookie`` of its handshake."""
    connects: list[str] = field(default_factory=list)
    """The namespaces that called ``recv_connect()``, in order."""
    disconnects: dict[str, list[str | None]] = field(default_factory=dict)
    """For each namespace, the reasons that its calls of ``recv_disconnect()`` found."""
    seen: list[list[Any]] = field(default_factory=list)
    """Namespace, kind and values of everything that came for a handler, in order."""
    started: float = field(default_factory=time.monotonic)


class Records:
    """All sessions that the server had, by token and session id."""

    def __init__(self) -> None:
        self._by_token: dict[str, dict[str, Record]] = {}

    def of(self, environ: dict[str, Any]) -> Record:
        """Return the record of the session that this is a request of."""
        transport, sessid = environ["PATH_INFO"].rstrip("/").split("/")[-2:]
        sessions = self._by_token.setdefault(token_of(environ), {})
        return sessions.setdefault(sessid, Record(sessid, transport))

    def with_token(self, token: str) -> list[Record]:
        """Return the sessions of one test, or of all when there is no token."""
        if token:
            return list(self._by_token.get(token, {}).values())
        return [record for sessions in self._by_token.values() for record in sessions.values()]


def token_of(environ: dict[str, Any]) -> str:
    """Return the token in the query of a request."""
    return parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]


class Watched(BaseNamespace):
    """Answers what the scenarios ask and writes down what it sees."""

    def initialize(self) -> None:
        self.record: Record = self.request.of(self.environ)

    def note(self, kind: str, *values: Any) -> None:
        self.record.seen.append([self.ns_name, kind, *values])

    def recv_connect(self) -> None:
        self.record.connects.append(self.ns_name)

    def recv_disconnect(self) -> None:
        reasons = self.record.disconnects.setdefault(self.ns_name, [])
        reasons.append(self.socket.disconnect_reason)
        super().recv_disconnect()

    def recv_message(self, data: str) -> None:
        self.note("message", data)

    def recv_json(self, data: Any) -> None:
        self.note("json", data)

    def on_greet(self, *args: Any) -> None:
        self.note("greet", *args)
        self.emit("greeted", *reversed(args))

    def on_say(self, text: str) -> None:
        self.note("say", text)

    def on_play_back(self) -> None:
        """Send everything back that was noted, without a pause."""
        for _, kind, *values in self.record.seen:
            if kind == "say":
                self.emit("said", *values)
            else:
                self.send(*values, json=kind == "json")

    def on_add(self, a: int, b: int) -> int:
        self.note("add", a, b)
        return a + b

    def on_divide(self, a: int, b: int) -> tuple[int, int]:
        return divmod(a, b)

    def on_several(self) -> list[Any]:
        return ["a+b", {"c": None}]

    def on_ask_me(self) -> None:
        self.emit("question", 6, 7, callback=self.answered)

    def answered(self, *args: Any) -> None:
        self.note("answered", *args)
        self.emit("thanks", len(args))

    def on_deliver(self, text: str) -> None:
        self.send(text, callback=self.delivered)

    def delivered(self, *args: Any) -> None:
        self.note("delivered", *args)
        self.emit("receipt", len(args))

    def on_leave_me(self) -> None:
        self.disconnect()

    def on_kick_me(self) -> None:
        self.socket.disconnect()
        self.note("after the kick")


class Application:
    """The WSGI application; it is told its server once there is one."""

    server: SocketIOServer

    def __init__(self) -> None:
        self.records = Records()
        self.granted: Counter[str] = Counter()
        namespaces = ("", "/chat", "/other")
        self.namespaces = dict.fromkeys(namespaces, Watched)
        self.routes: dict[str, Callable[[str], object]] = {
            "/observed": self.observed,
            "/sessions": self.sessions,
            "/finish": self.finish,
            "/kick": self.kick,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if "socketio" in environ:
            self.manage(environ)
            return []
        status, kind, more = "200 OK", "application/json", []
        if path in PAGES:
            text, kind, more = PAGE, "text/html; charset=utf-8", PAGES[path]
        elif path == "/cookies":
            text, more = json.dumps("there you are"), COOKIES
        elif path in FILES:
            text, kind = FILES[path].read_text(encoding="utf-8"), JAVASCRIPT
        elif path in self.routes:
            text = json.dumps(self.routes[path](token_of(environ)))
        else:
            status, text = "404 Not Found", json.dumps(f"nothing at {path}")
        body = text.encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), *more]
        start_response(status, headers)
        return [body]

    def authorize(self, environ: dict[str, Any]) -> bool:
        self.granted[token_of(environ)] += 1
        return True

    def manage(self, environ: dict[str, Any]) -> None:
        record = self.records.of(environ)
        record.views += 1
        socket = environ["socketio"]
        record.origin = socket.handshake_environ.get("HTTP_ORIGIN")
        record.cookie = socket.handshake_environ.get("HTTP_COOKIE")
        socketio_manage(environ, self.namespaces, request=self.records)
        record.ended += 1
        record.reason = socket.disconnect_reason

    def observed(self, token: str) -> list[dict[str, Any]]:
        now = time.monotonic()
        return [
            {
                **asdict(record),
                "alive": record.sessid in self.server.sockets,
                "age": now - record.started,
            }
            for record in self.records.with_token(token)
        ]

    def sessions(self, token: str) -> list[int]:
        tokens = [token_of(socket.handshake_environ) for socket in self.server.sockets.values()]
        return [self.granted[token], tokens.count(token)]

    def finish(self, token: str) -> int:
        sockets = self.live_sockets(token)
        for socket in sockets:
            socket[""].emit("finish")
        return len(sockets)

    def kick(self, token: str) -> int:
        sockets = self.live_sockets(token)
        for socket in sockets:
            socket.disconnect()
        return len(sockets)

    def live_sockets(self, token: str) -> list[Any]:
        sessids = [record.sessid for record in self.records.with_token(token)]
        return [self.server.sockets[sessid] for sessid in sessids if sessid in self.server.sockets]


def main() -> None:
    parser = argparse.ArgumentParser(description="Server for the tests with JavaScript clients.")
    for name in ("heartbeat-interval", "heartbeat-timeout", "close-timeout"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--transports", type=lambda names: names.split(","))
    parser.add_argument("--origins")
    settings = {name: value for name, value in vars(parser.parse_args()).items() if value}
    application = Application()
    settings["authorize"] = application.authorize
    server = SocketIOServer(("127.0.0.1", 0), application, log=None, **settings)
    application.server = server
    server.start()
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    gevent.socket.wait_read(sys.stdin.fileno())
    server.stop(timeout=5)


if __name__ == "__main__":
    main()
