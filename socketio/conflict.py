"""Another distribution with a package ``socketio`` of its own: said in one line, at import.

python-socketio, which speaks Socket.IO 1 and later, has a package of the same name, and pip puts
one over the other without a word. Some files are then of the one, some of the other.

Importing this module is the check. The package imports it, and so does each of our modules that no
other distribution has a file for: whichever of them is imported first says what has happened. Where
nothing has, it costs two questions to the file system.

.. versionadded:: 1.0
"""

from __future__ import annotations

import os
import re
import sys
import warnings

__all__ = ["missing_name"]

_PACKAGE = "socketio"
_OURS = "gevent-socketio"
# What is in our __all__ from the first line on, while our package is still being imported.
_OUR_NAME = "socketio_manage"
# Files that we do not have: of python-socketio since its version 1, and of the original and its
# forks, where our transports are a package.
_THEIR_FILES = ("base_manager.py", "transports.py")
_THEIR_NAMES = frozenset(
    {
        *("ASGIApp", "AsyncAioPikaManager", "AsyncClient", "AsyncClientNamespace", "AsyncManager"),
        *("AsyncNamespace", "AsyncRedisManager", "AsyncServer", "AsyncSimpleClient"),
        *("BaseManager", "Client", "ClientNamespace", "KafkaManager", "KombuManager", "Manager"),
        *("Middleware", "Namespace", "PubSubManager", "RedisManager", "Server", "SimpleClient"),
        *("WSGIApp", "ZmqManager", "get_tornado_handler"),
    }
)
_IN_ONE_PLACE = (
    "They cannot be in one environment: uninstall both, then install the one you need"
    " (pip uninstall -y {names}; pip install gevent-socketio)"
)


def missing_name(name: str) -> AttributeError:
    """Return what to raise for a name that the package ``socketio`` does not have.

    Called by the package's ``__getattr__()``. For a name of python-socketio's the text says whose
    it is.

    Args:
        name: The name that was asked for.
    """
    text = f"module {_PACKAGE!r} has no attribute {name!r}"
    if name in _THEIR_NAMES:
        text += (
            f": that is in python-socketio, another library; this {_PACKAGE!r} is the package of "
            f"{_OURS}, which speaks Socket.IO 0.9. Each needs an environment of its own"
        )
    return AttributeError(text, name=name, obj=sys.modules.get(_PACKAGE))


def _check(package: object, folder: str) -> None:
    """Raise ImportError when ``package`` is not ours, and warn when it is not ours alone.

    Args:
        package: What ``socketio`` is.
        folder: Where our modules are.
    """
    if _OUR_NAME not in getattr(package, "__all__", ()):
        raise ImportError(_explain(package, folder), name=_PACKAGE, path=folder)
    if any(os.path.exists(os.path.join(folder, name)) for name in _THEIR_FILES):
        # Of who imports the package.
        warnings.warn(_both(folder, f"now {_OURS} works and"), UserWarning, stacklevel=4)


def _explain(package: object, folder: str) -> str:
    if getattr(package, "__file__", None) is not None:
        return _both(folder, f"now {_OURS} does not work, and")
    return (
        f"{os.path.join(folder, '__init__.py')} is missing: another distribution with a package "
        f"{_PACKAGE!r} was uninstalled, and took files of {_OURS} with it. "
        f"Bring them back: pip install --force-reinstall --no-deps {_OURS}"
    )


def _both(folder: str, state: str) -> str:
    found = _find_others(os.path.dirname(folder))
    them = " and ".join(f"{name} {version}" for name, version in found) or "another distribution"
    names = " ".join([_OURS, *(name for name, _ in found)])
    return (
        f"{_OURS} and {them} are installed into one folder, {folder}: {state} the other one may "
        f"not. {_IN_ONE_PLACE.format(names=names)}"
    )


def _find_others(site: str) -> list[tuple[str, str]]:
    """Return name and version of what else has put files into our package. Slow."""
    from importlib.metadata import distributions

    found = set()
    for distribution in distributions(path=[site]):
        listed = distribution.read_text("RECORD") or ""
        tops = (distribution.read_text("top_level.txt") or "").split()
        if _PACKAGE in tops or re.search(rf"^{_PACKAGE}/", listed, re.MULTILINE):
            found.add((distribution.name, distribution.version))
    return sorted(
        (name, version) for name, version in found if re.sub(r"[-_.]+", "-", name).lower() != _OURS
    )


_check(sys.modules[_PACKAGE], os.path.dirname(__file__))
