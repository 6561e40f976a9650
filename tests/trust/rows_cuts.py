"""F42: clients that vanish at every byte of what they send."""

from __future__ import annotations

import contextlib
import socket as stdsocket
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import gevent
from websockets.frames import Frame, Opcode

from tests.client import Connection, PollingClient, WebSocketClient, event, handshake, wait_for
from tests.trust.rawhttp import ask_all, head, is_alive, leave
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

SIZE = 200
_RESET = struct.pack("ii", 1, 0)


def cut(sock: Any, data: bytes, *, reset: bool) -> None:
    """Send ``data`` and vanish."""
    with contextlib.suppress(OSError):
        sock.sendall(data)
        if reset:
            gevent.sleep(0)  # what was sent goes out, or the reset takes it back
            sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, _RESET)
    sock.close()


def padded(place: Place, line: str, body: bytes = b"", *lines: str) -> bytes:
    """Return a request of SIZE bytes, or a few more where its parts are longer."""
    length = [f"Content-Length: {len(body)}"] if body else []
    bare = len(head(place, f"{line} HTTP/1.1", *length, *lines, "X: ")) + len(body)
    return head(place, f"{line} HTTP/1.1", *length, *lines, f"X: {'x' * (SIZE - bare)}") + body


def offsets(whole: bytes, step: int) -> Iterator[tuple[bytes, bool]]:
    """Yield every beginning of it, to be ended with FIN and with RST."""
    for length in range(0, len(whole), step):
        for reset in (False, True):
            yield whole[:length], reset


def cut_requests(place: Place, client: PollingClient, step: int) -> int:
    """Cut posts, polls and handshakes of one session; return how often."""
    message = b"3:::cut off"
    form = f"d={quote(chr(34) + '3:::cut off' + chr(34), safe='')}".encode()
    chunks = b"5\r\n3:::c\r\n6\r\nut off\r\n0\r\n\r\n"
    jsonp = client.url.replace("xhr-polling", "jsonp-polling")
    chunked = head(place, f"POST {client.url} HTTP/1.1", "Transfer-Encoding: chunked") + chunks
    wholes = [
        *[padded(place, f"POST {client.url}", message), padded(place, f"POST {jsonp}", form)],
        *[chunked, padded(place, f"GET {client.url}"), padded(place, "GET /socket.io/1/?t=1")],
    ]
    cuts = [each for whole in wholes for each in offsets(whole, step)]
    ask_all(lambda each: cut(Connection(place).sock, each[0], reset=each[1]), cuts)
    return len(cuts)


def cut_openings(place: Place, step: int) -> tuple[int, int]:
    """Cut the first request of a session; return how often, and how many are lost by that."""
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    upgrade.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    count = lost = 0
    for name, lines in (("websocket", upgrade), ("htmlfile", []), ("xhr-multipart", [])):
        sessid = handshake(place)
        whole = head(place, f"GET /socket.io/1/{name}/{sessid} HTTP/1.1", *lines)
        cuts = list(offsets(whole, step))
        ask_all(lambda each: cut(Connection(place).sock, each[0], reset=each[1]), cuts)
        count += len(cuts)
        client = WebSocketClient(place, sessid)
        lost += client.response.status_code != 101 or client.recv() != "1::"
        client.close()
    return count, lost


def cut_frames(place: Place, step: int) -> int:
    """Cut a frame, each on a WebSocket of its own; return how often."""
    frame = Frame(Opcode.TEXT, b"3:::cut off".ljust(SIZE - 8, b"x")).serialize(mask=True)
    cuts = list(offsets(frame, step))

    def vanish(each: tuple[bytes, bool]) -> None:
        client = WebSocketClient(place).open()
        client.send(
            event("echo", 1, msgid="1+")
        )  # the namespace comes into being, and will be told
        assert client.recv() == "6:::1+[1]"
        cut(client.sock, each[0], reset=each[1])

    ask_all(vanish, cuts)
    return len(cuts)


@row(
    "F42",
    "clients that vanish, with FIN and RST, at every byte of posts, forms, chunks, polls, "
    "handshakes, upgrades and frames",
    passes="nothing half-sent is applied, no session is made or lost; each lost WebSocket is told "
    "once",
)
def vanishing_clients(stage: Stage) -> Figure:
    place, step = stage.shared(), 1 if stage.scale == 1 else 20
    before = place.stats()["sessions"]["opened"]
    calls, ended = place.facts()["calls"], place.stats()["disconnects"]
    client = PollingClient(place).open()
    requests = cut_requests(place, client, step)
    openings, lost = cut_openings(place, step)
    frames = cut_frames(place, step)
    wait_for(lambda: place.stats()["sessions"]["total"] <= place.baseline["sessions"] + 1)
    alive = is_alive(client)
    leave(client)
    wait_for(lambda: place.stats()["sessions"]["total"] <= place.baseline["sessions"])
    after = place.facts()["calls"]
    applied = after.get(" message", 0) - calls.get(" message", 0)
    told = after[" disconnect"] - calls.get(" disconnect", 0) - 1  # and the one that polls
    left = place.stats()["disconnects"]["transport_lost"] - ended.get("transport_lost", 0)
    # Besides those of the frames: the one that polls, and the three that were opened in the end.
    made = place.stats()["sessions"]["opened"] - before - frames - 4
    ok = not applied and not lost and not made and alive
    ok = ok and told == frames and left == frames + 3
    return Figure(
        ok,
        f"{requests} requests, {openings} openings and {frames} frames cut: {applied} applied, "
        f"{made} sessions made, {lost} lost, {left} of {frames + 3} "
        f"ended at once, {told} of {frames} told",
    )
