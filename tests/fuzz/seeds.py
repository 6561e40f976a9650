"""Where the search starts: inputs on both sides of every rule we know of."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.websocket.frames import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    close_frame,
    fragments,
    frame,
    text,
)

_VECTORS = json.loads(
    (Path(__file__).parents[1] / "unit" / "vectors.json").read_text(encoding="utf-8")
)
_MARK = "\ufffd"


def _encoded(texts: list[str]) -> list[bytes]:
    return [text.encode("utf-8", "surrogatepass") for text in dict.fromkeys(texts)]


def _packets() -> list[bytes]:
    wires = [vector["wire"] for name in ("decode", "encode") for vector in _VECTORS[name]]
    wires += ["4:::" + "[" * 3000, "4:::" + "[" * 600 + "]" * 600, "4:::" + "9" * 4400]
    wires += [f"3:{'1' * 33}::x", f"6:::{'1' * 33}", "4:::1e999", "4:::[-1e999, NaN, Infinity]"]
    wires += ["5:::" + json.dumps({"name": "\ud83d", "args": [{}, 1e300, -0.0]}), "6:::1+{}"]
    return _encoded(wires)


def _payloads() -> list[bytes]:
    wires = [vector["wire"] for vector in _VECTORS["payload_decode"]]
    wires += [vector["wire"] for vector in _VECTORS["payload_encode"]]
    lengths = ("", "-4", "+1", " 1", "1 ", "01", "1" * 11, "\u0661", "2")
    wires += [f"{_MARK}{length}{_MARK}x" for length in lengths]
    wires += [f"{_MARK}1{_MARK}\U0001f600", f"{_MARK}2{_MARK}\U0001f600{_MARK}0{_MARK}"]
    return _encoded(wires)


def _forms() -> list[bytes]:
    forms = [vector["body"].encode() for vector in _VECTORS["jsonp_post"]]
    forms += [b'd="a"&d="b"', b"d=5", b'd="\\ud800"', b'd="%ff"', b"d=" + b"[" * 3000, b"&" * 200]
    return forms + _encoded(['"\\', "</script>", "\u2028\u2029", _MARK, "');alert(1);//"])


def _requests() -> list[bytes]:
    line, host = b"GET /socket.io/1/ HTTP/1.1\r\n", b"Host: h\r\n"
    lines = [
        b"", b"X: y", b"X : y", b" X: y", b"X: y\r\n z", b"X", b": y", b"X:", b"X: y\x00",
        b"X: \x85y\xa0", b"X: y\ry", b"X: y\nZ: z", b"Host: i", b"X_Y: z", b"From h: x",
        b"Content-Length: 5", b"Content-Length: +5", b"Content-Length: 5\r\ncontent-length: 5",
        b"Content-Length: 5, 5", b"Content-Length: \t5\t", b"Content-Length:",
        b"Content-Length: 5\x0b", b"Content-Length: 5\xa0", b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Transfer-Encoding: Chunked\t",
        b"Transfer-Encoding : chunked", b"Subject: =?utf-8?q?x?=", b"Content-Type: multipart/x",
        b"Content-Transfer-Encoding: base64", b"MIME-Version: 1.0",
    ]  # fmt: skip
    found = [line + host + one + b"\r\n\r\n" + b"rest: of\r\n\r\n" for one in lines]
    starts = [
        b"GET  / HTTP/1.1",
        b"get / HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"GET /",
        b"GET /\xa0 HTTP/1.1",
    ]
    return found + [start + b"\r\n" + host + b"\r\n" for start in starts] + [line + b"\r\n"]


def _streams() -> list[bytes]:
    streams = [
        text("hello") + frame(PING, b"p") + text("x", fin=False) + frame(PONG) + frame(CONT, b"y"),
        frame(BINARY, b"\xff") + close_frame(1000, b"bye") + text("late"),
        text("x", masked=False), text("x", rsv=4), frame(3), frame(PING, fin=False),
        frame(PING, b"x" * 126), frame(CONT), text("a", fin=False) + text("b"),
        frame(CLOSE, b"x"), close_frame(999), close_frame(1005), close_frame(), close_frame(4999),
        close_frame(1000, b"\xff"), frame(TEXT, b"\xff") + close_frame(1000),
        frame(TEXT, b"\xed\xa0\xbd") + text("late"), frame(TEXT, b"\xff") + frame(PING, b"late"),
        frame(TEXT, b"x" * 300), frame(TEXT, b"x" * 301), frame(TEXT, length=2**63),
        b"\x81\xff" + bytes(7) + b"\x01" + bytes(4) + b"x", b"\x81\xfe\x00\x01" + bytes(4) + b"x",
        b"".join(fragments(TEXT, [b"x" * 150, b"\xe2", b"\x98\x83", b"x" * 148])),
        text("x" * 250, fin=False) + frame(PING, b"x" * 51), text("x", fin=False) + close_frame(),
        text("", fin=False) + frame(CONT, fin=False) * 1000, frame(PING, b"x" * 9) * 200,
    ]  # fmt: skip
    heads = (b"\x00", b"\x01\x00", b"\x1a\x02\x06", b"\x0b\x00\x10\x03")
    return [head + stream for head in heads for stream in streams]


_SEEDS = {
    "packet": _packets,
    "payload": _payloads,
    "jsonp": _forms,
    "httpcheck": _requests,
    "websocket": _streams,
}


def seeds(target: str) -> list[bytes]:
    """Return the inputs that the search in ``target`` starts from."""
    return [b"", *_SEEDS[target]()]
