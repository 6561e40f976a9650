"""One vector, and the words for what a server does with it.

``echo x`` and ``pong x`` are a message and a pong that came back. How it ends follows: ``open``,
the connection goes on; ``close 1002``, it ended with this code, or ``close`` without one; ``cut``,
it ended without a word. An answer that is no upgrade is ``status 400``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.unit.websocket.frames import frame

Part: TypeAlias = "bytes | tuple[bytes, int]"
"""Bytes, or bytes and how many times they are sent."""


@dataclass(frozen=True, kw_only=True)
class Vector:
    """Bytes to send, and what the server must do."""

    name: str
    expected: str
    parts: tuple[Part, ...] = ()
    upgrade: dict[str, Any] | None = None
    """What is different in the request for the upgrade; None for nothing."""
    together: bool = False
    """Whether the bytes come in one segment with that request."""
    reads: bool = True
    """Whether the client reads while it sends."""

    @property
    def wire(self) -> bytes:
        return b"".join(
            part if isinstance(part, bytes) else part[0] * part[1] for part in self.parts
        )


def vector(name: str, expected: str, *parts: Part, **how: Any) -> Vector:
    return Vector(name=name, expected=expected, parts=parts, **how)


def long_frame(opcode: int, size: int, start: bytes = b"", *, fin: bool = True) -> tuple[Part, ...]:
    """Return a frame with ``size`` bytes of payload, as parts; its mask is all zeros."""
    header = frame(opcode, fin=fin, length=size)[:-4]
    return header + bytes(4) + start, (b"x", size - len(start))
