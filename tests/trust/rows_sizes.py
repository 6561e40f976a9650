"""F13, F14, F18 and F19: what is too large, too deep or too long, and what is just small enough."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gevent import socket as gsocket

from tests.client import PollingClient, WebSocketClient, event, handshake
from tests.trust.gauges import Counted, blocked_ms, cpu_ms, rss, vsz
from tests.trust.rows import Figure, row
from tests.trust.rows_packets import still_answers
from tests.trust.stage import Place, Stage
from tests.unit.websocket.frames import BINARY, CONT, PING, TEXT, Peer, frame
from tests.unit.websocket.handshakes import upgrade

_LIMIT = 1_000_000
_MB = 1 << 20


def masked(opcode: int, size: int, start: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a long frame; :func:`frame` masks with whole numbers, which takes too long here."""
    return frame(opcode, fin=fin, length=size)[:-4] + bytes(4) + start.ljust(size, b"x")


# Name, frames, the close codes that may come back. A header alone promises what never comes.
OVERSIZED: list[tuple[str, bytes, set[int]]] = [
    ("2^31 bytes", frame(TEXT, length=2**31), {1009}),
    ("2^32 + 5 bytes", frame(BINARY, length=2**32 + 5), {1009}),
    ("2^63 - 1 bytes", frame(TEXT, length=2**63 - 1), {1009}),
    ("2^63 bytes", frame(TEXT, length=2**63), {1009}),
    ("2^64 - 1 bytes", frame(BINARY, length=2**64 - 1), {1009}),
    ("one byte over, a header alone", frame(TEXT, length=_LIMIT + 1), {1009}),
    ("one byte over", masked(TEXT, _LIMIT + 1, b"3:::"), {1009}),
    (
        "fragments, one byte over",
        masked(TEXT, _LIMIT // 2, b"3:::", fin=False)
        + masked(CONT, _LIMIT // 2, fin=False)
        + frame(CONT, b"x"),
        {1009},
    ),
    ("a ping of 2^31 bytes", frame(PING, length=2**31), {1002, 1009}),
    ("100,000 empty fragments", frame(TEXT, fin=False) + frame(CONT, fin=False) * 100_000, {1008}),
    (
        "a message that never ends",
        frame(TEXT, b"3:::", fin=False) + frame(CONT, b"x" * 100, fin=False) * 20_000,
        {1008, 1009},
    ),
]


def close_code(place: Place, data: bytes) -> int | None:
    """Return the code with which the server closes a WebSocket that brings ``data``."""
    peer = Peer(gsocket.create_connection(("127.0.0.1", place.server_port)))
    peer.sock.settimeout(5)
    try:
        peer.send(upgrade(target=f"/socket.io/1/websocket/{handshake(place)}"))
        assert peer.read_head().split()[1] == "101"
        try:
            peer.send(data)
        except OSError:  # it does not want to hear it all
            pass
        while (got := peer.read_frame())[0] == TEXT:
            pass
        return int.from_bytes(got[1][:2], "big")
    except (EOFError, OSError):
        return None
    finally:
        peer.close()


@row(
    "F13",
    "oversized WebSocket messages: by header, by byte, by fragments, without end",
    passes="closed with 1009 or 1008; resident memory + < 2 MB, virtual + < 64 MB",
    original="any length was awaited and kept",
)
def oversized_messages(stage: Stage) -> Figure:
    place = stage.serve()
    codes = [close_code(place, data) for _, data, _ in OVERSIZED]
    before, virtual, most = rss(place), vsz(place), vsz(place)
    rounds = stage.number(5)
    for _ in range(rounds):
        for _, data, _ in OVERSIZED:
            codes.append(close_code(place, data))
            most = max(most, vsz(place))
    grown, virtual = rss(place) - before, most - virtual
    wanted = [allowed for _, _, allowed in OVERSIZED] * (rounds + 1)
    wrong = sum(code not in allowed for code, allowed in zip(codes, wanted, strict=True))
    return Figure(
        not wrong and grown < 2 * _MB and virtual < 64 * _MB,
        f"{len(codes) - wrong} of {len(codes)} closed with the right code, resident memory "
        f"{grown / _MB:+.1f} MB, virtual {virtual / _MB:+.1f} MB",
    )


def fill(pattern: str, size: int, start: str, end: str) -> str:
    """Return about ``size`` characters: ``start``, the pattern again and again, ``end``."""
    return start + pattern * ((size - len(start) - len(end)) // len(pattern)) + end


_SIZE = _LIMIT - 100
_BIG_JSON = fill('{"a":[1,"x"]},', _SIZE, '5:::{"name":"echo","args":[', "0]}")
_BIG_MESSAGE = "3:::" + "x" * _SIZE


class Loader:
    """One session of each kind to put 1 MB on; counts what was handled."""

    def __init__(self, place: Place) -> None:
        self._ws = WebSocketClient(place).open()
        self._peer = Peer(self._ws.sock)
        self._xhr = PollingClient(place).open()
        self.done = 0

    def frames(self, text: str) -> Callable[[], None]:
        data = masked(TEXT, len(text), text.encode())

        def send() -> None:
            self._ws.sock.sendall(data)
            self.done += still_answers(self._ws)

        return send

    def body(self, text: str) -> Callable[[], None]:
        def send() -> None:
            self._xhr.send(text)
            self.done += 1

        return send

    def close(self) -> None:
        self._xhr.send("0::")
        self._xhr.close()
        self._ws.close()


@row(
    "F14",
    "1 MB in one WebSocket message, one event's JSON, one POST; then ten in a row",
    passes="others wait less than 100 ms, and less than 250 ms",
    original="a frame was unmasked byte by byte",
)
def work_for_a_megabyte(stage: Stage) -> Figure:
    place = stage.serve()
    loader = Loader(place)
    kinds = {
        "message": loader.frames(_BIG_MESSAGE),
        "JSON": loader.frames(_BIG_JSON),
        "POST": loader.body(_BIG_MESSAGE),
        "JSON in a POST": loader.body(_BIG_JSON),
    }
    worst, begin, rows = {}, cpu_ms(place), stage.number(10, least=2)
    for name, send in kinds.items():
        ten = partial(repeat, rows, send)
        worst[name] = blocked_ms(place, send, 100), blocked_ms(place, ten, 250)
    done, spent = loader.done, cpu_ms(place) - begin
    loader.close()
    ok = all(single < 100 and many < 250 for single, many in worst.values())
    told = ", ".join(f"{name} {one:.0f} and {many:.0f} ms" for name, (one, many) in worst.items())
    return Figure(
        ok and done >= len(kinds) * (1 + rows),
        f"{done} of 1 MB handled, {spent / done:.0f} ms of CPU each; others wait: {told}",
    )


def repeat(times: int, action: Callable[[], None]) -> None:
    for _ in range(times):
        action()


BOMBS = {
    "[ 10^5 deep": "[" * 100_000,
    "[ ] 10^5 deep": "[" * 100_000 + "]" * 100_000,
    "{ 10^5 deep": '{"a":' * 100_000,
    "just too deep, 400 times": "[" + "[" * 1200 + "]" * 1200 + "]",
    "140,000 keys": "{" + ",".join(f'"{n}":0' for n in range(95_000)) + "}",
    "one key 10^5 times": fill('"a":0,', 900_000, "{", '"a":0}'),
    "5 * 10^5 elements": fill("0,", _SIZE - 50, "[", "0]"),
    "3 * 10^5 empty lists": fill("[],", _SIZE - 50, "[", "0]"),
    "a string of 1 MB of escapes": fill("\\u0041", _SIZE - 50, '"', '"'),
    "a number of 1 MB": fill("1", _SIZE - 50, "0.", ""),
}


@row(
    "F18",
    "JSON bombs of up to 1 MB: 10^5 deep, 10^5 keys, 5 * 10^5 elements, in packets 4, 5 and 6",
    passes="0 sessions ended, too deep is counted as malformed, others wait less than 100 ms",
)
def json_bombs(stage: Stage) -> Figure:
    place = stage.serve()
    client, counted = WebSocketClient(place).open(), Counted(place)
    waits: dict[str, float] = {}
    alive = sent = deep = 0
    for name, bomb in BOMBS.items():
        texts = [f'5:::{{"name":"echo","args":[{bomb}]}}', f"4:::{bomb}", f"6:::1+{bomb}"]
        for text in texts[: stage.number(3)]:
            data = masked(TEXT, len(text), text.encode())

            def send(
                data: bytes = data, deep_one: bool = "deep" in name and text[0] != "6"
            ) -> None:
                nonlocal alive, sent, deep
                client.sock.sendall(data)
                alive, sent, deep = alive + still_answers(client), sent + 1, deep + deep_one

            waits[name] = max(blocked_ms(place, send, 100), waits.get(name, 0))
    refused = counted.rise("errors", "invalid_packet")
    client.close()
    slowest = max(waits, key=lambda name: waits[name])
    return Figure(
        alive == sent and refused == deep and waits[slowest] < 100,
        f"{alive} of {sent} times the session answers, {refused} of {deep} too deep counted, "
        f"others wait at most {waits[slowest]:.0f} ms ({slowest})",
    )


NUMBERS = ["9" * 4301, "-" + "9" * 4301, "9" * 900_000, "1e999", "-1e999", "1e400", "NaN"]
NUMBERS += ["Infinity", "-Infinity", "-NaN", "9" * 400 + ".5", "1.5e308000"]


@row(
    "F19",
    "numbers no float or int can be: 4,301 and 900,000 digits, 1e999, NaN, Infinity, in and out",
    passes="each counted as malformed, no handler runs, never NaN on the wire",
    original="NaN went through to every other client",
)
def numbers_out_of_range(stage: Stage) -> Figure:
    place = stage.serve("tests.trust.apps_packets:namespaces")
    client, counted = WebSocketClient(place).open(), Counted(place)
    rounds, alive, said = stage.number(5), 0, ""
    for _ in range(rounds):
        for number in NUMBERS:
            texts = [f"4:::[{number}]", f'5:::{{"name":"say","args":[{{"a":{number}}}]}}']
            for text in [*texts, f"6:::1+[{number}]"]:
                client.sock.sendall(masked(TEXT, len(text), text.encode()))
            alive += still_answers(client)
    bad, ran = (
        counted.rise("errors", "invalid_packet"),
        counted.calls(" say") + counted.calls(" json"),
    )
    for kind in ("nan", "inf", "-inf"):
        client.send(event("number_of_no_kind", kind, msgid="7+"))
        said += client.recv()
    alive += still_answers(client)
    client.close()
    failed, leaked = (
        counted.rise("errors", "handler_failed"),
        said.count("NaN") + said.count("Infinity"),
    )
    expected, asked = rounds * len(NUMBERS) * 2, rounds * len(NUMBERS) + 1
    ok = bad == expected and not ran and failed == 3 and not leaked and alive == asked
    return Figure(
        ok,
        f"{bad} of {expected} counted, {ran} handlers ran; {failed} of 3 emits refused, {leaked} "
        f"on the wire; {alive} of {asked} times the session answers",
    )
