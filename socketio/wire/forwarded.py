"""Whose word counts for the address of a client: proxies in front of the server. Pure.

``X-Forwarded-For`` is a header like any other, which every client can write. It says something only
when the one who sent it is a proxy of ours; otherwise it has to go, before anybody believes it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from socketio.errors import ConfigError

__all__ = ["TrustedProxies"]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_OBJECTS = (
    *[ipaddress.IPv4Address, ipaddress.IPv6Address],
    *[ipaddress.IPv4Network, ipaddress.IPv6Network],
)

# What proxies say of the request they pass on. ``Forwarded`` (RFC 7239) too: we do not read it, but
# an application may.
_CLAIMS = (
    *["HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO"],
    *["HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SCHEME"],
    *["HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_SSL", "HTTP_X_REAL_IP", "HTTP_FORWARDED"],
)
_WORDS = ("*", "unix")
_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
# What else than a bare address proxies write: one in brackets, or one with a port, or with both.
_ENTRY = re.compile(r"\[(?P<six>[^\[\]]+)\](?::\d*)?|(?P<four>[^:]+):\d*", re.ASCII)
# Clients choose what stands in the header: longer texts are no addresses, more hops no route, and
# so many texts are remembered.
_LONGEST = 64
_MOST_HOPS = 32
_MOST_KNOWN = 1024


class _Hop(NamedTuple):
    address: str | None
    """As it is written in short; None for what is no address."""
    trusted: bool


class TrustedProxies:
    """The proxies that may say which client they speak for.

    Args:
        value: None leaves what proxies say as it is. Otherwise addresses and networks, as an
            iterable or one comma-separated text: ``"127.0.0.1, 10.0.0.0/8"``. The word ``unix``
            stands for peers without an address, which come over a Unix socket, and ``*`` for
            everybody. An empty list trusts nobody, and nobody's headers pass.

    Raises:
        ConfigError: An entry is none of these; host names are not looked up.

    .. versionadded:: 1.0
    """

    __slots__ = ("_anyone", "_judge", "_networks", "_unix")

    def __init__(self, value: str | Iterable[object] | None = None) -> None:
        if isinstance(value, str):
            value = [text for text in value.split(",") if text.strip()]
        elif not (value is None or isinstance(value, Iterable)):
            raise ConfigError(f"trusted_proxies: {value!r:.100} is neither a text nor a list")
        entries = [text.strip() if isinstance(text, str) else text for text in value or ()]
        self._anyone, self._unix = "*" in entries, "unix" in entries
        networks = [_configured(entry) for entry in entries if entry not in _WORDS]
        self._networks = None if value is None else networks
        # Reading an address takes 3 us, and the same ones come again with every request.
        self._judge = lru_cache(_MOST_KNOWN)(self._judge_anew)

    def __bool__(self) -> bool:
        """Whether :meth:`apply` ever changes anything."""
        return self._networks is not None

    def apply(self, environ: dict[str, Any]) -> None:
        """Put the client's address and scheme into the environ of a request. Never raises.

        Called by the HTTP handler for each request, in the greenlet of its connection; does not
        block.

        From a trusted proxy ``REMOTE_ADDR`` becomes the last address of ``X-Forwarded-For`` that
        is no trusted proxy itself, ``REMOTE_PORT`` goes, ``wsgi.url_scheme`` becomes what
        ``X-Forwarded-Proto`` says, and ``socketio.proxy_addr`` is the address of the proxy,
        ``unix`` for one without. What anybody else says in such headers is removed.

        Args:
            environ: The WSGI environment as the connection has it; changed in place.
        """
        if self._networks is None:
            return
        peer = environ.get("REMOTE_ADDR") or ""
        if not (self._is_trusted(peer) if peer else self._unix or self._anyone):
            for name in _CLAIMS:
                environ.pop(name, None)
            return
        environ["socketio.proxy_addr"] = peer or "unix"
        client = self._find_client(environ.get("HTTP_X_FORWARDED_FOR", ""))
        if client is not None:
            environ["REMOTE_ADDR"] = client
            environ.pop("REMOTE_PORT", None)  # the proxy's
        # Of several the first, as the origin policy reads it.
        told = environ.get("HTTP_X_FORWARDED_PROTO", "").split(",", 1)[0].strip().lower()
        if told in _SCHEMES:
            environ["wsgi.url_scheme"] = _SCHEMES[told]

    def _is_trusted(self, peer: str) -> bool:
        return self._anyone or self._judge(peer).trusted

    def _find_client(self, header: str) -> str | None:
        """Return the address nearest to us that is no proxy of ours; None if there is none.

        Each proxy appends whom it has the request from, so that what stands to the left of an
        address we do not trust is hearsay. The same goes for what is no address: then the proxy
        that wrote it is the last one we know.
        """
        client = None
        for entry in reversed(header.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]):
            entry = entry.strip(" \t")
            if not entry:  # an empty element of a list is none (RFC 9110, section 5.6.1)
                continue
            hop = self._judge(entry) if len(entry) <= _LONGEST else _NO_ADDRESS
            if hop.address is None:
                break
            client = hop.address
            if not (hop.trusted or self._anyone):
                break
        return client

    def _judge_anew(self, entry: str) -> _Hop:
        address = _read_address(entry)
        if address is None:
            return _NO_ADDRESS
        # A network of the other version contains it not.
        trusted = any(address in network for network in self._networks or ())
        return _Hop(str(address), trusted)


_NO_ADDRESS = _Hop(None, trusted=False)


def _read_address(entry: str) -> _Address | None:
    """Return the address in an entry of the header, whatever is written around it."""
    text = entry.removeprefix('"').removesuffix('"')
    match = _ENTRY.fullmatch(text)
    if match is not None:
        text = match["six"] or match["four"]
    # The zone of a link-local address means nothing on another machine, and may be any text.
    text = text.partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # How a socket of both versions shows a client of version 4.
    return getattr(address, "ipv4_mapped", None) or address


def _configured(entry: object) -> _Network:
    # Not of a number, which would be an address too.
    text = str(entry) if isinstance(entry, (str, *_OBJECTS)) else ""
    try:
        network = ipaddress.ip_network(text)
    except ValueError as exc:
        hint = f"; {exc}" if "host bits" in str(exc) else ""
        raise ConfigError(
            f"trusted_proxies: {entry!r:.100} is no address and no network{hint}; write a list "
            "like ['127.0.0.1', '10.0.0.0/8'], 'unix' or '*'"
        ) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        return ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")
    return network
