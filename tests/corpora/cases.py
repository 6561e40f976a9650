"""What a corpus consists of, whichever it is."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

_HOST = b"Host: corpus.example\r\n"
_REQUEST = re.compile(rb"^[^\r\n]* HTTP/(1\.[01])\r\n", re.MULTILINE)
_HAS_HOST = re.compile(rb"^host[ \t]*:", re.MULTILINE | re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://[^/?]*(.*)")


@dataclass(frozen=True)
class Request:
    """A request as an application is called with it."""

    method: str
    target: str
    body: bytes = b""

    def as_it_arrives(self) -> Request:
        """Return it with the host taken off its target: applications know of paths only."""
        match = _ABSOLUTE.fullmatch(self.target)
        if match is None:
            return self
        return Request(self.method, "/" + match[1].removeprefix("/"), self.body)


class Rest(enum.Enum):
    """What comes behind the well-formed requests of a case."""

    NOTHING = "nothing"
    MALFORMED = "something malformed"
    CUT = "a request that breaks off"
    OTHER = "another protocol, if it were up to the parser"


class Verdict(enum.Enum):
    """What we make of a case."""

    SERVED = "served"
    REFUSED = "refused"
    EXCLUDED = "excluded"
    """It was not sent."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Decision:
    """An answer other than the authors of a case have in mind, or one they leave to an option."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Case:
    """Bytes, and what their authors say of them."""

    corpus: str
    name: str
    data: bytes
    requests: tuple[Request, ...]
    """The well-formed requests at its beginning."""
    rest: Rest
    options: tuple[str, ...] = ()
    """The options of their server without which its authors say something else of it."""

    @property
    def expected(self) -> Verdict:
        """What its authors have in mind."""
        refused = self.rest in (Rest.MALFORMED, Rest.CUT)
        return Verdict.REFUSED if refused else Verdict.SERVED

    @property
    def hosted(self) -> bytes:
        """The data, with a Host wherever HTTP/1.1 demands one and there is none.

        Many of these parsers leave the Host to others, so many cases lack it. We refuse them for
        that, which would tell nothing about what the case is made for.
        """
        # Behind the last sound request may stand a body that only looks like another one.
        known = len(self.requests) if self.rest is Rest.NOTHING else None
        pieces, end = [], 0
        for match in list(_REQUEST.finditer(self.data))[:known]:
            header = self.data[match.end() :].partition(b"\r\n\r\n")[0]
            pieces.append(self.data[end : match.end()])
            end = match.end()
            if match[1] == b"1.1" and not _HAS_HOST.search(header):
                pieces.append(_HOST)
        return b"".join([*pieces, self.data[end:]])


@dataclass(frozen=True)
class Corpus:
    """All cases of one source, and what we decided about some."""

    name: str
    cases: tuple[Case, ...]
    decisions: dict[str, Decision]
    excluded: dict[str, str] = field(default_factory=dict)
    """Names of the cases that are not sent, and why."""
