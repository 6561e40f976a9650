"""F10, F11 and G2: bodies of POSTs that are no payloads, or have too many packets."""

from __future__ import annotations

import json
import random
import re
import time
from urllib.parse import urlencode

from socketio.wire.payload import decode_payload, encode_payload
from tests.client import PollingClient, event
from tests.streams import JSONPClient
from tests.trust.gauges import Counted, blocked_ms, cpu_ms
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

_M = "\ufffd"
_HANG_MS = 50
# Seconds after which a POST that is not answered counts as hanging.
_PATIENCE = 5
# What may stand behind good packets, and spoils the whole.
LISTED = [
    *[f"{_M}-4{_M}", f"{_M}{_M}", f"{_M}{_M}2::", f"{_M}", f"{_M}3", f"{_M}3{_M}", f"{_M}4{_M}2::"],
    *[f"{_M}x{_M}2::", f"{_M} 3{_M}2::", f"{_M}3 {_M}2::", f"{_M}+3{_M}2::", f"{_M}3.0{_M}2::"],
    *[f"{_M}٣{_M}2::", f"{_M}³{_M}2::", f"{_M}0x3{_M}2::", f"{_M}3e0{_M}2::", f"{_M}3_0{_M}2::"],
    *[
        f"{_M}1{_M}2::",
        f"{_M}2{_M}2::",
        f"{_M}3{_M}2::x",
        f"{_M}3{_M}2::2::",
        "2::",
        "x",
        " ",
        "\n",
    ],
    *[f"{_M}{9 * 10**9}{_M}2::", f"{_M}{'9' * 11}{_M}2::", f"{_M}{'9' * 5000}{_M}2::"],
    *[f"{_M}{2**31}{_M}2::", f"{_M}{2**63}{_M}2::", f"{_M}{2**64 + 3}{_M}2::", f"{_M}NaN{_M}2::"],
    *[f"{_M}1{_M}\U0001f600", f"{_M}3{_M}\U0001f600", f"{_M}2{_M}\U0001f600x", f"{_M}3\n{_M}2::"],
    *[
        f"{_M}3{_M}2::{_M}",
        f"{_M}3{_M}2::{_M}3{_M}",
        f"{_M}3{_M}2::{_M}-3{_M}2::",
        f"{_M}\x00{_M}2::",
    ],
]
_NOT_UTF8 = [
    b"\xff",
    b"2::\x80",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf8\x88\x80\x80\x80",
    b"\xe2\x98",
]


def still_answers(client: PollingClient) -> bool:
    """Tell whether the session answers the next event, whatever came before it."""
    client.send(event("echo", "still here", msgid="99+"))
    while (text := client.recv()) != '6:::99+["still here"]':
        if text.startswith("0"):
            return False
    return True


@row(
    "F10",
    "malformed payloads behind good packets: bad lengths, junk, no UTF-8; xhr and jsonp",
    passes="400, none of their packets applied, the session answers",
    original="the body U+FFFD -4 U+FFFD stopped the process",
)
def malformed_payloads(stage: Stage) -> Figure:
    place = stage.shared()
    refused = sent = 0
    alive = True
    applied: list[int] = []
    good = encode_payload([event("number", 1), event("number", 2)])
    for kind in (PollingClient, JSONPClient):
        client = kind(place).open()
        bodies = [client_body(kind, good + bad) for bad in [*LISTED, ""]]
        bodies[-1] = b""
        if kind is PollingClient:
            bodies += [good.encode() + bad for bad in _NOT_UTF8]
        for _ in range(stage.number(25)):
            for body in bodies:
                refused += post(client, body) == 400
                sent += 1
        alive = still_answers(client) and alive
        client.send("0::")
        applied += place.facts()["numbers"].get(client.sessid, [])
        client.close()
    return Figure(
        refused == sent and alive and not applied,
        f"{refused:,} of {sent:,} answered 400, {len(applied)} of their packets applied, "
        f"the sessions {'answer' if alive else 'are dead'}",
    )


def client_body(kind: type[PollingClient], payload: str) -> bytes:
    """Return the body of the POST that carries ``payload``."""
    if kind is not JSONPClient:
        return payload.encode()
    return urlencode({"d": json.dumps(payload, ensure_ascii=False)}).encode()


def post(client: PollingClient, body: bytes) -> int:
    """Return the status of the answer to a POST with ``body``; 0 when there is none in time."""
    kind = "application/x-www-form-urlencoded"
    headers = {"Content_Type": kind} if isinstance(client, JSONPClient) else {}
    client._post.sock.settimeout(_PATIENCE)
    try:
        return client._post.request("POST", client.url, body, **headers).status
    except (TimeoutError, EOFError, OSError):
        client._post.close()
        client._post = type(client._post)(client.server)
        return 0


def expected_packets(body: bytes) -> list[str] | None:
    """Return the packets of ``body`` as the protocol text cuts them, slowly; None if it is bad."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if not text.startswith(_M):
        return [text] if text else None
    data = text.encode("utf-16-be")
    units = [data[i : i + 2] for i in range(0, len(data), 2)]
    mark, packets = _M.encode("utf-16-be"), []
    while units:
        if units[0] != mark or mark not in units[1:]:
            return None
        end = units.index(mark, 1)
        digits = b"".join(units[1:end]).decode("utf-16-be", "replace")
        if not re.fullmatch("[0-9]{1,10}", digits) or len(units) <= end + int(digits):
            return None
        packets.append(
            b"".join(units[end + 1 : end + 1 + int(digits)]).decode("utf-16-be", "replace")
        )
        units = units[end + 1 + int(digits) :]
    return packets


def generated(rng: random.Random) -> bytes:
    """Return a payload with mistakes; now and then they are none."""
    texts = [
        "2::",
        "8::",
        "3:::x",
        "3:::\ufffd",
        "3:::\U0001f600é",
        "",
        "x",
        "5:::{}",
        _M,
        "\ud7ff",
    ]
    text = encode_payload(rng.choices(texts, k=rng.randint(2, 8)))
    characters = list(text)
    for _ in range(rng.randint(0, 3)):
        place = rng.randrange(len(characters) + 1)
        characters[place : place + rng.randint(0, 2)] = rng.choice(
            ["", _M, "-", "0", "9", "1" * 12, ":", "٣", "\U0001f600", " ", f"{_M}-4{_M}", "\x00"]
        )
    body = "".join(characters).encode()
    if rng.random() < 0.05:
        at = rng.randrange(len(body) + 1)
        body = body[:at] + rng.choice(_NOT_UTF8) + body[at:]
    return body


@row(
    "G2",
    "20,000 malformed payloads, generated",
    passes="0 need 50 ms, 0 uncaught, each answered as the protocol text says",
    original="34 of 5,000 hung for ever, 2,014 were uncaught",
)
def generated_payloads(stage: Stage) -> Figure:
    place, rng = stage.shared(), random.Random(2)
    client, counted = PollingClient(place).open(), Counted(place)
    logged, number = place.log().count("Traceback"), stage.number(20_000)
    hangs = wrong = bad = 0
    worst = 0.0
    for _ in range(number):
        body = generated(rng)
        expected = expected_packets(body)
        if expected is not None and any(text.startswith("0") for text in expected):
            expected, body = None, b""
        before = cpu_ms(place)
        status = post(client, body)
        took = cpu_ms(place) - before
        worst = max(worst, took)
        hangs += took > _HANG_MS or not status
        wrong += status != (400 if expected is None else 200)
        bad += expected is None
    alive = still_answers(client)
    client.send("0::")
    client.close()
    uncaught = place.log().count("Traceback") - logged + counted.rise("errors", "handler_failed")
    return Figure(
        not hangs and not wrong and not uncaught and alive and bad > number / 4,
        f"{hangs} of {number:,} over {_HANG_MS} ms (most {worst:.1f} ms), {uncaught} uncaught, "
        f"{bad:,} of them bad, {wrong} answered otherwise",
    )


def growth(text: str) -> float:
    """Return how much longer twice the text takes to cut; the best of many, without the noise."""

    def milliseconds(body: str) -> float:
        begin = time.thread_time()
        assert len(decode_payload(body)) == body.count(_M) // 2
        return (time.thread_time() - begin) * 1000

    single, double = [], []
    for _ in range(5):
        single.append(milliseconds(text))
        double.append(milliseconds(text * 2))
    return min(double) / min(single)


@row(
    "F11",
    "1 MB of packets of one character; as many packets as are allowed",
    passes="400 within 250 ms, linear: twice the packets take less than 2.5 times as long",
    original="quadratic; a negative length never ended",
)
def many_packets(stage: Stage) -> Figure:
    place: Place = stage.shared()
    part = f"{_M}1{_M}x"
    body = (part * (1_000_000 // len(part.encode()))).encode()
    client, statuses = PollingClient(place).open(), []
    before = cpu_ms(place)
    waited = blocked_ms(place, lambda: statuses.append(post(client, body)))
    spent = (cpu_ms(place) - before) / len(statuses)
    most = [post(client, encode_payload(["8::"] * count).encode()) for count in (1000, 1001)]
    alive = still_answers(client)
    client.send("0::")
    client.close()
    half = stage.number(50_000, least=5_000)
    ratios = [growth(part * half), growth(f"{_M}3{_M}\U0001f600x" * half)]
    ok = set(statuses) == {400} and most == [200, 400] and waited < 250 and spent < 250
    return Figure(
        ok and alive and max(ratios) < 2.5,
        f"{len(body) // len(part.encode()):,} packets are refused ({statuses[0]}) in {spent:.1f} "
        f"ms of CPU, others wait {waited:.1f} ms; 1,000 are "
        f"answered {most[0]}, 1,001 {most[1]}; "
        f"t(2n)/t(n) = {ratios[0]:.2f}, with emoji {ratios[1]:.2f}",
    )
