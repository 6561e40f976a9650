"""F55: nothing that a client writes becomes a header of an answer or a line of the log."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from tests.client import WebSocketClient, fetch
from tests.trust.rawhttp import ask_all, exchange, head
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

# What some reader takes for the end of a line, and what becomes one when it is cut to a byte.
_BREAKS = [
    *["\r\n", "\n", "\r", "\n\r", "\r\n\t", "\r\n ", "\x00\r\n", "\x0b", "\x0c", "\x00", "\x1b[2K"],
    *["\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\u560a\u560d", "\\r\\n", "%0d%0a"],
]
_TARGETS = [
    *["/socket.io/1/?t={}", "/socket.io/1/?jsonp={}", "/socket.io/2/?{}"],
    *["/socket.io/?EIO={}", "/socket.io/1/xhr{}/nobody", "/socket.io/1/xhr-polling/nobody{}"],
    *["/socket.io/1/jsonp-polling/nobody{}?i=1", "/socket.io/1/htmlfile/nobody{}"],
    *["/socket.io/1/xhr-multipart/nobody{}", "/socket.io/1/websocket/nobody{}"],
    *["/socket.io/1/jsonp-polling/nobody?i={}", "/socket.io/1//nobody{}/?disconnect"],
    *["/socket.io/socket.io.js?{}", "/page{}"],
]
_NAMES = [
    *["Origin", "Referer", "Cookie", "If-None-Match", "X-Forwarded-Host", "Accept", "Upgrade"],
    *["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "User-Agent", "X-Forwarded-For"],
]
_KNOWN = {
    *["content-type", "content-length", "connection", "date", "vary", "x-xss-protection"],
    *["x-content-type-options", "access-control-allow-origin", "access-control-max-age"],
    *["access-control-allow-credentials", "access-control-allow-methods", "sec-websocket-version"],
    *["retry-after", "allow", "etag", "transfer-encoding", "x-accel-buffering"],
}
_MARK = "Injected"
_LINE = re.compile(r"(?:INFO|WARNING|ERROR) socketio\.\w+ .*")
_LONGEST = 400
"""Level, logger, session, 100 characters of an endpoint and 200 of what is wrong with it."""


def requests(place: Place) -> list[bytes]:
    made = []
    for mark in _BREAKS:
        value = f"{mark}X-{_MARK}: yes{mark}{mark}ERROR socketio.{_MARK} <script>"
        for target in _TARGETS:
            for text in (quote(value, safe=""), quote(quote(value, safe=""), safe="")):
                made.append(head(place, f"GET {target.format(text)} HTTP/1.1", "Connection: close"))
            raw = f"GET {target.format(f'{mark}X-{_MARK}:yes')} HTTP/1.1\r\nHost: h\r\n\r\n"
            made.append(raw.encode())
        for name in _NAMES:
            for target in ("/socket.io/1/xhr-polling/nobody", "/socket.io/1/nope/1", "/page"):
                lines = f"Host: h\r\n{name}: http://x{value}\r\nConnection: close\r\n\r\n"
                made.append(f"GET {target} HTTP/1.1\r\n{lines}".encode())
    return made


def first_requests(place: Place) -> list[bytes]:
    """Return the requests that get the first, and maybe only, line of each kind in the log."""
    value = f"\r\nERROR socketio.{_MARK} yes\n\x1b[2K\x85\u2028" + "x" * 500
    made = [
        head(place, f"GET {target.format(quote(value, safe=''))} HTTP/1.1", "Connection: close")
        for target in _TARGETS
    ]
    for name in ("Origin", "Referer"):
        line = f"{name}: http://x\x85ERROR\xa0\xe9 %0d%0a{_MARK}" + "x" * 500
        target = "/socket.io/1/" + ("?jsonp=1" if name == "Referer" else "")
        made.append(head(place, f"GET {target} HTTP/1.1", line, "Connection: close"))
    return made


def packets() -> list[str]:
    """Return packets whose words end up in the log."""
    made = []
    for mark in _BREAKS:
        text = f"{mark}ERROR socketio.{_MARK} yes{mark}" + "x" * 500
        for packet in ({"name": text, "args": []}, {"name": "kick", "args": [text, text]}):
            made.append("5:1+::" + json.dumps(packet))
            made.append("5::/chat:" + json.dumps(packet))
        made += [f"1::/{text}", f"5::/{text}:" + '{"name":"x"}', text, f"9::{text}", f"7:::{text}"]
    return made


@row(
    "F55",
    "line ends of every kind in URLs, headers, session ids, callback names, events, endpoints",
    passes="0 headers injected, 0 lines of the log that are not ours or longer than "
    f"{_LONGEST} characters",
)
def injection(stage: Stage) -> Figure:
    place = stage.serve()
    sent = requests(place)
    first, sent = first_requests(place), sent[:: max(1, round(1 / stage.scale / 5))]
    replies = [exchange(place, data, finish=True) for data in first]
    replies += ask_all(lambda data: exchange(place, data, finish=True), sent)
    injected, unanswered, sessids = [], 0, []
    for reply in replies:
        unanswered += not reply.answers
        for answer in reply.answers:
            if set(answer.headers) - _KNOWN or _MARK in repr(answer):
                injected.append(repr(answer)[:200])
            if match := re.search(r"(\d{20,}):60:60", answer.text):
                sessids.append(match[1])
    client = WebSocketClient(place).open()
    texts = packets()
    for text in texts:
        client.send(text)
    client.close()
    for sessid in sessids:  # handshakes that were answered
        fetch(place, "GET", f"/socket.io/1//{sessid}/?disconnect")
    lines = place.log().splitlines()
    ours = [line for line in lines if _LINE.fullmatch(line) and line.isprintable()]
    odd = [line for line in lines if line not in ours or len(line) > _LONGEST]
    kinds = {re.sub(r"\d+", "", line)[:60] for line in lines}
    ok = not injected and not odd and not unanswered and len(kinds) >= 8
    listed = f": {'; '.join((injected + odd)[:3])[:400]}" if injected or odd else ""
    return Figure(
        ok,
        f"{len(injected)} headers injected by {len(replies):,} requests ({unanswered} unanswered), "
        f"{len(odd)} foreign or overlong lines of {len(lines)} ({len(kinds)} kinds) after "
        f"{len(texts)} packets{listed}, longest {max(map(len, lines), default=0)}",
    )
