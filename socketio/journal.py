"""What happens on a server: counted in full, told in the log now and then.

An attack must not become a flood of text, nor a mistyped setting an evening of guessing.
"""

from __future__ import annotations

import logging
import math
from collections import Counter

from socketio.clock import Timekeeper

__all__ = ["Journal"]

_requests = logging.getLogger("socketio.handler")

# Seconds in which a kind of event has its lines, and how many those are. A refusal says the same
# each time; of what fails, people want to see more than the first.
_PERIOD = 10
_REFUSALS = 1
_FAILURES = 5
_MOST_KEYS = 1000


class Journal:
    """The counters of a server, and the lines about what many clients could cause.

    Any greenlet of the server's hub may write to it; nothing blocks. The keys of all counters are
    words of ours, never of a client's. Counted since the server was made, by
    :meth:`~socketio.server.SocketIOServer.stats` made readable.

    Args:
        clock: Where the time comes from.

    .. versionadded:: 1.0
    """

    __slots__ = (
        "_clock",
        "_lines",
        "bytes_received",
        "bytes_sent",
        "disconnects",
        "errors",
        "limits",
        "packets_dropped",
        "packets_received",
        "packets_sent",
        "refusals",
        "sessions_connected",
        "sessions_opened",
    )

    def __init__(self, clock: Timekeeper) -> None:
        self._clock = clock
        self._lines: dict[object, _Line] = {}
        self.sessions_opened = 0
        """Handshakes that were answered with a session id."""
        self.sessions_connected = 0
        """Sessions whose client came."""
        self.packets_received = 0
        """Texts taken from clients, before anything is decoded."""
        self.packets_sent = 0
        """Texts handed to a connection; what comes again after a lost poll counts again."""
        self.packets_dropped = 0
        """Texts that the policy ``drop_oldest`` threw away."""
        self.bytes_received = 0
        """Bytes of POST bodies and of WebSocket messages, without framing."""
        self.bytes_sent = 0
        """Bytes of answers to polls and of frames and parts, without headers."""
        self.disconnects: Counter[str] = Counter()
        """Sessions that ended, by reason."""
        self.errors: Counter[str] = Counter()
        """What went wrong, by kind; input that makes no sense, handlers that failed."""
        self.limits: Counter[str] = Counter()
        """How often each setting stopped something, by its name."""
        self.refusals: Counter[str] = Counter()
        """Requests that may not be, by kind (origin, version, transport, authorize)."""

    def refused(self, kind: str, message: str, *args: object) -> None:
        """Count a request that may not be, and tell about it.

        Args:
            kind: One of few words of ours, never a word of the client's.
            message: What was refused and what to do, as a logging template.
            *args: For the template.
        """
        self.refusals[kind] += 1
        self.tell(_requests, ("refusal", kind), message, *args, lines=_REFUSALS)

    def failed(
        self,
        kind: str,
        log: logging.Logger,
        message: str,
        *args: object,
        where: object = None,
        level: int = logging.WARNING,
        exc_info: bool = False,
    ) -> None:
        """Count an error and tell about it.

        Args:
            kind: One of few words of ours.
            log: Where it is told.
            message: A logging template.
            *args: For the template.
            where: What else tells lines apart, such as the method that failed. As few of them as
                the application has, never something that a client can choose.
            level: Of the line.
            exc_info: Whether the traceback belongs to it.
        """
        self.errors[kind] += 1
        self.tell(log, ("error", kind, where), message, *args, level=level, exc_info=exc_info)

    def limited(self, setting: str, log: logging.Logger, message: str, *args: object) -> None:
        """Count that ``setting`` stopped something, and tell about it.

        Args:
            setting: The name of the setting.
            log: Where it is told.
            message: A logging template.
            *args: For the template.
        """
        self.limits[setting] += 1
        self.tell(log, ("limit", setting), message, *args)

    def tell(
        self,
        log: logging.Logger,
        key: object,
        message: str,
        *args: object,
        level: int = logging.WARNING,
        exc_info: bool = False,
        lines: int = _FAILURES,
    ) -> None:
        """Log ``message`` unless there were enough lines under this key in the last ten seconds.

        The next line that is written says how many were not. The arguments not named here are
        those of :meth:`failed`.

        Args:
            log: Where it is told.
            key: What is counted together; one of few.
            message: A logging template.
            *args: For the template.
            level: Of the line.
            exc_info: Whether the traceback belongs to it.
            lines: How many there may be in ten seconds.
        """
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= _MOST_KEYS - 1:  # code made at run time is always elsewhere
                key = "others"
            line = self._lines.setdefault(key, _Line())
        now = self._clock.now()
        if now >= line.until:
            line.until, line.left = now + _PERIOD, lines
        if line.left <= 0:
            line.silent += 1
            return
        line.left -= 1
        more, line.silent = line.silent, 0
        if more:
            message += f" ({more} more like it before)"
        log.log(level, message, *args, exc_info=exc_info, stacklevel=3)


class _Line:
    __slots__ = ("left", "silent", "until")

    def __init__(self) -> None:
        self.until = -math.inf
        self.left = 0
        self.silent = 0
