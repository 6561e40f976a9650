"""Refuse requests that two HTTP parsers could read differently, before any parser sees them.

pywsgi's own reading lets through what request smuggling is made of: two lengths, a length beside
chunks, a space before the colon. Pure: the raw bytes of a header block in, a complaint or None out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "find_header_fault",
    "find_request_line_fault",
    "find_trailer_fault",
    "has_plain_framing",
    "read_chunk_size",
    "split_target",
]

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_NAME = re.compile(_TOKEN)
_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_EXTENSION = rb"[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?" % (_TOKEN, _TOKEN, _QUOTED)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:%b)*\r\n" % _EXTENSION)
# What frames a message or routes it is of no use behind its body, but to mislead.
_NO_TRAILERS = {b"content-length", b"host", b"transfer-encoding"}
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_LENGTH_TEXT = re.compile(_LENGTH.pattern.decode())
# A path is ASCII. Its query may hold other bytes: browsers of the time send it as it was typed. But
# no 0x85 and no 0xa0: pywsgi cuts the line where str.split() sees white space.
_PATH = r"/[\x21-\x3e\x40-\x7e]*"
_QUERY = r"(?:\?[\x21-\x7e\x80-\x84\x86-\x9f\xa1-\xff]*)?"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z\-._~%!$&'()*+,;=]+)"
_HOST_TEXT = re.compile(rf"(?:{_HOST}(?::[0-9]{{0,5}})?)?")
_HOST_VALUE = re.compile(_HOST_TEXT.pattern.encode())
_URI = rf"(?i:https?)://(?:[0-9A-Za-z\-._~%!$&'()*+,;=:]*@)?{_HOST}(?::[0-9]{{0,5}})?(?:{_PATH})?{_QUERY}"
# Each form of the target with the methods it is for (RFC 9112, section 3.2).
_REQUEST_LINE = re.compile(
    rf"(?:(?!CONNECT )[A-Z][A-Z\-_]* (?:{_PATH}{_QUERY}|{_URI})"
    rf"|CONNECT {_HOST}:[0-9]{{1,5}}|OPTIONS \*) HTTP/1\.[01]\Z",
    re.ASCII,
)

_ABSOLUTE = re.compile(r"(?i:https?)://(?:[^/?@]*@)?([^/?@]+)(.*)", re.ASCII)


def find_request_line_fault(line: str) -> str | None:
    """Return what is wrong with the request line, without its line end, or None."""
    if _REQUEST_LINE.match(line) is None:
        return "malformed request line"
    return None


def split_target(target: str) -> tuple[str, str | None]:
    """Return the path and query of a sound request target, and the host it names, if it does."""
    match = None if target.startswith("/") else _ABSOLUTE.fullmatch(target)
    if match is None:
        return target, None
    return "/" + match[2].removeprefix("/"), match[1]


def read_chunk_size(line: bytes) -> int | None:
    """Return the size that a chunk's first line gives, or None when the line is malformed."""
    match = _CHUNK.fullmatch(line)
    return None if match is None else int(match[1], 16)


def find_trailer_fault(line: bytes) -> str | None:
    """Return what is wrong with a trailer line, with its line end, or None."""
    name, colon, value = line.removesuffix(b"\r\n").partition(b":")
    if not line.endswith(b"\r\n") or not colon or not _NAME.fullmatch(name):
        return "malformed trailer"
    if _BAD_VALUE.search(value):
        return "control character in a trailer"
    if name.lower() in _NO_TRAILERS:
        return "a trailer that belongs into the header"
    return None


def find_header_fault(block: bytes, version: str) -> str | None:
    """Return what is wrong with a header block, or None.

    Args:
        block: The raw header lines up to and including the empty line.
        version: ``HTTP/1.1`` or ``HTTP/1.0``.
    """
    seen: dict[bytes, list[bytes]] = {}
    for line in block.split(b"\n")[:-1]:
        if not line.endswith(b"\r"):
            return "header line does not end in CRLF"
        if line == b"\r":
            return _find_framing_fault(seen, version)
        name, colon, value = line[:-1].partition(b":")
        if not colon:
            return "header line without a colon"
        if _NAME.fullmatch(name) is None:
            return "malformed header name"
        if _BAD_VALUE.search(value):
            return "control character in a header value"
        seen.setdefault(name.lower(), []).append(value.strip())
    return "header without its end"


def has_plain_framing(fields: Mapping[str, str]) -> bool:
    """Tell whether nothing is wrong with a header whose lines are sound; False: it has to be seen.

    Args:
        fields: Values by name in small letters, none of which came twice.
    """
    host, length = fields.get("host"), fields.get("content-length")
    return (
        host is not None
        and _HOST_TEXT.fullmatch(host) is not None
        and (length is None or _LENGTH_TEXT.fullmatch(length) is not None)
        and "transfer-encoding" not in fields
    )


def _find_framing_fault(seen: dict[bytes, list[bytes]], version: str) -> str | None:
    lengths, codings = seen.get(b"content-length", []), seen.get(b"transfer-encoding", [])
    hosts = seen.get(b"host", [])
    if len(seen.get(b"content-type", [])) > 1:
        return "more than one Content-Type"
    if len(lengths) > 1:
        return "more than one Content-Length"
    if lengths and _LENGTH.fullmatch(lengths[0]) is None:
        return "malformed Content-Length"
    if codings and version != "HTTP/1.1":
        return "Transfer-Encoding before HTTP/1.1"
    if codings and lengths:
        return "Content-Length beside Transfer-Encoding"
    if codings and (len(codings) > 1 or codings[0].lower() != b"chunked"):
        return "Transfer-Encoding other than chunked"
    if len(hosts) > 1:
        return "more than one Host"
    if hosts and _HOST_VALUE.fullmatch(hosts[0]) is None:
        return "malformed Host"
    if not hosts and version == "HTTP/1.1":
        return "no Host"
    return None
