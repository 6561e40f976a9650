"""A live stream: a poem, line by line, to everybody; each listener may pause and filter it.

What a client wants to hear is kept on the server, in its namespace: lines that it does not want are
never sent. One greenlet reads for all of them. It begins with the first listener and ends with the
last.

Run it with ``python examples/live_stream``.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import gevent
from whitenoise import WhiteNoise

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.server import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["Feed", "Line", "StreamNamespace", "main", "make_application"]

HERE = Path(__file__).resolve().parent
LOOK = HERE.parent / "look"
CLIENT = HERE.parent / "node_modules" / "socket.io-client" / "dist" / "socket.io.js"

RECENT = 40
"""How many lines are kept for those who come, or change their filter."""
MAX_WORDS = 5
MAX_WORD = 30

Answer: TypeAlias = tuple[object, ...]
"""What a handler returns goes back as the acknowledgement: ``(True, ...)``, or ``(False, reason)``
when the request was refused."""


class Line(NamedTuple):
    """A line of the stream; the number tells it from the same text one round earlier."""

    number: int
    text: str


# -- The stream ------------------------------------------------------------------------------


class Feed:
    """Reads the text again and again while anybody listens.

    Args:
        text: Its lines, at least one.
        pause: Seconds between two lines.
    """

    def __init__(self, text: Sequence[str], pause: float) -> None:
        self.recent: deque[Line] = deque(maxlen=RECENT)
        self._lines = (Line(number, text[(number - 1) % len(text)]) for number in count(1))
        self._pause = pause
        self._listeners: set[StreamNamespace] = set()
        self._job: gevent.Greenlet[..., None] | None = None

    @property
    def running(self) -> bool:
        """Whether the feed is at work."""
        return self._job is not None and not self._job.dead

    def add(self, listener: StreamNamespace) -> None:
        """Begin to read, unless that goes on already for somebody else."""
        self._listeners.add(listener)
        if not self.running:
            self._job = gevent.spawn(self._run)

    def remove(self, listener: StreamNamespace) -> None:
        """Stop reading, unless somebody else listens."""
        self._listeners.discard(listener)
        if not self._listeners and self._job is not None:
            self._job.kill(block=False)
            self._job = None

    def publish(self) -> None:
        """Offer the next line to every listener."""
        line = next(self._lines)
        self.recent.append(line)
        for listener in list(self._listeners):
            listener.offer(line)

    def _run(self) -> None:
        while True:
            self.publish()
            gevent.sleep(self._pause)


# -- What the clients can do -----------------------------------------------------------------


class StreamNamespace(BaseNamespace):
    """One listener, and what they want to hear."""

    def initialize(self) -> None:
        """Called by the library once the namespace is there."""
        self.feed: Feed = self.request
        self.words: list[str] = []
        self.paused = False
        self.missed = 0

    def recv_connect(self) -> None:
        """Called by the library when the client is there; also after it has reconnected."""
        self.feed.add(self)

    def recv_disconnect(self) -> None:
        """Called by the library when the client is gone, whatever the way it went."""
        self.feed.remove(self)
        super().recv_disconnect()

    def offer(self, line: Line) -> None:
        """Called by the feed with each line: send it, count it, or leave it."""
        if not self.wants(line):
            return
        if self.paused:
            self.missed += 1
        else:
            self.emit("line", *line)

    def wants(self, line: Line) -> bool:
        """Tell whether the line passes the filter: it has one of the words, or there are none."""
        text = line.text.lower()
        return not self.words or any(word in text for word in self.words)

    def on_filter(self, text: object) -> Answer:
        """Send only lines with one of these words; answer with them and the last such lines."""
        words = parse_words(text)
        if words is None:
            return False, f"A filter is at most {MAX_WORDS} words of {MAX_WORD} letters."
        self.words, self.missed = words, 0  # what went by before is among the last lines
        return True, words, [line for line in self.feed.recent if self.wants(line)]

    def on_pause(self) -> Answer:
        """Send no lines."""
        self.paused = True
        return (True,)

    def on_resume(self) -> Answer:
        """Send lines again; answer how many the filter would have passed since it was set."""
        missed, self.missed = self.missed, 0
        self.paused = False
        return True, missed


def parse_words(text: object) -> list[str] | None:
    """Return the words of a filter in small letters; None: that is no filter."""
    if not isinstance(text, str) or len(text) > MAX_WORDS * (MAX_WORD + 1):
        return None
    words = text.lower().split()
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD for word in words):
        return None
    return words


# -- The program -----------------------------------------------------------------------------


def make_application(feed: Feed) -> WhiteNoise:
    """Return the page and its sockets as one WSGI application."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "socketio" in environ:  # the call lasts as long as the client stays
            socketio_manage(environ, {"/stream": StreamNamespace}, request=feed)
            return []
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"not found\n"]

    files = WhiteNoise(application, root=HERE / "static", index_file=True)
    files.add_files(LOOK)
    return files


def read_lines(file: Path) -> list[str]:
    """Return the text that is streamed; without one the program ends with a line that says why."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"TEXT: {error}")
    return lines or sys.exit(f"TEXT: {file} is empty")


def main() -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM."""
    lines = read_lines(Path(os.environ.get("TEXT", HERE / "jabberwocky.txt")))
    lines_per_minute = min(max(float(os.environ.get("TEMPO", "40")), 1), 6000)
    serve(
        make_application(Feed(lines, 60 / lines_per_minute)),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=os.environ.get("PORT", "8080"),
        origins=os.environ.get("ORIGINS"),  # None: pages of this server alone
        client_js=CLIENT,
    )


if __name__ == "__main__":
    main()
