"""F6 to F9 and G1: packets that make no sense, and acks nobody asked for."""

from __future__ import annotations

import json
import random
import time

from tests.client import WebSocketClient, event
from tests.trust.gauges import Counted
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

# Each of them is no packet.
LISTED = [
    *["x", "::", ":::", "9:::", "9::", "05:::", " 5:::{}", "5 :::", "-5::", "5", "5:", "5::"],
    *["٥:::{}", "55:::", "1.0:::", "\x00", "\ufffd", "\ufffd5\ufffd", "null", "{}", "[]", "5;;;"],
    *["5:x::{}", "5:+1::{}", "5:-1::{}", "5:1++::{}", "5:1 ::{}", "5:٣::{}", f"5:{'9' * 33}::{{}}"],
    *["6", "6:", "6::", "6:::", "6:::x", "6:::+[]", "6:::-1", f"6:::{'9' * 5000}", "6::: 1", "4::"],
    *["\ufeff5:::", "5\u200b:::", "Infinity:::", "+5:::", "5e0:::", "0x5:::", "5\n:::", "\n5:::"],
]
# No JSON, wherever it stands.
BAD_JSON = [
    *["{bad", "{", "[", "]", "}", '"', '"a', "{'a':1}", "{a:1}", '{"a"}', '{"a":}', '{"a":1,}'],
    *["[1,]", "[,]", "01", "+1", ".5", "1.", "0x10", "1e", "--1", "NaN", "-NaN", "undefined"],
    *["tru", "True", "nul", "[1 2]", '{"a" 1}', '"\\x"', '"\\u12"', '"\t"', '"\n"', "[1]]", "1 1"],
    *["/**/1", "[1]//", "\ufeff1", "\u00a01", "\x00", '"\x00"', "[" * 2000, '{"a":' * 2000],
]
# JSON that is no event.
BAD_SHAPES = [
    *[
        "[]",
        "1",
        '"x"',
        "null",
        "true",
        "{}",
        '[{"name":"say"}]',
        '{"args":[1]}',
        '{"Name":"echo"}',
    ],
    *['{"name":1}', '{"name":null}', '{"name":{}}', '{"name":["echo"]}', '{"name":true}'],
    *['{"name":"say","args":5}', '{"name":"say","args":"abc"}', '{"name":"say","args":{"a":1}}'],
    *['{"name":"say","args":true}', '{"name":"say","args":1.5}', '{"name":"say","args":{}}'],
]
# What JavaScript takes for no arguments.
NO_ARGS = ["null", "0", '""', "false", "[]", "0.0"]
_NEXT = '6:::99+["still here"]'
_BATCH = 50


def still_answers(client: WebSocketClient) -> bool:
    """Tell whether the next valid event is answered, whatever came before it."""
    return answers_behind(client) is not None


def answers_behind(client: WebSocketClient) -> list[str] | None:
    """Return what comes in front of the answer to the next valid event; None if that never does."""
    before: list[str] = []
    try:
        client.send(event("echo", "still here", msgid="99+"))
        while (text := client.recv()) != _NEXT:
            before.append(text)
    except (OSError, EOFError):
        return None
    return before


def killers(place: Place, packets: list[str]) -> list[str]:
    """Send the packets to a session that then has to answer; return those that ended it."""
    client = WebSocketClient(place).open()
    try:
        client.send(*packets)
        alive = still_answers(client)
    except OSError:
        alive = False
    client.close()
    if alive or len(packets) == 1:
        return [] if alive else packets
    half = len(packets) // 2
    return killers(place, packets[:half]) + killers(place, packets[half:])


def all_killers(place: Place, packets: list[str]) -> list[str]:
    """Return those of many packets that end their session."""
    return [
        packet
        for start in range(0, len(packets), _BATCH)
        for packet in killers(place, packets[start : start + _BATCH])
    ]


def mutated(rng: random.Random, text: str) -> str:
    """Return ``text`` with a few characters deleted, doubled or replaced."""
    characters = list(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(characters) + 1)
        characters[place : place + rng.randint(0, 2)] = rng.choice(
            ["", ":", "+", "{", '"', "\\", "\ufffd", "\x00", "9" * 40, "/a", "[", "é"]
        )
    return "".join(characters)


_FIELDS = [
    ["", *"123456789", "10", "05", " 5", "\ufffd", "x", "-1", "٥", "5\x00"],
    ["", "", "1", "1+", "0", "+", "-1", "9" * 31, "9" * 40, "1++", "x", " ", "٣+"],
    ["", "", "/chat", "/news", "/nowhere", "/", "/chat?x=1", "\x00", "/" * 300, "é", "\U0001f600"],
]
_DATA = ["x", "1+[1]", "1+{", '"a"', *BAD_JSON[:30], *BAD_SHAPES, "[" * 5000, "9" * 5000, "1e999"]
_NAMES = ["echo", "say", "nothing", "__class__", "", "a b", "\x00", "é", "x" * 500]


def generated(rng: random.Random) -> str:
    """Return a packet put together from parts, some of which are wrong."""
    fields = [rng.choice(choices) for choices in _FIELDS]
    if rng.random() < 0.4:
        args = rng.choice(["[]", "[1]", "[[]]", '[{"a":null}]', "{}", "null", "5", '"x"', "[1"])
        fields.append(f'{{"name":{json.dumps(rng.choice(_NAMES))},"args":{args}}}')
    else:
        fields.append(rng.choice(_DATA))
    return ":".join(fields[: rng.choice([1, 2, 3, 4, 4, 4, 4, 4])])


def harmless(text: str) -> bool:
    """Tell whether ``text`` may be sent: a packet 0 ends a session on purpose."""
    return bool(text) and not text.startswith("0:")


@row(
    "F6",
    "malformed packets, listed and mutated",
    passes="0 sessions ended, the next event is answered, each counted, one complaint a second",
    original="3,315 of 5,000 ended their session",
)
def malformed_packets(stage: Stage) -> Figure:
    place, rng = stage.shared(), random.Random(6)
    counted, begin = Counted(place), time.monotonic()
    client = WebSocketClient(place).open()
    client.send(*LISTED)
    said = answers_behind(client)
    client.close()
    complaints, counts = len(said or []), counted.rise("errors", "invalid_packet")
    allowed = 1 + int(time.monotonic() - begin)
    valid = ["5:1+:/chat:" + json.dumps({"name": "echo", "args": [1]}), "6:::1+[1]", "4:2::[]"]
    packets = [mutated(rng, rng.choice(valid)) for _ in range(stage.number(5_000))]
    ended = all_killers(place, [*LISTED, *filter(harmless, packets)])
    number = len(LISTED) + len(packets)
    ok = not ended and counts == len(LISTED) and 1 <= complaints <= allowed
    return Figure(
        ok,
        f"{len(ended)} of {number:,} ended a session{_examples(ended)}; of the {len(LISTED)} "
        f"listed {counts} counted, {complaints} complaint",
    )


def _examples(packets: list[str]) -> str:
    return f": {packets[:3]!r:.200}" if packets else ""


@row(
    "F7",
    "malformed JSON in packets 4, 5 and 6",
    passes="0 sessions ended, no handler runs, each 4 and 5 is counted",
    original="the first one ended the session",
)
def malformed_json(stage: Stage) -> Figure:
    place = stage.shared()
    client, counted = WebSocketClient(place).open(), Counted(place)
    rounds = stage.number(50)
    for _ in range(rounds):
        for text in BAD_JSON:
            client.send(
                f"4:::{text}", f"5:::{text}", f"6:::1+{text}", f'5:::{{"name":"say","args":{text}'
            )
    alive = still_answers(client)
    bad = counted.rise("errors", "invalid_packet")
    ran = counted.calls(" json") + counted.calls(" say")
    client.close()
    expected, sent = 3 * rounds * len(BAD_JSON), 4 * rounds * len(BAD_JSON)
    return Figure(
        alive and bad == expected and not ran,
        f"{sent:,} packets, the session {'answers' if alive else 'is dead'}, {bad:,} of "
        f"{expected:,} counted, {ran} handlers ran",
    )


@row(
    "F8",
    "JSON that is no event: no object, no name, args that are no list",
    passes="0 sessions ended, each is counted, args are never spread over a handler",
    original="the first one ended the session",
)
def wrong_shapes(stage: Stage) -> Figure:
    place = stage.shared()
    client, counted = WebSocketClient(place).open(), Counted(place)
    rounds = stage.number(100)
    for _ in range(rounds):
        client.send(*[f"5:::{text}" for text in BAD_SHAPES])
        client.send(*[f'5:::{{"name":"say","args":{args}}}' for args in NO_ARGS])
        client.send(*[f"6:::7+{text}" for text in BAD_SHAPES], *["4:::[]", "4:::{}", "4:::null"])
    alive = still_answers(client)
    bad, ran = counted.rise("errors", "invalid_packet"), counted.calls(" say")
    client.close()
    expected, wanted = rounds * len(BAD_SHAPES), rounds * len(NO_ARGS)
    return Figure(
        alive and (bad, ran) == (expected, wanted),
        f"{bad:,} of {expected:,} counted, the session {'answers' if alive else 'is dead'}; "
        f"{ran:,} handlers ran for {wanted:,} events whose args say nothing",
    )


def bad_acks(msgid: str) -> list[str]:
    """Return acks that are nobody's answer to the packet ``msgid`` of the global namespace."""
    ids = ["0", "-1", "-0", "+1", "x1", " 1", "", str(2**53 + 1), str(2**64), "9" * 32, "9" * 5000]
    others = [f"6:::{one}+[1]" for one in ids]
    return [*others, f"6::/chat:{msgid}+[1]", f"6::/nowhere:{msgid}+[1]", f"6:::{msgid}0000+[1]"]


@row(
    "F9",
    "acks: unknown id, twice, another namespace's, no list, + in the data, id 0, of 5,000 digits",
    passes="callbacks run once, only for their own namespace; the session answers",
    original="an ack whose data held a + ended the session",
)
def wrong_acks(stage: Stage) -> Figure:
    place = stage.serve("tests.trust.apps_packets:namespaces")
    client, rounds = WebSocketClient(place).open(), stage.number(250)
    client.send("1::/chat")
    assert client.recv() == "1::/chat"
    data = ['[["+","a+b"]]', '["last"]', "5", '"+"', '{"a":1}', "", "{bad"]
    values = [["+", "a+b"], "last", 5, "+", {"a": 1}]
    sent = 0
    for _ in range(rounds):
        client.send(event("ask", len(data)))
        ids = []
        while len(ids) < len(data):
            text = client.recv()
            if "question" in text:
                ids.append(text.split(":")[1].rstrip("+"))
        for msgid, answer in zip(ids, data, strict=True):
            packets = [*bad_acks(msgid), *[f"6:::{msgid}" + (f"+{answer}" if answer else "")] * 2]
            client.send(*packets)
            sent += len(packets)
    alive = still_answers(client)
    client.close()
    got, once = place.facts()["answers"], [*[["", value] for value in values], [""], [""]]
    return Figure(
        alive and got == once * rounds,
        f"{len(got):,} callbacks for {rounds * len(data):,} questions and {sent:,} acks, "
        f"{'in order' if got == once * rounds else 'not in order'}; "
        f"the session {'answers' if alive else 'is dead'}",
    )


@row(
    "G1",
    "20,000 malformed packets, generated and mutated",
    passes="0 sessions ended, 0 uncaught exceptions",
    original="3,315 of 5,000 ended their session",
)
def generated_packets(stage: Stage) -> Figure:
    place, rng = stage.shared(), random.Random(1)
    counted, logged = Counted(place), place.log().count("Traceback")
    packets: list[str] = []
    while len(packets) < stage.number(20_000):
        text = generated(rng)
        packets += filter(harmless, [text, mutated(rng, text)])
    ended = all_killers(place, packets)
    uncaught = place.log().count("Traceback") - logged + counted.rise("errors", "handler_failed")
    taken = counted.rise("traffic", "packets_received")
    ok = not ended and not uncaught and taken >= len(packets)
    return Figure(
        ok,
        f"{len(ended)} of {len(packets):,} ended a session{_examples(ended)}, {uncaught} uncaught",
    )
