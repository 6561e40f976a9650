"""The JSON functions used unless the application gives its own.

Always the standard library: what else happens to be installed must not change what goes over the
wire. Pure: no gevent, no logging.
"""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any, NoReturn, TypeAlias

__all__ = ["JSON", "default_json_dumps", "default_json_loads"]

JSON: TypeAlias = Any
"""Any value JSON can express: ``dict``, ``list``, ``str``, a number, ``bool``, ``None``."""


def _as_number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON serializable: {value!r:.100}")


# One encoder for the life of the process: json.dumps() with arguments builds one on every call.
_encoder = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, default=_as_number
)


def _make_chunks_of() -> Callable[[JSON], Iterable[str]] | None:
    """Return what makes the pieces of a JSON text; None where only ``_encoder`` can.

    It is what ``_encoder.encode()`` makes anew for each text, kept: 1.2 -> 0.6 microseconds for an
    event. Its memory against cycles may serve one text at a time, and none that failed.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    idle: list[Any] = []

    def chunks_of(data: JSON) -> Iterable[str]:
        try:
            encode = idle.pop()
        except IndexError:  # the first one, or another thread is at work
            encode = make(
                {}, _as_number, encode_basestring_ascii, None, ":", ",", True, False, False
            )
        pieces: Iterable[str] = encode(data, 0)
        idle.append(encode)
        return pieces

    try:
        works = "".join(chunks_of({"b": [1], "a": ""})) == '{"a":"","b":[1]}'
    except TypeError:  # another interpreter, or another signature: it is not a public function
        return None
    return chunks_of if works else None


_chunks_of = _make_chunks_of()


def default_json_dumps(data: JSON) -> str:
    """Return ``data`` as compact ASCII JSON with sorted keys.

    ``Decimal`` values are written as numbers, with the precision of a float. May be called from
    any greenlet, never blocks.

    Raises:
        TypeError: A value has no JSON form.
        ValueError: ``NaN`` or an infinity (the 0.9 client would lose the whole packet), or a
            structure that contains itself.
        RecursionError: Nested deeper than the interpreter allows.
    """
    return _encoder.encode(data) if _chunks_of is None else "".join(_chunks_of(data))


# While it makes lists and dictionaries by the thousand the collector looks at all that there are:
# three quarters of the time that a long text takes, and JSON has no cycles to be found.
_LONG = 10_000


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"number out of range: {text[:20]}")
    return number


_decoder: Any = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def default_json_loads(text: str) -> JSON:
    """Return the value of the JSON ``text``.

    May be called from any greenlet, never blocks. ``NaN``, infinities and numbers that overflow
    to one are refused, for a server that hands them on breaks every other client.

    Raises:
        ValueError: Not JSON.
        RecursionError: Nested deeper than the interpreter allows.
    """
    if len(text) >= _LONG and gc.isenabled():
        gc.disable()
        try:
            return _decoder.decode(text)
        finally:
            gc.enable()
    # Without decode()'s two searches for white space: 1.0 -> 0.4 microseconds for a short event.
    try:
        value, end = _decoder.scan_once(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)
