"""``MODULE:APPLICATION``, as a command line has it, becomes a WSGI application.

.. versionadded:: 1.0
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

from socketio.errors import UsageError

__all__ = ["DEFAULT_NAMES", "ApplicationError", "Interrupted", "load_application"]

DEFAULT_NAMES = ("app", "application")
"""What is looked for in a module when only that is named."""

# Whose frames come before those of the application, when its code is imported.
_MACHINERY = (
    os.path.dirname(os.path.dirname(__file__)) + os.sep,
    "<frozen importlib",
    importlib.__file__,
    pkgutil.__file__,
)
# How many names a message lists at most.
_ENOUGH = 8


class ApplicationError(UsageError):
    """The application cannot be loaded. The text says what was looked for and what is there.

    Args:
        text: One line, for whoever typed the command.
        cause: What the application's own code raised; None when it raised nothing.
    """

    def __init__(self, text: str, cause: BaseException | None = None) -> None:
        super().__init__(text)
        self.cause = cause

    def report(self) -> str:
        """Return the text, below the traceback of ``cause`` without the frames of ours."""
        if self.cause is None:
            return f"gevent-socketio: {self}\n"
        own = _skip_machinery(self.cause.__traceback__)
        lines = traceback.format_exception(type(self.cause), self.cause, own)
        return f"{''.join(lines)}\ngevent-socketio: {self}\n"

    def files(self) -> Iterator[str]:
        """Yield the files that took part in the failure: what to change is in one of them."""
        error, seen = self.cause, set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            for frame, _ in traceback.walk_tb(error.__traceback__):
                yield frame.f_code.co_filename
            if isinstance(error, SyntaxError) and error.filename:
                yield error.filename
            error = error.__cause__ or error.__context__


class Interrupted(SystemExit):
    """A signal came while the application was loaded. Ends the program, with status 0."""

    def __init__(self) -> None:
        super().__init__(0)


class _Target(NamedTuple):
    """What the text on the command line means."""

    text: str
    module: str
    file: Path | None
    name: str
    call: ast.Call | None


def load_application(text: str) -> Callable[..., Iterable[bytes]]:
    """Import what ``text`` names and return it as a WSGI application.

    Runs the application's code, which may block; the current directory, or that of the file, is
    put at the front of ``sys.path``.

    Args:
        text: ``module:name``, ``package.module:name.attribute``, ``path/to/file.py:name``; with
            ``name(...)`` it is called for the application, its arguments are literals. Without a
            name it is one of ``DEFAULT_NAMES``. It may also name a mapping of endpoints to
            namespaces, which becomes an application that serves these and nothing else.

    Raises:
        ApplicationError: It is not there, failed, or is no WSGI application.
        Interrupted: A signal handler raised it.
    """
    target = _parse(text)
    module = _import(target)
    value = _look_up(target, module)
    if target.call is not None:
        value = _call(target, target.call, value)
    return _as_wsgi(target, value)


# -- the text ----------------------------------------------------------------------------------


def _parse(text: str) -> _Target:
    place, _, expression = (part.strip() for part in text.partition(":"))
    if not place:
        raise ApplicationError(f"{text!r} names no module; write MODULE:APPLICATION")
    call, name = None, expression
    if "(" in expression:
        call = _parse_call(text, expression)
        name = ast.unparse(call.func)
    if not all(part.isidentifier() for part in name.split(".")) and name:
        raise ApplicationError(f"{text!r}: {name!r} is no name of an attribute")
    if place.endswith(".py") or os.sep in place:
        return _Target(text, *_locate(text, Path(place)), name, call)
    return _Target(text, place, None, name, call)


def _parse_call(text: str, expression: str) -> ast.Call:
    try:
        tree = ast.parse(expression, mode="eval").body
        if isinstance(tree, ast.Call):
            _arguments(tree)
            return tree
    except (SyntaxError, ValueError):
        pass
    raise ApplicationError(
        f"{text!r}: {expression!r} is no call with literal arguments, as create_app('test') is"
    )


def _arguments(call: ast.Call) -> tuple[list[Any], dict[str, Any]]:
    if any(keyword.arg is None for keyword in call.keywords):
        raise ValueError("** stands for no literal")
    keywords = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    return [ast.literal_eval(argument) for argument in call.args], keywords


def _locate(text: str, path: Path) -> tuple[str, Path]:
    """Return the module name and the full path of a file; a package's file is imported as such."""
    try:
        path = path.resolve()
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as exc:  # its name is too long, or no name
        raise ApplicationError(f"{text[:100]!r}: {exc.strerror}") from None
    if path.is_dir() and (path / "__init__.py").is_file():
        path /= "__init__.py"
    if not path.is_file():
        near = [entry.name for entry in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise ApplicationError(f"{text!r}: there is no file {path}{_hint(path.name, near)}")
    parts = [] if path.stem == "__init__" else [path.stem]
    for parent in path.parents:
        if not (parent / "__init__.py").is_file():
            break
        parts.insert(0, parent.name)
    return ".".join(parts), path


# -- the module --------------------------------------------------------------------------------


def _import(target: _Target) -> ModuleType:
    home = Path.cwd()
    if target.file is not None:
        depth = target.module.count(".") + (target.file.stem == "__init__")
        home = target.file.parents[depth]
    if sys.path[:1] != [str(home)]:
        sys.path.insert(0, str(home))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(target.module)
    except ModuleNotFoundError as exc:
        if exc.name is not None and f"{target.module}.".startswith(f"{exc.name}."):
            raise ApplicationError(_no_module(target, exc.name, home)) from None
        raise ApplicationError(_failed("importing", target.module, target), exc) from None
    except Interrupted:
        raise
    except SystemExit as exc:
        text = f"importing {target.module!r} for {target.text!r} ended the program: its module "
        raise ApplicationError(f"{text}calls sys.exit(), or serves by itself", exc) from None
    except Exception as exc:  # noqa: BLE001 - the application's code
        raise ApplicationError(_failed("importing", target.module, target), exc) from None
    _require_file(target, module)
    return module


def _failed(what: str, name: str, target: _Target) -> str:
    return f"{what} {name!r} failed, for the application {target.text!r}: see the traceback above"


def _require_file(target: _Target, module: ModuleType) -> None:
    """Refuse another module of the same name: ``json.py`` is not found behind the library's."""
    found = getattr(module, "__file__", None)
    if target.file is not None and (found is None or Path(found).resolve() != target.file):
        raise ApplicationError(
            f"{target.text!r}: the name {target.module!r} belongs to {found or 'Python itself'}, "
            f"so that {target.file} cannot be imported under it; give the file another name"
        )


def _no_module(target: _Target, missing: str, home: Path) -> str:
    parent, _, last = missing.rpartition(".")
    package = sys.modules.get(parent)
    if parent and not hasattr(package, "__path__"):
        text = f"{target.text!r}: {parent!r} is a module, not a package: it has no {last!r} in it"
        return f"{text}; did you mean {parent}:{last}?"
    paths = list(package.__path__) if package is not None else [str(home)]
    names = [entry.name for entry in pkgutil.iter_modules(paths)]
    where = f"package {parent!r}" if parent else f"{home}, nor elsewhere on sys.path"
    return f"{target.text!r}: there is no module {missing!r} in {where}{_hint(last, names)}"


def _hint(wanted: str, names: Iterable[str]) -> str:
    """Return the end of a message that says what else there is."""
    there = sorted(names)
    close = difflib.get_close_matches(wanted, there, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not there:
        return ""
    return f"; there are {', '.join(there[:_ENOUGH])}{', ...' if len(there) > _ENOUGH else ''}"


# -- the object --------------------------------------------------------------------------------


def _look_up(target: _Target, module: ModuleType) -> Any:
    if not target.name:
        for name in DEFAULT_NAMES:
            if hasattr(module, name):
                return getattr(module, name)
        tried = " nor ".join(map(repr, DEFAULT_NAMES))
        there = _hint("", _candidates(module))
        raise ApplicationError(
            f"{target.text!r}: the module has neither {tried}; name the application, as in "
            f"{target.text}:NAME{there}"
        )
    value: Any = module
    for part in target.name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            owner = f"module {target.module!r}" if value is module else f"{type(value).__name__!r}"
            names = _candidates(module) if value is module else _public(value)
            hint = _hint(part, names)
            raise ApplicationError(f"{target.text!r}: {owner} has no {part!r}{hint}") from None
    return value


def _public(value: object) -> list[str]:
    return [name for name in dir(value) if not name.startswith("_")]


def _candidates(module: ModuleType) -> list[str]:
    """Return the names in a module that can be what was meant: its own, or no plain functions."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (callable(value) or isinstance(value, Mapping))
        and (getattr(value, "__module__", None) == module.__name__ or not inspect.isroutine(value))
        and not (inspect.isclass(value) and value.__module__ != module.__name__)
    ]


def _call(target: _Target, call: ast.Call, factory: Any) -> Any:
    arguments, keywords = _arguments(call)
    if not callable(factory):
        raise ApplicationError(f"{target.text!r}: {target.name!r} cannot be called")
    try:
        return factory(*arguments, **keywords)
    except Exception as exc:  # noqa: BLE001 - the application's code
        raise ApplicationError(_failed("calling", target.name, target), exc) from None


def _skip_machinery(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that is the application's: after ours and Python's own."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_MACHINERY):
        trace = trace.tb_next
    return trace


def _as_wsgi(target: _Target, value: Any) -> Callable[..., Iterable[bytes]]:
    # Not at the top: it imports gevent, and what gevent patches has to be patched before.
    from socketio.commandline.applications import as_application

    try:
        return as_application(value)
    except TypeError as exc:
        raise ApplicationError(f"{target.text!r} cannot be served: {exc}") from None
