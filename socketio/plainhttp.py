"""Plain HTTP that comes to a port of TLS: known by its first byte, and answered in plain words."""

from __future__ import annotations

import re
import time
from typing import Any

import gevent
import gevent.socket

from socketio.wire.answer import encode_headers, encode_status, join_answer

__all__ = ["PlainHTTPError", "answer_plain_http", "read_plain_http"]

_LONGEST_HEAD = 8192
# What of a Host we repeat: a name or an address, with or without a port.
_HOST = re.compile(rb"^host:[ \t]*([a-z0-9.:\[\]-]{1,255})[ \t]*\r?$", re.I | re.M)
_ENDS = (b"\r\n\r\n", b"\n\n")
# How long the client may take to read the answer, and then to hang up.
_PARTING_SECONDS = 1


class PlainHTTPError(OSError):
    """A client spoke plain HTTP where TLS is spoken; it has its answer.

    .. versionadded:: 1.0
    """

    def __init__(self) -> None:
        super().__init__("it is plain HTTP; the URL has to begin with https:// or wss://")


def read_plain_http(sock: Any) -> bytes | None:
    """Return the head of a plain request, or None when the client begins with anything else.

    Called in the greenlet of the connection. Blocks until something comes, and for a plain request
    until all of its head is here, for as long as the caller allows. Of what is not plain HTTP
    nothing is taken: TLS begins with a byte that no method begins with, and all that it costs is
    one look.

    Args:
        sock: The accepted connection, a socket of gevent's.

    Returns:
        The head, or its beginning when it is longer than 8 kB or the client ends it there.

    Raises:
        OSError: The connection broke.

    .. versionadded:: 1.0
    """
    if not sock.recv(1, gevent.socket.MSG_PEEK).isalpha():
        return None
    head = b""
    while len(head) < _LONGEST_HEAD and not any(end in head for end in _ENDS):
        piece = sock.recv(_LONGEST_HEAD - len(head))
        if not piece:
            break
        head += piece
    return head


def answer_plain_http(sock: Any, head: bytes) -> None:
    """Answer 400 with the URL to use, and let the client read it. Blocks, for 2 seconds at most.

    Args:
        sock: The connection; the caller closes it.
        head: The request, as :func:`read_plain_http` returned it.

    Raises:
        OSError: The connection broke, or the client does not read.

    .. versionadded:: 1.0
    """
    url = f"https://{_host(sock, head)}/"
    body = f"This port speaks HTTPS, and the request was plain HTTP: use {url}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Length", str(len(body))),
    ]
    fields = encode_headers(headers, int(time.time()), "close")
    if head.startswith(b"HEAD "):
        body = b""
    with gevent.Timeout(_PARTING_SECONDS, TimeoutError("it does not read its answer")):
        sock.sendall(join_answer(encode_status("400 Bad Request"), fields, body))
    # Closing now would reset the connection, and take the answer away from who still sends.
    sock.shutdown(gevent.socket.SHUT_WR)
    with gevent.Timeout(_PARTING_SECONDS, False):  # type: ignore[arg-type]  # stubs: False is allowed
        while sock.recv(65536):
            pass


def _host(sock: Any, head: bytes) -> str:
    """Return what the client calls us; where that is no host, our address."""
    found = _HOST.search(head)
    if found:
        return found[1].decode()
    address = sock.getsockname()
    if not isinstance(address, tuple):
        return "HOST"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
