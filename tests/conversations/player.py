"""Plays the client's part of a recorded conversation and compares what the server says."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from gevent import socket as gsocket

from socketio.server import SocketIOServer
from tests.client import DEADLINE
from tests.conversations.recording import (
    Closed,
    Frame,
    Headers,
    Note,
    Opened,
    Pause,
    Request,
    Response,
    Step,
    utf8,
)

HEADER_END = b"\r\n\r\n"


class Wire:
    """One TCP connection, byte for byte."""

    def __init__(self, server: SocketIOServer) -> None:
        self.sock = gsocket.create_connection(("127.0.0.1", server.server_port))
        self.sock.settimeout(DEADLINE)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, count: int) -> bytes:
        """Return the next ``count`` bytes, fewer only at the end of the connection."""
        while len(self._buffer) < count and self._fill():
            pass
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_head(self) -> bytes:
        """Return everything up to the end of an HTTP header."""
        while HEADER_END not in self._buffer and self._fill():
            pass
        head, end, self._buffer = self._buffer.partition(HEADER_END)
        return head + end

    def at_end(self) -> bool:
        """Tell whether the server ended the connection with nothing more to say."""
        return not self.read(1)

    def _fill(self) -> bool:
        data = self.sock.recv(65536)
        self._buffer += data
        return bool(data)

    def close(self) -> None:
        self.sock.close()


class Player:
    """The client of one conversation.

    ``header_differences`` is, by kind of answer, what becomes of a recorded header, ``session_id``
    a pattern for the ids. ``on_note`` and ``on_pause`` are called when the conversation comes to
    one, ``on_speech`` with the text the server is about to say.
    """

    def __init__(
        self,
        server: SocketIOServer,
        header_differences: Mapping[str, Mapping[str, str | None]],
        session_id: str,
        *,
        on_note: Callable[[str], None],
        on_pause: Callable[[float], None],
        on_speech: Callable[[str], None],
        on_session: Callable[[str], None],
    ) -> None:
        self._server = server
        self._header_differences = header_differences
        self._session_id = session_id
        self._on_note, self._on_pause = on_note, on_pause
        self._on_speech, self._on_session = on_speech, on_session
        self._wires: dict[int, Wire] = {}
        self._asked: dict[int, list[Request]] = {}
        self._sids: dict[str, str] = {}
        self.compared = 0
        """How many steps of the server were compared."""

    def play(self, steps: list[Step]) -> None:
        """Play every step; AssertionError at the first thing the server says differently."""
        parts: dict[type[Any], Callable[[Any], None]] = {
            Opened: self._open,
            Closed: self._end,
            Request: self._ask,
            Response: self._hear,
            Frame: self._exchange_frame,
            Note: lambda note: self._on_note(note.text),
            Pause: lambda pause: self._on_pause(pause.seconds),
        }
        for number, step in enumerate(steps):
            try:
                parts[type(step)](step)
            except (AssertionError, OSError) as exc:
                raise AssertionError(f"step {number}, {step}: {exc}") from exc

    def hang_up(self) -> None:
        """End all connections that are still open."""
        for wire in self._wires.values():
            wire.close()

    # -- the client ----------------------------------------------------------------------------

    def _open(self, step: Opened) -> None:
        if step.connection in self._wires:
            self._wires[step.connection].close()
        self._wires[step.connection] = Wire(self._server)
        self._asked[step.connection] = []

    def _end(self, step: Closed) -> None:
        wire = self._wires[step.connection]
        if step.by == "server":
            assert wire.at_end(), "the server said more"
            self.compared += 1
        wire.close()

    def _ask(self, step: Request) -> None:
        lines = [f"{step.method} {self._fill_in(step.target)} HTTP/1.1"]
        lines += [f"{name}: {self._fill_in(value)}" for name, value in step.headers]
        self._wires[step.connection].send(utf8("\r\n".join([*lines, "", ""]) + step.body))
        self._asked[step.connection].append(step)

    def _fill_in(self, text: str) -> str:
        text = re.sub(r"\bSID\d*", lambda match: self._sids[match[0]], text)
        text = text.replace("HOST", f"127.0.0.1:{self._server.server_port}")
        return text.replace("?t=T", "?t=1700000000000")

    # -- the server ----------------------------------------------------------------------------

    def _hear(self, step: Response) -> None:
        wire, request = self._wires[step.connection], self._asked[step.connection].pop(0)
        kind = kind_of(request)
        self._on_speech(step.body)
        head = wire.read_head().decode("latin-1")
        status, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        assert status == f"HTTP/1.1 {step.status}", head
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        length = int(dict(headers).get("Content-Length", 0))
        body = wire.read(length)
        if kind == "handshake":
            self._learn_session(step.body, body.decode())
        else:
            assert body == utf8(step.body)
        expected = self._expected_headers(kind, step.headers, length)
        if kind == "upgrade":
            assert headers == list(expected.items())  # no header more, in the same order
        else:
            _check_date(headers)
            assert dict(headers) == expected
            assert len(headers) == len(expected)
        self.compared += 1

    def _expected_headers(self, kind: str, recorded: Headers, length: int) -> dict[str, str]:
        expected = {} if kind == "upgrade" else {"Date": "is checked"}
        for name, value in recorded:
            ours = self._header_differences[kind].get(f"{name}: {value}", f"{name}: {value}")
            if ours is not None:
                ours_name, ours_value = ours.replace("LENGTH", str(length)).split(": ")
                expected[ours_name] = ours_value
        return expected

    def _learn_session(self, recorded: str, body: str) -> None:
        sid, rest = recorded.split(":", 1)
        match = re.fullmatch(f"({self._session_id}):(.*)", body)
        assert match, body
        assert match[2] == rest
        self._sids[sid] = match[1]
        self._on_session(match[1])

    def _exchange_frame(self, step: Frame) -> None:
        wire = self._wires[step.connection]
        if step.sender == "client":
            wire.send(masked(step))
            return
        if step.header[0] == 0x81:
            self._on_speech(step.payload.decode())
        wanted = step.header + step.payload
        assert wire.read(len(wanted)) == wanted
        self.compared += 1


def kind_of(request: Request) -> str:
    """Return what kind of answer a request has."""
    if request.target.startswith("/socket.io/1/?"):
        return "handshake"
    if "/websocket/" in request.target:
        return "upgrade"
    return {"GET": "poll", "POST": "post"}[request.method]


def masked(frame: Frame) -> bytes:
    """Return a frame of the client as it travels: the recorded header, a mask, masked bytes."""
    mask = secrets.token_bytes(4)
    data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(frame.payload))
    return frame.header + mask + data


def _check_date(headers: list[tuple[str, str]]) -> None:
    """Replace the date, which recordings leave out, by a word, after a look at it."""
    for index, (name, value) in enumerate(headers):
        if name == "Date":
            assert parsedate_to_datetime(value).year >= 2020
            headers[index] = (name, "is checked")
