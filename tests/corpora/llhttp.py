"""The test suite of llhttp, the parser of Node.js: blocks of text, and what its parser reports.

Its files are Markdown: a heading, a comment that names the parser's mode, a block with the data and
one with the log of what the parser calls back. It comes with aiohttp, which builds llhttp.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.corpora.cases import Case, Corpus, Request, Rest
from tests.corpora.decisions import LLHTTP
from tests.corpora.fetching import SourceDistribution

SOURCE = SourceDistribution(
    "aiohttp", "3.14.5", "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178"
)
_FOLDER = "vendor/llhttp/test/request"
_PART = re.compile(
    r"^#+ (?P<heading>[^\n]+)$|^<!-- meta=(?P<meta>[^\n]+?)-->"
    r"|^```(?P<kind>http|log)\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([0-7]{1,3})|([rntf])|\n)|\n")
_LETTERS = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}
_SPAN = re.compile(r'off=\d+ len=\d+ span\[(\w+)\]="(.*)"\Z', re.DOTALL)

# Modes of the parser that take on purpose what the strict one refuses. We have no such mode.
_STRICT = {"request", "request-finish"}
_ERROR = re.compile(r"error code=(\d+) ")
# What the parser says at the end of a request that asks for an upgrade or a tunnel; it leaves alone
# what follows, which is HTTP for us. That the request is served is what we look at.
_HANDED_OVER = "22"
# Data behind a request that ends the connection. The parser complains, a server does not read it.
_BEHIND_THE_END = "5"


@dataclass
class _Block:
    name: str
    meta: dict[str, object]
    data: str
    log: str


def read_corpus() -> Corpus:
    """Return its cases, by file and heading."""
    cases, excluded = [], {}
    for path, content in sorted(SOURCE.files(_FOLDER)):
        # Byte for byte: what is not ASCII here is data.
        for block in _read_blocks(path.rpartition("/")[2], content.decode("latin-1")):
            reason = _find_reason_to_leave_out(block)
            if reason:
                excluded[block.name] = reason
            else:
                cases.append(_make_case(block))
    return Corpus("llhttp", tuple(cases), LLHTTP, excluded)


def _read_blocks(file: str, text: str) -> Iterator[_Block]:
    heading, meta, data = "", {}, ""
    seen: dict[str, int] = {}
    for part in _PART.finditer(text):
        if part["heading"]:
            heading, meta = part["heading"], {}
        elif part["meta"]:
            meta = json.loads(part["meta"])
        elif part["kind"] == "http":
            data = part["text"]
        else:
            name = f"{file}: {heading}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            yield _Block(name, meta, data, part["text"])


def _find_reason_to_leave_out(block: _Block) -> str | None:
    if block.meta["type"] not in _STRICT:
        return "a lenient mode"
    if "pause" in block.meta:
        return "the parser is paused by its caller"
    if "skipBody" in block.meta:
        return "the parser is told that there is no body"
    return None


def _make_case(block: _Block) -> Case:
    requests, complete = _read_log(block.log)
    error = _ERROR.search(block.log)
    if error is None:
        rest = Rest.NOTHING if complete else Rest.CUT
    elif error[1] == _HANDED_OVER:
        rest = Rest.OTHER
    else:
        rest = Rest.NOTHING if error[1] == _BEHIND_THE_END else Rest.MALFORMED
    return Case("llhttp", block.name, unescape(block.data), requests, rest)


def unescape(text: str) -> bytes:
    """Return the bytes that a block stands for."""

    def put(match: re.Match[str]) -> str:
        if match[1] or match[2]:
            return chr(int(match[1], 16) if match[1] else int(match[2], 8))
        if match[3]:
            return _LETTERS[match[3]]
        return "\r\n" if match[0] == "\n" else ""

    return _ESCAPE.sub(put, text.removesuffix("\n")).encode("latin-1")


def _read_log(log: str) -> tuple[tuple[Request, ...], bool]:
    """Return the requests that were reported whole, and whether nothing of another was."""
    requests = []
    spans: dict[str, str] = {}
    complete = True
    for line in log.splitlines():
        if line.endswith(" message begin"):
            spans, complete = {}, False
        elif line.endswith(" message complete"):
            complete = True
            method, target = spans.get("method", ""), spans.get("url", "")
            requests.append(Request(method, target, spans.get("body", "").encode("latin-1")))
        elif span := _SPAN.match(line):
            spans[span[1]] = spans.get(span[1], "") + span[2]
    return tuple(requests), complete
