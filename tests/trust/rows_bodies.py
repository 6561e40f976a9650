"""F12 and F20: bodies that are too large, never end or are no text."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from gevent import socket as gsocket
from gevent.select import select
from websockets.frames import Frame, Opcode

from tests.client import Connection, PollingClient, WebSocketClient, event
from tests.streams import ALL_CLIENTS
from tests.trust.rawhttp import REFUSED, Timing, ask_all, exchange, head, is_alive, leave
from tests.trust.rows import Figure, row
from tests.trust.stage import CANARY_LIMIT_MS, Place, Stage

_CHUNKED = "Transfer-Encoding: chunked"
_MEGABYTE = 1 << 20

# -- F12 -------------------------------------------------------------------------------------------

# What a chunked body can be made of for ever; all but the first are more frame than content.
_ENDLESS = {
    "large chunks": (b"", b"ffff\r\n%b\r\n" % (b"x" * 65535)),
    "chunks of a byte": (b"", b"1\r\nx\r\n" * 100),
    "chunk extensions": (b"", b"1;%b\r\nx\r\n" % (b"y" * 8000)),
    "trailers": (b"5\r\n3:::x\r\n0\r\n", b"X: %b\r\n" % (b"y" * 8000)),
}


@row(
    "F12",
    "bodies of 2 MB, 1 GB and 10^17 bytes declared; chunks, chunk extensions and trailers without "
    "an end; bodies shorter and longer than declared",
    passes="declared: 413 within 100 ms, endless: refused within 3 s and nobody else waits, "
    "nothing applied; memory + less than 2 MB",
    original="a POST of 20 MB took 164 MB",
)
def oversized_bodies(stage: Stage) -> Figure:
    place = stage.shared()
    client = PollingClient(place).open()
    is_alive(client)
    heard = place.facts()["calls"].get(" message", 0)
    before = place.stats(collect=True)["process"]["rss"]
    declared, wrong = Timing(), []
    for length in (2_000_000, 10**9, 10**17) * stage.number(100):
        for lines in ([], ["Expect: 100-continue"]):
            data = head(place, f"POST {client.url} HTTP/1.1", f"Content-Length: {length}", *lines)
            reply = exchange(place, data, answers=1)
            declared.note(reply.seconds, str(length))
            wrong += [] if reply.status == 413 else [f"{length} declared -> {reply.statuses}"]
    endless, waited, waited_for = [], place.lap(), "declared ones"
    grown = 0
    for target in (client.url, "/page"):
        for name in _ENDLESS:
            text = send_for_ever(place, target, *_ENDLESS[name])
            endless.append(f"{name}: {text}")
            wrong += [f"{name} to {target[:7]}: {text}"] if text.endswith("!") else []
            if (lapse := place.lap()) > waited:
                waited, waited_for = lapse, f"{name} to {target[:7]}"
        if target == client.url:  # what the application reads is its own affair
            grown = place.stats(collect=True)["process"]["rss"] - before
    wrong += lying_lengths(place, client.url)
    alive = is_alive(client)
    applied = place.facts()["calls"].get(" message", 0) - heard
    leave(client)
    ok = not wrong and alive and grown < 2 * _MEGABYTE and declared.worst < 0.1
    ok = ok and applied == 1 and waited < CANARY_LIMIT_MS
    listed = f"; wrong: {'; '.join(wrong)[:400]}" if wrong else ""
    return Figure(
        ok,
        f"{declared.count} declared answered within {declared.worst * 1000:.0f} ms, endless: "
        f"{', '.join(endless[: len(_ENDLESS)])}, others waited {waited:.0f} ms for {waited_for}, "
        f"memory {grown / 1000:+.0f} kB{listed}",
    )


def send_for_ever(place: Place, target: str, begin: bytes, piece: bytes) -> str:
    """Send a chunked body as fast as it goes; return how it ended, with a ``!`` if it did not.

    A body of the application's may be as long as that reads: sending it a while is enough.
    """
    connection = Connection(place)
    connection.sock.settimeout(10)
    ours = target.startswith("/socket.io/")
    start, sent, status = time.monotonic(), 0, 0
    seconds = 3.0 if ours else 0.25
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.send_raw(head(place, f"POST {target} HTTP/1.1", _CHUNKED) + begin)
            while time.monotonic() - start < seconds:
                connection.send_raw(piece)
                sent += len(piece)
                if ours and select([connection.sock], [], [], 0)[0]:
                    break
        if ours:
            status = connection.read_answer().status
            REFUSED.note(time.monotonic() - start, f"{piece[:20]!r} for ever")
    except (OSError, EOFError) as exc:
        return f"{type(exc).__name__} after {time.monotonic() - start:.1f} s!"
    finally:
        connection.close()
    took = time.monotonic() - start
    what = f"{status or 'sent'} after {sent / 1e6:.1f} MB"
    return what if status in (400, 408, 413) or (not ours and took < 2) else f"{what} {took:.1f} s!"


def lying_lengths(place: Place, url: str) -> list[str]:
    """Send bodies that are not as long as they say; return what is wrong."""
    wrong = []
    for size in (0, 5, 99):
        data = (
            head(place, f"POST {url} HTTP/1.1", "Content-Length: 100") + b"3:::x".ljust(size)[:size]
        )
        reply = exchange(place, data, finish=True)
        wrong += [] if reply.statuses == [400] else [f"{size} of 100 bytes -> {reply.statuses}"]
    data = head(place, f"POST {url} HTTP/1.1", "Content-Length: 5") + b"3:::x" + b"x" * 95
    reply = exchange(place, data, finish=True)
    wrong += [] if reply.statuses == [200, 400] else [f"100 of 5 bytes -> {reply.statuses}"]
    return wrong


# -- F20 -------------------------------------------------------------------------------------------

_NO_UTF8 = [
    *[
        b"\x80",
        b"\xbf",
        b"\xff",
        b"\xfe",
        b"\xc3",
        b"\xe2\x98",
        b"\xf0\x9f\x98",
        b"\xc3(",
        b"\xe2(\xa1",
    ],
    *[
        b"\xe2\x98(",
        b"\xf0(\x8c\xbc",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
    ],
    *[b"\xc0\x80", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf"],
    *[b"\xed\xa0\xbd\xed\xb8\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff\xfe3\x00"],
    *[b"\xfc\x84\x80\x80\x80\x80", b"\xe2\x98\x83\x83", b"\xf0\x9f\x98\x80\x80"],
]


@row(
    "F20",
    "what is no UTF-8 in POSTs, forms of JSONP, WebSocket texts and URLs: cut short, overlong, "
    "surrogates, CESU, bytes that never occur",
    passes="400, close code 1007; in a query, which is the application's, nothing; the sessions "
    "of six others, one of each transport, go on",
)
def no_utf8(stage: Stage) -> Figure:
    place = stage.shared()
    others = [client(place).open() for client in ALL_CLIENTS.values()]
    heard = place.facts()["calls"].get(" message", 0)
    client = PollingClient(place).open()
    jsonp = client.url.replace("xhr-polling", "jsonp-polling")
    escaped = {data: "".join(f"%{byte:02x}" for byte in data).encode() for data in _NO_UTF8}
    posts = [(client.url, b"3:::a" + data) for data in _NO_UTF8]
    posts += [(client.url, b"\xef\xbf\xbd4\xef\xbf\xbd3:::" + data) for data in _NO_UTF8]
    posts += [(jsonp, b'd="3:::' + data + b'"') for data in _NO_UTF8]
    posts += [(jsonp, b"d=%223:::" + text + b"%22") for text in escaped.values()]
    posts += [(f"{client.url}{text.decode()}", b"3:::x") for text in escaped.values()]
    posts += [(client.url.replace("?", f"{t.decode()}?"), b"3:::x") for t in escaped.values()]
    wrong = [text for text in ask_all(lambda post: post_wrong(place, *post), posts) if text]
    codes = ask_all(lambda data: close_code(place, data), _NO_UTF8)
    wrong += [f"{d!r} -> {c}" for d, c in zip(_NO_UTF8, codes, strict=True) if c != 1007]
    applied = place.facts()["calls"].get(" message", 0) - heard
    alive = sum(still_echoes(other) for other in others) + is_alive(client)
    leave(client)
    for other in others:
        leave(other) if hasattr(other, "post") else other.close()
    sent = len(posts) + len(codes)
    ok = not wrong and alive == len(others) + 1 and applied == len(_NO_UTF8)
    listed = f": {'; '.join(wrong)[:300]}" if wrong else ""
    return Figure(
        ok,
        f"{sent - len(wrong)} of {sent} as they should{listed}: {applied} with it in the query "
        f"applied, the others refused; {alive} of {len(others) + 1} sessions alive",
    )


def post_wrong(place: Place, target: str, body: bytes) -> str:
    """Return what is wrong with the answer to a POST."""
    # A query is not decoded for a session: what it says is the application's.
    wanted = 200 if "?t=2%" in target else 400
    kind = ["Content-Type: application/x-www-form-urlencoded"] if "jsonp" in target else []
    data = head(place, f"POST {target} HTTP/1.1", f"Content-Length: {len(body)}", *kind) + body
    reply = exchange(place, data, answers=1)
    return "" if reply.status == wanted else f"{target[-12:]} {body!r} -> {reply.statuses}"


def close_code(place: Place, data: bytes) -> int:
    """Send a text that is none over a WebSocket; return the code that closes it."""
    client = WebSocketClient(place).open()
    begin = time.monotonic()
    client.sock.sendall(Frame(Opcode.TEXT, b"3:::" + data).serialize(mask=True))
    try:
        while (frame := client.recv_frame()).opcode is not Opcode.CLOSE:
            pass
        return int.from_bytes(bytes(frame.data)[:2], "big")
    except (OSError, EOFError):
        return 0
    finally:
        REFUSED.note(time.monotonic() - begin, repr(data))
        with contextlib.suppress(OSError):
            client.sock.shutdown(gsocket.SHUT_WR)
        client.close()


def still_echoes(client: Any) -> bool:
    """Tell whether a session, over any transport, still answers an event."""
    try:
        client.send(event("echo", "still here", msgid="99+"))
        while client.recv() != '6:::99+["still here"]':
            pass
    except (OSError, EOFError, AssertionError):
        return False
    return True
