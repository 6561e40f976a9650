"""Requests that are no HTTP, or that two readers could take for different ones."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["AMBIGUOUS", "HEADERS", "LINES", "MALFORMED_CHUNKS", "damaged", "well_formed"]

# In front of each stands nothing, behind each a Host and a second request.
LINES = [
    *[b"GET /f1\r\n", b"GET /f1 HTTP/0.9\r\n", b"GET /f1 HTTP/1.1.1\r\n", b"GET /f1 HTTP/1.2\r\n"],
    *[b"GET /f1 HTTP/2.0\r\n", b"GET /f1 HTTP/3\r\n", b"GET /f1 HTTP/\r\n", b"GET /f1 HTTP\r\n"],
    *[b"GET /f1 http/1.1\r\n", b"GET /f1 HTTP/01.1\r\n", b"GET /f1 HTTP/1.10\r\n"],
    *[b"GET /f1 HTTP/+1.1\r\n", b"GET /f1 HTTP/1,1\r\n", b"GET /f1 XTTP/1.1\r\n"],
    *[b"get /f1 HTTP/1.1\r\n", b"Get /f1 HTTP/1.1\r\n", b"GE T /f1 HTTP/1.1\r\n"],
    *[b"G\x00T /f1 HTTP/1.1\r\n", b"G\xe9T /f1 HTTP/1.1\r\n", b'G"T /f1 HTTP/1.1\r\n'],
    *[b"GET  /f1 HTTP/1.1\r\n", b"GET /f1  HTTP/1.1\r\n", b"GET\t/f1 HTTP/1.1\r\n"],
    *[b"GET /f1\tHTTP/1.1\r\n", b" GET /f1 HTTP/1.1\r\n", b"GET /f1 HTTP/1.1 \r\n"],
    *[b"GET /f 1 HTTP/1.1\r\n", b"GET /f\x001 HTTP/1.1\r\n", b"GET /f\x0b1 HTTP/1.1\r\n"],
    *[b"GET /f\x7f1 HTTP/1.1\r\n", b"GET /f1?\x85 HTTP/1.1\r\n", b"GET /f1?\xa0 HTTP/1.1\r\n"],
    *[b"GET /f\xff1 HTTP/1.1\r\n", b"GET f1 HTTP/1.1\r\n"],
    *[b"GET * HTTP/1.1\r\n", b"GET http:///f1 HTTP/1.1\r\n", b"GET ftp://h/f1 HTTP/1.1\r\n"],
    *[b"GET h:80 HTTP/1.1\r\n", b"CONNECT /f1 HTTP/1.1\r\n", b"GET http://h:x/f1 HTTP/1.1\r\n"],
    *[b"GET HTTP/1.1\r\n", b"GET\r\n", b"nonsense\r\n", b"   \r\n", b"\x00\r\n", b"HTTP/1.1\r\n"],
    *[b"GET /f1 HTTP/1.1\n", b"GET /f1\rHTTP/1.1\r\n", b"GET /f1 HTTP/1.1\r\r\n"],
    *[b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n", b"PRI * HTTP/2.0\r\n"],
    *[b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", b"SSH-2.0-OpenSSH_9.9\r\n", b"\xff\xf4\r\n"],
]

# Behind a sound request line and a Host.
HEADERS = [
    *[b"X-A : b\r\n", b"X-A\t: b\r\n", b" X-A: b\r\n", b"\tX-A: b\r\n", b"X A: b\r\n", b": b\r\n"],
    *[b"nonsense\r\n", b"X-A\r\n", b"X-A: b\r\n folded\r\n", b"X-A:\r\n\tfolded\r\n"],
    *[
        b"X-A: b\x00c\r\n",
        b"X-A: b\rc\r\n",
        b"X-A: b\x1bc\r\n",
        b"X-A: b\x7fc\r\n",
        b"X-A: \x0b\r\n",
    ],
    *[
        b"X\x00A: b\r\n",
        b"X\xe9: b\r\n",
        b"X(A): b\r\n",
        b"X;A: b\r\n",
        b'"X": b\r\n',
        b"X@A: b\r\n",
    ],
    *[b"X-A: b\n", b"X-A: b\n\r\n", b"X-A: b\r\r\n", b"Host: other.example\r\n", b"host: h\r\n"],
    *[b"Content-Type: a/b\r\nContent-Type: c/d\r\n", b"X-A: b\r\n: \r\n", b"\x00: b\r\n"],
]

# How long the body is has two answers, or none. The ``38`` is about as long as the request behind.
AMBIGUOUS = [
    *["Content-Length: 0\r\nContent-Length: 38", "Content-Length: 38\r\nContent-Length: 0"],
    *["Content-Length: 0\r\nContent-Length: 0", "Content-Length: 0, 38", "Content-Length: 0,0"],
    *["Content-Length: +0", "Content-Length: -1", "Content-Length: 0_0", "Content-Length: 0x0"],
    *["Content-Length:", "Content-Length: 0 0", "Content-Length: 0\x0b", "Content-Length: \xb2"],
    *["Content-Length: 0.0", "Content-Length: 1e1", "Content-Length: " + "9" * 30],
    *["Content-Length : 38", "Content-Length\t: 38", " Content-Length: 38"],
    *["Content-Length:\r\n 38", "X-A: b\rContent-Length: 38", "X-A: b\nContent-Length: 38"],
    *["Content-Length: 5\r\nTransfer-Encoding: chunked"],
    *["Transfer-Encoding: chunked\r\nContent-Length: 5"],
    *["Transfer-Encoding: xchunked", "Transfer-Encoding: identity", "Transfer-Encoding: gzip"],
    *["Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity, chunked"],
    *["Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"],
    *["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"],
    *['Transfer-Encoding: "chunked"', "Transfer-Encoding: \x0bchunked", "Transfer-Encoding:"],
    *[
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
    ],
    *[
        "Transfer-Encoding: chun\x00ked",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding: ch\xfcnked",
    ],
]

# Bodies of a chunked request; the sound one is ``5\r\n3:::x\r\n0\r\n\r\n``.
MALFORMED_CHUNKS = [
    *[
        b"zz\r\n",
        b"-5\r\n3:::x\r\n0\r\n\r\n",
        b"+5\r\n3:::x\r\n0\r\n\r\n",
        b"0x5\r\n3:::x\r\n0\r\n\r\n",
    ],
    *[b"5\r\n3:::xx\r\n0\r\n\r\n", b"5\r\n3:::x0\r\n\r\n", b"\r\n5\r\n3:::x\r\n0\r\n\r\n"],
    *[b"5_0\r\n3:::x\r\n0\r\n\r\n", b" 5\r\n3:::x\r\n0\r\n\r\n", b"f" * 17 + b"\r\n3:::x"],
    *[b"5\r\n3:::x\r\n0\r\nX A: b\r\n\r\n", b"5\r\n3:::x\r\n0\r\n\x00: b\r\n\r\n"],
    *[b"5\r\n3:::x\r\n0\r\nnonsense\r\n\r\n", b"5\r\n3:::x\r\n0\r\n folded: b\r\n\r\n"],
    *[b";x\r\n3:::x\r\n0\r\n\r\n", b"5\n3:::x\r\n0\r\n\r\n", b"5 \r\n3:::x\r\n0\r\n\r\n"],
    # What some readers take for the end of the line.
    *[b"5;x\n\r\n3:::x\r\n0\r\n\r\n", b"5;\x00\r\n3:::x\r\n0\r\n\r\n"],
    *[b"5\r\n3:::x\r\n0\r\nX: a\nb\r\n\r\n", b"5\r\n3:::x\r\n0\r\nX: a\x00b\r\n\r\n"],
]


def well_formed(rng: random.Random, target: str) -> tuple[bytes, list[bytes]]:
    """Return a request line and header lines in some order; both without their ends."""
    line = f"GET {target} HTTP/1.1".encode()
    names = rng.sample(["Accept", "Cookie", "X-Forwarded-For", "User-Agent", "DNT"], 3)
    lines = [b"Host: h"] + [f"{name}: {rng.randrange(10**9):x}".encode() for name in names]
    rng.shuffle(lines)
    return line, lines


def damaged(rng: random.Random, target: str) -> bytes:
    """Return a header block that one change at a random place has made malformed."""
    line, lines = well_formed(rng, target)
    at = rng.randrange(len(lines))
    damage = rng.choice(_DAMAGES)
    if isinstance(damage, str):
        lines.insert(at, damage.encode("latin-1"))
    elif rng.random() < 0.25:
        line = _spoil_line(rng, line)
    else:
        lines[at] = damage(rng, lines[at])
    return b"\r\n".join([line, *lines, b"", b""])


def _put(rng: random.Random, text: bytes, what: bytes) -> bytes:
    at = rng.randrange(len(text) + 1)
    return text[:at] + what + text[at:]


def _spoil_line(rng: random.Random, line: bytes) -> bytes:
    # A blank at its end, a letter more in the version: nothing but the three parts may be there.
    return rng.choice(
        [_put(rng, line, rng.choice([b" ", b"\t", b"\x00", b"\x0b", b"\r"])), line + b"1"]
    )


def _control(rng: random.Random, line: bytes) -> bytes:
    return _put(rng, line, bytes([rng.choice([0, 1, 7, 8, 11, 12, 13, 27, 31, 127])]))


def _name(rng: random.Random, line: bytes) -> bytes:
    name, value = line.split(b":", 1)
    return _put(rng, name, bytes([rng.choice(b'" (),/;<=>?@[\\]{}\t\x00\x80\xff')])) + b":" + value


def _no_colon(rng: random.Random, line: bytes) -> bytes:
    return line.replace(b":", rng.choice([b"", b" ", b"="]))


def _fold(rng: random.Random, line: bytes) -> bytes:
    return line + b"\r\n" + rng.choice([b" ", b"\t"]) + b"more"


def _bare_end(rng: random.Random, line: bytes) -> bytes:
    return line + b"\nX-A: b"


_DAMAGES: list[str | Callable[[random.Random, bytes], bytes]] = [
    *AMBIGUOUS,
    *[_control, _name, _no_colon, _fold, _bare_end] * 8,
]
