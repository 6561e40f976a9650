"""A certificate, servers that have it in each of the ways there are, and clients over TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent.ssl
import trustme
from gevent import socket as gsocket

from socketio.server import SocketIOServer
from tests.client import Connection
from tests.unit.websocket.frames import Peer
from tests.unit.websocket.handshakes import upgrade


@dataclass
class Certificate:
    """A certificate for 127.0.0.1, and who signed it."""

    authority: trustme.CA
    certfile: str
    keyfile: str

    @classmethod
    def issue(cls, folder: Path) -> Certificate:
        """Make a certificate whose files are in ``folder``."""
        authority = trustme.CA()
        leaf = authority.issue_cert("127.0.0.1")
        certfile, keyfile = folder / "server.crt", folder / "server.key"
        leaf.private_key_pem.write_to_path(str(keyfile))
        for number, blob in enumerate(leaf.cert_chain_pems):
            blob.write_to_path(str(certfile), append=number > 0)
        return cls(authority, str(certfile), str(keyfile))

    def files(self) -> dict[str, Any]:
        """Return the keywords that name the files."""
        return {"certfile": self.certfile, "keyfile": self.keyfile}

    def gevents_context(self) -> dict[str, Any]:
        """Return the keyword with a context of gevent's."""
        context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certfile, self.keyfile)
        return {"ssl_context": context}

    def standard_context(self) -> dict[str, Any]:
        """Return the keyword with a context of the standard library, which is not patched."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert type(context).__module__ == "ssl"
        context.load_cert_chain(self.certfile, self.keyfile)
        return {"ssl_context": context}

    def client_context(self) -> gevent.ssl.SSLContext:
        """Return what a client needs to trust us."""
        context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        return context


WAYS = {
    "files": Certificate.files,
    "gevent's context": Certificate.gevents_context,
    "standard context": Certificate.standard_context,
}


class SecureConnection(Connection):
    """A keep-alive connection over TLS."""

    def __init__(self, server: SocketIOServer, certificate: Certificate) -> None:
        super().__init__(server)
        self.sock = certificate.client_context().wrap_socket(self.sock, server_hostname="127.0.0.1")


class SecureWebSocket(Peer):
    """A WebSocket over TLS that has read the greeting."""

    def __init__(self, server: SocketIOServer, certificate: Certificate, sessid: str) -> None:
        super().__init__(SecureConnection(server, certificate).sock)
        self.send(upgrade(target=f"/socket.io/1/websocket/{sessid}"))
        assert " 101 " in self.read_head()
        assert self.read_text() == "1::"


def dial(server: SocketIOServer, data: bytes = b"") -> Any:
    """Open a connection below TLS and send ``data``."""
    sock = gsocket.create_connection(("127.0.0.1", server.server_port))
    sock.settimeout(60)
    sock.sendall(data)
    return sock


def read_until_closed(sock: Any) -> bytes:
    """Return all that comes; a reset ends it too."""
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data
