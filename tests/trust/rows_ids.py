"""F22 and F52: session ids that nobody can guess, in one process and in forked ones."""

from __future__ import annotations

import contextlib
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.client import Connection, PollingClient, WebSocketClient, event, fetch, handshake
from tests.trust.measured import MEASURED, Count
from tests.trust.rows import Figure, row
from tests.trust.stage import Child, Stage

# Bits of a decimal digit times digits is what an id holds, if all digits are alike.
_DIGITS = 40
_PIPELINE = 10
# Chi-square with 9 degrees of freedom is above it once in ten million.
_CHI_SQUARE = 50.0
_ATTEMPTS = 5


def collect_ids(place: Any, number: int) -> list[str]:
    """Shake hands ``number`` times, many in one write; return the ids."""
    connection = Connection(place)
    ids: list[str] = []
    request = f"GET /socket.io/1/?t=1 HTTP/1.1\r\nHost: 127.0.0.1:{place.server_port}\r\n\r\n"
    while len(ids) < number:
        connection.send_raw(request.encode() * _PIPELINE)
        for _ in range(_PIPELINE):
            ids.append(connection.read_answer().text.split(":")[0])
    connection.close()
    return ids


def chi_square(ids: list[str]) -> float:
    """Return the worst chi-square of the digits, over all and at each place of the id."""
    columns = [Counter(column) for column in zip(*ids, strict=True)]
    columns.append(sum(columns, Counter[str]()))
    worst = 0.0
    for counts in columns:
        mean = counts.total() / 10
        worst = max(worst, sum((counts[digit] - mean) ** 2 / mean for digit in "0123456789"))
    return worst


def expired_id(place: Any) -> str:
    """Return the id of a session that was, and is over."""
    sessid = handshake(place)
    fetch(place, "GET", f"/socket.io/1//{sessid}/?disconnect")
    return sessid


def compare_times(place: Any, number: int) -> tuple[float, int]:
    """Poll unknown and expired sessions in turn.

    Return by how much the middle times differ, in parts of the shorter one, and how many different
    answers there were.
    """
    rng, connection = random.Random(22), Connection(place)
    expired = [expired_id(place) for _ in range(20)]
    times: dict[bool, list[float]] = {True: [], False: []}
    answers = set()
    for turn in range(2 * number):
        sessid = rng.choice(expired) if turn % 2 else f"{rng.randrange(10**_DIGITS):0{_DIGITS}d}"
        begin = time.perf_counter()
        answer = connection.request("GET", f"/socket.io/1/xhr-polling/{sessid}")
        times[bool(turn % 2)].append(time.perf_counter() - begin)
        headers = tuple(sorted((k, v) for k, v in answer.headers.items() if k != "date"))
        answers.add((answer.status, headers, answer.body))
        if answer.headers.get("connection") == "close":
            connection.close()
            connection = Connection(place)
    connection.close()
    first, second = sorted(statistics.median(kind) for kind in times.values())
    return second / first - 1, len(answers)


@row(
    "F22",
    "guessing session ids",
    passes="0 duplicates, 40 decimal digits that are evenly spread (132 bits); an unknown session "
    "is answered as an expired one, and the middle times differ by less than 5 %",
    original="11 to 17 digits of a generator that can be predicted",
)
def guessed_ids(stage: Stage) -> Figure:
    place: Any = stage.serve(handshake_timeout=0.5, max_handshakes=1_000_000)
    ids = collect_ids(place, stage.number(5_000, least=500))
    malformed = sum(not (len(x) == _DIGITS and x.isascii() and x.isdigit()) for x in ids)
    duplicates = len(ids) - len(set(ids))
    spread = chi_square(ids)
    # The machine may do something else at times; a difference that is real is there every time.
    difference, answers, attempts = 1.0, 0, 0
    while difference >= 0.05 and attempts < _ATTEMPTS:
        difference, answers = compare_times(place, stage.number(1_000, least=200))
        attempts += 1
    MEASURED["F22"] = Count(duplicates, len(ids))
    text = (
        f"{duplicates} duplicates in {len(ids):,} ids, {malformed} malformed, worst chi-square "
        f"{spread:.1f} (limit {_CHI_SQUARE:.0f}); unknown and expired: {answers} kind of answer, "
        f"middle times differ by {100 * difference:.1f} % (attempt {attempts})"
    )
    even = spread < _CHI_SQUARE
    return Figure(
        not (duplicates or malformed) and even and answers == 1 and difference < 0.05, text
    )


@contextlib.contextmanager
def forked(children: int, count: int) -> Iterator[list[dict[str, Any]]]:
    """Run a process that forks; gives what it and its children told."""
    with tempfile.TemporaryDirectory() as folder:
        child = Child("tests.trust.forked", f"{children} {count} {folder}")
        try:
            told = [json.loads(child.read_line()) for _ in range(children + 1)]
            yield [{**who, "ids": Path(who["ids"]).read_text().split()} for who in told]
            errors = child.errors()
            assert not errors, errors[:500]
        finally:
            child.end()


def serves(port: int) -> tuple[bool, str]:
    """Tell whether the server on ``port`` answers over two transports; and one of its ids."""
    server: Any = SimpleNamespace(server_port=port, resource="socket.io")
    fine, sessid = True, ""
    for kind in (WebSocketClient, PollingClient):
        client = kind(server).open()
        client.send(event("echo", port, msgid="1+"))
        fine, sessid = fine and client.recv() == f"6:::1+[{port}]", client.sessid
        client.close()
    return fine, sessid


@row(
    "F52",
    "fork by a process that has a hub, a server and sessions",
    passes="ids of 4 children and their parent all different, every child serves (by os.fork as a "
    "preloading supervisor does; under gunicorn itself this is not shown here)",
    original="forked workers handed out the same ids",
)
def forked_processes(stage: Stage) -> Figure:
    count = stage.number(20_000, least=1_000)
    with forked(4, count) as told:
        ports = [who["port"] for who in told if "port" in who]
        served = [serves(port) for port in ports]
    ids = [sessid for who in told for sessid in who["ids"]] + [sessid for _, sessid in served]
    duplicates = len(ids) - len(set(ids))
    MEASURED["F52"] = Count(duplicates, len(ids))
    spread = chi_square(ids)
    good = sum(fine for fine, _ in served)
    text = (
        f"{duplicates} duplicates in {len(ids):,} ids of {len(told)} processes, worst chi-square "
        f"{spread:.1f}; {good} of {len(ports)} children serve"
    )
    whole = good == len(ports) == 4 and len(ids) == 5 * count + 4
    return Figure(not duplicates and whole and spread < _CHI_SQUARE, text)
