"""The beginning of a TLS connection: cooperative, bounded in time, without a traceback."""

from __future__ import annotations

import ssl
from typing import Any, NoReturn

import gevent
import gevent.ssl

from socketio.errors import ConfigError
from socketio.plainhttp import PlainHTTPError, answer_plain_http, read_plain_http

__all__ = ["HandshakeTimeout", "shake_hands", "take_context", "wrap_with"]


_NO_CONTEXT: Any = object()


class HandshakeTimeout(TimeoutError):  # noqa: N818 - as in the standard library
    """The peer did not go through with its TLS handshake in time."""

    def __init__(self) -> None:
        super().__init__("the handshake took too long")


def take_context(arguments: dict[str, Any]) -> ssl.SSLContext | None:
    """Take what describes a context out of a server's keywords and return it; None without TLS.

    gevent would read the certificate anew for each connection, and find out that it is not there
    when the first client comes.

    Args:
        arguments: ``ssl_context``, or ``certfile`` and ``keyfile`` with ``ca_certs``,
            ``cert_reqs``, ``ciphers`` and ``ssl_version`` as gevent has them.

    Raises:
        OSError: A file cannot be read, or has no certificate in it.
        ConfigError: ``ssl_context`` is None, and there is no ``certfile``.
    """
    context: ssl.SSLContext | None = arguments.pop("ssl_context", _NO_CONTEXT)
    if context is None and not arguments.get("certfile"):
        raise ConfigError("ssl_context: None is no context; leave it out to serve without TLS")
    if context not in (None, _NO_CONTEXT):
        return context
    if not arguments.get("certfile"):
        return None
    certificate, key = arguments.pop("certfile"), arguments.pop("keyfile", None)
    for path in filter(None, (certificate, key)):
        with open(path, "rb"):  # OpenSSL does not say which file is missing
            pass
    context = gevent.ssl.SSLContext(arguments.pop("ssl_version", ssl.PROTOCOL_TLS_SERVER))
    context.check_hostname = False
    context.load_cert_chain(certificate, key)
    if ca_certs := arguments.pop("ca_certs", None):
        context.load_verify_locations(ca_certs)
    context.verify_mode = arguments.pop("cert_reqs", ssl.CERT_NONE)
    if ciphers := arguments.pop("ciphers", None):
        context.set_ciphers(ciphers)
    return context


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
    tls = sock
    try:
        with gevent.Timeout(seconds, HandshakeTimeout()):
            head = read_plain_http(sock)
            if head is None:
                tls = wrap_socket(sock, **{**arguments, "do_handshake_on_connect": False})
                tls.do_handshake()
                return tls
        _refuse_plain_http(sock, head)
    except BaseException:
        tls.close()
        raise


def _refuse_plain_http(sock: Any, head: bytes) -> NoReturn:
    answer_plain_http(sock, head)  # two seconds at most
    raise PlainHTTPError
