"""What becomes of the recorded headers: which of them are others with us, and why."""

from __future__ import annotations

from dataclasses import dataclass

from tests.conversations.recording import Headers

ANY_LENGTH = "section 2.2: a Content-Length is just as good as chunks"
STAYS_OPEN = "a connection of HTTP/1.1 stays open unless told otherwise: nothing needs to be said"
NO_SNIFFING = "section 9: a script that no browser may take for anything else"
NO_COLLECTING = "section 10: tells nginx not to collect the stream before it hands it on"


@dataclass(frozen=True)
class HeaderDifference:
    """What becomes of a recorded header in one kind of answer; beside these, all are equal."""

    kind: str
    why: str
    recorded: str
    ours: tuple[str, ...]


HEADERS = [
    HeaderDifference(
        "handshake", ANY_LENGTH, "Transfer-Encoding: chunked", ("Content-Length: LENGTH",)
    ),
    HeaderDifference("handshake", STAYS_OPEN, "Connection: keep-alive", ()),
    HeaderDifference(
        "jsonp handshake", ANY_LENGTH, "Transfer-Encoding: chunked", ("Content-Length: LENGTH",)
    ),
    HeaderDifference("jsonp handshake", STAYS_OPEN, "Connection: keep-alive", ()),
    HeaderDifference(
        "jsonp handshake",
        NO_SNIFFING,
        "Content-Type: application/javascript",
        ("Content-Type: application/javascript", "X-Content-Type-Options: nosniff"),
    ),
    HeaderDifference(
        "jsonp poll",
        NO_SNIFFING,
        "X-XSS-Protection: 0",
        ("X-XSS-Protection: 0", "X-Content-Type-Options: nosniff"),
    ),
    HeaderDifference("post", STAYS_OPEN, "Connection: keep-alive", ()),
    HeaderDifference(
        "stream",
        NO_COLLECTING,
        "Connection: keep-alive",
        ("Connection: keep-alive", "X-Accel-Buffering: no"),
    ),
]


def our_headers(
    kind: str, recorded: Headers, differences: list[HeaderDifference] = HEADERS
) -> Headers:
    """Return the headers of our answer."""
    table = {entry.recorded: entry.ours for entry in differences if entry.kind == kind}
    lines = [f"{name}: {value}" for name, value in recorded]
    ours = [line for text in lines for line in table.get(text, (text,))]
    return tuple((name, value) for name, value in (line.split(": ", 1) for line in ours))
