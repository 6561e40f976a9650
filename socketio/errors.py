"""The exceptions of the library, sorted by who broke the rules.

::

    SocketIOError
    ├── PeerError                  the client sent something it may not send
    │   └── DecodeError            (ValueError) text that is no packet
    │       └── PayloadError       (ValueError) a request body that is no payload
    ├── UsageError                 the application called us wrongly
    │   ├── EncodeError            (ValueError, KeyError) a packet that cannot be written
    │   └── NotOurServerError      (KeyError) ``environ`` has no Socket.IO session
    ├── UnauthorizedError          the application does not let a client in
    └── ConfigError                (ValueError) a setting out of range
        └── UnknownOptionError     (TypeError) a setting that does not exist

.. versionadded:: 1.0
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DecodeError",
    "EncodeError",
    "NotOurServerError",
    "PayloadError",
    "PeerError",
    "SocketIOError",
    "UnauthorizedError",
    "UnknownOptionError",
    "UsageError",
]


class SocketIOError(Exception):
    """Base class of everything this library raises on purpose."""


class PeerError(SocketIOError):
    """The client broke the protocol. Nothing is wrong with the application."""


class DecodeError(PeerError, ValueError):
    """The text is no Socket.IO 0.9 packet.

    The only exception :func:`socketio.packet.decode` raises, whatever its input.
    """


class PayloadError(DecodeError):
    """The body of a polling request is no packet and no well-formed payload.

    Args:
        *args: The text.
        limit: Name of the setting that it goes beyond; None for what is malformed.
    """

    def __init__(self, *args: object, limit: str | None = None) -> None:
        super().__init__(*args)
        self.limit = limit


class UsageError(SocketIOError):
    """The application broke a rule of this library's interface."""


class EncodeError(UsageError, ValueError, KeyError):
    """The packet given to :func:`socketio.packet.encode` cannot be put on the wire.

    It is a ``KeyError`` too, because that is what the original raised for a reason or an advice
    outside of the protocol's tables.
    """

    __str__ = Exception.__str__


class NotOurServerError(UsageError, KeyError):
    """``environ['socketio']`` is missing: another server than ours runs the application."""

    __str__ = Exception.__str__


class ConfigError(SocketIOError, ValueError):
    """A setting is unknown, malformed or out of its range. The text names it and its value."""


class UnknownOptionError(ConfigError, TypeError):
    """There is no setting of that name. The text has the one that was probably meant."""


class UnauthorizedError(SocketIOError):
    """The client may not enter. Raised by the application, never by this library.

    Raised in the ``authorize`` hook of a server it refuses the handshake with 403, and the 0.9
    client does not try again. Raised in ``recv_connect()`` it refuses the namespace: the client
    gets ``connect_failed`` with the reason ``unauthorized``. Its text is for the log; the client
    never sees it.
    """
