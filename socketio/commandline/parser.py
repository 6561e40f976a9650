"""What may stand on the command line of ``python -m socketio``.

The options of the server are those of :func:`socketio.options.parse_options`, and the texts of the
settings are those of :class:`~socketio.config.Settings`, so that there is one place for each.

.. versionadded:: 1.0
"""

from __future__ import annotations

import argparse
import difflib
import platform
from collections.abc import Mapping
from dataclasses import Field
from enum import IntEnum
from importlib import metadata
from typing import Any, NamedTuple, NoReturn

from socketio import __version__
from socketio.config import Settings
from socketio.options import KNOWN_OPTIONS

__all__ = ["LOG_LEVELS", "OPTIONS", "PREFIX", "VERSION", "Exit", "make_parser"]

VERSION = ".".join(map(str, __version__))
"""As the start-up line and ``--version`` have it."""

PREFIX = "SOCKETIO_"
"""What the variables of the environment begin with."""
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
"""What ``--log-level`` may be."""


class _Text(NamedTuple):
    """How an option is shown that is no field of Settings; without a placeholder it is a switch."""

    group: str
    placeholder: str | None
    help: str


_TEXTS = {
    "resource": _Text("socket.io", "PATH", "first part of the Socket.IO URLs (default: socket.io)"),
    "transports": _Text(
        "socket.io",
        "LIST",
        "transports to offer, as websocket,xhr-polling, in the order of preference (default: all)",
    ),
    "origins": _Text(
        "socket.io",
        "LIST",
        "origins whose pages may connect, as https://a.example,https://b.example; '*' lets all in "
        "(default: the server's own)",
    ),
    "authorize": _Text(
        "socket.io",
        "MODULE:NAME",
        "function that decides from the environ of a handshake whether it is let in (default: all)",
    ),
    "client_js": _Text(
        "socket.io",
        "FILE",
        "JavaScript client to serve as /RESOURCE/socket.io.js; 'false' leaves that URL to the "
        "application (default: none)",
    ),
    "policy_server": _Text("socket.io", None, "answer Flash's policy requests (default: no)"),
    "policy_listener": _Text(
        "socket.io",
        "HOST:PORT",
        "where they are answered (default: port 10843 of the server's address)",
    ),
    "trusted_proxies": _Text(
        "server",
        "LIST",
        "proxies whose X-Forwarded headers count: addresses and networks, 'unix' for a unix "
        "socket, '*' for all (default: none)",
    ),
    "strict_http": _Text(
        "server",
        None,
        "refuse requests that two HTTP parsers could read differently (default: yes)",
    ),
    "backlog": _Text(
        "server",
        "NUMBER",
        "connections that wait in the system until they are accepted (default: 128)",
    ),
    "spawn": _Text(
        "server",
        "NUMBER",
        "connections that are served at a time, a WebSocket and a held poll is one; others wait "
        "(default: no limit)",
    ),
    "handler_class": _Text("server", "MODULE:CLASS", "subclass of SocketIOHandler to use"),
    "ws_handler_class": _Text("server", "MODULE:CLASS", "subclass of WebSocketHandler to use"),
    "log_file": _Text(
        "log",
        "FILE",
        "access log; a file that is moved away is opened anew (default: the standard error)",
    ),
    "certfile": _Text(
        "tls", "FILE", "certificate with its chain, in PEM; with it the server is https"
    ),
    "keyfile": _Text("tls", "FILE", "its key, if that is in a file of its own"),
    "ca_certs": _Text("tls", "FILE", "certificates that those of clients are checked with"),
    "cert_reqs": _Text("tls", "WORD", "clients show one of their own: none, optional or required"),
    "ciphers": _Text("tls", "LIST", "ciphers of TLS 1.2, as OpenSSL names them"),
}
# Ours first, in the order of above; namespace= is deprecated, and no option any more.
OPTIONS = tuple(
    [name for name in _TEXTS if name in KNOWN_OPTIONS]
    + [name for name in KNOWN_OPTIONS if name not in (*_TEXTS, "namespace")]
)
"""The options of the server that may be given."""
_GROUPS = {
    "address": "address",
    "socket.io": "Socket.IO",
    "server": "server",
    "timings": "timings, in seconds, fractions too",
    "limits": "limits ('none': no limit, where that is the default)",
    "tls": "TLS",
    "log": "log",
    "development": "development",
}
_EPILOG = """\
Each option with a value may come from the environment, as {prefix}ORIGINS for --origins, and the
switches --policy-server and --strict-http as yes or no. The command line has precedence.

examples:
  %(prog)s chat:app                          what is called app in chat.py
  %(prog)s chat:app --reload                 and anew whenever the code changes
  %(prog)s 'shop.web:create_app("prod")'     what a factory makes
  %(prog)s src/chat.py:namespaces            a mapping {{'/chat': ChatNamespace}}
  %(prog)s chat:app --host 0.0.0.0 --origins https://www.example.com

exit status:
{statuses}
"""


class Exit(IntEnum):
    """The exit statuses of the command; each says why, as its documentation does."""

    text: str

    def __new__(cls, status: int, text: str) -> Exit:
        """Make a member that knows its text."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.text = text
        return member

    STOPPED = 0, "stopped by SIGTERM or SIGINT (^C); --check found no fault"
    CANNOT_START = 1, "the address is taken, or a certificate or a log file cannot be used"
    USAGE = 2, "an option is unknown, or its value means nothing"
    NO_APPLICATION = (
        3,
        "the application is not there, fails at its import or is no WSGI application",
    )
    INTERRUPTED = 130, "ended by force: by a second ^C, or for it did not stop in time"


class _Parser(argparse.ArgumentParser):
    """Says what was probably meant by an option that does not exist."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.refuse(unknown[0])
        return found

    def refuse(self, word: str) -> NoReturn:
        name = word.partition("=")[0]
        close = difflib.get_close_matches(name, list(self._option_string_actions), 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        what = "there is no option" if word.startswith("-") else "one application at a time, not"
        self.error(f"{what} {name}{hint}")


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line; every value is left as text."""
    parser = _Parser(
        prog=prog,
        usage="%(prog)s [OPTION ...] MODULE:APPLICATION",
        description="Serve a WSGI application, and Socket.IO 0.9 for it.",
        epilog=_EPILOG.format(
            prefix=PREFIX,
            statuses="\n".join(f"  {member.value:<5} {member.text}" for member in Exit),
        ),
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=32
        ),
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument(
        "target",
        metavar="MODULE:APPLICATION",
        help="application to serve: module:name, package.module:name.attribute, path/to/file.py:"
        "name; name(...) is called for it. It is WSGI, or a mapping of endpoints to namespaces. "
        "Without a name: app or application",
    )
    groups = {name: parser.add_argument_group(title) for name, title in _GROUPS.items()}
    _add_own(groups)
    for name in OPTIONS:
        _add_known(groups, name)
    about = f"gevent-socketio {VERSION}, gevent {metadata.version('gevent')}, "
    about += f"{platform.python_implementation()} {platform.python_version()}"
    parser.add_argument("--version", action="version", version=about, help="show the versions")
    return parser


def _add_own(groups: Mapping[str, Any]) -> None:
    """Add the options that are the command's own."""
    address, server, log = groups["address"], groups["server"], groups["log"]
    address.add_argument("--host", help="name or address to listen on (default: 127.0.0.1)")
    address.add_argument("--port", help="port; 0 takes any that is free (default: 8080)")
    address.add_argument(
        "--bind", metavar="HOST:PORT", help="both in one, also [IPV6]:PORT and unix:PATH"
    )
    address.add_argument(
        "--unix", metavar="PATH", help="listen on a unix socket; it is removed at the end"
    )
    server.add_argument(
        "--stop-timeout",
        metavar="SECONDS",
        help="seconds that requests and handlers may take to finish when the server stops "
        "(default: 5)",
    )
    log.add_argument(
        "--log-level",
        metavar="LEVEL",
        help=f"what the server logs: {', '.join(LOG_LEVELS)} (default: info). An application that "
        "configures logging itself decides",
    )
    log.add_argument(
        "--access-log",
        action=argparse.BooleanOptionalAction,
        help="a line for each request (default: yes)",
    )
    _add_development(groups["development"])


def _add_development(group: Any) -> None:
    group.add_argument(
        "--reload",
        action="store_true",
        help="serve anew when a *.py file beside a module of the application has changed",
    )
    group.add_argument(
        "--reload-dir",
        metavar="DIR",
        action="append",
        help="look at all below this directory too; may be given more than once",
    )
    group.add_argument(
        "--patch",
        action=argparse.BooleanOptionalAction,
        help="have gevent make the standard library cooperative, before the application is "
        "imported: threads become greenlets (default: yes)",
    )
    group.add_argument(
        "--check",
        action="store_true",
        help="import the application, look at the options, and end without serving",
    )


def _add_known(groups: Mapping[str, Any], name: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    entry = Settings.__dataclass_fields__.get(name)
    if entry is not None:
        _add_setting(groups, flag, entry)
        return
    group, placeholder, text = _TEXTS.get(name, _Text("server", "VALUE", "see SocketIOServer"))
    if placeholder is None:
        groups[group].add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
    else:
        groups[group].add_argument(flag, metavar=placeholder, help=text)


def _add_setting(groups: Mapping[str, Any], flag: str, entry: Field[Any]) -> None:
    kind, effect = entry.metadata["kind"], entry.metadata["effect"]
    default = "" if entry.default is None else f" (default: {entry.default})"
    group, placeholder = "limits", "NUMBER"
    if kind == "seconds":
        group, placeholder = "timings", "SECONDS"
    elif kind == "policy":
        placeholder = "POLICY"
    elif effect.startswith("bytes"):
        placeholder = "BYTES"
    text = f"{effect}{default}".replace("%", "%%")
    groups[group].add_argument(flag, metavar=placeholder, help=text)
