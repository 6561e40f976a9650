"""F21 and G5: texts that are hard to carry, and WebSocket frames byte for byte."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

from tests.client import WebSocketClient, event
from tests.integration.jsclients import JS, Program, make_request
from tests.streams import ALL_CLIENTS
from tests.trust.gauges import Counted
from tests.trust.rows import Figure, row
from tests.trust.rows_packets import still_answers
from tests.trust.stage import Place, Stage
from tests.wsvectors import VECTORS, run_vectors

_APP = "tests.trust.apps_packets:namespaces"
_ALPHABET = [
    *["\x00", "\t", "\n", "\r", "\x7f", "\x85", "\xa0", '"', "'", "\\", "/", "</script>", "<!--"],
    *["\ufffd", "\ufffe", "\uffff", "\ufeff", "\u2028", "\u2029", "\u200d", "\u202e", "\u2060"],
    *["\ud800", "\udbff", "\udc00", "\udfff", "\ud83d\ude00", "\U0001f600", "\U00010000"],
    *[
        "\U0010ffff",
        "\ufffd3\ufffd",
        "\ufffd-4\ufffd",
        "e\u0301",
        "é",
        "日本",
        "a",
        "b",
        ":",
        "+",
        " ",
    ],
    *["0::", "1+", "\\ud83d", "--socket", "%00", "&amp;", "\x1b[0m", "\u0130", "ß"],
]
# Over xhr-multipart a plain message may not hold this; docs/security.rst says what comes instead.
_BOUNDARY = "--socketio"
# These two have a script around each text, in which a lone surrogate survives.
_IN_LITERALS = ("htmlfile", "jsonp-polling")
_BATCH = 50


def hard_text(rng: random.Random) -> str:
    """Return a text of up to 12 pieces, each of which some layer could spoil."""
    return "".join(rng.choices(_ALPHABET, k=rng.randint(1, 12)))


def as_utf8(text: str) -> str:
    """Return ``text`` as it comes out of UTF-8: halves of a pair join, lone ones are replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def in_json(text: str) -> str:
    """Return ``text`` as it comes out of JSON: halves of a pair join."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def round_trips(client: Any, texts: list[str]) -> int:
    """Send each text as an event's argument and have it back in an answer, in an event and bare;
    return how many came back as they went, of three times as many."""
    bare = in_json if getattr(client, "transport", "") in _IN_LITERALS else as_utf8
    equal = 0
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        packets = []
        for number, text in enumerate(batch, 1):
            packets += [event("echo", text, msgid=f"{number}+"), event("tell", text)]
            # Not escaped, as JavaScript does it; no lone surrogate can be sent that way.
            packets.append(
                "5:::" + json.dumps({"name": "repeat", "args": [as_utf8(text)]}, ensure_ascii=False)
            )
        client.send(*packets)
        for number, text in enumerate(batch, 1):
            said = [client.recv() for _ in range(3)]
            equal += json.loads(said[0].removeprefix(f"6:::{number}+")) == [in_json(text)]
            equal += said[1] == "3:::" + bare(text)
            equal += json.loads(said[2].split(":", 3)[3])["args"] == [as_utf8(text)]
    return equal


def elsewhere(client: Any, texts: list[str]) -> int:
    """Put the texts where names stand: refused or not, the session goes on; return how often."""
    alive = 0
    for text in texts:
        plain = as_utf8(text).replace(":", "").replace("\ufffd", "?")
        client.send(event(text), event("join", text), event("call", text), f"1::/{plain}")
        client.send(f"5:{plain}::{{}}", f"6:::{plain}", f"4::/{plain}:{{}}")
        client.send(event("announce", text, text), event("echo", 1, msgid="9+"))
        room = 0
        while (said := client.recv()) != "6:::9+[1]":
            if '"announced"' in said:
                room += json.loads(said.split(":", 3)[3])["args"] == [in_json(text)]
        alive += room == 1
    return alive


def javascript(place: Place, texts: list[str], transport: str) -> int:
    """Have the 0.9 client in node send the texts and get them back; return how many were equal."""
    node = shutil.which("node")
    if node is None or not (Path(JS) / "node_modules" / "socket.io-client").is_dir():
        raise AssertionError("this needs node, and `npm ci` in tests/js")
    program = Program([node], JS / "node_client.js")
    try:
        url = f"http://127.0.0.1:{place.server_port}"
        request = make_request("texts", url, transport, texts=texts)
        program.write(json.dumps({"id": 1, **request}))
        answer = json.loads(program.read())
        assert "result" in answer, answer
        result = answer["result"]
    finally:
        program.stop()
    pairs = zip(texts, result["messages"], result["said"], strict=True)
    return sum(
        (message == as_utf8(text)) + (said == in_json(text)) for text, message, said in pairs
    )


@row(
    "F21",
    "lone surrogates, U+FFFD, U+FFFE, U+2028, NUL, astral: in data, names, rooms, endpoints, ids",
    passes="10,000 round trips equal over six transports and with the 0.9 client, no dead writer",
    original="a lone surrogate ended the writer, in polling the batch was lost",
)
def hard_texts(stage: Stage) -> Figure:
    place, rng = stage.serve(_APP, linger_timeout=0.5), random.Random(21)
    equal = sent = alive = names = 0
    for make in ALL_CLIENTS.values():
        client = make(place).open()
        texts = [hard_text(rng) for _ in range(stage.number(600))]
        texts = [text for text in texts if _BOUNDARY not in text]
        equal += round_trips(client, texts)
        sent += 3 * len(texts)
        alive += elsewhere(client, texts[: stage.number(60)])
        names += len(texts[: stage.number(60)])
        client.send("0::")
        client.close()
    script = javascript_sent = 0
    for transport in ("websocket", "xhr-polling"):
        texts = [hard_text(rng) for _ in range(stage.number(250, least=20))]
        script += javascript(place, texts, transport)
        javascript_sent += 2 * len(texts)
    # Its process has ended without a word, and a poll is held a while.
    client = WebSocketClient(place).open()
    client.send(event("dismiss", "xhr-polling"))
    alive, names = alive + still_answers(client), names + 1
    client.close()
    total = sent + javascript_sent
    return Figure(
        equal == sent and script == javascript_sent and alive == names,
        f"{equal + script:,} of {total:,} round trips equal, {javascript_sent:,} of them with the "
        f"0.9 client; as names {alive} of {names} times the session goes on and the room hears",
    )


@row(
    "G5",
    "our own WebSocket vectors: unmasked, over-long, close codes, bad upgrades",
    passes="all, at least 40",
    short=False,
)
def own_vectors(stage: Stage) -> Figure:
    place = stage.serve("tests.trust.apps_vectors:namespaces", handshake_timeout=2)
    counted, results = Counted(place), run_vectors(place)
    bad = [f"{name}: {got}" for name, passed, got in results if not passed]
    ran = counted.rise("sessions", "connected")
    return Figure(
        not bad and len(results) == len(VECTORS) >= 40 and ran > len(results),
        f"{len(results) - len(bad)} of {len(results)}"
        + (f"; {'; '.join(bad)[:300]}" if bad else ""),
    )
