"""F1, F3, F63 and G3: what is no HTTP, what hides in a request, and many requests at once."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import random
import time

import gevent

from tests.client import Connection, PollingClient, event, fetch
from tests.trust.malformed import (
    AMBIGUOUS,
    HEADERS,
    LINES,
    MALFORMED_CHUNKS,
    damaged,
    well_formed,
)
from tests.trust.rawhttp import Reply, ask_all, exchange, head, is_alive, leave
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_LEAST_MALFORMED = 63


def behind(number: object) -> bytes:
    """Return a sound request that must not be executed."""
    return f"GET /smuggled/{number} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


def smuggled(place: Place) -> list[str]:
    """Return those of them that were."""
    return [path for path in place.requests() if path.startswith("/smuggled/")]


def opened(place: Place) -> int:
    return int(place.stats()["sessions"]["opened"])


def is_refused(reply: Reply) -> bool:
    """Tell whether there was one answer, 4xx, and then the end of the connection."""
    return reply.ended and len(reply.answers) == 1 and 400 <= reply.status < 500


def faults_of(requests: list[bytes], replies: list[Reply]) -> list[str]:
    pairs = zip(requests, replies, strict=True)
    return [f"{data[:50]!r} -> {reply.statuses}" for data, reply in pairs if not is_refused(reply)]


# -- F1 --------------------------------------------------------------------------------------------


@row(
    "F1",
    "malformed request lines and headers, HTTP/0.9, NUL, folded lines, no colon",
    passes="each answered 4xx and closed, the application not called; the cases of two other "
    "servers' tests answered as their authors say, or as decided",
)
def malformed_requests(stage: Stage) -> Figure:
    place = stage.shared()
    host = f"Host: 127.0.0.1:{place.server_port}\r\n".encode()
    requests = [line + host + b"\r\n" for line in LINES]
    requests += [b"GET /f1 HTTP/1.1\r\n" + host + lines + b"\r\n" for lines in HEADERS]
    requests += [b"GET /f1 HTTP/1.1\r\n\r\n", b"GET /f1 HTTP/1.1\r\nX-Host: h\r\n\r\n"]
    requests += [b"GET /f1 HTTP/1.1\nHost: h\n\n", b"GET /f1\r\n\r\n"]
    replies = ask_all(lambda data: exchange(place, data + behind("f1")), requests)
    wrong = faults_of(requests, replies)
    called = [path for path in place.requests() if "/f1" in path]
    corpora, text = (True, "") if stage.scale < 1 else foreign_cases()
    ok = not wrong and not called and corpora and len(requests) >= _LEAST_MALFORMED
    listed = f": {'; '.join(wrong)[:300]}" if wrong else ""
    return Figure(
        ok,
        f"{len(requests) - len(wrong)} of {len(requests)} answered 4xx and closed{listed}, "
        f"application called {len(called)} times{text}",
    )


def foreign_cases() -> tuple[bool, str]:
    """Answer the cases that others have collected, where they are; return whether all is right."""
    if importlib.util.find_spec("tests.corpora") is None:
        return True, "; the cases of others are not here"
    from tests.corpora.answers import answers
    from tests.corpora.cases import Verdict
    from tests.corpora.fetching import NoNetworkError, may_be_missing

    try:
        # Their application lets the bodies that break off be tracebacks.
        with contextlib.redirect_stderr(io.StringIO()):
            found = list(answers())
    except NoNetworkError:
        return may_be_missing(), "; the cases of others could not be fetched"
    sent = [answer for answer in found if answer.verdict is not Verdict.EXCLUDED]
    wrong = [answer for answer in sent if answer.verdict is Verdict.WRONG]
    decided = sum(1 for answer in sent if answer.reason)
    names = f": {', '.join(f'{a.name} ({a.answer})' for a in wrong)[:300]}" if wrong else ""
    text = f"; of {len(sent)} cases of others {len(sent) - len(wrong)} answered as expected "
    return bool(sent) and not wrong, text + f"or, {decided}, as decided{names}"


# -- F3 --------------------------------------------------------------------------------------------


def unread_bodies(place: Place) -> list[bytes]:
    """Return requests with a body that nobody reads, which is a request itself."""
    body, made = behind("in a body"), []
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    for line in (
        *["OPTIONS /socket.io/1/", "GET /socket.io/2/", "POST /socket.io/2/"],
        *["GET /socket.io/1//1/?disconnect", "GET /socket.io/1/xhr-polling/1"],
        *["POST /socket.io/1/xhr-polling/1", "POST /socket.io/1/nope/1", "PUT /socket.io/1/"],
        *["GET /socket.io/1/websocket/1", "GET /socket.io/socket.io.js", "GET /socket.io/?EIO=4"],
    ):
        for lines, sent in (
            ([f"Content-Length: {len(body)}"], body),
            ([f"Content-Length: {len(body)}", "Expect: 100-continue"], body),
            (["Transfer-Encoding: chunked"], chunks),
        ):
            made.append(head(place, f"{line} HTTP/1.1", *lines) + sent)
    return made


@row(
    "F3",
    "smuggling: two lengths, a length beside chunks, hidden codings, bodies nobody reads, "
    "bad chunks and trailers, 100-continue",
    passes="a request behind each is never executed: 0; one behind sound requests always is",
    original="a second request in the body of a handshake was served",
)
def smuggling(stage: Stage) -> Figure:
    place = stage.shared()
    client = PollingClient(place).open()
    before = opened(place)
    targets = ("/page", "/socket.io/1/", client.url)
    requests = [
        head(place, f"{method} {target} HTTP/1.1", lines)
        for lines in AMBIGUOUS
        for target in targets
        for method in ("GET", "POST")
    ]
    chunked = "Transfer-Encoding: chunked"
    chunks = [
        head(place, f"POST {client.url} HTTP/1.1", chunked) + body for body in MALFORMED_CHUNKS
    ]
    unread = unread_bodies(place)
    wrong = faults_of(requests, ask_all(lambda data: exchange(place, data + behind(1)), requests))
    # A chunk that breaks off is only known as broken when nothing more comes.
    wrong += faults_of(
        chunks, ask_all(lambda data: exchange(place, data + behind(2), finish=True), chunks)
    )
    replies = ask_all(lambda data: exchange(place, data + behind(3)), unread)
    wrong += [f"{r.statuses}" for r in replies if not r.ended or len(r.answers) != 1]
    hits, sessions = smuggled(place), opened(place) - before
    sound = head(place, "GET /page HTTP/1.1")
    exchange(place, sound + head(place, "GET /behind-f3 HTTP/1.1", "Connection: close"))
    executed = place.requests().count("/behind-f3")
    alive = is_alive(client)
    leave(client)
    sent = len(requests) + len(chunks) + len(unread)
    ok = not hits and not sessions and not wrong and alive and executed
    return Figure(
        ok,
        f"{len(hits)} of {sent} executed, {sessions} sessions made, {len(wrong)} not closed "
        f"behind one answer {'; '.join(wrong)[:300]}; behind a sound request {executed} executed",
    )


# -- G3 --------------------------------------------------------------------------------------------


@row(
    "G3",
    "requests with one random damage, each in front of a sound one",
    passes="0 answered 2xx, 0 of those behind executed; undamaged ones all served",
)
def random_damage(stage: Stage) -> Figure:
    place, rng = stage.shared(), random.Random(3)
    before = opened(place)
    targets = ["/g3", "/socket.io/1/", "/socket.io/1/xhr-polling/1?t=2", "/g3?a=b"]
    requests = [damaged(rng, rng.choice(targets)) for _ in range(stage.number(4000))]
    replies = ask_all(lambda data: exchange(place, data + behind("g3")), requests)
    served = [d for d, r in zip(requests, replies, strict=True) if any(s < 300 for s in r.statuses)]
    odd = faults_of(requests, replies)
    hits, sessions = smuggled(place), opened(place) - before
    closing = b"GET /behind-g3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    sound = []
    for _ in range(stage.number(500)):
        line, lines = well_formed(rng, "/g3")
        sound.append(b"\r\n".join([line, *lines, b"", b""]) + closing)
    unserved = [r for r in ask_all(lambda d: exchange(place, d), sound) if r.statuses != [200, 200]]
    ok = not served and not hits and not sessions and not odd and not unserved
    examples = f": {'; '.join(odd)[:300]}" if odd else ""
    return Figure(
        ok,
        f"of {len(requests):,}: {len(served)} answered 2xx, {len(hits)} behind them executed, "
        f"{sessions} sessions made, {len(odd)} without a 4xx and a close{examples}; "
        f"of {len(sound)} undamaged {len(sound) - len(unserved)} served",
    )


# -- F63 -------------------------------------------------------------------------------------------


@row(
    "F63",
    "fifty handshakes, then fifty posts and polls of a session, each in one write; a poll that "
    "waits in front of others; thousands of requests without a pause",
    passes="answered in order; they hold their own connection only",
)
def pipelining(stage: Stage) -> Figure:
    place = stage.shared()
    lines = [head(place, f"GET /socket.io/1/?jsonp={number} HTTP/1.1") for number in range(50)]
    connection = Connection(place)
    connection.send_raw(b"".join(lines))
    handshakes = [connection.read_answer().text for _ in lines]
    in_order = [text.split("(")[0] for text in handshakes] == [f"io.j[{n}]" for n in range(50)]
    for text in handshakes:
        sessid = text.split('"')[1].split(":")[0]
        fetch(place, "GET", f"/socket.io/1//{sessid}/?disconnect")
    client = PollingClient(place).open()
    answers = [connection_answers(place, connection, client.url, number) for number in range(25)]
    right = sum(text == f"1 6:::{number}+[{number}]" for number, text in enumerate(answers))
    waited = starved(place, connection, client)
    leave(client)
    connection.close()
    count = stage.number(10_000, least=2_000)
    answered = flood(place, count)
    ok = (
        answered == count
        and in_order
        and right == len(answers)
        and waited is not None
        and waited < 0.25
    )
    figure = "not in order" if waited is None else f"{waited * 1000:.0f} ms"
    return Figure(
        ok,
        f"{len(handshakes)} handshakes {'in' if in_order else 'out of'} order, {right} of "
        f"{len(answers)} pairs of post and poll right; beside a poll that waits: {figure}; "
        f"{answered:,} of {count:,} without a pause answered",
    )


def flood(place: Place, count: int) -> int:
    """Send requests behind each other, as fast as it goes; return how many are answered."""
    connection = Connection(place)
    request = head(place, "OPTIONS /socket.io/1/ HTTP/1.1")
    data = request * (count - 1) + head(
        place, "OPTIONS /socket.io/1/ HTTP/1.1", "Connection: close"
    )
    sender = gevent.spawn(connection.send_raw, data)
    answers = connection.read_to_end().count(b"HTTP/1.1 200 OK")
    sender.join()
    connection.close()
    return answers


def connection_answers(place: Place, connection: Connection, url: str, number: int) -> str:
    """Send an event and the poll for its answer in one write; return both answers."""
    body = event("echo", number, msgid=f"{number}+").encode()
    connection.send_raw(
        head(place, f"POST {url} HTTP/1.1", f"Content-Length: {len(body)}")
        + body
        + head(place, f"GET {url} HTTP/1.1")
    )
    return f"{connection.read_answer().text} {connection.read_answer().text}"


def starved(place: Place, connection: Connection, client: PollingClient) -> float | None:
    """Return how long others wait beside a poll that has requests behind it; None: wrong order."""
    behind_it = [head(place, f"GET /behind-f63/{number} HTTP/1.1") for number in range(50)]
    connection.send_raw(head(place, f"GET {client.url} HTTP/1.1") + b"".join(behind_it))
    worst = 0.0
    for _ in range(20):
        begin = time.monotonic()
        fetch(place, "GET", "/beside-f63")
        worst = max(worst, time.monotonic() - begin)
    early = any(path.startswith("/behind-f63") for path in place.requests())
    client.send(event("echo", "wake", msgid="1+"))
    first = connection.read_answer().text
    rest = [connection.read_answer().status for _ in behind_it]
    order = [path for path in place.requests() if path.startswith("/behind-f63")]
    expected = [f"/behind-f63/{number}" for number in range(50)]
    right = first == '6:::1+["wake"]' and rest == [200] * 50 and order == expected and not early
    return worst if right else None
