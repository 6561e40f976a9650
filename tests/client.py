"""Clients and servers for tests: real sockets on port 0, cooperative, with generous deadlines."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent
from gevent import socket as gsocket
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from socketio import socketio_manage
from socketio.server import SocketIOServer
from socketio.tcp import send_at_once
from socketio.wire.payload import decode_payload, encode_payload

DEADLINE = 60.0
"""Seconds after which waiting for something is given up; never a measure of speed."""


def wait_for(condition: Callable[[], Any], what: object = "") -> Any:
    """Let other greenlets run until ``condition()`` is true; returns its value.

    ``what`` is shown as it is then, when the time is up.
    """
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"still not true after {DEADLINE} s: {what or condition!r}")
        gevent.sleep(0.002)
    return value


def make_app(namespaces: dict[str, Any], **manage: Any) -> Callable[..., Any]:
    """Return a WSGI application that serves ``namespaces``, and a page everywhere else."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"].startswith("/socket.io"):
            socketio_manage(environ, namespaces, **manage)
            return []
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"the application's page"]

    return app


@contextlib.contextmanager
def serving(app: Any, **kw: Any) -> Iterator[SocketIOServer]:
    """Run a server for ``app``, a WSGI callable or a mapping of namespaces, and stop it."""
    kw.setdefault("log", None)
    kw.setdefault("error_log", None)
    server = SocketIOServer(("127.0.0.1", 0), make_app(app) if isinstance(app, dict) else app, **kw)
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=2)


@dataclass
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Connection:
    """One keep-alive HTTP connection."""

    def __init__(self, server: SocketIOServer) -> None:
        self.server = server
        self.sock = gsocket.create_connection(("127.0.0.1", server.server_port))
        send_at_once(self.sock)
        self.sock.settimeout(DEADLINE)
        self._buffer = b""

    def close(self) -> None:
        self.sock.close()

    def send_raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def start(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        """Send a request, do not wait for its answer."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.server.server_port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def request(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and return its answer; ``X_Y=`` becomes the header ``X-Y``."""
        self.start(method, target, body, {k.replace("_", "-"): v for k, v in headers.items()})
        return self.read_answer(head=method == "HEAD")

    def read_answer(self, *, head: bool = False) -> Answer:
        """Read one response; it must carry a Content-Length or end with the connection."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        raw, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        status, *lines = raw.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        length = 0 if head or " 101 " in status else int(headers.get("content-length", -1))
        if length < 0:
            with contextlib.suppress(EOFError):
                while True:
                    self._more()
            length = len(self._buffer)
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(status.split()[1]), headers, body)

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(f"the server closed the connection after {self._buffer!r}")
        self._buffer += data

    def read_to_end(self) -> bytes:
        """Return everything until the server closes the connection."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                self._more()
        return self._buffer


def fetch(server: SocketIOServer, method: str, target: str, body: bytes = b"", **h: str) -> Answer:
    """One request on a connection of its own."""
    connection = Connection(server)
    try:
        return connection.request(method, target, body, **h)
    finally:
        connection.close()


def handshake(server: SocketIOServer) -> str:
    """Return a fresh session id."""
    answer = fetch(server, "GET", f"/{server.resource}/1/?t=1")
    assert answer.status == 200, answer
    return answer.text.split(":")[0]


def socket_of(server: SocketIOServer, sessid: str) -> Any:
    return server.sockets[sessid]


def event(name: str, *args: Any, endpoint: str = "", msgid: str = "") -> str:
    """Return the wire text of an event."""
    return f"5:{msgid}:{endpoint}:" + json.dumps({"name": name, "args": list(args)})


class PollingClient:
    """A session over xhr-polling, one connection for polls and one for posts."""

    def __init__(self, server: SocketIOServer, sessid: str | None = None) -> None:
        self.server = server
        self.sessid = sessid or handshake(server)
        self.url = f"/{server.resource}/1/xhr-polling/{self.sessid}?t=2"
        self._poll = Connection(server)
        self._post = Connection(server)
        self._received: list[str] = []

    def open(self) -> PollingClient:
        """Make the first poll, which is answered with the greeting."""
        assert self.poll() == ["1::"]
        return self

    def poll(self) -> list[str]:
        """Poll once and return the packets of the answer."""
        self.start_poll()
        return self.end_poll()

    def start_poll(self) -> Connection:
        """Begin a poll; returns the connection to read its answer from."""
        self._poll.start("GET", self.url)
        return self._poll

    def end_poll(self) -> list[str]:
        """Return the packets of the answer to the poll that was begun."""
        answer = self._poll.read_answer()
        assert answer.status == 200, answer
        return decode_payload(self.undress(answer.text))

    def undress(self, text: str) -> str:
        """Return the payload in the body of an answer."""
        return text

    def post(self, *packets: str) -> Answer:
        return self._post.request("POST", self.url, encode_payload(packets).encode())

    def send(self, *packets: str) -> None:
        answer = self.post(*packets)
        assert (answer.status, answer.text) == (200, "1"), answer

    def recv(self) -> str:
        """Return the next packet that is no noop, polling as long as it takes."""
        while not self._received:
            self._received += [text for text in self.poll() if text != "8::"]
        return self._received.pop(0)

    def close(self) -> None:
        self._poll.close()
        self._post.close()


class WebSocketClient:
    """A session over websocket, on the client half of the sans-I/O core."""

    transport = "websocket"

    def __init__(self, server: SocketIOServer, sessid: str | None = None, **headers: str) -> None:
        self.server = server
        self.sessid = sessid or handshake(server)
        self.sock = gsocket.create_connection(("127.0.0.1", server.server_port))
        send_at_once(self.sock)
        self.sock.settimeout(DEADLINE)
        uri = f"ws://127.0.0.1:{server.server_port}/{server.resource}/1/"
        uri += f"{self.transport}/{self.sessid}"
        self.core = ClientProtocol(parse_uri(uri))
        request = self.core.connect()
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value
        self.core.send_request(request)
        self._flush()
        self.frames: list[Frame] = []
        self.response = self._next_event()

    def open(self) -> WebSocketClient:
        """Read the greeting."""
        assert self.response.status_code == 101, self.response
        assert self.recv() == "1::"
        return self

    def _flush(self) -> None:
        data = b"".join(self.core.data_to_send())
        if data:
            self.sock.sendall(data)

    def _next_event(self) -> Any:
        while not (events := self.core.events_received()):
            data = self.sock.recv(65536)
            if not data:
                self.core.receive_eof()
                raise self.core.handshake_exc or EOFError("the server closed the connection")
            self.core.receive_data(data)
        first, *rest = events
        self.frames = [*getattr(self, "frames", []), *rest]
        return first

    def recv_frame(self) -> Frame:
        """Return the next frame, whatever it is; EOFError at the end of the connection."""
        while not self.frames:
            data = self.sock.recv(65536)
            if not data:
                self.core.receive_eof()
                raise EOFError("the server closed the connection")
            self.core.receive_data(data)
            self.frames += [e for e in self.core.events_received() if isinstance(e, Frame)]
            with contextlib.suppress(OSError):
                self._flush()
        return self.frames.pop(0)

    def recv(self) -> str:
        """Return the text of the next text frame; EOFError when the server closes."""
        while True:
            frame = self.recv_frame()
            if frame.opcode is Opcode.TEXT:
                return bytes(frame.data).decode()
            if frame.opcode is Opcode.CLOSE:
                raise EOFError(f"close frame {bytes(frame.data)!r}")

    def send(self, *packets: str) -> None:
        for text in packets:
            self.core.send_text(text.encode())
        self._flush()

    def close(self) -> None:
        self.sock.close()


CLIENTS = {"websocket": WebSocketClient, "xhr-polling": PollingClient}


class Recorder:
    """Collects what the callbacks of an application saw, in order."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, *what: Any) -> None:
        self.seen.append(what[0] if len(what) == 1 else what)

    def count(self, what: Any) -> int:
        return self.seen.count(what)
