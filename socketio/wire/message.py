"""Encoded text that remembers its own WebSocket frame.

A broadcast puts one :class:`WireMessage` on every queue; whichever receiver is written first
pays for the UTF-8 encoding and the frame, all others share the bytes. That is possible because
server frames are not masked and 0.9 knows no compression. Pure.
"""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from socketio.wire.payload import utf16_length

__all__ = ["WireMessage", "to_utf8"]


def to_utf8(text: str) -> bytes:
    """Return ``text`` as UTF-8; a lone surrogate becomes U+FFFD, as in the reference server."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


class WireMessage(str):
    """The wire text of one packet, with its frame and its payload part computed once."""

    __slots__ = ("_frame", "_part")

    _frame: bytes
    _part: bytes

    @property
    def frame(self) -> bytes:
        """The text as one unmasked WebSocket text frame (RFC 6455, section 5)."""
        try:
            return self._frame
        except AttributeError:
            self._frame = Frame(Opcode.TEXT, to_utf8(self)).serialize(mask=False)
            return self._frame

    @property
    def part(self) -> bytes:
        """The text as one part of a polling payload, its length in front."""
        try:
            return self._part
        except AttributeError:
            length = str(utf16_length(self)).encode()
            self._part = b"\xef\xbf\xbd%b\xef\xbf\xbd%b" % (length, to_utf8(self))
            return self._part
