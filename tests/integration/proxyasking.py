"""Requests that no client makes, to a proxy or a server in another process."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any

DEADLINE = 60.0
HERE = "127.0.0.1"
"""Where everybody listens and proxies come from; all of 127.0.0.0/8 is this machine."""
CLIENT = "127.0.0.2"
"""Where clients come from whose address is asked for."""

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass
class Answer:
    """An answer to one request."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)

    @property
    def sessid(self) -> str:
        """The id of the session, of an answer to a handshake."""
        assert self.status == 200, self
        return self.body.decode().split(":")[0]


def open_request(
    port: int,
    path: str,
    *,
    body: bytes | None = None,
    source: str = HERE,
    tls: ssl.SSLContext | None = None,
    **headers: str,
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Send a request and return the connection with its answer, of which the body is not read.

    Args:
        port: Where.
        path: Of the URL.
        body: Makes it a POST.
        source: The address of this machine that it comes from.
        tls: Whom it trusts, over TLS.
        headers: ``X_Real_IP=`` is the header of that name.
    """
    where: dict[str, Any] = {"timeout": DEADLINE, "source_address": (source, 0)}
    if tls is None:
        connection = http.client.HTTPConnection(HERE, port, **where)
    else:
        connection = http.client.HTTPSConnection(HERE, port, context=tls, **where)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("GET" if body is None else "POST", path, body, fields)
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


def ask(port: int, path: str, **request: Any) -> Answer:
    """Send one request, see :func:`open_request`, and return its answer."""
    connection, response = open_request(port, path, **request)
    with contextlib.closing(connection), response:
        # What is behind an upgrade does not end.
        return Answer(response.status, b"" if response.status == 101 else response.read())
