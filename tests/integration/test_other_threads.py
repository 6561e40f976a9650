"""What another thread sends: the loop that waits for the network has to notice."""

from __future__ import annotations

import gevent
import pytest
from gevent import monkey

from socketio.namespace import BaseNamespace
from tests.client import serving
from tests.streams import ALL_CLIENTS, EVERY

# Far more than it takes, less than until a heartbeat wakes the loop.
SOON = 15
# Not one of gevent's, should somebody have patched.
_start_thread = monkey.get_original("_thread", "start_new_thread")
_sleep = monkey.get_original("time", "sleep")


@pytest.mark.parametrize("transport", EVERY)
def test_what_a_thread_sends_does_not_wait_for_something_else_to_happen(transport: str) -> None:
    with serving({"": BaseNamespace}, polling_duration=10 * SOON) as server:
        client = ALL_CLIENTS[transport](server).open()
        (socket,) = server.sockets.values()
        waiting = gevent.spawn(client.recv)

        def send() -> None:
            _sleep(0.05)  # until nothing is left to do but to wait
            socket.send_packet({"type": "message", "data": "from a thread", "endpoint": ""})

        gevent.idle()
        _start_thread(send, ())
        assert waiting.get(timeout=SOON) == "3:::from a thread"
        client.close()
