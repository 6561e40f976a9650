"""F27 and F28: which handlers a client can reach, and what has to run before them."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from typing import Any

from tests.client import event
from tests.streams import ALL_CLIENTS
from tests.trust.measured import MEASURED, Count
from tests.trust.rows import Figure, row
from tests.trust.stage import Stage

_APP = "tests.trust.apps_access:namespaces"
_HANDLERS = ("on_open", "on_open_door", "on_secret", "on_lift", "on__hidden")
MAY_RUN: dict[str, tuple[str, ...]] = {
    "/all": _HANDLERS,
    "/some": ("on_open",),
    "/none": (),
    "/narrow": ("on_open_door",),
    "/lifting": ("on_lift",),
}
"""Endpoint -> the handlers that its access control list allows."""

NAMES = [
    *["open", "secret", "open door", "open_door", "text", "note", "spawn", "_hidden", "", " "],
    *["recv_connect", "recv_message", "recv_json", "recv_disconnect", "on_secret", "on_open"],
    *[
        "Secret",
        "SECRET",
        "sECRET",
        "secret ",
        " secret",
        "secret\n",
        "secret\r",
        "secret\0",
        "\0secret",
    ],
    *[
        "sec ret",
        "secret.__call__",
        "secret()",
        "secret;",
        "secret,open",
        "open\nsecret",
        "open,secret",
    ],
    *["__class__", "__init__", "__dict__", "__getattribute__", "__proto__", "constructor", "self"],
    *[
        "emit",
        "send",
        "disconnect",
        "add_acl_method",
        "lift_acl_restrictions",
        "reset_acl",
        "initialize",
    ],
    *[
        "process_packet",
        "call_method",
        "call_method_with_acl",
        "get_initial_acl",
        "kill_local_jobs",
    ],
    *[
        "s\u200becret",
        "secret\u200b",
        "\ufeffsecret",
        "\u017fecret",
        "ѕecret",
        "ｓecret",
        "secrét",
        "secre\u0301t",
    ],
    *[
        "secret\u2028",
        "secret\u00a0",
        "\u00a0secret",
        "open\u00a0door",
        "open\u2003door",
        "open\tdoor",
    ],
    *["open  door", "open door ", "_open", "-open", "1open", "open-door", "open.door", "open/door"],
    *[
        "OPEN DOOR",
        "Open Door",
        "open__door",
        "secret" * 50,
        "x" * 5000,
        "../secret",
        "/secret",
        "%73ecret",
    ],
]
"""Names of events. What stands for a handler that is allowed may run, and nothing else."""

_ALPHABET = [
    "secret",
    "open",
    "door",
    "on_",
    "recv_",
    "lift",
    "_",
    " ",
    "\n",
    "\0",
    ".",
    "é",
    "S",
    "__",
    "ſ",
]
_ALLOWED_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*")


def make_names(count: int) -> list[str]:
    rng = random.Random(27)
    made = ["".join(rng.choices(_ALPHABET, k=rng.randint(1, 4))) for _ in range(count)]
    return NAMES + made[: max(0, count - len(NAMES))]


def may_run(endpoint: str, name: str) -> str | None:
    """Return the handler that an event may run, as the documentation has it; None for none."""
    method = "on_" + name.replace(" ", "_")
    return method if _ALLOWED_NAME.fullmatch(name) and method in MAY_RUN[endpoint] else None


def odd_packets(endpoint: str) -> list[str]:
    """Return packets that are to run nothing where a list is in force."""
    bodies = [
        '{"name":["secret"],"args":[]}',
        '{"name":{"toString":"secret"},"args":[]}',
        '{"args":["secret"]}',
        '{"name":null,"args":["secret"]}',
        '{"NAME":"secret","args":[]}',
        '{"name":"nothing","name ":"secret","args":[]}',
        '{"name":"secret","name":"nothing","args":[]}',
        '["secret"]',
    ]
    packets = [f"5::{endpoint}:{body}" for body in bodies]
    if endpoint != "/all":
        packets += [f"3::{endpoint}:secret", f'4::{endpoint}:{{"name":"secret"}}']
        packets += [f"7::{endpoint}:1+0", f"6::{endpoint}:1+[1]"]
    return packets


class Caller:
    """A session of the recording application."""

    def __init__(self, place: Any, transport: str) -> None:
        self.client = ALL_CLIENTS[transport](place).open()
        self.say()  # opens the global namespace: with the last one that is left the session ends

    def say(self, *packets: str) -> None:
        """Send packets and wait until they are handled."""
        self.client.send(*packets, event("echo", 1, msgid="9+"))
        while self.client.recv() != "6:::9+[1]":
            pass

    def end(self, *packets: str) -> None:
        """End the session with ``0::`` and send ``packets`` behind it."""
        self.client.send("0::", *packets)
        self.client.close()


def try_names(place: Any, transport: str, names: list[str]) -> tuple[Counter[str], int]:
    """Send every name to every endpoint; return what may have run, and how much was sent."""
    caller, allowed, sent = Caller(place, transport), Counter[str](), 0
    for connected in (True, False):
        for endpoint in MAY_RUN:
            packets = [event(name, 1, endpoint=endpoint) for name in names]
            packets += odd_packets(endpoint)
            for name in names:
                method = may_run(endpoint, name)
                if method is not None and (endpoint, name) != ("/lifting", "secret"):
                    allowed[f"{endpoint} {method}"] += 1
            for start in range(0, len(packets), 100):
                # Whether the namespace was opened by its own packet must make no difference.
                greeting = [f"1::{endpoint}"] if connected and not start else []
                caller.say(*greeting, *packets[start : start + 100])
            sent += len(packets)
            caller.say(f"0::{endpoint}")
    # What was allowed in an earlier life is not any more.
    for _ in range(2):
        caller.say(event("secret", endpoint="/lifting"), "0::/lifting")
        sent += 1
    lifted = [event(name, endpoint="/lifting") for name in ("lift", "secret")]
    caller.say(*lifted, "0::/lifting", lifted[1])
    allowed.update({"/lifting on_lift": 1, "/lifting on_secret": 1})
    caller.end(event("open", endpoint="/all"), event("secret", endpoint="/none"))
    return allowed, sent + 5


@row(
    "F27",
    "events with tricky names, under five access control lists",
    passes="0 calls beyond those that the lists allow, and all of those",
    original="any packet reached a handler before recv_connect",
)
def access_lists(stage: Stage) -> Figure:
    place: Any = stage.serve(_APP)
    names = make_names(210)
    # The event that lifts a list comes alone, where the model expects it.
    names = [name for name in names if name != "lift"]
    transports = list(ALL_CLIENTS) if stage.scale >= 1 else ["websocket"]
    allowed, sent = Counter[str](), 0
    for transport in transports:
        more, count = try_names(place, transport, names)
        allowed, sent = allowed + more, sent + count
    ran = Counter[str](place.facts()["ran"])
    forbidden, missing = ran - allowed, allowed - ran
    MEASURED["F27"] = Count(forbidden.total(), sent)
    text = (
        f"{forbidden.total()} forbidden calls in {sent:,} packets ({len(names)} names, 5 lists, "
        f"{len(transports)} transports), {ran.total() - forbidden.total():,} of "
        f"{allowed.total():,} allowed ones made"
    )
    wrong = {**forbidden, **missing}
    return Figure(not wrong, text + (f": {json.dumps(wrong)[:200]}" if wrong else ""))


def knock(endpoint: str = "/door", name: str = "knock") -> str:
    return event(name, endpoint=endpoint)


HISTORIES: list[tuple[list[str], list[str]]] = [
    (["1::/door", knock()], ["/door: connect knock disconnect"]),
    ([knock()], ["/door: connect knock disconnect"]),
    (["3::/door:x"], ["/door: connect message disconnect"]),
    (["4::/door:{}"], ["/door: connect json disconnect"]),
    (
        ["5:1+:/door:" + json.dumps({"name": "knock", "args": []})],
        ["/door: connect knock disconnect"],
    ),
    (["1::/door", "1::/door", knock()], ["/door: connect knock disconnect"]),
    ([knock(), "1::/door", knock()], ["/door: connect knock knock disconnect"]),
    (["0::/door", "6::/door:1", "7::/door:1+0", knock()], ["/door: connect knock disconnect"]),
    ([knock(), "0::/door", knock()], ["/door: connect knock disconnect"] * 2),
    (
        ["1::/door", "0::/door", "0::/door", "3::/door:x"],
        ["/door: connect disconnect", "/door: connect message disconnect"],
    ),
    ([knock(name="leave"), knock()], ["/door: connect leave", "/door: connect knock disconnect"]),
    (["1::/refusing", knock("/refusing"), "3::/refusing:x"], ["/refusing: connect"] * 3),
    ([knock("/refusing"), "0::/refusing", knock("/refusing")], ["/refusing: connect"] * 2),
    (["1::/failing", knock("/failing"), "4::/failing:{}"], ["/failing: connect"] * 3),
    (["1::/fussy", knock("/fussy"), "3::/fussy:x"], ["/fussy: initialize"] * 3),
]
"""What is sent, and the lives that the instances of the namespace must have had."""


@row(
    "F28",
    "namespaces used without, before, twice and after their connect, refusal, kick and leaving",
    passes="decision 3: recv_connect first in every life, nothing after a refusal",
    original="handlers ran without recv_connect",
)
def unasked_namespaces(stage: Stage) -> Figure:
    place: Any = stage.serve(_APP)
    transports = list(ALL_CLIENTS) if stage.scale >= 1 else ["websocket", "xhr-polling"]
    wanted = Counter[str]()
    for _ in range(stage.number(4)):
        for transport in transports:
            for packets, histories in HISTORIES:
                caller = Caller(place, transport)
                caller.say(*packets)
                caller.end()
                wanted.update(histories)
    place.settled()
    lives = Counter[str](place.facts()["lives"])
    orderly = sum(
        count
        for life, count in lives.items()
        if life.split(": ")[1].startswith("connect") or life == "/fussy: initialize"
    )
    after = sum(count for life, count in lives.items() if "ing: connect " in life)
    wrong = {**(lives - wanted), **(wanted - lives)}
    text = (
        f"recv_connect first in {orderly:,} of {lives.total():,} lives, {after} calls after a "
        f"refusal; {(lives & wanted).total():,} of {wanted.total():,} lives exactly as expected "
        f"({len(HISTORIES)} ways, {len(transports)} transports)"
    )
    return Figure(not wrong and not after, text + (f": {json.dumps(wrong)[:200]}" if wrong else ""))
