"""Many sessions come and go, each way there is: no Socket, greenlet or descriptor is left.

A thousand over websocket and xhr-polling, a hundred over the transports that share their code.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from typing import Any

import gevent
import pytest

from socketio.session.deadlines import Deadline
from socketio.session.links import Delivery
from socketio.transports.polling import Poll
from socketio.transports.streaming import StreamLink
from socketio.virtsocket import Socket
from socketio.websocket.connection import WebSocket
from tests.client import Recorder, make_app, serving, wait_for
from tests.integration.endings import (
    CASES,
    Scene,
    Watched,
    client_says_goodbye,
    enter,
    server_stops,
    settings_of,
    silence,
    watching,
)
from tests.streams import EVERY

SESSIONS = {"websocket": 1000, "xhr-polling": 1000}
FEWER = 100
AT_ONCE = 100
KINDS = (Socket, Watched, WebSocket, StreamLink, Poll, Delivery, Deadline)


def living() -> dict[str, int]:
    """Count what a session is made of, and the descriptors of the process."""
    for _ in range(3):
        gc.collect()
    counts: Counter[str] = Counter()
    for thing in gc.get_objects():
        # Not isinstance(): it would ask proxies of servers that are gone for their class.
        kind = type(thing)
        if issubclass(kind, gevent.Greenlet):
            counts["Greenlet"] += not thing.dead
        elif issubclass(kind, KINDS):
            counts[kind.__name__] += 1
    return {**counts, "descriptors": len(os.listdir("/proc/self/fd"))}


def settled() -> dict[str, int]:
    """Count when what is still dying from before is dead."""
    counts: dict[str, int] = {}

    def unchanged() -> bool:
        nonlocal counts
        before, counts = counts, living()
        return before == counts

    wait_for(unchanged, "the counts settle")
    wait_for(unchanged, "the counts stay")
    return counts


def one_life(server: Any, transport: str, ending: Any) -> None:
    scene = enter(server, transport, Recorder())
    ending(scene)
    wait_for(lambda: scene.socket.state == "DISCONNECTED", scene.socket)
    scene.client.close()


def live_and_die(ending: Any, transport: str, number: int) -> None:
    """Have ``number`` sessions live and end that way on one server, many at once."""
    settings = settings_of(ending)
    if ending is silence:  # a hundred clients that connect at once must not be silent too long
        settings |= {"heartbeat_timeout": 3, "close_timeout": 3}
    with serving(make_app(watching(Recorder())), **settings) as server:
        for _ in range(max(1, number // AT_ONCE)):
            jobs = [
                gevent.spawn(one_life, server, transport, ending)
                for _ in range(min(number, AT_ONCE))
            ]
            gevent.joinall(jobs, raise_error=True)
        wait_for(lambda: not server.sockets)
        assert not server._pending


def all_at_once(transport: str, number: int) -> None:
    """Stop a server on which ``number`` sessions live."""
    with serving(make_app(watching(Recorder()))) as server:
        scenes: list[Scene] = []
        for _ in range(max(1, number // AT_ONCE)):
            jobs = [
                gevent.spawn(enter, server, transport, Recorder())
                for _ in range(min(number, AT_ONCE))
            ]
            scenes += [job.get() for job in gevent.joinall(jobs, raise_error=True)]
        assert len(server.sockets) == len(scenes)
        server.stop(timeout=10)
        assert not server.sockets
        assert not server._connections
        for scene in scenes:
            assert scene.socket.disconnect_reason == "server_stopping"
            scene.client.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("ending", "transport"), CASES, ids=lambda c: getattr(c, "__name__", c))
def test_many_sessions_leave_nothing_behind(ending: Any, transport: str) -> None:
    def run(number: int) -> None:
        if ending is server_stops:
            all_at_once(transport, number)
        else:
            live_and_die(ending, transport, number)

    run(20)  # what is made once, is made now
    before = settled()
    run(SESSIONS.get(transport, FEWER))
    wait_for(lambda: living() == before or more(before, living()) == {}, f"{before} {living()}")


def more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Return what there is more of than before."""
    return {name: n - before.get(name, 0) for name, n in after.items() if n > before.get(name, 0)}


@pytest.mark.parametrize("transport", EVERY)
def test_the_count_notices_a_session_that_is_still_there(transport: str) -> None:
    live_and_die(client_says_goodbye, transport, 20)  # what other tests left is gone by then
    before = settled()
    with serving(make_app(watching(Recorder()))) as server:
        scene = enter(server, transport, Recorder())
        found = more(before, living())
        scene.client.close()
    assert found["Socket"] == 1
    assert found["Greenlet"] >= 2
    assert found["descriptors"] >= 2
