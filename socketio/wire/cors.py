"""Who may talk to us from a browser: the origin policy and the access-control headers.

One policy for the handshake, the polls, the WebSocket upgrade and ``?disconnect``. Pure: an
``environ``-like mapping goes in, a verdict or headers come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from socketio.errors import ConfigError

__all__ = ["OriginPolicy"]

# All that an Origin header may hold. Not urlsplit(): that reads a host out of far more, such as
# "http://evil@host", "http://host/evil" and "http://ho\tst".
_ORIGIN = re.compile(
    r"(http|ws)(s?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE
)
_ANYONE = ("*", "", 0)
_OWN_REQUEST = ("same-origin", "none")


class OriginPolicy:
    """The origins that may use the server.

    Args:
        origins: ``None`` allows the server's own origin and clients that send none; ``"*"``
            allows everyone; otherwise the allowed origins, as an iterable or one comma-separated
            string, each like ``https://example.com:8443``. The server's own origin is always
            allowed: the host and port of ``Host``, or of ``X-Forwarded-Host``, under the scheme
            of the request, or of ``X-Forwarded-Proto``. Behind a proxy that forwards a host or an
            address but no scheme, either scheme is the server's own.

    Raises:
        ConfigError: An entry is no origin, or ``origins`` is nothing that holds entries.

    .. versionadded:: 1.0
    """

    __slots__ = ("_allowed", "_anyone")

    def __init__(self, origins: str | Iterable[str] | None = None) -> None:
        if isinstance(origins, str):
            origins = [text.strip() for text in origins.split(",") if text.strip()]
        elif not (origins is None or isinstance(origins, Iterable)):
            raise ConfigError(f"origins: {origins!r} is neither a text nor a list")
        self._allowed = frozenset(_configured(entry) for entry in origins or ())
        self._anyone = _ANYONE in self._allowed

    def allows(self, environ: Mapping[str, Any], *, script: bool = False) -> bool:
        """Tell whether the request may be served.

        Args:
            environ: The WSGI environment of the request.
            script: True for what a foreign page can fetch without an ``Origin`` header, through a
                script or an image element: there ``Referer`` decides.
        """
        if self._anyone:
            return True
        origin = _origin_header(environ)
        if origin is not None:
            return _is_own_host(origin, environ) or self._known(_origin(origin), environ)
        site = environ.get("HTTP_SEC_FETCH_SITE")
        if site in _OWN_REQUEST:
            return True
        referer = environ.get("HTTP_REFERER")
        if referer and (script or site):
            # The URL of a page: its origin is what stands before the third slash.
            return self._known(_origin("/".join(referer.split("/", 3)[:3])), environ)
        return site is None

    def headers(self, environ: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the access-control headers of an answer to an allowed request.

        The origin is echoed, never ``*``: the 0.9 client sends its handshake with credentials.
        """
        origin = _origin_header(environ)
        if origin is None or not (origin.isascii() and origin.isprintable()):
            return []
        return [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", "Origin"),
        ]

    def preflight_headers(self, environ: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the headers that answer an OPTIONS request (section 8.3)."""
        return [
            *self.headers(environ),
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS"),
            ("Access-Control-Max-Age", "3600"),
        ]

    def _known(self, origin: tuple[str, str, int] | None, environ: Mapping[str, Any]) -> bool:
        if origin is None:
            return False
        if origin in self._allowed:
            return True
        return _origin(f"{_own_scheme(environ) or origin[0]}://{_own_host(environ)}") == origin


def _own_host(environ: Mapping[str, Any]) -> str:
    return _first(environ.get("HTTP_X_FORWARDED_HOST") or environ.get("HTTP_HOST") or "")


def _is_own_host(origin: str, environ: Mapping[str, Any]) -> bool:
    """Tell whether ``origin`` is our own host without a scheme.

    Versions 0.4 and older of node's ``ws`` send that; no browser does, so no page gains by it.
    """
    return "null" != origin.lower() == _own_host(environ).lower() != ""


def _origin_header(environ: Mapping[str, Any]) -> str | None:
    # The drafts 7 and 8 of WebSocket have another name for it.
    origin: str | None = environ.get("HTTP_ORIGIN", environ.get("HTTP_SEC_WEBSOCKET_ORIGIN"))
    return origin


def _own_scheme(environ: Mapping[str, Any]) -> str | None:
    """Return the scheme the client used; None when a proxy stands in between and does not tell."""
    told = environ.get("HTTP_X_FORWARDED_PROTO")
    if told:
        return _first(told)
    if environ.get("HTTP_X_FORWARDED_HOST") or environ.get("HTTP_X_FORWARDED_FOR"):
        return None
    return environ.get("wsgi.url_scheme")


def _first(value: str) -> str:
    # Of several: each proxy on the way appends its own.
    return value.split(",", 1)[0].strip()


def _origin(text: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port, or None; ``ws`` counts as ``http``, as browsers have it."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    secure, host = match[2].lower(), match[3].lower()
    port = int(match[4] or (443 if secure else 80))
    return (f"http{secure}", host, port) if 0 < port < 65536 else None


def _configured(entry: object) -> tuple[str, str, int]:
    origin = None
    if isinstance(entry, str):
        origin = _ANYONE if entry == "*" else _origin(entry.removesuffix("/"))
    if origin is None:
        raise ConfigError(
            f"origins: {entry!r} is no origin; write '*' or a list like "
            "['https://example.com', 'http://localhost:8080']"
        )
    return origin
