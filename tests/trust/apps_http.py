"""The application of the rows about HTTP: the usual namespaces, and what their servers need.

Settings of its own: ``_ballast``, bytes that ``/trust/facts`` answers with; ``_descriptors``, how
many the process may have; ``_tls``, a folder with certificates: two servers over TLS run beside
the plain one then, with a context of gevent's and one of the standard library's.
"""

from __future__ import annotations

import resource
import ssl
from pathlib import Path
from typing import Any

import gevent.ssl

from socketio import socketio_manage
from socketio.server import SocketIOServer
from tests.trust import apps

namespaces = apps.namespaces
_ballast = ""
_secure: dict[str, SocketIOServer] = {}


def facts() -> dict[str, Any]:
    servers = {
        name: {"port": server.server_port, "stats": server.stats()}
        for name, server in _secure.items()
    }
    return {**apps.facts(), "ballast": _ballast, "tls": servers}


def prepare(settings: dict[str, Any]) -> dict[str, Any]:
    """Take what is for this module out of the settings and do it."""
    global _ballast
    _ballast = "x" * settings.pop("_ballast", 0)
    descriptors = settings.pop("_descriptors", None)
    if descriptors is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    folder = settings.pop("_tls", None)
    if folder is not None:
        _serve_tls(Path(folder), settings)
    return settings


def _serve_tls(folder: Path, settings: dict[str, Any]) -> None:
    for name, kind in (("gevent", gevent.ssl.SSLContext), ("standard", ssl.SSLContext)):
        context = kind(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        # A client may show a certificate; a bad one is refused.
        context.load_verify_locations(folder / "authority.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        server = SocketIOServer(
            ("127.0.0.1", 0), _application, log=None, ssl_context=context, **settings
        )
        server.start()
        _secure[name] = server


def _application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if "socketio" in environ:
        socketio_manage(environ, namespaces)
        return []
    start_response("200 OK", [("Content-Length", "4")])
    return [b"page"]
