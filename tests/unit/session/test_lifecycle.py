"""The table of a session's life, read row by row."""

import pytest

from socketio.errors import SocketIOError
from socketio.session.lifecycle import (
    REASONS,
    TRANSITIONS,
    DisconnectReason,
    Event,
    InvalidTransition,
    State,
    next_state,
)

NEW, CONNECTING, CONNECTED = State.NEW, State.CONNECTING, State.CONNECTED
DISCONNECTING, DISCONNECTED = State.DISCONNECTING, State.DISCONNECTED
LIVE = [NEW, CONNECTING, CONNECTED]
ENDING = [
    Event.PEER_LEFT,
    Event.TRANSPORT_LOST,
    Event.TIMED_OUT,
    Event.KICKED,
    Event.SLOW_PEER,
    Event.APP_ENDED,
    Event.SERVER_STOPPING,
]


@pytest.mark.parametrize(
    ("state", "event", "following"),
    [
        (NEW, Event.ATTACH, CONNECTING),
        (CONNECTING, Event.ATTACH, CONNECTING),
        (CONNECTED, Event.ATTACH, CONNECTED),
        (CONNECTING, Event.ESTABLISHED, CONNECTED),
        (DISCONNECTING, Event.FINISHED, DISCONNECTED),
        *[(state, event, DISCONNECTING) for state in LIVE for event in ENDING],
    ],
)
def test_an_event_in_the_table_leads_to_the_next_state(state, event, following):
    assert next_state(state, event) is following
    assert TRANSITIONS[state, event] is following


@pytest.mark.parametrize("event", [*ENDING, Event.ATTACH, Event.ESTABLISHED])
@pytest.mark.parametrize("state", [DISCONNECTING, DISCONNECTED])
def test_once_the_end_has_begun_nothing_turns_it_back(state, event):
    assert next_state(state, event) is state


def test_the_end_may_be_reached_twice():
    assert next_state(DISCONNECTED, Event.FINISHED) is DISCONNECTED


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (NEW, Event.ESTABLISHED),
        (CONNECTED, Event.ESTABLISHED),
        (NEW, Event.FINISHED),
        (CONNECTING, Event.FINISHED),
        (CONNECTED, Event.FINISHED),
    ],
)
def test_an_event_that_cannot_happen_is_an_error_that_names_both(state, event):
    with pytest.raises(InvalidTransition) as caught:
        next_state(state, event)
    assert isinstance(caught.value, SocketIOError)
    assert caught.value.state is state
    assert caught.value.event is event
    assert str(caught.value) == f"{event.name} in state {state.value}"


def test_every_pair_has_a_state_or_an_error_and_the_table_holds_nothing_else():
    outcomes = {"state": 0, "error": 0}
    for state in State:
        for event in Event:
            try:
                assert next_state(state, event) in State
                outcomes["state"] += 1
            except InvalidTransition:
                assert state in LIVE
                outcomes["error"] += 1
    assert outcomes == {"state": 45, "error": 5}
    assert len(TRANSITIONS) == 26


@pytest.mark.parametrize("state", State)
def test_a_state_is_the_word_that_applications_compare_with(state):
    assert state == state.name
    assert state.name == state
    assert hash(state) == hash(state.name)
    assert str(state) == f"{state}" == "%s" % state == state.name  # noqa: UP031
    assert f"{state:>20}" == state.name.rjust(20)
    assert State(state.name) is state


@pytest.mark.parametrize("state", State)
def test_a_session_lives_until_its_end_begins(state):
    assert state.live is (state in LIVE)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_a_plain_word_serves_as_a_state(state, event):
    # Applications assign socket.state = "CONNECTED".
    try:
        expected = next_state(state, event)
    except InvalidTransition as error:
        with pytest.raises(InvalidTransition, match=f"^{error}$"):
            next_state(state.value, event)
    else:
        assert next_state(state.value, event) == expected


def test_each_ending_event_has_its_reasons_and_no_reason_has_two_events():
    assert list(REASONS) == ENDING
    reasons = [reason for allowed in REASONS.values() for reason in allowed]
    assert sorted(reasons) == sorted(DisconnectReason)


@pytest.mark.parametrize("reason", DisconnectReason)
def test_a_reason_is_shown_as_its_word(reason):
    assert reason == reason.value == reason.name.lower()
    assert str(reason) == f"{reason}" == f"{reason:s}" == reason.value


def test_a_state_is_found_under_its_string_and_the_other_way_round() -> None:
    assert {"CONNECTED": 1}[CONNECTED] == {CONNECTED: 1}["CONNECTED"] == 1
