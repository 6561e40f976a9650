"""The recorded conversations of the reference client with the reference server, with us instead.

The client's part is played as recorded; what our server says must be what the reference server
said, except for the differences listed here, each with what we say instead and why.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.client import Recorder, serving
from tests.clock import ManualClock
from tests.conversations.player import Player, Wire
from tests.conversations.recording import (
    Closed,
    Frame,
    Note,
    Opened,
    Recording,
    Request,
    Response,
    Step,
    answer,
    closes,
    load,
    names,
    poll,
    posted,
    refused,
    says,
)
from tests.conversations.scenarios import SCENARIOS, Scenario, Stage

XHR, WS = "xhr-polling", "websocket"

# -- what we do differently ------------------------------------------------------------------------

HEADER_DIFFERENCES: dict[str, dict[str, str | None]] = {
    # Section 2.2: a Content-Length is just as good. A connection of HTTP/1.1 stays open unless
    # told otherwise, so that nothing needs to be said.
    "handshake": {
        "Transfer-Encoding: chunked": "Content-Length: LENGTH",
        "Connection: keep-alive": None,
    },
    "poll": {},
    "post": {"Connection: keep-alive": None},
    "upgrade": {},
}
"""Kind of answer -> recorded header -> ours, None for none. Beside these, every header is equal."""

SESSION_ID = "[0-9]{40}"
"""Section 17: decimal digits, 132 random bits; the reference server has 20 characters of base64."""

# What the reference client, a node module there, sends with an upgrade is its host and port alone.
# That is no origin, so that the default policy refuses it (see below); it is let in here.
ORIGINS = "*"


@dataclass(frozen=True)
class Difference:
    """Steps of a recording that are others with us; they stand there exactly once."""

    recording: str
    why: str
    recorded: list[Step]
    ours: list[Step]


JSON_TEXT = "section 17: JSON text is ASCII with sorted keys, as gevent-socketio's tests demand"
WITH_PLUS = "section 16.2: emit() with a callback always asks for data, id+, as gevent-socketio"
PACKED = "section 17: a poll gets everything queued as one payload, not the first packet alone"
REFUSAL = (
    "a namespace that refuses a client with 7::/secret:2 is not there yet; the application leaves "
    "the namespace out, and section 17 has the event error of gevent-socketio for that"
)
CLOSE_FRAME = "section 17: 0::, a close frame and FIN end a WebSocket"
UNKNOWN = "section 17: an unknown session is a 400 on xhr-polling; refusals end the connection"

WELCOME = '5:::{"name":"welcome","args":["snow \u2603 smile \U0001f600"]}'
OUR_WELCOME = '5:::{"args":["snow \\u2603 smile \\ud83d\\ude00"],"name":"welcome"}'
BARE = '5:::{"name":"bare"}'
ASK = '5:1+::{"name":"ask","args":["name?"]}'
OUR_ASK = '5:1+::{"args":["name?"],"name":"ask"}'
ASK0, OUR_ASK0 = '5:2::{"name":"ask0"}', '5:2+::{"name":"ask0"}'
NO_SECRET = (
    '5::/secret:{"args":["no_such_namespace",'
    '"The endpoint you tried to connect to doesn\'t exist: /secret"],"name":"error"}'
)
OVER = "session unknown or over"
CLIENT_GOODBYE = Frame(2, "client", b"\x81\x83", b"0::")
CLIENT_CLOSE = Frame(2, "client", b"\x88\x82", b"\x03\xe8")

DIFFERENCES = [
    Difference(f"{WS}/02-namespace", REFUSAL, [says(2, "7::/secret:2")], [says(2, NO_SECRET)]),
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
    Difference(f"{XHR}/02-namespace", REFUSAL, [answer(2, "7::/secret:2")], [answer(2, NO_SECRET)]),
    Difference(
        f"{XHR}/03-event",
        f"{PACKED}; {JSON_TEXT}",
        [answer(1, WELCOME), poll(2), answer(2, BARE), poll(1)],
        [answer(1, f"\ufffd64\ufffd{OUR_WELCOME}\ufffd19\ufffd{BARE}"), poll(2)],
    ),
    Difference(f"{XHR}/04-event-ack", JSON_TEXT, [answer(2, ASK)], [answer(2, OUR_ASK)]),
    Difference(f"{XHR}/04-event-ack", WITH_PLUS, [answer(3, ASK0)], [answer(3, OUR_ASK0)]),
    Difference(
        f"{XHR}/06-json",
        PACKED,
        [answer(1, '4:::["y",{"z":true}]'), poll(2), answer(2, '4:::"just a string"'), poll(1)],
        [answer(1, '\ufffd20\ufffd4:::["y",{"z":true}]\ufffd19\ufffd4:::"just a string"'), poll(2)],
    ),
    Difference(
        f"{XHR}/11-batch",
        PACKED,
        [
            answer(1, "3:::a"),
            poll(3),
            answer(3, "\ufffd5\ufffd3:::b\ufffd10\ufffd3:::c \U0001f600 d"),
            poll(1),
        ],
        [
            answer(1, "\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b\ufffd10\ufffd3:::c \U0001f600 d"),
            poll(3),
        ],
    ),
    Difference(
        f"{XHR}/12-expired-session",
        UNKNOWN,
        [answer(2, "7:::1+0")],
        [refused(2, OVER), Closed(2, "server"), Opened(2)],
    ),
    Difference(
        f"{XHR}/12-expired-session",
        UNKNOWN,
        [posted(1)],
        [refused(1, OVER), Closed(1, "server"), Opened(1)],
    ),
]

# -- playing ---------------------------------------------------------------------------------------

ALL = names()
# What the client saw; everything else in a note is done or seen by the server.
_OF_THE_CLIENT = ("client API: ", "client code: ", "client callback ")


def our_steps(recording: Recording) -> list[Step]:
    """Return the steps of a recording with our differences in their places."""
    steps = list(recording.steps)
    for difference in DIFFERENCES:
        if difference.recording == recording.name:
            start = find_once(difference.recorded, steps)
            steps[start : start + len(difference.recorded)] = difference.ours
    return steps


def find_once(wanted: list[Step], steps: list[Step]) -> int:
    places = [at for at in range(len(steps)) if steps[at : at + len(wanted)] == wanted]
    assert len(places) == 1, f"{wanted} stands at {places}"
    return places[0]


@contextlib.contextmanager
def on_stage(scenario: Scenario, transport: str) -> Iterator[tuple[Stage, Player]]:
    """Run the application of a scenario, and its client."""
    clock, record = ManualClock(), Recorder()
    namespaces = {
        name: type(cls.__name__, (cls,), {"record": record})
        for name, cls in scenario.namespaces.items()
    }
    with serving(
        namespaces, transports=[transport], origins=ORIGINS, clock=clock, **scenario.settings
    ) as server:
        stage = Stage(server, clock, record)

        def on_note(text: str) -> None:
            if not text.startswith(_OF_THE_CLIENT):
                scenario.cues[text](stage)

        def on_speech(text: str) -> None:
            if text in scenario.cues:
                scenario.cues[text](stage)

        player = Player(
            server,
            HEADER_DIFFERENCES,
            SESSION_ID,
            on_note=on_note,
            on_pause=clock.advance,
            on_speech=on_speech,
            on_session=lambda sid: stage.sockets.append(server.sockets[sid]),
        )
        stage.cut_link = player.hang_up
        try:
            yield stage, player
        finally:
            player.hang_up()


def play(recording: Recording, steps: list[Step]) -> None:
    scenario = SCENARIOS[recording.scenario]
    with on_stage(scenario, recording.transport) as (stage, player):
        player.play(steps)
        scenario.finish(stage)
        if scenario.seen:
            stage.expect_seen(*scenario.seen)
        assert player.compared == sum(map(is_said_by_server, steps))


def is_said_by_server(step: Step) -> bool:
    if isinstance(step, Frame):
        return step.sender == "server"
    return isinstance(step, Response) or (isinstance(step, Closed) and step.by == "server")


@pytest.mark.parametrize("name", ALL)
def test_our_server_says_what_the_reference_server_said(name: str) -> None:
    recording = load(name)
    play(recording, our_steps(recording))


def test_all_recordings_are_there_and_each_has_its_application() -> None:
    assert len([name for name in ALL if name.startswith("websocket/")]) == 11
    assert len([name for name in ALL if name.startswith("xhr-polling/")]) == 12
    assert len(ALL) == 23
    for name in ALL:
        recording = load(name)
        assert name == f"{recording.transport}/{name.split('/')[1]}"
        assert name.endswith(f"-{recording.scenario}")
        assert recording.scenario in SCENARIOS
        assert sum(map(is_said_by_server, recording.steps)) >= 2


def test_every_cue_is_given_by_a_recording() -> None:
    for scenario_name, scenario in SCENARIOS.items():
        given = set()
        for name in ALL:
            recording = load(name)
            if recording.scenario == scenario_name:
                given |= {step.text for step in recording.steps if isinstance(step, Note)}
                given |= {step.body for step in recording.steps if isinstance(step, Response)}
        assert set(scenario.cues) <= given


def test_every_difference_belongs_to_a_recording_and_differs() -> None:
    for difference in DIFFERENCES:
        assert difference.recording in ALL
        assert difference.ours != difference.recorded
        assert difference.why


@pytest.mark.parametrize("name", ALL)
def test_a_recording_that_is_changed_in_one_place_is_not_matched(name: str) -> None:
    recording = load(name)
    steps = our_steps(recording)
    at = max(index for index, step in enumerate(steps) if is_said_by_server(step))
    steps[at] = damaged(steps[at])
    with pytest.raises(AssertionError, match=f"^step {at},"):
        play(recording, steps)


def damaged(step: Any) -> Step:
    if isinstance(step, Closed):
        return says(step.connection, "x")
    if isinstance(step, Frame):
        return replace(step, payload=step.payload[:-1] + b"?")
    return replace(step, body=step.body[:-1] + "?")


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("websocket/")])
def test_by_default_the_upgrade_of_the_recorded_client_is_of_our_own_origin(name: str) -> None:
    recording = load(name)
    upgrade = next(
        step for step in recording.steps if isinstance(step, Request) and "SID" in step.target
    )
    assert dict(upgrade.headers)["Origin"] == "HOST"
    with serving({}) as server:
        host = f"127.0.0.1:{server.server_port}"
        target = upgrade.target.replace("SID", server.get_socket().sessid)
        lines = [f"{header}: {value.replace('HOST', host)}" for header, value in upgrade.headers]
        wire = Wire(server)
        wire.send("\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode())
        assert wire.read_head().startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        wire.close()
