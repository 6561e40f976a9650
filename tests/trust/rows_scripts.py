"""F26: what one person writes, inside the scripts that another one's page runs."""

from __future__ import annotations

import json
import random
import shutil
from typing import Any
from urllib.parse import quote

import gevent

from socketio.wire.payload import decode_payload
from tests.client import WebSocketClient, event
from tests.integration.jsjudge import evaluate
from tests.streams import JSONPClient
from tests.trust.origins import Caller, end_named
from tests.trust.rows import Figure, row
from tests.trust.stage import Place, Stage

PIECES = [
    *[
        '"',
        "'",
        "\\",
        "\\\\",
        '\\"',
        "/",
        "\\/",
        "`",
        "${x=1}",
        ")",
        "]",
        "}",
        ";",
        ",",
        "*/",
        "//",
    ],
    *[
        "</script>",
        "</SCRIPT >",
        "</script\n",
        "<!--",
        "-->",
        "<script>",
        "<",
        "]]>",
        "&lt;",
        "%22",
    ],
    *["\u2028", "\u2029", "\x00", "\x1b", "\x7f", "\x85", "\ud83d", "\ude00", "\U0001f600"],
    *["');alert(1);//", '");alert(1);//', '"+alert(1)+"', "\\u0022);alert(1)//", "\\x22);x=1;//"],
    *[
        "\r\n",
        "\n",
        "\r",
        "\ufeff",
        "\ufffd",
        "\ufffd5\ufffd3:::a",
        "\ufffd-4\ufffd",
        "é",
        "你",
        "a",
    ],
    *["__proto__", "io.j[0]", "io.j[9]=alert", "constructor", "1::", "5:::{", "\\u2028", "\\ud83d"],
]
_INDEX = "1"
_BATCH = 50
_LAST = "the last of all messages"

INJECTED = [
    *[
        "alert(1)",
        "0];alert(1);//",
        "0]('');alert(1);//",
        "1 ",
        " 1",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x1",
    ],
    *[
        "__proto__",
        "constructor",
        "'x'",
        "١",
        "１",
        "1\n",
        "1\u2028",
        "1,2",
        "9" * 13,
        "1;2",
        "[1]",
    ],
    *["", "1\x00", "null", "NaN", "</script><script>alert(1)</script>", "1]", "1\\", "%31%5d", "i"],
]
"""What may stand for the number of a callback, and is none."""


def make_messages(number: int) -> list[str]:
    rng = random.Random(26)
    return ["".join(rng.choices(PIECES, k=rng.randint(0, 12))) for _ in range(number)]


def joined(text: str) -> str:
    """Return ``text`` as JavaScript has it: two halves of a character are that character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


class Page(JSONPClient):
    """Keeps the scripts that its polls are answered with."""

    index = _INDEX

    def __init__(self, place: Any) -> None:
        super().__init__(place)
        self.scripts: list[str] = []
        self.plain_headers = 0

    def poll_once(self) -> str:
        answer = self.start_poll().read_answer()
        kind = answer.headers["content-type"].split(";")[0]
        sniffed = answer.headers.get("x-content-type-options") != "nosniff"
        self.plain_headers += sniffed or kind not in ("text/javascript", "application/javascript")
        self.scripts.append(answer.body.decode())
        return self.scripts[-1]


def collect_scripts(place: Any, messages: list[str]) -> Page:
    """Have a person write ``messages`` into a room; return the page of somebody else in it."""
    page = Page(place)
    page.open()
    page.send("1::/chat", event("join", "w", endpoint="/chat"), event("echo", 1, msgid="1+"))
    while "6:::1+[1]" not in page.poll_once():
        pass
    writer = WebSocketClient(place).open()

    def write() -> None:
        for start in range(0, len(messages), _BATCH):
            batch = messages[start : start + _BATCH]
            writer.send(*[event("shout_in", "w", text, endpoint="/chat") for text in batch])
            # A batch at a time: a flood is another row, and one poll would take all of it.
            writer.send(event("echo", 1, msgid="1+"))
            while writer.recv() != "6:::1+[1]":
                pass
        writer.send(event("shout_in", "w", _LAST, endpoint="/chat"))

    writing = gevent.spawn(write)
    while _LAST not in page.poll_once():
        pass
    writing.get()
    for client in (page, writer):
        client.send("0::")
        client.close()
    return page


def read_back(page: Page) -> tuple[list[str], int]:
    """Run the scripts in a JavaScript engine; return the messages they told, and other effects."""
    told, effects = [], 0
    for did in evaluate(page.scripts, index=_INDEX):
        effects += len(did["effects"]) + (len(did["calls"]) != 1)
        for call in did["calls"]:
            for packet in decode_payload(call[0]):
                if packet.startswith("5::/chat:"):
                    told += json.loads(packet.removeprefix("5::/chat:"))["args"]
    return told, effects


def injections(place: Place) -> tuple[int, int]:
    """Return how many bad callback numbers reached a script, and how many were tried."""
    caller, wrong, tried = Caller(place), 0, 0
    sessid = caller.ask("GET", "/1/", {}).text.split(":")[0]
    for text in INJECTED:
        word = quote(text, safe="%" if "%" in text else "")
        for target in (
            f"/1/?jsonp={word}",
            f"/1/jsonp-polling/{sessid}?i={word}",
            f"/1/jsonp-polling/nosuchsession?i={word}",
            f"/1/jsonp-polling/{sessid}?i=0&i={word}&disconnect",
        ):
            answer = caller.ask("GET", target, {})
            tried += 1
            scripts = answer.text.startswith("io.j[") and not answer.text.startswith(("io.j[0](",))
            wrong += scripts or "alert" in answer.text
            end_named(place, answer)
            if target.endswith("disconnect"):
                sessid = caller.ask("GET", "/1/", {}).text.split(":")[0]
    caller.ask("GET", f"/1//{sessid}/?disconnect", {})
    caller.close()
    return wrong, tried


def script_tags(place: Place) -> tuple[int, int]:
    """Return how many script elements of strangers were let in, and how many there were."""
    caller, wrong, tried = Caller(place), 0, 0
    sessid = caller.ask("GET", "/1/", {}).text.split(":")[0]
    signs = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script"},
        {"Referer": "http://evil.example/"},
        {"Referer": "http://127.0.0.1:PORT.evil.example/"},
        {"Referer": "http://evil.example/", "Sec-Fetch-Site": "cross-site"},
    ]
    for sign in signs:
        for target in ("/1/?jsonp=0", f"/1/jsonp-polling/{sessid}?i=0"):
            answer = caller.ask("GET", target, {**sign, "Cookie": "user=1"})
            tried += 1
            refusal = 'io.j[0](new Error("handshake bad origin"));'
            wrong += answer.status != 403 and answer.text != refusal
    own = caller.ask("GET", f"/1/jsonp-polling/{sessid}?i=0", {"Referer": "http://127.0.0.1:PORT/"})
    assert own.text == 'io.j[0]("1::");', own  # otherwise nobody was let in at all
    caller.ask("GET", f"/1//{sessid}/?disconnect", {})
    caller.close()
    return wrong, tried


@row(
    "F26",
    "scripts of JSONP: hostile messages, callback numbers and pages",
    passes="run in a JavaScript engine every message is what was written and nothing else happens; "
    "0 callback numbers that are none in a script; 0 script elements of strangers let in",
    original="messages broke out of their literal, the callback was whatever the query said",
)
def hostile_scripts(stage: Stage) -> Figure:
    if shutil.which("node") is None:
        return Figure(False, "node is missing, and nothing else can judge a script")
    place = stage.shared()
    messages = make_messages(stage.number(5_000))
    page = collect_scripts(place, messages)
    told, effects = read_back(page)
    wanted = [joined(text) for text in [*messages, _LAST]]
    same = sum(joined(got) == want for got, want in zip(told, wanted, strict=False))
    injected, numbers = injections(place)
    entered, tags = script_tags(place)
    text = (
        f"{same:,} of {len(wanted):,} messages equal in {len(page.scripts):,} scripts, {effects} "
        f"other effects, {page.plain_headers} answers sniffable; {injected} of {numbers} callback "
        f"numbers injected; {entered} of {tags} script elements of strangers let in"
    )
    exact = same == len(wanted) == len(told)
    return Figure(exact and not (effects or page.plain_headers or injected or entered), text)
