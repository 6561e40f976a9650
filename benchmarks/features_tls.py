"""The load's side of TLS: a certificate, and WebSockets that are encrypted."""

from __future__ import annotations

import select
import socket
import ssl
from pathlib import Path

from benchmarks.errors import BenchError, NotMeasuredError
from benchmarks.wire import UPGRADE, V09, dial, expect, read_text

__all__ = ["SERVER_PEM", "TlsV09", "make_certificate"]

#: What the server finds in the folder it is given: its key and its certificate.
SERVER_PEM = "server.pem"
_AUTHORITY_PEM = "authority.pem"
_HANDSHAKE = "GET /socket.io/1/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"


def make_certificate(folder: Path) -> None:
    """Write a certificate for 127.0.0.1 into ``folder``; raises NotMeasuredError."""
    try:
        import trustme
    except ImportError:
        raise NotMeasuredError("trustme is missing: pip install -e '.[test]'") from None
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(folder / SERVER_PEM)
    )
    authority.cert_pem.write_to_path(str(folder / _AUTHORITY_PEM))


class _TlsSocket(ssl.SSLSocket):
    """A socket that is ready when a whole record is, not when its first bytes are."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return what came; waits for the rest of a record that has begun."""
        while True:
            try:
                return super().recv(buflen, flags)
            except ssl.SSLWantReadError:
                select.select([self], [], [])


class TlsV09(V09):
    """Socket.IO 0.9 over TLS, in the version that both sides like best.

    Args:
        folder: Where :func:`make_certificate` was at work.
    """

    def __init__(self, folder: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(folder / _AUTHORITY_PEM))
        self._context.sslsocket_class = _TlsSocket

    def open(self, port: int, number: int) -> list[socket.socket]:
        """See :class:`benchmarks.wire.Dialect`."""
        return [self._open_one(port) for _ in range(number)]

    def _open_one(self, port: int) -> socket.socket:
        sock = self._dial(port)
        path = f"/socket.io/1/websocket/{self._handshake(port)}"
        sock.sendall(UPGRADE.format(path=path, port=port).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            # Byte by byte: what is behind it has to stay in the socket.
            if not (byte := sock.recv(1)):
                raise BenchError(f"no whole HTTP answer but {head!r}")
            head += byte
        expect(head.decode("latin-1"), "HTTP/1.1 101 ")
        expect(read_text(sock), "1::")
        return sock

    def _handshake(self, port: int) -> str:
        with self._dial(port) as sock, sock.makefile("rb") as answer:
            sock.sendall(_HANDSHAKE.format(port=port).encode())
            head, _, body = answer.read().partition(b"\r\n\r\n")
        expect(head.decode("latin-1"), "HTTP/1.1 200 ")
        return body.decode().partition(":")[0]

    def _dial(self, port: int) -> ssl.SSLSocket:
        return self._context.wrap_socket(dial(port), server_hostname="127.0.0.1")
