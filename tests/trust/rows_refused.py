"""G19: whatever is refused is answered soon."""

from __future__ import annotations

import contextlib
import time

from websockets.frames import Frame, Opcode

from socketio.wire.payload import encode_payload
from tests.client import PollingClient, WebSocketClient
from tests.trust.rawhttp import REFUSED, exchange, head, is_alive, leave
from tests.trust.rows import Figure, row
from tests.trust.rows_bodies import no_utf8
from tests.trust.rows_http import malformed_requests, smuggling
from tests.trust.rows_requests import odd_session_ids, odd_urls, refused_bodies
from tests.trust.stage import Place, Stage

_OTHERS = (malformed_requests, smuggling, refused_bodies, odd_urls, no_utf8, odd_session_ids)
_LEAST = 500

_PAYLOADS = {
    "empty": b"",
    "a length below zero": "\ufffd-4\ufffd".encode(),
    "a length past the end": "\ufffd99\ufffd3:::x".encode(),
    "a length of 5,000 digits": b"\xef\xbf\xbd" + b"9" * 5000 + b"\xef\xbf\xbd3:::x",
    "junk behind": "\ufffd5\ufffd3:::xjunk".encode(),
    "1,001 packets": encode_payload([f"3:::{n}" for n in range(1001)]).encode(),
    "120,000 packets": "\ufffd1\ufffdx".encode() * 120_000,
    "1,000,001 bytes": b"3:::" + b"x" * 999_997,
    "a million marks": "\ufffd".encode() * 333_333,
    "a million digits": b"\xef\xbf\xbd" + b"9" * 999_000,
}
_FRAMES = {
    "unmasked": (Frame(Opcode.TEXT, b"3:::x").serialize(mask=False), 1002),
    "a reserved bit": (b"\xc1\x80abcd", 1002),
    "an unknown opcode": (b"\x83\x80abcd", 1002),
    "a fragmented ping": (b"\x09\x80abcd", 1002),
    "a long ping": (b"\x89\xfe\x00\x7eabcd" + b"x" * 126, 1002),
    "a continuation of nothing": (b"\x80\x80abcd", 1002),
    "no text": (Frame(Opcode.TEXT, b"\xff").serialize(mask=True), 1007),
    "2^62 bytes": (b"\x81\xff\x40" + bytes(7) + b"abcd", 1009),
    "1,000,001 bytes": (b"\x81\xff" + (1_000_001).to_bytes(8, "big") + b"abcd", 1009),
    "a close of a byte": (b"\x88\x81abcdx", 1002),
}


def refused_payloads(place: Place) -> list[str]:
    client, wrong = PollingClient(place).open(), []
    for name, body in _PAYLOADS.items():
        line = f"POST {client.url} HTTP/1.1"
        reply = exchange(place, head(place, line, f"Content-Length: {len(body)}") + body, answers=1)
        wrong += [] if reply.status in (400, 413) else [f"{name} -> {reply.statuses}"]
    wrong += [] if is_alive(client) else ["the session is dead"]
    leave(client)
    return wrong


def refused_frames(place: Place) -> list[str]:
    wrong = []
    for name, (data, code) in _FRAMES.items():
        client = WebSocketClient(place).open()
        begin, got = time.monotonic(), 0
        client.sock.sendall(data)
        with contextlib.suppress(OSError, EOFError):
            while (frame := client.recv_frame()).opcode is not Opcode.CLOSE:
                pass
            got = int.from_bytes(bytes(frame.data)[:2], "big")
        REFUSED.note(time.monotonic() - begin, name)
        client.close()
        wrong += [] if got == code else [f"{name} -> {got}"]
    return wrong


def refused_origins(place: Place) -> list[str]:
    wrong = []
    targets = ["/socket.io/1/", "/socket.io/1/xhr-polling/1", "/socket.io/1//1/?disconnect"]
    for target in targets:
        for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example"):
            data = head(place, f"GET {target} HTTP/1.1", f"Origin: {origin}")
            reply = exchange(place, data, answers=1)
            wrong += [] if reply.status == 403 else [f"{target} of {origin} -> {reply.statuses}"]
    return wrong


@row(
    "G19",
    "everything that the other rows and this one have refused: requests, bodies, payloads, "
    "frames, origins",
    passes="answered within 1 s, always",
)
def soon_refused(stage: Stage) -> Figure:
    place, failed = stage.shared(), []
    if REFUSED.count < _LEAST:  # asked for alone
        failed = [run.__name__ for run in _OTHERS if not run(stage).ok]
    for _ in range(stage.number(10)):
        wrong = refused_payloads(place) + refused_frames(place) + refused_origins(place)
    listed = f"; wrong: {'; '.join(wrong)[:300]}" if wrong else ""
    listed += f"; short of the mark: {', '.join(failed)}" if failed else ""
    return Figure(
        REFUSED.worst < 1 and REFUSED.count >= _LEAST and not wrong,
        f"{REFUSED.count:,} refusals, the latest after {REFUSED.worst * 1000:.0f} ms "
        f"({REFUSED.worst_of}){listed}",
    )
