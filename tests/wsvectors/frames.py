"""Frames behind an upgrade."""

from __future__ import annotations

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
from tests.wsvectors.vector import Part, Vector, long_frame, vector

LIMIT = 1_000_000
"""Bytes that a message may have."""

_X = text("3:::x")
_OPCODES = {"continuation": CONT, "text": TEXT, "binary": BINARY, "close": CLOSE, "ping": PING}
_OPCODES["pong"] = PONG


def _lengthy(opcode: int, form: int, length: int, payload: bytes) -> bytes:
    """Return a frame that writes its length in 16 bits (form 126) or 64 (127)."""
    size = length.to_bytes(2 if form == 126 else 8, "big")
    return bytes([0x80 | opcode, 0x80 | form]) + size + frame(opcode, payload)[2:]


def _say(*parts: bytes) -> tuple[Part, ...]:
    return tuple(fragments(TEXT, list(parts)))


HEADERS = [
    *[
        vector(f"{name} without a mask", "close 1002", frame(opcode, b"\x03\xe8", masked=False))
        for name, opcode in _OPCODES.items()
    ],
    *[
        vector(f"reserved bits {bits:03b}", "close 1002", text("3:::x", rsv=bits))
        for bits in range(1, 8)
    ],
    vector("a reserved bit on a ping", "close 1002", frame(PING, b"p", rsv=4)),
    vector("a reserved bit on a close", "close 1002", frame(CLOSE, b"\x03\xe8", rsv=1)),
    *[vector(f"opcode {number}", "close 1002", frame(number)) for number in (3, 4, 5, 6, 7)],
    *[vector(f"opcode {number}", "close 1002", frame(number)) for number in range(11, 16)],
    *[
        vector(f"{name} in fragments", "close 1002", frame(_OPCODES[name], b"", fin=False))
        for name in ("ping", "pong", "close")
    ],
    *[
        vector(
            f"{name} of 126 bytes", "close 1002", frame(_OPCODES[name], b"\x03\xe8" + b"x" * 124)
        )
        for name in ("ping", "pong", "close")
    ],
    vector("a ping of 125 bytes", "pong " + "x" * 125 + ", open", frame(PING, b"x" * 125)),
    vector("a mask of zeros", "echo x, open", b"\x81\x85" + bytes(4) + b"3:::x"),
    vector(
        "a TLS hello", "close 1002", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bytes(500)
    ),
    vector("an HTTP request", "close 1002", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
]

LENGTHS = [
    # RFC 6455 wants the shortest form; the core is generous, and so is everybody else.
    vector("a short length in 16 bits", "echo x, open", _lengthy(TEXT, 126, 5, b"3:::x")),
    vector("a short length in 64 bits", "echo x, open", _lengthy(TEXT, 127, 5, b"3:::x")),
    vector("a length of 2^31", "close 1009", frame(TEXT, length=2**31)),
    vector("a length of 2^32 + 5", "close 1009", _lengthy(TEXT, 127, 2**32 + 5, b"3:::x")),
    vector("a length of 2^63 - 1", "close 1009", frame(BINARY, length=2**63 - 1)),
    vector("a length with the top bit", "close 1009", frame(TEXT, length=2**63)),
    vector("a length of 2^64 - 1", "close 1009", frame(TEXT, length=2**64 - 1)),
    vector("a ping of 2^63 bytes", "close 1009", frame(PING, length=2**63)),
    vector("a close of 2^31 bytes", "close 1009", frame(CLOSE, length=2**31)),
    vector("as much as is allowed", "echo of 999996, open", *long_frame(TEXT, LIMIT, b"3:::")),
    vector("one byte over the limit", "close 1009", *long_frame(TEXT, LIMIT + 1, b"3:::")),
    vector("one binary byte over the limit", "close 1009", *long_frame(BINARY, LIMIT + 1)),
    vector(
        "fragments of one byte over the limit",
        "close 1009",
        *long_frame(TEXT, LIMIT // 2, b"3:::", fin=False),
        *long_frame(CONT, LIMIT // 2, fin=False),
        frame(CONT, b"x"),
    ),
    vector(
        "a fragment that says it is over the limit",
        "close 1009",
        *long_frame(TEXT, 10, b"3:::", fin=False),
        frame(CONT, length=LIMIT - 9),
    ),
]

FRAGMENTS = [
    vector(
        "100,000 empty fragments",
        "close 1008",
        frame(TEXT, fin=False),
        (frame(CONT, fin=False), 100_000),
    ),
    vector(
        "a message that never ends",
        "close 1008",
        frame(TEXT, b"3:::", fin=False),
        (frame(CONT, b"x" * 100, fin=False), 5_000),
    ),
    vector(
        "a thousand fragments",
        "echo of 1995, open",
        frame(TEXT, b"3:::x", fin=False),
        (frame(CONT, b"xx", fin=False), 997),
        frame(CONT),
        frame(TEXT, b"", fin=False),
        frame(CONT),
    ),
    vector("a continuation of nothing", "close 1002", frame(CONT, b"x")),
    vector("a continuation of nothing that goes on", "close 1002", frame(CONT, b"x", fin=False)),
    vector(
        "a continuation of a whole message", "close 1002", frame(BINARY, b"x"), frame(CONT, b"x")
    ),
    vector("text inside a message", "close 1002", text("3:::a", fin=False), _X),
    vector("binary inside a message", "close 1002", text("3:::a", fin=False), frame(BINARY)),
    vector(
        "a ping inside a message",
        "pong p, echo ab, open",
        text("3:::a", fin=False),
        frame(PING, b"p"),
        frame(CONT, b"b"),
    ),
    vector("a character in pieces", "echo \u2603, open", *_say(b"3:::\xe2", b"\x98", b"\x83")),
    vector("a message with empty ends", "echo x, open", *_say(b"", b"3:::x", b"", b"")),
]

CLOSES = [
    vector("a close", "close", close_frame()),
    *[
        vector(f"close {code}", f"close {code}", close_frame(code, b"bye"))
        for code in (1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999)
    ],
    *[
        vector(f"close {code}", "close 1002", close_frame(code))
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    ],
    vector("a close of one byte", "close 1002", frame(CLOSE, b"\x03")),
    vector("a close with a reason of 123 bytes", "close 1000", close_frame(1000, b"x" * 123)),
    vector("a reason with bad UTF-8", "close 1007", close_frame(1000, b"ok\xff")),
    vector("a reason cut in a character", "close 1007", close_frame(1000, b"\xe2\x98")),
    vector("a close behind a close", "close 1000", close_frame(1000), close_frame(4000)),
    vector("text behind a close", "close 1000", close_frame(1000), _X),
    vector("a breach behind a close", "close 1000", close_frame(1000), frame(3, masked=False)),
    vector("a megabyte behind a close", "close 1000", close_frame(1000), (_X, 50_000)),
    vector("text behind a breach", "close 1002", frame(3), (_X, 1000)),
]

_BAD_UTF8 = {
    "a stray byte": b"\xff",
    "a stray continuation": b"a\x80b",
    "an over-long slash": b"\xc0\xaf",
    "an over-long NUL": b"\xe0\x80\x80",
    "a surrogate": b"\xed\xa0\x80",
    "CESU-8": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "a character cut off": b"\xe2\x98",
}

TEXTS = [
    *[
        vector(f"text with {name}", "close 1007", frame(TEXT, b"3:::" + data))
        for name, data in _BAD_UTF8.items()
    ],
    vector("bad UTF-8 in fragments", "close 1007", *_say(b"3:::\xe2", b"\x98", b"x")),
    vector(
        "bad UTF-8 in front of a close", "close 1007", frame(TEXT, b"3:::\xff"), close_frame(1000)
    ),
    vector("bad UTF-8 in a binary frame", "open", frame(BINARY, b"3:::\xff")),
    vector(
        "no characters, but valid",
        "echo \uffff\ufffe\0\ufeff, open",
        text("3:::\uffff\ufffe\0\ufeff"),
    ),
]

FLOODS = [
    vector(
        "20,000 pings of a peer that does not read",
        "echo x, open",
        (frame(PING, b"x" * 125), 20_000),
        _X,
        reads=False,
    ),
    vector("20,000 pongs", "echo x, open", (frame(PONG, b"x"), 20_000), _X),
    vector("20,000 empty messages", "echo x, open", (text(""), 20_000), _X),
]

FRAMES: list[Vector] = [*HEADERS, *LENGTHS, *FRAGMENTS, *CLOSES, *TEXTS, *FLOODS]
