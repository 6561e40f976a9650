"""The keyword arguments of a server: which there are, and what is made of them."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from socketio.config import Settings, parse_setting
from socketio.errors import ConfigError, UnknownOptionError
from socketio.wire.cors import OriginPolicy
from socketio.wire.forwarded import TrustedProxies

__all__ = [
    "KNOWN_OPTIONS",
    "UNPARSED_OPTIONS",
    "as_bool",
    "choose_transports",
    "meant_by",
    "parse_options",
    "parse_port",
    "parse_switch",
    "refuse_unknown",
    "take_settings",
]

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
    "trusted_proxies",
    "authorize",
    "client_js",
    "policy_server",
    "policy_listener",
    "log_file",
    "ws_handler_class",
    "strict_http",
    "clock",
)
# How alike a foreign name and one of ours are, from 0 to 1, if the one was meant to be the other.
_NEARLY = 0.8
_TRUE = ("true", "enable", "yes", "on", "1")
# Whether a client has to show a certificate: the end of the names in the module ssl.
_CERT_REQS = ("none", "optional", "required")
_FALSE = ("false", "disable", "no", "off", "0")
_NOTHING = ("", "none")


def take_settings(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the arguments that are fields of Settings out of ``kwargs`` and return them."""
    return {name: kwargs.pop(name) for name in Settings.__dataclass_fields__ if name in kwargs}


def refuse_unknown(kwargs: dict[str, Any]) -> None:
    """Raise UnknownOptionError, with the name that was meant, unless gevent knows them all.

    gevent itself would hand a mistyped name on to the TLS wrapper and fail there.
    """
    for name in kwargs:
        if name not in _GEVENTS and name not in _TLS_ARGUMENTS:
            known = [*_GEVENTS, *_OURS, *Settings.__dataclass_fields__]
            text = f"SocketIOServer() got an unknown argument {name!r}"
            raise UnknownOptionError(text + _hint(name, known))


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
    """Return what a switch of an .ini file means; text that is no word for yes means no."""
    return value.strip().lower() in _TRUE if isinstance(value, str) else bool(value)


# -- options as text -------------------------------------------------------------------------------


def parse_port(name: str, value: object) -> int:
    """Return the port that ``value`` stands for: a whole number, or its text.

    Raises:
        ConfigError: It is none; the text begins with ``name``.

    .. versionadded:: 1.0
    """
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if not 0 <= port < 65536:
        raise ConfigError(f"{name}: {value!r:.50} is no port, a whole number from 0 to 65535")
    return port


def parse_options(values: Mapping[str, object], *, also: Iterable[str] = ()) -> dict[str, Any]:
    """Return the keywords of a server whose values are given as text.

    For what .ini files, the environment and command lines say. Imports the modules that options
    name; does not block otherwise.

    Args:
        values: Names of :data:`KNOWN_OPTIONS`. What is no text passes unchanged.
        also: Names that the caller takes itself, for the hint at what was probably meant.

    Raises:
        UnknownOptionError: A name is no option; the text has the one that was probably meant.
        ConfigError: A value means nothing or is out of range; the text begins with the name.

    .. versionadded:: 1.0
    """
    options: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _PARSERS:
            text = f"{name}: there is no option {name!r}"
            raise UnknownOptionError(text + _hint(name, [*KNOWN_OPTIONS, *also]))
        options[name] = _PARSERS[name](name, value) if isinstance(value, str) else value
    Settings(**{name: options[name] for name in Settings.__dataclass_fields__ if name in options})
    OriginPolicy(options.get("origins"))
    TrustedProxies(options.get("trusted_proxies"))
    return options


def meant_by(variable: str, prefix: str, known: Iterable[str]) -> str | None:
    """Return the name that an environment variable probably misspells; None: it is not for us.

    Others have variables with our prefix too: applications, and Kubernetes for a service of that
    name. Only what is nearly a name of ours is a mistake.

    Args:
        variable: Its name.
        prefix: How ours begin.
        known: The names of options.

    .. versionadded:: 1.0
    """
    name = variable.removeprefix(prefix).lower()
    close = difflib.get_close_matches(name, list(known), 1, cutoff=_NEARLY)
    return close[0] if close else None


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _text(_name: str, text: str) -> str:
    return text.strip()


def _resource(name: str, text: str) -> str:
    resource = text.strip().strip("/")
    if not resource:
        raise ConfigError(f"{name}: {text!r} is no part of a URL")
    return resource


def _list(_name: str, text: str) -> list[str] | None:
    if text.strip().lower() in _NOTHING:
        return None
    return [item.strip() for item in text.split(",") if item.strip()]


def parse_switch(name: str, text: str) -> bool:
    """Return what a word such as yes, off or 1 means.

    Raises:
        ConfigError: It is none; the text begins with ``name``.

    .. versionadded:: 1.0
    """
    word = text.strip().lower()
    if word not in _TRUE and word not in _FALSE:
        raise ConfigError(f"{name}: {text!r} is neither yes nor no")
    return word in _TRUE


def _path(_name: str, text: str) -> str | None:
    path = text.strip()
    return None if path.lower() in _NOTHING else path


def _client_file(name: str, text: str) -> Any:
    path = _path(name, text)
    return False if path is not None and path.lower() == "false" else path


def _whole_number(name: str, text: str) -> int:
    number = text.strip()
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10 and int(number)):
        raise ConfigError(f"{name}: {text!r:.50} is no whole number above 0")
    return int(number)


def _address(name: str, text: str) -> tuple[str, int]:
    host, colon, port = text.strip().rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise ConfigError(f"{name}: {text!r:.100} is no HOST:PORT")
    return host.strip("[]"), int(port)


def _cert_reqs(name: str, text: str) -> int:
    import ssl  # not before monkey.patch_all()

    word = text.strip().lower()
    if word not in _CERT_REQS:
        raise ConfigError(f"{name}: {text!r} is none of {', '.join(_CERT_REQS)}")
    return ssl.VerifyMode[f"CERT_{word.upper()}"]


def _object(name: str, text: str) -> Any:
    try:
        return pkgutil.resolve_name(text.strip())
    except (ImportError, AttributeError, ValueError) as exc:
        raise ConfigError(f"{name}: {text.strip()!r} cannot be imported: {exc}") from exc


def _setting(name: str, text: str) -> Any:
    if name == "slow_peer" and ":" in text:  # a word, or a function
        return _object(name, text)
    return parse_setting(name, text)


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "resource": _resource,
    "transports": _list,
    "origins": _list,
    "trusted_proxies": _list,
    "authorize": _object,
    "client_js": _client_file,
    "log_file": _path,
    "strict_http": parse_switch,
    "policy_server": parse_switch,
    "policy_listener": _address,
    "keyfile": _path,
    "certfile": _path,
    "ca_certs": _path,
    "cert_reqs": _cert_reqs,
    "ciphers": _text,
    "backlog": _whole_number,
    "spawn": _whole_number,
    "handler_class": _object,
    "ws_handler_class": _object,
    "namespace": _text,
    **dict.fromkeys(Settings.__dataclass_fields__, _setting),
}
KNOWN_OPTIONS = tuple(_PARSERS)
"""The names that :func:`parse_options` takes."""
UNPARSED_OPTIONS = tuple(
    name for name in (*_GEVENTS, *_OURS, *_TLS_ARGUMENTS) if name not in _PARSERS
)
"""What else a server takes, for which there is no text, objects of the application's making."""
