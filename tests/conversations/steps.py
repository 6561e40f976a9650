"""Steps as they stand in the recordings, and as our server has them: for tables of differences."""

from __future__ import annotations

import json

from tests.conversations.recording import Chunk, Frame, Request, Response, utf8

_XHR = (("User-Agent", "node-XMLHttpRequest"), ("Accept", "*/*"))
_HOST = (("Host", "HOST"), ("Connection", "keep-alive"))


def poll(connection: int) -> Request:
    """Return a poll of xhr-polling."""
    return Request(connection, "GET", "/socket.io/1/xhr-polling/SID?t=T", (*_XHR, *_HOST))


def answer(connection: int, body: str) -> Response:
    """Return the server's answer to that."""
    headers = (
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("Content-Length", str(len(utf8(body)))),
        ("Connection", "Keep-Alive"),
    )
    return Response(connection, "200 OK", headers, body)


def script_poll(connection: int) -> Request:
    """Return a poll of jsonp-polling."""
    return Request(connection, "GET", "/socket.io/1/jsonp-polling/SID?t=T&i=1", _HOST)


def script(connection: int, text: str, *, ascii_only: bool = False) -> Response:
    """Return the server's answer to that; the marker of a payload is raw in any case."""
    parts = [json.dumps(part, ensure_ascii=ascii_only)[1:-1] for part in text.split("\ufffd")]
    marker = "\ufffd"
    body = f'io.j[1]("{marker.join(parts)}");'
    headers = (
        ("Content-Type", "text/javascript; charset=UTF-8"),
        ("Content-Length", str(len(utf8(body)))),
        ("Connection", "Keep-Alive"),
        ("X-XSS-Protection", "0"),
    )
    return Response(connection, "200 OK", headers, body)


def chunk(connection: int, text: str, *, ascii_only: bool = False) -> Chunk:
    """Return the chunk of htmlfile that carries ``text``."""
    literal = json.dumps(text, ensure_ascii=ascii_only).replace("/", "\\/")
    return Chunk(connection, f"<script>_({literal});</script>")


def posted(connection: int) -> Response:
    """Return the server's answer to a POST."""
    headers = (
        ("Content-Length", "1"),
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("Connection", "keep-alive"),
    )
    return Response(connection, "200 OK", headers, "1")


def refused(connection: int, text: str) -> Response:
    """Return an answer of ours that ends the connection."""
    headers = (
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("Content-Length", str(len(utf8(text)))),
        ("Connection", "close"),
    )
    return Response(connection, "400 Bad Request", headers, text)


def says(connection: int, text: str) -> Frame:
    """Return a text frame of the server, shorter than 65,536 bytes."""
    payload = utf8(text)
    length = len(payload)
    header = bytes([0x81, length]) if length < 126 else b"\x81\x7e" + length.to_bytes(2, "big")
    return Frame(connection, "server", header, payload)


def closes(connection: int, code: int = 1000) -> Frame:
    """Return a close frame of the server."""
    return Frame(connection, "server", b"\x88\x02", code.to_bytes(2, "big"))
