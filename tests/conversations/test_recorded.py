"""The recorded conversations of the reference client with the reference server, with us instead.

The client's part is played as recorded; what our server says must be what the reference server
said, except for what ``differences.py`` and ``headers.py`` list.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from socketio.testing import ManualClock
from tests.client import Recorder, serving
from tests.conversations.differences import (
    BOOTED,
    DIFFERENCES,
    HTMLFILE,
    OVER,
    POSTED_GOODBYE,
    STREAM_LOST,
    our_steps,
)
from tests.conversations.headers import HEADERS, our_headers
from tests.conversations.player import Player, kind_of
from tests.conversations.recording import (
    Chunk,
    Closed,
    Frame,
    Note,
    Recording,
    Request,
    Response,
    Step,
    is_said_by_server,
    load,
    names,
    said,
)
from tests.conversations.scenarios import SCENARIOS, Scenario, Stage
from tests.conversations.steps import chunk, posted, refused, says
from tests.conversations.wire import Wire

# The reference server lets every origin in. Its client sends its host and port alone with an
# upgrade, which by default is our own origin (see the last test).
ORIGINS = "*"

ALL = names()
COUNTS = {"websocket": 11, "xhr-polling": 12, "jsonp-polling": 12, "htmlfile": 11}
# What the client saw; everything else in a note is done or seen by the server.
_OF_THE_CLIENT = ("client API: ", "client code: ", "client callback ")


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
            our_headers,
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
        # Where polls are short, the last one may be over before we look.
        if "polling_duration" not in scenario.settings:
            player.expect_silence()


@pytest.mark.parametrize("name", ALL)
def test_our_server_says_what_the_reference_server_said(name: str) -> None:
    recording = load(name)
    play(recording, our_steps(recording))


def test_a_goodbye_that_comes_before_the_end_of_the_page_is_answered_as_recorded() -> None:
    # The reference client closes first and asks then: which of them our server sees first is up
    # to the network. In the recorded order the POST is refused; this is the other one.
    recording = load(f"{HTMLFILE}/08-client-disconnect")
    steps = our_steps(recording)
    at = steps.index(STREAM_LOST)
    assert steps[at - 1 :] == [
        Closed(2, "client"),
        STREAM_LOST,
        POSTED_GOODBYE,
        refused(1, OVER),
        Closed(1, "server"),
    ]
    goodbye: list[Step] = [POSTED_GOODBYE, BOOTED, posted(1)]
    end: list[Step] = [chunk(2, "0::"), Chunk(2, ""), Closed(2, "server")]
    play(recording, [*steps[: at - 1], *goodbye, *end])


# -- the tables and the recordings -----------------------------------------------------------------


def test_all_recordings_are_there_and_each_has_its_application() -> None:
    assert {t: sum(name.startswith(f"{t}/") for name in ALL) for t in COUNTS} == COUNTS
    assert len(ALL) == sum(COUNTS.values())
    for name in ALL:
        recording = load(name)
        assert name == f"{recording.transport}/{name.split('/')[1]}"
        assert name.endswith(f"-{recording.scenario}")
        assert recording.scenario in SCENARIOS
        assert sum(map(is_said_by_server, recording.steps)) >= 2


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("htmlfile/")])
def test_the_first_chunk_of_a_recorded_page_is_padded_to_256_bytes(name: str) -> None:
    first = next(step for step in load(name).steps if isinstance(step, Chunk))
    assert len(first.text) == 256
    assert first.text.rstrip() + 173 * " " == first.text


def test_every_cue_is_given_by_a_recording() -> None:
    for scenario_name, scenario in SCENARIOS.items():
        given = set()
        for name in ALL:
            recording = load(name)
            if recording.scenario == scenario_name:
                steps = our_steps(recording)
                given |= {step.text for step in steps if isinstance(step, Note)}
                given |= {said(step) for step in steps}
        assert set(scenario.cues) <= given


def test_every_difference_belongs_to_a_recording_and_differs() -> None:
    for difference in DIFFERENCES:
        assert difference.recording in ALL
        assert difference.ours != difference.recorded
        assert difference.why


def test_every_difference_in_a_header_is_one_of_a_recorded_answer() -> None:
    recorded = set()
    for name in ALL:
        asked: dict[int, list[Request]] = {}
        for step in our_steps(load(name)):
            if isinstance(step, Request):
                asked.setdefault(step.connection, []).append(step)
            elif isinstance(step, Response):
                kind = kind_of(asked[step.connection].pop(0))
                recorded |= {(kind, f"{header}: {value}") for header, value in step.headers}
    assert len({(entry.kind, entry.recorded) for entry in HEADERS}) == len(HEADERS)
    for entry in HEADERS:
        assert (entry.kind, entry.recorded) in recorded, entry
        assert entry.ours != (entry.recorded,)
        assert entry.why


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
    if isinstance(step, Chunk):
        return replace(step, text=step.text[:-1] + "?")
    return replace(step, body=step.body[:-1] + "?")


# -- the origin of the recorded client -------------------------------------------------------------


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
