"""Where our server differs from the recorded reference server, what it says instead, and why.

The sections are those of the protocol text. A difference that does not occur any more fails its
test: what stands here under "ours" is demanded to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.conversations.recording import (
    Chunk,
    Closed,
    Frame,
    Note,
    Opened,
    Recording,
    Request,
    Step,
)
from tests.conversations.steps import (
    answer,
    chunk,
    closes,
    poll,
    posted,
    refused,
    says,
    script,
    script_poll,
)

WS, XHR, JSONP, HTMLFILE = "websocket", "xhr-polling", "jsonp-polling", "htmlfile"


@dataclass(frozen=True)
class Difference:
    """Steps of a recording that are others with us; they stand there exactly once."""

    recording: str
    why: str
    recorded: list[Step]
    ours: list[Step]


JSON_TEXT = "section 17: JSON text is ASCII with sorted keys, as gevent-socketio's tests demand"
LITERAL = "section 9: the literal is ASCII-only JSON, for old engines end a line at U+2028"
WITH_PLUS = "section 16.2: emit() with a callback always asks for data, id+, as gevent-socketio"
PACKED = "section 17: a poll gets everything queued as one payload, not the first packet alone"
CLOSE_FRAME = "section 17: 0::, a close frame and FIN end a WebSocket"
UNKNOWN = "section 17: an unknown session is a 400 on xhr-polling; refusals end the connection"
POST_UNKNOWN = "section 17: a POST to an unknown session is a 400, for the client sees its status"
GONE = f"section 10: the end of the stream ended the session before the POST came; {POST_UNKNOWN}"
LAST_ONE = "section 16.1: leaving the last active namespace ends the session, as gevent-socketio"
ENDS_TCP = "behind the last chunk we end the connection, as the request has asked; node leaves that"

WELCOME = '5:::{"name":"welcome","args":["snow \u2603 smile \U0001f600"]}'
OUR_WELCOME = '5:::{"args":["snow \\u2603 smile \\ud83d\\ude00"],"name":"welcome"}'
BARE = '5:::{"name":"bare"}'
BOTH_EVENTS = f"\ufffd64\ufffd{OUR_WELCOME}\ufffd19\ufffd{BARE}"
ASK, OUR_ASK = '5:1+::{"name":"ask","args":["name?"]}', '5:1+::{"args":["name?"],"name":"ask"}'
ASK0, OUR_ASK0 = '5:2::{"name":"ask0"}', '5:2+::{"name":"ask0"}'
LIST, TEXT = '4:::["y",{"z":true}]', '4:::"just a string"'
LIST_AND_TEXT = f"\ufffd20\ufffd{LIST}\ufffd19\ufffd{TEXT}"
B_AND_C = "\ufffd5\ufffd3:::b\ufffd10\ufffd3:::c \U0001f600 d"
ALL_THREE = f"\ufffd5\ufffd3:::a{B_AND_C}"
OVER = "session unknown or over"
CLIENT_GOODBYE = Frame(2, "client", b"\x81\x83", b"0::")
CLIENT_CLOSE = Frame(2, "client", b"\x88\x82", b"\x03\xe8")
CLIENT_BOOTED = Note('client API: disconnect event, reason "booted"')
LEFT_CHAT = Note('server API: disconnect event on /chat, reason "packet"')
BOOTED = Note('server API: disconnect event, reason "booted"')
STREAM_LOST = Note("our server: the stream has ended, and the session with it")
POSTED_GOODBYE = Request(
    1,
    "POST",
    "/socket.io/1/htmlfile/SID?t=T",
    (
        ("User-Agent", "node-XMLHttpRequest"),
        ("Accept", "*/*"),
        ("Content-Type", "text/plain;charset=UTF-8"),
        ("Host", "HOST"),
        ("Content-Length", "3"),
        ("Connection", "keep-alive"),
    ),
    "0::",
)

DIFFERENCES = [
    Difference(
        f"{WS}/02-namespace",
        LAST_ONE,
        [LEFT_CHAT],
        [LEFT_CHAT, says(2, "0::"), closes(2), Closed(2, "server")],
    ),
    Difference(f"{WS}/03-event", JSON_TEXT, [says(2, WELCOME)], [says(2, OUR_WELCOME)]),
    Difference(f"{WS}/04-event-ack", JSON_TEXT, [says(2, ASK)], [says(2, OUR_ASK)]),
    Difference(f"{WS}/04-event-ack", WITH_PLUS, [says(2, ASK0)], [says(2, OUR_ASK0)]),
    Difference(
        f"{WS}/08-client-disconnect",
        f"{CLOSE_FRAME}, and answer the 0:: of the client before it closes",
        [CLIENT_GOODBYE, CLIENT_CLOSE, Closed(2, "client")],
        [CLIENT_GOODBYE, says(2, "0::"), closes(2), CLIENT_CLOSE, Closed(2, "server")],
    ),
    Difference(
        f"{WS}/09-server-disconnect",
        CLOSE_FRAME,
        [says(2, "0::"), Closed(2, "server")],
        [says(2, "0::"), closes(2), Closed(2, "server")],
    ),
    # -- xhr-polling
    Difference(
        f"{XHR}/02-namespace",
        LAST_ONE,
        [LEFT_CHAT, posted(2)],
        [LEFT_CHAT, posted(2), answer(3, "0::")],
    ),
    Difference(
        f"{XHR}/03-event",
        f"{PACKED}; {JSON_TEXT}",
        [answer(1, WELCOME), poll(2), answer(2, BARE), poll(1)],
        [answer(1, BOTH_EVENTS), poll(2)],
    ),
    Difference(f"{XHR}/04-event-ack", JSON_TEXT, [answer(2, ASK)], [answer(2, OUR_ASK)]),
    Difference(f"{XHR}/04-event-ack", WITH_PLUS, [answer(3, ASK0)], [answer(3, OUR_ASK0)]),
    Difference(
        f"{XHR}/06-json",
        PACKED,
        [answer(1, LIST), poll(2), answer(2, TEXT), poll(1)],
        [answer(1, LIST_AND_TEXT), poll(2)],
    ),
    Difference(
        f"{XHR}/11-batch",
        PACKED,
        [answer(1, "3:::a"), poll(3), answer(3, B_AND_C), poll(1)],
        [answer(1, ALL_THREE), poll(3)],
    ),
    Difference(
        f"{XHR}/12-expired-session",
        UNKNOWN,
        [answer(2, "7:::1+0")],
        [refused(2, OVER), Closed(2, "server"), Opened(2)],
    ),
    Difference(
        f"{XHR}/12-expired-session",
        POST_UNKNOWN,
        [posted(1)],
        [refused(1, OVER), Closed(1, "server"), Opened(1)],
    ),
    # -- jsonp-polling
    Difference(
        f"{JSONP}/02-namespace",
        LAST_ONE,
        [LEFT_CHAT, posted(2)],
        [LEFT_CHAT, posted(2), script(3, "0::")],
    ),
    Difference(
        f"{JSONP}/03-event",
        f"{PACKED}; {JSON_TEXT}; {LITERAL}",
        [script(1, WELCOME), script_poll(2), script(2, BARE), script_poll(1)],
        [script(1, BOTH_EVENTS, ascii_only=True), script_poll(2)],
    ),
    Difference(f"{JSONP}/04-event-ack", JSON_TEXT, [script(2, ASK)], [script(2, OUR_ASK)]),
    Difference(f"{JSONP}/04-event-ack", WITH_PLUS, [script(3, ASK0)], [script(3, OUR_ASK0)]),
    Difference(
        f"{JSONP}/06-json",
        f"{PACKED}; {LITERAL}",
        [script(1, LIST), script_poll(2), script(2, TEXT), script_poll(1)],
        [script(1, LIST_AND_TEXT, ascii_only=True), script_poll(2)],
    ),
    Difference(
        f"{JSONP}/11-batch",
        f"{PACKED}; {LITERAL}",
        [script(1, "3:::a"), script_poll(3), script(3, B_AND_C), script_poll(1)],
        [script(1, ALL_THREE, ascii_only=True), script_poll(3)],
    ),
    Difference(
        f"{JSONP}/12-expired-session",
        POST_UNKNOWN,
        [posted(1)],
        [refused(1, OVER), Closed(1, "server"), Opened(1)],
    ),
    # -- htmlfile
    Difference(
        f"{HTMLFILE}/02-namespace",
        LAST_ONE,
        [LEFT_CHAT, posted(3)],
        [LEFT_CHAT, posted(3), chunk(2, "0::"), Chunk(2, ""), Closed(2, "server")],
    ),
    Difference(
        f"{HTMLFILE}/03-event",
        JSON_TEXT,
        [chunk(2, WELCOME)],
        [chunk(2, OUR_WELCOME)],
    ),
    Difference(f"{HTMLFILE}/04-event-ack", JSON_TEXT, [chunk(2, ASK)], [chunk(2, OUR_ASK)]),
    Difference(f"{HTMLFILE}/04-event-ack", WITH_PLUS, [chunk(2, ASK0)], [chunk(2, OUR_ASK0)]),
    Difference(
        f"{HTMLFILE}/08-client-disconnect",
        GONE,
        [Closed(2, "client"), POSTED_GOODBYE, BOOTED, posted(1)],
        [Closed(2, "client"), STREAM_LOST, POSTED_GOODBYE, refused(1, OVER), Closed(1, "server")],
    ),
    Difference(
        f"{HTMLFILE}/09-server-disconnect",
        ENDS_TCP,
        [Chunk(2, ""), CLIENT_BOOTED, Closed(2, "client")],
        [Chunk(2, ""), Closed(2, "server"), CLIENT_BOOTED],
    ),
    Difference(
        f"{HTMLFILE}/11-batch",
        "the literal is ASCII-only JSON in a stream as it is in a script (section 9)",
        [chunk(2, "3:::c \U0001f600 d")],
        [chunk(2, "3:::c \U0001f600 d", ascii_only=True)],
    ),
]


def our_steps(recording: Recording, differences: list[Difference] = DIFFERENCES) -> list[Step]:
    """Return the steps of a recording with our differences in their places."""
    steps = list(recording.steps)
    for difference in differences:
        if difference.recording == recording.name:
            start = find_once(difference.recorded, steps)
            steps[start : start + len(difference.recorded)] = difference.ours
    return steps


def find_once(wanted: list[Step], steps: list[Step]) -> int:
    """Return where ``wanted`` stands in ``steps``; AssertionError unless it does exactly once."""
    places = [at for at in range(len(steps)) if steps[at : at + len(wanted)] == wanted]
    assert len(places) == 1, f"{wanted} stands at {places}"
    return places[0]
