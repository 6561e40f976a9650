"""F15 to F17: clients that send slowly, or do not read."""

from __future__ import annotations

import contextlib
import json
import socket as stdsocket
import time
from collections.abc import Callable

import gevent

from tests.client import Connection, PollingClient, event, wait_for
from tests.trust.rawhttp import Timing, head, is_alive, leave
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_APP = "tests.trust.apps_http:namespaces"


def trickle(connection: Connection, done: Callable[[], bool]) -> None:
    """Send a byte now and then until the server has had enough."""
    with contextlib.suppress(OSError):
        while not done():
            connection.send_raw(b"a")
            gevent.sleep(0.2)


def outlast(place: Place, data: bytes, closed: Timing, *, trickling: bool) -> int:
    """Send what is no whole request; return the status, 0 for none, once it is closed."""
    connection = Connection(place)
    connection.sock.settimeout(10)
    begin, status = time.monotonic(), 0
    connection.send_raw(data)
    sender = gevent.spawn(trickle, connection, lambda: status != 0) if trickling else None
    try:
        status = connection.read_answer().status
        with contextlib.suppress(ConnectionResetError):
            if connection.sock.recv(1):
                return -1
        closed.note(time.monotonic() - begin, repr(data[:30]))
    except (OSError, EOFError):
        return status
    finally:
        if sender is not None:
            sender.kill()
        connection.close()
    return status


def slow_ones(
    place: Place, datas: list[bytes], timeout: float, *, status: int = 408, trickling: bool = True
) -> tuple[bool, str]:
    """Send all of them at once; return whether each was answered in time, and the figures."""
    closed = Timing()
    jobs = [gevent.spawn(outlast, place, data, closed, trickling=trickling) for data in datas]
    gevent.joinall(jobs, raise_error=True)
    right = sum(job.value == status for job in jobs)
    ok = right == closed.count == len(datas) and timeout - 0.05 <= closed.worst <= timeout + 1
    text = (
        f"{right} of {len(datas)} got {status}, closed within {closed.worst:.2f} s of {timeout:g} s"
    )
    return ok, text


@row(
    "F15",
    "500 connections that send a header a byte at a time",
    passes="408, all closed within the header timeout (1 s here) + 1 s",
)
def slow_headers(stage: Stage) -> Figure:
    timeout = 1.0 if stage.scale == 1 else 0.3
    place = stage.serve(header_timeout=timeout)
    beginnings = [
        *[b"G", b"GET / HT", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: aaa"],
        b"POST /socket.io/1/ HTTP/1.1\r\nHost: x\r\nX-A: b\r\nX",
    ]
    ok, text = slow_ones(place, beginnings * stage.number(100), timeout)
    counted = place.stats()["limits"].get("header_timeout", 0)
    return Figure(ok and counted == 5 * stage.number(100), f"{text}, {counted} counted")


@row(
    "F16",
    "200 connections that send a body a byte at a time, or pause in a chunk",
    passes="408, all closed within the body timeout (1 s here) + 1 s; those of an application that "
    "takes what came as well; nothing applied, the session goes on",
)
def slow_bodies(stage: Stage) -> Figure:
    timeout = 1.0 if stage.scale == 1 else 0.3
    place = stage.serve(body_timeout=timeout)
    client = PollingClient(place).open()
    line, page = f"POST {client.url} HTTP/1.1", "POST /page HTTP/1.1"
    chunked = "Transfer-Encoding: chunked"
    number = stage.number(30)
    slow = [
        head(place, line, "Content-Length: 10000") + b"3:::x",
        head(place, line, chunked) + b"fff\r\n3:::x",
    ]
    paused = [
        *[head(place, line, "Content-Length: 100") + b"3::", head(place, line, chunked) + b"5"],
        head(place, line, chunked) + b"5\r\n3:::x\r\n",
    ]
    pages = [
        *[head(place, page, "Content-Length: 100") + b"3::", head(place, page, chunked) + b"5"],
        head(place, page, chunked) + b"5\r\nx",
    ]
    trickled, text = slow_ones(place, slow * 2 * number, timeout)
    stopped, more = slow_ones(place, paused * number, timeout, trickling=False)
    # This application goes on without the body.
    left, others = slow_ones(place, pages * number, timeout, status=200, trickling=False)
    alive = is_alive(client)
    heard = place.facts()["calls"].get(" message", 0)
    leave(client)
    counted = place.stats()["limits"].get("body_timeout", 0)
    ok = trickled and stopped and left and alive and not heard and counted == 10 * number
    return Figure(
        ok,
        f"{text}; pausing: {more}; the application's: {others}; {counted} counted, {heard} applied",
    )


# -- F17 -------------------------------------------------------------------------------------------


def deaf(place: Place, target: str) -> Connection:
    """Send a GET on a connection that takes a few kilobytes of the answer and reads none."""
    connection = Connection(place)
    connection.sock.close()
    sock = gevent.socket.socket()
    sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 1024)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", place.server_port))
    connection.sock = sock
    connection.send_raw(head(place, f"GET {target} HTTP/1.1"))
    return connection


@row(
    "F17",
    "clients that do not read 5 MB: a poll, a poll of JSONP, an answer of the application",
    passes="given up within the write timeout (1 s here) + 1 s; what the poll had comes whole and "
    "in order with the next, or the session ends",
)
def deaf_readers(stage: Stage) -> Figure:
    timeout = 1.0 if stage.scale == 1 else 0.3
    place = stage.serve(
        _APP, write_timeout=timeout, max_outbound_size=8_000_000, _ballast=5_000_000
    )
    number = stage.number(4)
    clients = [PollingClient(place).open() for _ in range(2 * number)]
    jsonp = [client.url.replace("xhr-polling", "jsonp-polling") for client in clients[:number]]
    targets = jsonp + [client.url for client in clients[number:]] + ["/trust/facts"] * number
    for client in clients:
        client.send(event("flood", 50, 100_000))
    wait_for(lambda: place.stats()["queues"]["outbound_packets"] == 50 * len(clients))
    before = place.stats()["limits"].get("write_timeout", 0)
    readers, begin = [], 0.0
    for target in targets:
        begin = time.monotonic()
        readers.append(deaf(place, target))
        place.stats()  # answered behind it: so many megabytes at once would keep others waiting

    def given_up() -> int:
        return int(place.stats()["limits"].get("write_timeout", 0)) - before

    while given_up() < len(readers) and time.monotonic() - begin < timeout + 3:
        gevent.sleep(0.05)  # asking costs the server more than all else here
    took, count = time.monotonic() - begin, given_up()
    lost = sum(not whole(client) for client in clients)
    for each in readers:
        each.close()
    for client in clients:
        leave(client)
    ok = count == len(readers) and timeout - 0.05 <= took <= timeout + 1 and not lost
    return Figure(
        ok,
        f"{count} of {len(readers)} given up {took:.2f} s of {timeout:g} s after "
        f"the last came; of {len(clients)} polls {len(clients) - lost} came again whole",
    )


def whole(client: PollingClient) -> bool:
    """Tell whether the next poll brings everything, in order."""
    with gevent.Timeout(10, False):
        numbers = [json.loads(client.recv().split(":", 3)[3])["args"][0] for _ in range(50)]
        return numbers == list(range(50))
    return False
