"""What a worker tells its server: class attributes, and the environment over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from socketio.errors import ConfigError
from socketio.options import (
    KNOWN_OPTIONS,
    choose_transports,
    meant_by,
    parse_options,
    parse_switch,
)

__all__ = ["is_sticky", "read_options"]

_PREFIX = "SOCKETIO_"
_STICKY = "SOCKETIO_STICKY"
_POLICY_SERVER = "POLICY_SERVER"
# Options of a server that gunicorn has its own settings for, or that a worker has under another
# name.
_INSTEAD = {
    "namespace": "use SOCKETIO_RESOURCE",
    "log_file": "use gunicorn's --access-logfile",
    "keyfile": "use gunicorn's --keyfile",
    "certfile": "use gunicorn's --certfile",
    "ca_certs": "use gunicorn's --ca-certs",
    "cert_reqs": "use gunicorn's --cert-reqs",
    "ciphers": "use gunicorn's --ciphers",
    "backlog": "use gunicorn's --backlog",
    "spawn": "use gunicorn's --worker-connections",
    "handler_class": "set wsgi_handler in a worker class of your own",
    "ws_handler_class": "set ws_wsgi_handler in a worker class of your own",
}
_ACCEPTED = tuple(name for name in KNOWN_OPTIONS if name not in _INSTEAD)
_VARIABLES = tuple(_PREFIX + name.upper() for name in _ACCEPTED)
# Their text names a module of the application, which must not be imported before the worker has
# patched the standard library.
_IMPORTING = ("authorize", "slow_peer")


def read_options(
    worker: Any, environ: Mapping[str, str], *, importing: bool = True
) -> dict[str, Any]:
    """Return the keywords for the server of a worker.

    Args:
        worker: The worker, or its class.
        environ: The environment of the process; an empty variable counts as not set.
        importing: False leaves out the options that import a module.

    Raises:
        ConfigError: A value means nothing, or a name is unknown; the text begins with the variable
            or the attribute.
    """
    options: dict[str, Any] = {}
    for label, name, value in _given(worker, environ):
        if importing or name not in _IMPORTING or not isinstance(value, str):
            options[name] = _parse(label, name, value)
            if name == "transports":
                _check_transports(label, options[name], worker)
    return options


def is_sticky(worker: Any, environ: Mapping[str, str]) -> bool:
    """Tell whether somebody vouches for it that each client always comes to the same worker.

    Raises:
        ConfigError: What the environment says is neither yes nor no.
    """
    text = environ.get(_STICKY, "").strip()
    if not text:
        return bool(worker.sticky)
    return parse_switch(_STICKY, text)


def _given(worker: Any, environ: Mapping[str, str]) -> list[tuple[str, str, object]]:
    """Return what is set, as (how the user calls it, option, value); what comes later holds."""
    given: list[tuple[str, str, object]] = []
    owner = worker if isinstance(worker, type) else type(worker)
    for name in _ACCEPTED:
        value = getattr(worker, name, None)
        if value is not None:
            given.append((f"{owner.__name__}.{name}", name, value))
    if environ.get(_POLICY_SERVER, "").strip():
        given.append((_POLICY_SERVER, "policy_server", environ[_POLICY_SERVER]))
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable == _STICKY:
            continue
        name = variable.removeprefix(_PREFIX).lower()
        if variable not in _VARIABLES:
            _refuse_mistake(variable, name)
        elif environ[variable].strip():
            given.append((variable, name, environ[variable]))
    return given


def _refuse_mistake(variable: str, name: str) -> None:
    """Raise ConfigError for a variable that is meant for us, and not as it is."""
    if name in _INSTEAD:
        raise ConfigError(f"{variable}: not under gunicorn; {_INSTEAD[name]}")
    meant = meant_by(variable, _PREFIX, [*_ACCEPTED, "sticky"])
    if meant is not None:
        hint = f"did you mean {_PREFIX}{meant.upper()}?"
        raise ConfigError(f"{variable}: there is no such option; {hint}")


def _parse(label: str, name: str, value: object) -> Any:
    """Parse one option, so that an error can name it as the user does."""
    try:
        return parse_options({name: value})[name]
    except ConfigError as exc:
        raise ConfigError(label + str(exc).removeprefix(name)) from exc


def _check_transports(label: str, wanted: Any, worker: Any) -> None:
    try:
        choose_transports(wanted, worker.wsgi_handler.handler_types)
    except ConfigError as exc:
        raise ConfigError(label + str(exc).removeprefix("transports")) from exc
