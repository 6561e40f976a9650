"""TCP connections to our server, byte for byte, and the HTTP responses that come over them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import gevent
from gevent import socket as gsocket

from socketio.server import SocketIOServer
from tests.client import DEADLINE
from tests.conversations.recording import Headers, Response, utf8

HEADER_END = b"\r\n\r\n"
SESSION_ID = "[0-9]{40}"
"""Section 17: decimal digits, 132 random bits; the reference server has 20 characters of base64."""


class Wire:
    """One TCP connection."""

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

    def is_silent(self) -> bool:
        """Tell whether the connection is open and everything the server said was read."""
        gevent.idle()
        self.sock.settimeout(0)
        try:
            self._fill()
        except BlockingIOError:
            return not self._buffer
        finally:
            self.sock.settimeout(DEADLINE)
        return False

    def _fill(self) -> bool:
        data = self.sock.recv(65536)
        self._buffer += data
        return bool(data)

    def close(self) -> None:
        self.sock.close()


@dataclass(frozen=True)
class Heard:
    """One HTTP response of our server."""

    status: str
    headers: Headers
    body: bytes


def hear(wire: Wire, *, endless: bool = False) -> Heard:
    """Read a response with a Content-Length, or only the header of one that does not end."""
    head = wire.read_head().decode("latin-1")
    assert head.endswith("\r\n\r\n"), f"no HTTP answer but {head!r}"
    status, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    body = b"" if endless else wire.read(int(dict(headers)["Content-Length"]))
    return Heard(status, headers, body)


def compare(heard: Heard, expected: Response, *, in_order: bool = False) -> dict[str, str]:
    """Compare status line, headers and body; AssertionError at the first difference.

    No header may be missing and none be there that is not expected, nor twice. Recordings leave
    out the date: where ``in_order`` is false it must be there, and is checked by itself.

    Args:
        heard: What our server said.
        expected: What it should; ``LENGTH`` in a header stands for the length of the body.
        in_order: Whether the headers must come in this order.

    Returns:
        The session ids in the body, by what stands for them in the recording.
    """
    assert heard.status == f"HTTP/1.1 {expected.status}", f"{heard} is not {expected}"
    sids = match_body(expected.body, heard.body)
    length = str(len(heard.body))
    headers = [(name, value.replace("LENGTH", length)) for name, value in expected.headers]
    if in_order:
        assert list(heard.headers) == headers, f"{heard.headers} is not {headers}"
        return sids
    dates = [value for name, value in heard.headers if name == "Date"]
    assert len(dates) == 1, f"not one date in {heard}"
    assert parsedate_to_datetime(dates[0]).year >= 2020, f"no date of today in {heard}"
    others = sorted(header for header in heard.headers if header[0] != "Date")
    assert others == sorted(headers), f"{others} is not {sorted(headers)}"
    return sids


def match_body(expected: str, body: bytes) -> dict[str, str]:
    """Compare a body byte for byte, except for the session ids, which are returned."""
    pattern = b"".join(
        utf8(f"(?P<{part}>{SESSION_ID})")
        if re.fullmatch(r"SID\d*", part)
        else re.escape(utf8(part))
        for part in re.split(r"\b(SID\d*)\b", expected)
    )
    match = re.fullmatch(pattern, body)
    assert match, f"{body!r} is not {expected!r}"
    return {name: value.decode() for name, value in match.groupdict().items()}
