"""The keyword arguments of a server: which there are, and what is made of them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from socketio.config import Settings
from socketio.errors import ConfigError

__all__ = ["as_bool", "choose_transports", "refuse_unknown", "take_settings"]

_TRANSPORTS = (
    "websocket",
    "flashsocket",
    "htmlfile",
    "xhr-polling",
    "jsonp-polling",
    "xhr-multipart",
)
# What gevent hands on to the TLS wrapper; any other keyword we do not know is a mistake.
_TLS_ARGUMENTS = frozenset(
    {
        "keyfile",
        "certfile",
        "cert_reqs",
        "ssl_version",
        "ca_certs",
        "suppress_ragged_eofs",
        "do_handshake_on_connect",
        "ciphers",
        "ssl_context",
        "server_side",
        "server_hostname",
    }
)
_GEVENTS = ("backlog", "spawn", "log", "error_log", "handler_class", "environ")
_OURS = (
    "resource",
    "transports",
    "origins",
    "authorize",
    "client_js",
    "policy_server",
    "policy_listener",
    "log_file",
    "ws_handler_class",
    "strict_http",
    "clock",
)
_TRUE = ("true", "enable", "yes", "on", "1")


def take_settings(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the arguments that are fields of Settings out of ``kwargs`` and return them."""
    return {name: kwargs.pop(name) for name in Settings.__dataclass_fields__ if name in kwargs}


def refuse_unknown(kwargs: dict[str, Any]) -> None:
    """Raise TypeError, with the name that was probably meant, unless gevent knows them all.

    gevent itself would hand a mistyped name on to the TLS wrapper and fail there.
    """
    for name in kwargs:
        if name not in _GEVENTS and name not in _TLS_ARGUMENTS:
            known = [*_GEVENTS, *_OURS, *Settings.__dataclass_fields__]
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"SocketIOServer() got an unknown argument {name!r}{hint}")


def choose_transports(wanted: Iterable[str] | str | None, available: dict[str, Any]) -> list[str]:
    """Return the ids to offer: those asked for, or all there are, in the order of preference."""
    if wanted is None:
        own = [name for name in _TRANSPORTS if name in available]
        return own + [name for name in available if name not in own]
    if isinstance(wanted, str):
        wanted = [name.strip() for name in wanted.split(",") if name.strip()]
    chosen = list(wanted)
    for name in chosen:
        if name not in available:
            raise ConfigError(
                f"transports: {name!r} is unknown; known are {', '.join(sorted(available))}"
            )
    if not chosen:
        raise ConfigError("transports: the list is empty")
    return chosen


def as_bool(value: object) -> bool:
    """Return what a switch of an .ini file means."""
    return value.strip().lower() in _TRUE if isinstance(value, str) else bool(value)
