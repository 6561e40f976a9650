"""The beginning of a TLS connection: cooperative, bounded in time, without a traceback."""

from __future__ import annotations

import ssl
from typing import Any

import gevent
import gevent.ssl

__all__ = ["HandshakeTimeout", "shake_hands", "wrap_with"]


class HandshakeTimeout(TimeoutError):  # noqa: N818 - as in the standard library
    """The peer did not go through with its TLS handshake in time."""

    def __init__(self) -> None:
        super().__init__("the handshake took too long")


def wrap_with(context: ssl.SSLContext) -> Any:
    """Return a ``wrap_socket()`` that works with ``context`` and never blocks the hub.

    A context of the standard library makes sockets of the standard library, unless it is patched:
    their handshake would stop the whole server.
    """
    if isinstance(context, gevent.ssl.SSLContext):
        return context.wrap_socket

    def wrap_socket(sock: Any, **arguments: Any) -> Any:
        return gevent.ssl.SSLSocket(sock=sock, _context=context, **arguments)

    return wrap_socket


def shake_hands(sock: Any, wrap_socket: Any, arguments: dict[str, Any], seconds: float) -> Any:
    """Return ``sock`` as a TLS socket whose handshake is done. Blocks, bounded.

    Args:
        sock: The accepted connection; it belongs to the result, or is closed.
        wrap_socket: Makes a TLS socket of it.
        arguments: What else that is given.
        seconds: How long the handshake may take.

    Raises:
        OSError: What comes is no TLS, or the handshake failed or took too long.
    """
    tls = wrap_socket(sock, **{**arguments, "do_handshake_on_connect": False})
    try:
        with gevent.Timeout(seconds, HandshakeTimeout()):
            tls.do_handshake()
    except BaseException:
        tls.close()
        raise
    return tls
