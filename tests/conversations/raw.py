"""The requests made by hand: a file of ``recorded/raw`` goes in, a list of exchanges comes out.

``>`` is the request, ``<`` the answer, ``--`` a note on what happened before. The headers Host and
Connection: close, which every request had, are left out; a chunked body is shown joined.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from socketio.server import SocketIOServer
from tests.conversations.recording import FOLDER, Headers, Request, Response, check_size, utf8
from tests.conversations.wire import Wire, compare, hear

FILES = ("authorization-and-origins", "handshake-and-urls", "polling-session", "unknown-session")
NO_ANSWER = "no answer at all; gave up waiting"
CLOSED = "TCP connection closed without an answer"


@dataclass(frozen=True)
class Exchange:
    """One request, and the answer of the reference server or how it had none."""

    note: str
    request: Request
    answer: Response | str

    @property
    def title(self) -> str:
        """What tells it from the others of its file."""
        request = self.request
        words = [f"[{self.note}]"] if self.note else []
        words += [request.method, request.target]
        return " ".join([*words, *(f"{name}: {value}" for name, value in _shown(request))])


def load(name: str) -> list[Exchange]:
    """Parse one file; ValueError when it has a line that means nothing."""
    text = (FOLDER / "raw" / f"{name}.txt").read_text(encoding="utf-8")
    _about, *blocks = text.rstrip("\n").split("\n\n")
    return [_exchange(block.splitlines()) for block in blocks]


_HOST = (("Host", "HOST"), ("Connection", "close"))
_REQUEST = re.compile(r"> ([A-Z]+) (/\S*) HTTP/1\.1")
_REQUEST_BODY = re.compile(r">   body (\".*\")")
_REQUEST_HEADER = re.compile(r">   ([A-Za-z-]+): (.*)")
_STATUS = re.compile(r"< HTTP/1\.1 (\d+ .*)")
_BODY = re.compile(r"<   body\((\d+) bytes\) (\".*\")")
_HEADER = re.compile(r"< ([A-Za-z-]+): (.*)")


def _exchange(lines: list[str]) -> Exchange:
    notes = [line[3:] for line in lines if line.startswith("-- ")]
    asked = [line for line in lines if line.startswith("> ")]
    answered = [line for line in lines if line.startswith("< ")]
    if [*(f"-- {note}" for note in notes), *asked, *answered] != lines:
        raise ValueError(f"cannot read {lines}")
    return Exchange(notes[-1] if notes else "", _parse_request(asked), _parse_answer(answered))


def _parse_request(lines: list[str]) -> Request:
    first = _match(_REQUEST, lines[0])
    body = ""
    length: Headers = ()
    if match := _REQUEST_BODY.fullmatch(lines[-1]):
        lines = lines[:-1]
        body = json.loads(match[1])
        length = (("Content-Length", str(len(utf8(body)))),)
    shown = tuple(_match(_REQUEST_HEADER, line).group(1, 2) for line in lines[1:])
    return Request(0, first[1], first[2], (*_HOST, *shown, *length), body)


def _shown(request: Request) -> Headers:
    return tuple(header for header in request.headers[2:] if header[0] != "Content-Length")


def _parse_answer(lines: list[str]) -> Response | str:
    if lines in ([f"< ({NO_ANSWER})"], [f"< ({CLOSED})"]):
        return lines[0][3:-1]
    first, *middle, last = lines
    match = _match(_BODY, last)
    body = json.loads(match[2])
    check_size(int(match[1]), body)
    headers = tuple(_match(_HEADER, line).group(1, 2) for line in middle)
    if "Content-Length" in dict(headers) and dict(headers)["Content-Length"] != match[1]:
        raise ValueError(f"the Content-Length does not fit {last!r}")
    return Response(0, _match(_STATUS, first)[1], headers, body)


def _match(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    match = pattern.fullmatch(line)
    if match is None:
        raise ValueError(f"cannot read the line {line!r}")
    return match


# -- with our server -------------------------------------------------------------------------------


def ask(server: SocketIOServer, exchange: Exchange, sid: str = "SID") -> Wire:
    """Send a request on a connection of its own."""
    request = exchange.request
    host = f"127.0.0.1:{server.server_port}"
    lines = [f"{request.method} {request.target.replace('SID', sid)} HTTP/1.1"]
    lines += [f"{name}: {value.replace('HOST', host)}" for name, value in request.headers]
    wire = Wire(server)
    wire.send(utf8("\r\n".join([*lines, "", ""]) + request.body))
    return wire


def expect(wire: Wire, exchange: Exchange, ours: Response) -> None:
    """Demand exactly this answer, and the end of the connection behind it."""
    try:
        compare(hear(wire), ours)
        assert wire.at_end(), "the server said more"
    except AssertionError as exc:
        raise AssertionError(f"{exchange.title}: {exc}") from exc
    finally:
        wire.close()


def damaged(answer: Response, place: str) -> Response:
    """Return an answer that no server gives, to see that it is missed."""
    if place == "status":
        return replace(answer, status="200 Fine")
    if place == "header":
        return replace(answer, headers=answer.headers[1:])
    return replace(answer, body=answer.body + "?")
