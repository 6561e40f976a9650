"""An answer of ours as bytes, in one piece: status line, headers and body. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Field", "Status", "encode_headers", "encode_status", "join_answer"]

# What is remembered here is what every answer says; of the rest, as of origins, so many fit.
_REMEMBERED = 512
# What is longer is not remembered: an Origin may be as long as a client likes.
_LONGEST = 200


class Field(NamedTuple):
    """One header of an answer.

    Attributes:
        key: Its name in small letters.
        pair: Name and value.
        line: The line with its end.

    .. versionadded:: 1.0
    """

    key: str
    pair: tuple[bytes, bytes]
    line: bytes


class Status(NamedTuple):
    """The status of an answer.

    Attributes:
        code: The number.
        line: The line with its end.
        encoded: Number and reason.

    .. versionadded:: 1.0
    """

    code: int
    line: bytes
    encoded: bytes


def encode_headers(
    headers: Iterable[tuple[str, str]], second: int, connection: str | None
) -> list[Field]:
    """Return headers as bytes, with those that every answer has.

    Args:
        headers: Names and values.
        second: The time, in seconds since the epoch, for a Date if there is none.
        connection: What to say of the connection if they do not; None says nothing.

    Raises:
        ValueError: A line end is in them, or what is no Latin-1: UnicodeError.
    """
    fields = [
        (_encode_field if len(value) <= _LONGEST else _encode_field.__wrapped__)(name, value)
        for name, value in headers
    ]
    keys = [field.key for field in fields]
    if connection is not None and "connection" not in keys:
        fields.append(_encode_field("Connection", connection))
    if "date" not in keys:
        fields.append(_date_field(second))
    return fields


@lru_cache(maxsize=_REMEMBERED)
def _encode_field(name: str, value: str) -> Field:
    line = f"{name}: {value}".encode("latin-1")
    _refuse_line_ends(line)
    return Field(name.lower(), (name.encode("latin-1"), value.encode("latin-1")), line + b"\r\n")


@lru_cache(maxsize=_REMEMBERED)
def encode_status(status: str) -> Status:
    """Return a status such as ``200 OK`` as bytes.

    Raises:
        ValueError: It does not begin with a number, or a line end is in it.
    """
    encoded = status.encode("latin-1")
    _refuse_line_ends(encoded)
    return Status(int(status.split(" ", 1)[0]), b"HTTP/1.1 %b\r\n" % encoded, encoded)


@lru_cache(maxsize=1)
def _date_field(second: int) -> Field:
    return _encode_field.__wrapped__("Date", formatdate(second, usegmt=True))


def join_answer(status: Status, fields: list[Field], body: bytes) -> bytes:
    """Return all of an answer."""
    return b"".join([status.line, *[field.line for field in fields], b"\r\n", body])


def _refuse_line_ends(line: bytes) -> None:
    if b"\r" in line or b"\n" in line:
        raise ValueError(f"a line end in {line!r:.100}")
