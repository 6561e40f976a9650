"""Which URLs are ours, and what each of them asks for (sections 1 and 17 of the protocol text).

Pure: a path and a query go in, a small immutable object comes out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs

__all__ = [
    "ClientFile",
    "Disconnect",
    "Exchange",
    "Handshake",
    "NewerClient",
    "Route",
    "WrongVersion",
    "jsonp_index",
    "match_route",
]

_OURS = re.compile(r"0*1(?:\.0*)?", re.ASCII)
_A_VERSION = re.compile(r"[0-9]+(?:\.[0-9]*)?", re.ASCII)
# Twelve digits are far more slots than a page can open, and a bound on what we echo into a script.
_INDEX = re.compile(r"[0-9]{1,12}", re.ASCII)
_CLIENT_FILE = "socket.io.js"
# What the flashsocket transport of the client would fetch. The player it is for is gone.
_FLASH_FILES = (
    "static/flashsocket/WebSocketMain.swf",
    "static/flashsocket/WebSocketMainInsecure.swf",
)


@dataclass(frozen=True, slots=True)
class Handshake:
    """``/RESOURCE/1/``: make a session. ``jsonp`` is the callback index, None: a plain answer."""

    jsonp: str | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """``/RESOURCE/1/TRANSPORT/SID``: packets of a session, over the named transport."""

    transport: str
    sessid: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """``/RESOURCE/1/[TRANSPORT]/SID?disconnect``: end a session."""

    transport: str
    sessid: str


@dataclass(frozen=True, slots=True)
class WrongVersion:
    """``/RESOURCE/<another number>/``: a protocol version we do not speak."""

    version: str


@dataclass(frozen=True, slots=True)
class NewerClient:
    """``/RESOURCE/?EIO=4``: a client of Socket.IO 1 or later, which we cannot understand."""

    version: str


@dataclass(frozen=True, slots=True)
class ClientFile:
    """``/RESOURCE/socket.io.js``, or a Flash file (``flash``) that the client may ask for."""

    flash: bool


Route: TypeAlias = Handshake | Exchange | Disconnect | WrongVersion | NewerClient | ClientFile


def match_route(path: str, query: str, resource: str) -> Route | None:
    """Return what the request asks of us, or None when it belongs to the application.

    Args:
        path: The decoded path of the URL (``PATH_INFO``).
        query: The raw query string, without the question mark.
        resource: The resource of the server, without slashes at its ends.
    """
    prefix = f"/{resource}/"
    below = path[len(prefix) :] if path.startswith(prefix) else ""
    if not below:
        return _newer_client(query) if path in (prefix, prefix[:-1]) else None
    if below == _CLIENT_FILE or below in _FLASH_FILES:
        return ClientFile(flash=below != _CLIENT_FILE)
    version, *rest = below.split("/")
    if rest and rest[-1] == "":
        rest.pop()
    if version != "1" and not _OURS.fullmatch(version):
        return WrongVersion(version) if _A_VERSION.fullmatch(version) else None
    if not rest:
        return Handshake(jsonp_index(query, "jsonp"))
    if len(rest) != 2 or not rest[1]:  # an empty session id would ask the server for a new session
        return None
    transport, sessid = rest
    if _has_key(query, "disconnect"):
        return Disconnect(transport, sessid)
    return Exchange(transport, sessid)


def jsonp_index(query: str, key: str) -> str | None:
    """Return the callback index under ``key``; None when absent or anything but a few digits.

    The value goes into a script, so nothing else may ever be echoed.
    """
    values = _parse(query).get(key) if key in query else None
    return values[0] if values and _INDEX.fullmatch(values[0]) else None


def _newer_client(query: str) -> NewerClient | None:
    versions = _parse(query).get("EIO") if "EIO" in query else None
    return NewerClient(versions[0]) if versions else None


def _has_key(query: str, key: str) -> bool:
    return key in query and key in _parse(query)


def _parse(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=100)
    except ValueError:  # more fields than that: no client of ours
        return {}
