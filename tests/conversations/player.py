"""Plays the client's part of a recorded conversation and compares what the server says."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from socketio.server import SocketIOServer
from tests.conversations.recording import (
    Chunk,
    Closed,
    Frame,
    Headers,
    Note,
    Opened,
    Pause,
    Request,
    Response,
    Step,
    said,
    utf8,
)
from tests.conversations.wire import Wire, compare, hear


class Player:
    """The client of one conversation.

    ``our_headers`` tells, by kind of answer, which headers of ours stand for the recorded ones.
    ``on_note`` and ``on_pause`` are called when the conversation comes to one, ``on_speech`` with
    the text the server is about to say, ``on_session`` with each new session id.
    """

    def __init__(
        self,
        server: SocketIOServer,
        our_headers: Callable[[str, Headers], Headers],
        *,
        on_note: Callable[[str], None],
        on_pause: Callable[[float], None],
        on_speech: Callable[[str], None],
        on_session: Callable[[str], None],
    ) -> None:
        self._server = server
        self._our_headers = our_headers
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
            Chunk: self._hear_chunk,
            Frame: self._exchange_frame,
            Note: lambda note: self._on_note(note.text),
            Pause: lambda pause: self._on_pause(pause.seconds),
        }
        for number, step in enumerate(steps):
            try:
                text = said(step)
                if text is not None:
                    self._on_speech(text)
                parts[type(step)](step)
            except (AssertionError, OSError) as exc:
                raise AssertionError(f"step {number}, {step}: {exc}") from exc

    def expect_silence(self) -> None:
        """Demand that the server has nothing more to say on any connection that is open."""
        for number, wire in self._wires.items():
            assert wire.is_silent(), f"more came over connection {number}"

    def hang_up(self) -> None:
        """End all connections that are still open."""
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()

    # -- the client ----------------------------------------------------------------------------

    def _open(self, step: Opened) -> None:
        if step.connection in self._wires:
            self._wires[step.connection].close()
        self._wires[step.connection] = Wire(self._server)
        self._asked[step.connection] = []

    def _end(self, step: Closed) -> None:
        wire = self._wires.pop(step.connection)
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
        expected = replace(step, headers=self._our_headers(kind, step.headers))
        heard = hear(wire, endless=kind in ("stream", "upgrade"))
        # An upgrade has no date, and its headers come in the recorded order.
        sids = compare(heard, expected, in_order=kind == "upgrade")
        for name, sid in sids.items():
            self._sids[name] = sid
            self._on_session(sid)
        self.compared += 1

    def _hear_chunk(self, step: Chunk) -> None:
        data = utf8(step.text)
        self._expect_bytes(step.connection, b"%x\r\n%b\r\n" % (len(data), data))

    def _exchange_frame(self, step: Frame) -> None:
        if step.sender == "client":
            self._wires[step.connection].send(masked(step))
        else:
            self._expect_bytes(step.connection, step.header + step.payload)

    def _expect_bytes(self, connection: int, wanted: bytes) -> None:
        heard = self._wires[connection].read(len(wanted))
        assert heard == wanted, f"{heard!r} is not {wanted!r}"
        self.compared += 1


def kind_of(request: Request) -> str:
    """Return what kind of answer a request has."""
    if re.match(r"/socket\.io/0*1/?(\?|$)", request.target):
        return (
            "jsonp handshake" if re.search(r"[?&]jsonp=\d+(&|$)", request.target) else "handshake"
        )
    if "disconnect" in request.target:
        return "disconnect"
    if "/websocket/" in request.target:
        return "upgrade"
    if request.method == "POST":
        return "post"
    if "/htmlfile/" in request.target:
        return "stream"
    return "jsonp poll" if "/jsonp-polling/" in request.target else "poll"


def masked(frame: Frame) -> bytes:
    """Return a frame of the client as it travels: the recorded header, a mask, masked bytes."""
    mask = secrets.token_bytes(4)
    data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(frame.payload))
    return frame.header + mask + data
