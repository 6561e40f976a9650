"""The JavaScript client, served by the server itself, so that a page needs one line to have it."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from socketio.errors import ConfigError
from socketio.transports.base import Response, error_response

__all__ = ["NOT_CONFIGURED", "ClientFile"]

# An hour without a question, and then one that costs no body.
_CACHE = "public, max-age=3600"
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_NO_GZIP = re.compile(r"(?:gzip|x-gzip|\*)\s*;\s*q=0(?:\.0*)?", re.ASCII | re.IGNORECASE)

NOT_CONFIGURED = (
    "The client file is not served here. Start the server with "
    "SocketIOServer(..., client_js='path/to/socket.io.js'); the file is dist/socket.io.js of the "
    "npm package socket.io-client@0.9.17."
)


class ClientFile:
    """One file, read once and kept, with and without compression.

    No name of a request ever reaches the file system.

    Args:
        path: The file.

    Raises:
        ConfigError: It cannot be read.

    .. versionadded:: 1.0
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._plain = Path(path).read_bytes()
        except (OSError, TypeError, ValueError) as exc:
            raise ConfigError(f"client_js: {str(path)!r:.200} cannot be read: {exc}") from None
        self._gzipped = gzip.compress(self._plain, mtime=0)
        self._tag = hashlib.sha256(self._plain).hexdigest()[:20]

    def respond(self, environ: Mapping[str, Any]) -> Response:
        """Return the answer to a request for the file. Does not block."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            response = error_response("405 Method Not Allowed", "use GET or HEAD")
            response.headers.append(("Allow", "GET, HEAD"))
            return response
        packed = _accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        tag = f'"{self._tag}{"-gzip" if packed else ""}"'
        headers = [("ETag", tag), ("Cache-Control", _CACHE), ("Vary", "Accept-Encoding")]
        if _matches(environ.get("HTTP_IF_NONE_MATCH", ""), tag):
            return Response("304 Not Modified", headers)
        headers += [
            ("Content-Type", "application/javascript; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff"),
            # Any page may load it, also one that isolates itself from other sites.
            ("Cross-Origin-Resource-Policy", "cross-origin"),
        ]
        if packed:
            headers.append(("Content-Encoding", "gzip"))
        return Response("200 OK", headers, self._gzipped if packed else self._plain)


def _accepts_gzip(accepted: str) -> bool:
    codings = [coding.strip() for coding in accepted.split(",")]
    names = [coding.split(";", 1)[0].strip().lower() for coding in codings]
    if any(_NO_GZIP.fullmatch(coding) for coding in codings if "gzip" in coding.lower()):
        return False
    if "gzip" in names or "x-gzip" in names:
        return True
    return "*" in names and not any(_NO_GZIP.fullmatch(coding) for coding in codings)


def _matches(wanted: str, tag: str) -> bool:
    return wanted.strip() == "*" or tag in _ENTITY_TAG.findall(wanted)
