"""How a handler wants to be called: looked up once per function, not once per event."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any
from weakref import ref

__all__ = ["HandlerShape", "find_method", "shape_of"]

log = logging.getLogger("socketio.namespace")


@dataclass(frozen=True, slots=True)
class HandlerShape:
    """What the signature of a handler says.

    ``most`` None means any number of arguments; ``wants_packet`` means the one parameter
    ``packet``; ``lacks_self`` means it is no method at all.
    """

    least: int = 0
    most: int | None = None
    wants_packet: bool = False
    lacks_self: bool = False

    def takes(self, count: int) -> bool:
        """Tell whether the handler can be called with ``count`` arguments."""
        return self.least <= count and (self.most is None or count <= self.most)


_ANYTHING = HandlerShape()
# By id, with a reference that forgets: a WeakKeyDictionary takes half a microsecond to look.
_known: dict[int, tuple[ref[FunctionType], HandlerShape]] = {}


def find_method(owner: object, name: str) -> Any:
    """Return the callable attribute ``name`` of ``owner``, or None.

    Applications have ``__getattr__`` that raises other errors than AttributeError: whatever it
    raises means that there is no such method.
    """
    try:
        method = getattr(owner, name, None)
    except Exception:  # noqa: BLE001 - foreign code that answers "no" in its own way
        return None
    return method if callable(method) else None


def shape_of(method: Any) -> HandlerShape:
    """Return how ``method`` may be called; an object without a Python signature takes anything."""
    function = method.__func__ if isinstance(method, MethodType) else method
    if not isinstance(function, FunctionType):
        return _ANYTHING
    known = _known.get(id(function))
    if known is not None and known[0]() is function:
        return known[1]
    shape, key = _inspect(function), id(function)
    _known[key] = ref(function, lambda _gone: _known.pop(key, None)), shape
    return shape


def _inspect(function: FunctionType) -> HandlerShape:
    # Of a decorated handler the wrapper is called: it may add arguments, or take some away.
    parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    if parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return _ANYTHING  # a decorator's wrapper: only the wrapped function knows
    if not parameters or parameters[0].name != "self":
        return HandlerShape(lacks_self=True)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    taken = [parameter for parameter in parameters[1:] if parameter.kind in kinds]
    if len(parameters) == 2 and taken and taken[0].name == "packet":
        return HandlerShape(wants_packet=True)
    least = sum(1 for parameter in taken if parameter.default is inspect.Parameter.empty)
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return HandlerShape(least=least)
    return HandlerShape(least=least, most=len(taken))
