"""F6 to F9: packets that make no sense, and acks nobody asked for."""

from __future__ import annotations

import json
import random

from tests.client import WebSocketClient, event
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

LISTED = [
    *["x", "::", ":::", "9:::", "9::", "05:::", " 5:::{}", "5 :::", "-5::", "5", "5:", "5::"],
    *["٥:::{}", "55:::", "1.0:::", "\x00", "\ufffd", "\ufffd5\ufffd", "null", "{}", "[]", "5;;;"],
]
_NEXT = '6:::99+["still here"]'
_BATCH = 50


def still_answers(client: WebSocketClient) -> bool:
    """Tell whether the next valid event is answered, whatever came before it."""
    try:
        client.send(event("echo", "still here", msgid="99+"))
        while client.recv() != _NEXT:
            pass
    except (OSError, EOFError):
        return False
    return True


def killers(place: Place, packets: list[str]) -> list[str]:
    """Send the packets to a session that then has to answer; return those that ended it."""
    client = WebSocketClient(place).open()
    client.send(*packets)
    alive = still_answers(client)
    client.close()
    if alive or len(packets) == 1:
        return [] if alive else packets
    half = len(packets) // 2
    return killers(place, packets[:half]) + killers(place, packets[half:])


def mutated(rng: random.Random, text: str) -> str:
    """Return ``text`` with a few characters deleted, doubled or replaced."""
    characters = list(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(characters) + 1)
        characters[place : place + rng.randint(0, 2)] = rng.choice(
            ["", ":", "+", "{", '"', "\\", "\ufffd", "\x00", "9" * 40, "/a", "[", "é"]
        )
    return "".join(characters)


@row(
    "F6",
    "malformed packets, listed and mutated",
    passes="0 sessions ended, the next event is answered",
    original="3,315 of 5,000 ended their session",
)
def malformed_packets(stage: Stage) -> Figure:
    rng = random.Random(6)
    valid = ["5:1+:/chat:" + json.dumps({"name": "echo", "args": [1]}), "6:::1+[1]", "4:2::[]"]
    number = stage.number(20_000)
    packets = LISTED + [mutated(rng, rng.choice(valid)) for _ in range(number)]
    # What ends a session on purpose is none of these.
    packets = [text for text in packets if not text.startswith("0") and text]
    place = stage.shared()
    ended = [
        packet
        for start in range(0, len(packets), _BATCH)
        for packet in killers(place, packets[start : start + _BATCH])
    ]
    examples = f": {ended[:3]!r:.200}" if ended else ""
    return Figure(not ended, f"{len(ended)} of {len(packets):,} ended a session{examples}")
