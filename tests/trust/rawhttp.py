"""Raw requests for the rows: bytes go out, the answers and how soon they came come back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import gevent.pool
from gevent import socket as gsocket

from tests.client import Answer, Connection, PollingClient, event
from tests.trust.stage import Place

__all__ = ["REFUSED", "Reply", "Timing", "ask_all", "exchange", "head", "is_alive", "leave"]

# Without an answer for so long a request counts as one that hangs.
_PATIENCE = 5.0


@dataclass
class Timing:
    """How soon something was done, of many times."""

    count: int = 0
    worst: float = 0.0
    """In seconds."""
    worst_of: str = ""

    def note(self, seconds: float, what: str) -> None:
        self.count += 1
        if seconds >= self.worst:
            self.worst, self.worst_of = seconds, what


REFUSED = Timing()
"""Every refusal that any row has seen, for the goal about them."""


@dataclass
class Reply:
    """What came of the bytes of one connection."""

    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0
    """Until the first answer was there; without one, until we gave up."""
    ended: bool = False
    """The server closed the connection, or its side of it."""

    @property
    def status(self) -> int:
        """The status of the first answer; 0 if there was none."""
        return self.answers[0].status if self.answers else 0

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]


def head(place: Place, line: str, *lines: str) -> bytes:
    """Return a request line and header lines, with the Host in front and the empty line behind."""
    host = f"Host: 127.0.0.1:{place.server_port}"
    return "".join(f"{text}\r\n" for text in (line, host, *lines, "")).encode("latin-1")


def exchange(
    place: Any, data: bytes, *, answers: int = 0, finish: bool = False, bodiless: bool = False
) -> Reply:
    """Send ``data`` on a connection of its own and return what comes.

    Args:
        place: Where to.
        data: The bytes.
        answers: How many answers are read; 0 reads all until the server closes.
        finish: Whether we end our side of the connection behind the data.
        bodiless: Whether answers have no body, as those to HEAD.
    """
    reply = Reply()
    connection = Connection(place)
    connection.sock.settimeout(_PATIENCE)
    begin = time.monotonic()
    try:
        with contextlib.suppress(OSError):  # it may be refused before all of it is sent
            connection.send_raw(data)
            if finish:
                connection.sock.shutdown(gsocket.SHUT_WR)
        while not answers or len(reply.answers) < answers:
            reply.answers.append(connection.read_answer(head=bodiless))
            reply.seconds = reply.seconds or time.monotonic() - begin
    except TimeoutError:
        pass
    except (EOFError, ConnectionResetError):
        reply.ended = True
    finally:
        connection.close()
    reply.seconds = reply.seconds or time.monotonic() - begin
    if reply.status >= 400:
        REFUSED.note(reply.seconds, repr(data[:60]))
    return reply


def ask_all(ask: Callable[[Any], Any], things: Iterable[Any], at_once: int = 8) -> list[Any]:
    """Return ``ask(thing)`` for each of the things, in their order; some run at the same time."""
    return gevent.pool.Pool(at_once).map(ask, things)


def is_alive(client: PollingClient) -> bool:
    """Tell whether a polling session still takes an event and answers it."""
    try:
        client.send(event("echo", "still here", msgid="99+"))
        while (text := client.recv()) != '6:::99+["still here"]':
            assert text.startswith(("6:", "5:", "7:")), text
    except (OSError, EOFError, AssertionError):
        return False
    return True


def leave(client: PollingClient) -> None:
    """End the session of ``client`` as a client does, and its connections."""
    with contextlib.suppress(OSError, EOFError, AssertionError):
        client.send("0::")
    client.close()
