"""The check of HTTP requests: what it lets through, every parser reads alike."""

from __future__ import annotations

import io
from email.parser import HeaderParser
from http.client import HTTPMessage

from socketio.wire.httpcheck import find_header_fault, find_request_line_fault

Fields = list[tuple[bytes, bytes]]


def fuzz(data: bytes) -> None:
    line, _, block = data.partition(b"\r\n")
    check_request_line(line.decode("latin-1"))
    for version in ("HTTP/1.1", "HTTP/1.0"):
        fault = find_header_fault(block, version)
        if fault is None:
            check_fields(block, version)
        else:
            assert 0 < len(fault) < 60
            assert fault.isascii()


def check_request_line(line: str) -> None:
    if find_request_line_fault(line) is not None:
        return
    method, target, version = line.split()
    assert line == f"{method} {target} {version}"
    assert line.split(" ") == [method, target, version]
    assert method.isupper()
    assert version in ("HTTP/1.0", "HTTP/1.1")
    assert target.isprintable() or not target.isascii()


def check_fields(block: bytes, version: str) -> None:
    """Check a header that was let through: one reading of it, and one length of its body."""
    strictly, rest = read_strictly(block)
    assert read_loosely(block) == (strictly, rest)
    for reading in (strictly, read_by_lines(block)):
        lengths = values(reading, b"content-length")
        codings = values(reading, b"transfer-encoding")
        assert len(lengths) + len(codings) <= 1
        assert all(length.isdigit() for length in lengths)
        assert all(coding.lower() == b"chunked" for coding in codings)
        assert len(values(reading, b"host")) == 1 or version == "HTTP/1.0"
        assert version == "HTTP/1.1" or not codings


def values(fields: Fields, name: bytes) -> list[bytes]:
    return [value for other, value in fields if other.lower() == name]


def read_strictly(block: bytes) -> tuple[Fields, bytes]:
    """Return the fields, read as RFC 9112 writes them, and what stands behind the header."""
    fields: Fields = []
    while not block.startswith(b"\r\n"):
        end = block.index(b"\r\n")
        colon = block.index(b":", 0, end)
        fields.append((block[:colon], block[colon + 1 : end].strip(b" \t")))
        block = block[end + 2 :]
    return fields, block[2:]


def read_loosely(block: bytes) -> tuple[Fields, bytes]:
    """Return the same as the standard library's parser of headers sees it."""
    stream = io.BytesIO(block)
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        lines.append(line)
    message = HeaderParser(_class=HTTPMessage).parsestr(b"".join(lines).decode("latin-1"))
    assert not message.get_payload()
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in message.items()]
    return [(name, value.strip(b" \t")) for name, value in pairs], stream.read()


def read_by_lines(block: bytes) -> Fields:
    """Return the fields as a careless reader would see them: any line end, space anywhere."""
    fields: Fields = []
    for line in block.replace(b"\r", b"\n").replace(b"\n\n", b"\n").split(b"\n"):
        if not line:
            break
        name, _, value = line.partition(b":")
        fields.append((name.strip(), value.strip()))
    return fields
