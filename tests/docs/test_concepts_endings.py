"""The tables of the page about disconnection, row by row, against real servers and connections."""

from __future__ import annotations

import re
from typing import Any

import gevent
import pytest

from tests.client import wait_for
from tests.docs.concepts import KINDS, Stage, rows, stage
from tests.docs.endings import CAUSES, Cause
from tests.streams import ALL_CLIENTS, POLLING, STREAMING, WEBSOCKETS

REASONS = {row["the session ends"]: row for row in rows("reasons.csv")}
FAREWELL = {row["the session ends"]: row for row in rows("farewell.csv")}
TOLD = {row["the session ends"]: row for row in rows("told.csv")}
COLUMNS = {"websocket": "WebSocket", "stream": "stream", "polls": "polls"}
WAYS = ("close frame", "end", "reset")

BOTH = [
    (cause, transport)
    for cause in TOLD
    for transport, column in (("websocket", "WebSocket"), ("xhr-polling", "polls"))
    if REASONS[cause][column] != "goes on"
]

with_every_cause = pytest.mark.parametrize("cause", CAUSES)


def on(transports: tuple[str, ...]) -> Any:
    return pytest.mark.parametrize("transport", transports)


def column_of(transport: str) -> str:
    return next(COLUMNS[kind] for kind, names in KINDS.items() if transport in names)


def end(made: Stage, cause: Cause) -> None:
    if cause.do is not None:
        cause.do(made)


def entered(transport: str, name: str, **settings: Any) -> Any:
    cause = CAUSES[name]
    return stage(transport, cause.app, **{**cause.settings, **settings})


def test_the_tables_have_the_same_rows_and_all_that_ends_a_session() -> None:
    assert list(REASONS) == list(FAREWELL)
    assert set(REASONS) == set(CAUSES)
    managed = {name for name, cause in CAUSES.items() if cause.app is None}
    assert set(TOLD) == managed


def check_that_it_goes_on(made: Stage, cause: str) -> None:
    """Have the client hear something, with a new connection where the old one has ended."""
    made.socket["/chat"].emit("still")
    client, again = made.client, None
    if cause == "the connection ends":
        client = again = ALL_CLIENTS[made.transport](made.server, client.sessid)
        client.start_poll()
    while not any("still" in text for text in client.end_poll()):
        client.start_poll()
    assert made.socket.connected
    if again is not None:
        again.close()


def let_others_run() -> None:
    """Let the hub, and who is woken by it, do what can be done now."""
    for _ in range(5):
        gevent.sleep(0)


# -- why ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "transport", "how"),
    [
        (cause, transport, how)
        for cause in CAUSES
        for transport in (*STREAMING, *POLLING)
        for how in (WAYS if cause == "the connection ends" and transport in STREAMING else ["end"])
    ],
)
def test_a_session_ends_with_the_reason_that_the_table_names(
    cause: str, transport: str, how: str
) -> None:
    with entered(transport, cause, linger_timeout=0.01) as made:
        made.how = how
        made.enter(namespace=CAUSES[cause].app is None)
        end(made, CAUSES[cause])
        reason = REASONS[cause][column_of(transport)]
        if reason == "goes on":
            check_that_it_goes_on(made, cause)
            return
        wait_for(lambda: made.socket.disconnect_reason)
        assert made.socket.disconnect_reason == reason
        made.clock.advance(1)  # nobody polls: what lingers is dropped
        wait_for(lambda: made.socket.sessid not in made.server.sockets)
        assert made.socket.state == "DISCONNECTED"


# -- what the client hears ---------------------------------------------------------------------


def heard(made: Stage) -> str:
    """Return what a streaming client is told last, in the words of the table."""
    said = []
    try:
        while True:
            text = made.client.recv()
            if text[:2] not in ("2:", "5:"):
                said.append(text)
    except EOFError as exc:
        code = re.search(r"close frame b'.x03.x(e[89])'", str(exc))
        if code is not None:
            said.append({"e8": "close 1000", "e9": "close 1001"}[code[1]])
        else:
            said.append("end" if str(exc) == "the response has ended" else "cut")
    except ConnectionResetError:
        said.append("cut")
    return ", ".join(said)


@with_every_cause
@on(STREAMING)
def test_a_stream_or_a_websocket_hears_what_the_table_says(cause: str, transport: str) -> None:
    wanted = FAREWELL[cause]["WebSocket" if transport in WEBSOCKETS else "stream"]
    with entered(transport, cause) as made:
        made.enter(namespace=CAUSES[cause].app is None)
        end(made, CAUSES[cause])
        said = heard(made)
        if wanted == "nothing":  # a WebSocket closes its half too, with a frame where it can
            assert said in ("cut", "end", "close 1000")
        else:
            assert said == wanted


def answer(made: Stage) -> str:
    """Return what a poll is answered, in the words of the table."""
    got = made.client._poll.read_answer()
    if got.status != 200 or got.text.endswith('("7:::1+0");'):
        return "400"  # a script cannot have a status
    return ", ".join(re.findall(r"\d::(?:/chat)?", made.client.undress(got.text)))


@with_every_cause
@on(POLLING)
def test_a_poll_that_is_held_is_answered_as_the_table_says(cause: str, transport: str) -> None:
    wanted = FAREWELL[cause]["held poll"]
    if wanted == "--":
        assert CAUSES[cause].app is not None  # it ends with the first request already
        return
    with entered(transport, cause) as made:
        made.enter()
        made.client.start_poll()
        wait_for(lambda: made.socket.transport)
        end(made, CAUSES[cause])
        if wanted == "goes on":
            check_that_it_goes_on(made, cause)
        else:
            assert answer(made) == wanted


@with_every_cause
@on(POLLING)
def test_the_poll_behind_an_end_is_answered_as_the_table_says(cause: str, transport: str) -> None:
    wanted = FAREWELL[cause]["next poll"]
    with entered(transport, cause) as made:
        made.enter(namespace=CAUSES[cause].app is None)
        end(made, CAUSES[cause])
        if wanted == "goes on":
            check_that_it_goes_on(made, cause)
            return
        wait_for(lambda: not made.socket.state.live)
        if wanted == "no connection":
            with pytest.raises((EOFError, OSError)):
                made.client.start_poll().read_answer()
            return
        made.client.start_poll()
        assert answer(made) == wanted


@on(POLLING)
def test_a_good_bye_between_two_polls_is_kept_for_linger_timeout(transport: str) -> None:
    with stage(transport, linger_timeout=10) as made:
        made.enter()
        made.socket.disconnect()
        made.clock.advance(9)
        assert made.socket.sessid in made.server.sockets
        made.clock.advance(2)
        wait_for(lambda: made.socket.sessid not in made.server.sockets)
        made.client.start_poll()
        assert answer(made) == "400"


# -- who is told, and what becomes of the rest ---------------------------------------------------


def ended_while_busy(made: Stage, cause: Cause) -> Any:
    """End the session while a handler is at work and a message waits; returns the receiver."""
    made.enter()
    made.hold()
    wait_for(lambda: made.record.seen and made.socket.server_queue.qsize())
    receiver = made.socket._receiver
    end(made, cause)
    return receiver


@pytest.mark.parametrize(("cause", "transport"), BOTH)
def test_namespaces_are_told_once_in_the_greenlet_that_the_table_names(
    cause: str, transport: str
) -> None:
    with entered(transport, cause, linger_timeout=0.01) as made:
        made.enter()
        receiver = made.socket._receiver
        end(made, CAUSES[cause])
        wait_for(lambda: not made.socket.state.live)
        made.clock.advance(1)
        wait_for(lambda: made.socket.state == "DISCONNECTED")
        wanted: dict[str, list[Any]] = {"receiver": [receiver], "caller": [made.caller]}
        assert made.greenlets == wanted.get(TOLD[cause]["recv_disconnect() runs in"], [])


@pytest.mark.parametrize(("cause", "transport"), BOTH)
def test_a_handler_at_work_has_the_time_that_the_table_gives_it(cause: str, transport: str) -> None:
    fate, waiting = TOLD[cause]["a handler at work"], TOLD[cause]["packets that wait"]
    with entered(transport, cause) as made:
        ended_while_busy(made, CAUSES[cause])
        seen = made.record.seen
        if fate == "is interrupted":
            wait_for(lambda: "interrupted" in seen)
        else:
            # Its last word waits in the queue, or the end has begun.
            wait_for(lambda: not made.socket.state.live or made.socket.server_queue.qsize() > 1)
            let_others_run()
            assert seen == ["held"]
            made.gate.set()
            wait_for(lambda: "finished" in seen)
        if TOLD[cause]["recv_disconnect() runs in"] != "nowhere: it is not called":
            wait_for(lambda: "told" in seen)
        wait_for(lambda: made.socket._receiver.dead)
        if "told" in seen:  # a caller tells at once, the receiver behind its handler
            last = seen[-1] if TOLD[cause]["recv_disconnect() runs in"] == "receiver" else seen[1]
            assert last == "told"
        handled = waiting in ("handled", "handled before")
        assert (("message", "behind") in seen) is handled
        assert seen.count("told") <= 1


@pytest.mark.parametrize(
    "cause", [name for name, row in TOLD.items() if "close_timeout" in row["a handler at work"]]
)
def test_the_time_of_a_handler_at_work_is_close_timeout(cause: str) -> None:
    with stage("websocket", close_timeout=60) as made:
        ended_while_busy(made, CAUSES[cause])
        wait_for(lambda: not made.socket.state.live)
        made.clock.advance(59)
        let_others_run()
        assert made.record.seen == ["held"]
        made.clock.advance(2)
        wait_for(lambda: "told" in made.record.seen)
        assert made.record.seen == ["held", "interrupted", "told"]


def test_stop_interrupts_a_handler_when_its_time_is_over() -> None:
    with stage("websocket") as made:
        ended_while_busy(made, Cause(lambda s: s.server.stop(timeout=0.05)))
        wait_for(lambda: "told" in made.record.seen)
        assert made.record.seen == ["held", "interrupted", "told"]


@pytest.mark.parametrize("cause", [name for name, cause in CAUSES.items() if cause.within])
@on(("websocket", "xhr-polling"))
def test_a_handler_that_ends_its_own_session_goes_on(cause: str, transport: str) -> None:
    with entered(transport, cause) as made:
        made.deed = CAUSES[cause].within
        made.enter()
        receiver = made.socket._receiver
        made.hold()
        made.gate.set()
        told = ["told"] if TOLD[cause]["recv_disconnect() runs in"] == "caller" else []
        wait_for(lambda: made.record.seen[-1:] == ["finished"])
        wait_for(lambda: receiver.dead)
        assert made.record.seen == ["held", *told, "finished"]
        assert made.greenlets == [receiver] * len(told)
