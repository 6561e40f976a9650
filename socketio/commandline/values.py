"""What a command line and the environment ask for, once it is read.

.. versionadded:: 1.0
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socketio.commandline.listening import Address, parse_bind
from socketio.commandline.parser import LOG_LEVELS, OPTIONS, PREFIX, make_parser
from socketio.config import parse_setting
from socketio.errors import ConfigError
from socketio.options import meant_by, parse_options

__all__ = ["Command", "parse_command"]

# How an address can be given; the ways do not mix.
_WAYS = {"host": "tcp", "port": "tcp", "bind": "bind", "unix": "unix"}
# The server's own, which is not to be imported before everything is patched.
_STOP_TIMEOUT = 5.0
# Options of the command's own that the environment may have too.
_OWN = (*_WAYS, "stop_timeout", "log_level")
# These name objects of modules, which are imported when everything is patched and in its place.
_OBJECTS = ("authorize", "handler_class", "ws_handler_class")
# Says to the workers of gunicorn how requests are routed; it may be set for both.
_OF_GUNICORN = f"{PREFIX}STICKY"
_WITH_CERTIFICATE = ("keyfile", "ca_certs", "cert_reqs", "ciphers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What was asked for.

    Attributes:
        target: Names the application.
        address: Where to listen.
        options: Values of the server's options, most of them text, by name.
        sources: What each value was given with, as messages name it.
        stop_timeout: Seconds; None means the server's own.
        log_level: Name of the least level; None means that nobody said.
        access_log: Whether requests are logged.
        patch: Whether the standard library is made cooperative.
        reload: Whether changes of the code are looked for.
        reload_dirs: Where else.
        check: Whether to end without serving.
    """

    target: str
    address: Address
    options: Mapping[str, object]
    sources: Mapping[str, str]
    stop_timeout: float | None = None
    log_level: str | None = None
    access_log: bool = True
    patch: bool = True
    reload: bool = False
    reload_dirs: tuple[str, ...] = ()
    check: bool = False

    def blame(self, error: Exception) -> str:
        """Return the text of an error with the option it begins with as the user gave it."""
        return _blame(error, self.sources)

    @property
    def patience(self) -> float:
        """How many seconds requests and handlers may take to end."""
        return _STOP_TIMEOUT if self.stop_timeout is None else self.stop_timeout

    @property
    def backlog(self) -> int | None:
        """What the server is asked to listen with; None means its own default."""
        backlog: int | None = parse_options(_only(self.options, ["backlog"])).get("backlog")
        return backlog


def parse_command(
    argv: Sequence[str] | None, environ: Mapping[str, str], prog: str | None = None
) -> Command:
    """Return what a command line and the environment ask for.

    Imports nothing that the options name, and asks nothing of the system but whether a directory is
    there.

    Args:
        argv: The arguments; None: those of the process.
        environ: The environment; an empty variable counts as not set.
        prog: The name of the program, for its messages.

    Raises:
        SystemExit: With status 2, after a message, when they mean nothing; with 0 for ``--help``.
    """
    parser = make_parser(prog)
    typed = vars(parser.parse_args(argv))
    values, sources = _collect(typed, environ)
    try:
        _refuse_unknown(environ)
        address = _choose_address(values, sources, typed)
        command = _make_command(typed, values, sources, address)
        parse_options(
            {
                name: value
                for name, value in command.options.items()
                if name not in _OBJECTS and not (name == "slow_peer" and ":" in str(value))
            }
        )
    except ConfigError as exc:
        parser.error(_blame(exc, sources))
    return command


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = (*_OWN, *OPTIONS)
    right = {PREFIX + name.upper() for name in known} | {_OF_GUNICORN}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in right:
            meant = meant_by(variable, PREFIX, known)
            if meant is not None:
                hint = f"did you mean {PREFIX}{meant.upper()}?"
                raise ConfigError(f"{variable}: there is no such option; {hint}")


def _blame(error: Exception, sources: Mapping[str, str]) -> str:
    name, colon, text = str(error).partition(":")
    return f"{sources[name]}:{text}" if colon and name in sources else str(error)


def _only(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _collect(
    typed: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values by name, and what each was given with."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name in (*_OWN, *OPTIONS):
        variable = PREFIX + name.upper()
        if name in typed:
            values[name], sources[name] = typed[name], f"--{name.replace('_', '-')}"
        elif environ.get(variable, "").strip() and not _is_foreign(variable, environ):
            values[name], sources[name] = environ[variable], variable
    return values, sources


def _is_foreign(variable: str, environ: Mapping[str, str]) -> bool:
    """Tell whether a variable is what Kubernetes says about a service named ``socketio``."""
    return variable == f"{PREFIX}PORT" and "://" in environ[variable]


def _make_command(
    typed: Mapping[str, Any],
    values: Mapping[str, Any],
    sources: Mapping[str, str],
    address: Address,
) -> Command:
    switches = _only(typed, ["access_log", "patch", "reload", "check"])
    directories = tuple(typed.get("reload_dir", ()))
    for directory in directories:
        if not os.path.isdir(directory):
            raise ConfigError(f"--reload-dir: there is no directory {directory!r}")
    if directories and "reload" not in switches:
        raise ConfigError("--reload-dir: goes with --reload only")
    if "check" in switches and "reload" in switches:
        raise ConfigError("--check: ends without serving, so that nothing can be reloaded")
    if "log_file" in values and not switches.get("access_log", True):
        raise ConfigError("log_file: there is no access log with --no-access-log")
    for name in _only(values, _WITH_CERTIFICATE):
        if "certfile" not in values:
            raise ConfigError(f"{name}: goes with --certfile only")
    return Command(
        target=typed["target"],
        address=address,
        options=_only(values, OPTIONS),
        sources=sources,
        stop_timeout=_parse_stop_timeout(values.get("stop_timeout")),
        log_level=_parse_level(values.get("log_level")),
        reload_dirs=directories,
        **switches,
    )


def _choose_address(
    values: Mapping[str, Any], sources: Mapping[str, str], typed: Mapping[str, Any]
) -> Address:
    """Return where to listen; what is typed stands above what the environment has."""
    given = [name for name in _WAYS if name in typed] or [name for name in _WAYS if name in values]
    ways = {_WAYS[name] for name in given}
    if len(ways) > 1:
        first, *_, last = given
        raise ConfigError(f"{last}: give it or {sources[first]}, not both")
    way = ways.pop() if ways else "tcp"
    if way == "unix" and not values["unix"].strip():
        raise ConfigError("unix: the path is empty")
    if way == "unix":
        return Address(path=values["unix"], advice=sources["unix"])
    if way == "bind":
        return _parse_bind(values["bind"], sources["bind"])
    known = Address()
    port = str(values.get("port", known.port)).strip()
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigError(f"port: {port!r} is no number from 0 to 65535")
    return Address(values.get("host", known.host).strip("[]"), int(port))


def _parse_bind(text: str, source: str) -> Address:
    try:
        return parse_bind(text.strip(), source)
    except ValueError as exc:
        raise ConfigError(f"bind: {exc}") from None


def _parse_stop_timeout(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = parse_setting("stop_timeout", text)
    if seconds is None or not 0 <= seconds < math.inf:
        raise ConfigError(f"stop_timeout: {text!r} is no number of seconds")
    return float(seconds)


def _parse_level(text: str | None) -> str | None:
    level = None if text is None else text.strip().lower()
    if level is not None and level not in LOG_LEVELS:
        raise ConfigError(f"log_level: {text!r} is none of {', '.join(LOG_LEVELS)}")
    return level
