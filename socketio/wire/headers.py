"""The header of a request: read in one piece where it is plain, and in a light form. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar, overload

from socketio.wire.httpcheck import find_header_fault, has_plain_framing

__all__ = ["Headers", "add_headers", "read_block", "read_headers", "wants_close"]

_T = TypeVar("_T")

_MAX_BLOCK = 65536
_MAX_HEADERS = 100
# Longer names are not remembered: clients choose them.
_LONGEST = 100
# The same that find_header_fault() lets through: a line of the block for each match. A search that
# begins at lines only: within a long bad one it would begin anew at each of its characters.
_LINE = re.compile(
    r"^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r\n", re.MULTILINE
)
# What stands around the two groups of a line, and what ends the block.
_AROUND = len(":\r\n")
_END_OF_BLOCK = b"\r\n\r\n"


class Headers:
    """The lines of a header in their order, found by name in any case.

    Has what pywsgi, gunicorn and applications ask of the standard library's message, whose parser
    took 40 microseconds for each request.

    Args:
        items: Names and values.

    .. versionadded:: 1.0
    """

    __slots__ = ("_items", "first")

    status = ""
    """Always empty; pywsgi looks here for what is wrong with the header."""

    def __init__(self, items: list[tuple[str, str]]) -> None:
        self._items = items
        self.first: dict[str, str] = {}
        """The first value of each name, the name in small letters; to be looked at, not changed."""
        for name, value in items:
            self.first.setdefault(name.lower(), value)

    def copy(self) -> Headers:
        """Return another one that says the same."""
        other = Headers.__new__(Headers)
        other._items, other.first = self._items.copy(), self.first.copy()
        return other

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.first

    def __getitem__(self, name: str) -> str | None:
        return self.first.get(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        self._items.append((name, value))
        self.first.setdefault(name.lower(), value)

    def __delitem__(self, name: str) -> None:
        name = name.lower()
        self.first.pop(name, None)
        self._items[:] = [entry for entry in self._items if entry[0].lower() != name]

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, failobj: _T) -> str | _T: ...

    def get(self, name: str, failobj: Any = None) -> Any:
        """Return the first value of ``name``, ``failobj`` if there is none."""
        return self.first.get(name.lower(), failobj)

    getheader = get
    """As pywsgi says it."""

    def get_all(self, name: str, failobj: Any = None) -> Any:
        """Return all values of ``name`` in their order, ``failobj`` if there is none."""
        name = name.lower()
        return [value for key, value in self._items if key.lower() == name] or failobj

    def keys(self) -> list[str]:
        """Return the names as they came, one for each line."""
        return [name for name, _ in self._items]

    def values(self) -> list[str]:
        """Return the values, one for each line."""
        return [value for _, value in self._items]

    def items(self) -> list[tuple[str, str]]:
        """Return names and values, one pair for each line."""
        return list(self._items)

    @property
    def headers(self) -> Iterator[str]:
        """The lines."""
        return (f"{name}: {value}\r\n" for name, value in self._items)

    @property
    def typeheader(self) -> str | None:
        """The Content-Type."""
        return self.first.get("content-type")


def read_headers(block: bytes, version: str) -> Headers:
    """Return the header in ``block``.

    Args:
        block: The raw header lines up to and including the empty line.
        version: ``HTTP/1.1`` or ``HTTP/1.0``.

    Raises:
        ValueError: Two parsers could read it differently, or it has too many lines.
    """
    text = block.decode("latin-1")
    found = _LINE.findall(text)
    items = [(name, value.strip(" \t")) for name, value in found]
    headers = Headers(items)
    # Between two matches nothing lies if together they are as long as the block: no part of a
    # match can be its last, empty line.
    matched = sum([len(name) + len(value) for name, value in found]) + _AROUND * len(found)
    whole = block.endswith(_END_OF_BLOCK) and matched == len(text) - 2
    single = len(headers.first) == len(items)
    if not (whole and single and has_plain_framing(headers.first)):
        # Rare and worth a closer look, which costs as much as all the rest of this.
        fault = find_header_fault(block, version)
        if fault is not None:
            raise ValueError(fault)
    if len(items) > _MAX_HEADERS:
        raise ValueError("too many headers")
    return headers


def read_block(rfile: Any) -> tuple[bytes, int]:
    """Return the header lines with the empty one, and how many bytes behind it are here already.

    The number is -1 where it is not known.

    Args:
        rfile: The buffered reader of the connection. May block where it does.

    Raises:
        ValueError: It is too large.
    """
    waiting = rfile.peek() if hasattr(rfile, "peek") else b""
    end = waiting.find(_END_OF_BLOCK) + len(_END_OF_BLOCK)
    if end >= len(_END_OF_BLOCK) and not waiting.startswith(b"\r\n"):
        return rfile.read(end), len(waiting) - end
    lines: list[bytes] = []
    size = 0
    while True:
        line = rfile.readline(_MAX_BLOCK + 1)
        size += len(line)
        if size > _MAX_BLOCK:
            raise ValueError("header too large")
        lines.append(line)
        if line in (b"\r\n", b"\n", b""):
            return b"".join(lines), -1


def wants_close(headers: Headers, version: str) -> bool:
    """Tell whether the client will send nothing behind this request."""
    first = headers.first.get("connection")
    if first is None:
        return version != "HTTP/1.1"
    options = ",".join(headers.get_all("connection")).lower().split(",")
    if "close" in [option.strip(" \t") for option in options]:
        return True
    return version != "HTTP/1.1" and first.lower() != "keep-alive"


def add_headers(environ: dict[str, Any], headers: Headers) -> None:
    """Put the headers of a request into its WSGI environment."""
    first = headers.first
    if "content-type" in first:
        environ["CONTENT_TYPE"] = first["content-type"]
    if "content-length" in first:
        environ["CONTENT_LENGTH"] = first["content-length"]
    for name, value in headers.items():
        found = (_environ_key if len(name) <= _LONGEST else _environ_key.__wrapped__)(name)
        if found is None:
            continue
        value = value.strip()
        if found in environ:  # a header in two lines, or one that the server was given
            value = environ[found] + ("; " if "COOKIE" in found else ",") + value
        environ[found] = value


@lru_cache(maxsize=512)
def _environ_key(name: str) -> str | None:
    if "_" in name:  # it could pass for a name with a hyphen
        return None
    key = name.replace("-", "_").upper()
    return None if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
