"""Where a server listens: addresses as a command line has them, and sockets made of them.

.. versionadded:: 1.0
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass

from socketio.errors import SocketIOError

__all__ = ["Address", "CannotListenError", "Listener", "parse_bind"]

# What gevent listens with, too.
_BACKLOG = 128
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - to be recognised
_REASONS = {
    errno.EADDRINUSE: "something else listens there",
    errno.EACCES: "it takes privileges",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class CannotListenError(SocketIOError):
    """The address cannot be listened on; the text says why, and what to change."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen.

    Attributes:
        host: Name or address; '' means all there are.
        port: 0 means any that is free.
        path: Of a unix socket, instead of both; None means TCP.
        advice: Which options change it, for the one who has to choose another.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    path: str | None = None
    advice: str = "--port (0 takes any free one) or --host"

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path is not None else _join(self.host, self.port)


def parse_bind(text: str, advice: str = "--bind") -> Address:
    """Return what ``HOST:PORT``, ``:PORT``, ``[IPV6]:PORT`` or ``unix:PATH`` means. Pure.

    Raises:
        ValueError: It means nothing.
    """
    kind, _, path = text.partition(":")
    if kind == "unix" and path:
        return Address(path=path, advice=advice)
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{text!r} is no HOST:PORT and no unix:PATH")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in host and bare == host:
        raise ValueError(f"{text!r}: an IPv6 address is written [{host}]:{port}")
    return Address(bare, int(port), advice=advice)


class Listener:
    """A listening socket, and the file of a unix socket with it.

    Made before the process starts greenlets or children, closed at the end. Children inherit it:
    it goes on while they come and go.

    Args:
        address: Where.
        backlog: How many connections the system keeps for us; None means 128.

    Raises:
        CannotListenError: It is taken, forbidden or not ours.
    """

    def __init__(self, address: Address, backlog: int | None = None) -> None:
        self.address = address
        self._owner = os.getpid()
        self._file: os.stat_result | None = None
        count = _BACKLOG if backlog is None else backlog
        try:
            self.socket = self._open_unix(count) if address.path else self._open_tcp(count)
        except socket.gaierror as exc:
            raise self._failure(f"the name is unknown ({exc.strerror})") from None
        except OSError as exc:
            raise self._failure(_REASONS.get(exc.errno or 0, exc.strerror or str(exc))) from None
        self.socket.setblocking(False)

    def _failure(self, reason: str) -> CannotListenError:
        return CannotListenError(
            f"cannot listen on {self.address}: {reason}; choose another address with "
            f"{self.address.advice}"
        )

    def _open_tcp(self, backlog: int) -> socket.socket:
        host, port = self.address.host, self.address.port
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # A name like localhost has both kinds; the older one is what everybody tries.
        family, *_, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        # "::" means every address, also those of IPv4; on all systems alike.
        both = where[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(where[:2], family=family, backlog=backlog, dualstack_ipv6=both)

    def _open_unix(self, backlog: int) -> socket.socket:
        path = str(self.address.path)
        self._remove_stale(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(path)
            self._file = os.stat(path)
            sock.listen(backlog)
        except OSError:
            sock.close()
            raise
        return sock

    @staticmethod
    def _remove_stale(path: str) -> None:
        """Remove the socket of a server that died; not that of one which lives, and no file."""
        try:
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
        except FileNotFoundError:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)

    @property
    def port(self) -> int | None:
        """The port that it has got; None for a unix socket."""
        name = self.socket.getsockname()
        return int(name[1]) if isinstance(name, tuple) else None

    def describe(self, *, tls: bool) -> str:
        """Return the URL at which a browser of this machine finds it, and how far it can be seen.

        Args:
            tls: Whether it is https.
        """
        if self.port is None:
            return str(self.address)
        everywhere = self.address.host in _EVERYWHERE
        host = "localhost" if everywhere else self.address.host
        url = f"{'https' if tls else 'http'}://{_join(host, self.port)}/"
        return f"{url} and all other addresses of this machine" if everywhere else url

    def close(self) -> None:
        """Stop listening, in this process; the one that made the file removes it. Any times."""
        self.socket.close()
        if self._file is not None and self.address.path is not None and os.getpid() == self._owner:
            with contextlib.suppress(FileNotFoundError):
                # Somebody else's by now, perhaps.
                if os.path.samestat(os.stat(self.address.path), self._file):
                    os.unlink(self.address.path)
            self._file = None

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
