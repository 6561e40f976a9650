"""A process that one handler keeps busy: a line in the log says which."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from socketio.namespace import BaseNamespace
from tests.client import WebSocketClient, event, serving, wait_for


class Busy(BaseNamespace):
    """Blocks everybody on demand."""

    def on_compute_for(self, seconds: float) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return "done"


def lines(caplog: Any) -> list[str]:
    return [r.getMessage() for r in caplog.records if "nothing else has run" in r.getMessage()]


def test_a_handler_that_computes_too_long_is_named_in_the_log_while_it_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving({"": Busy}, block_warning=0.3) as server:
        client = WebSocketClient(server).open()
        client.send(event("compute_for", 1, msgid="1+"))
        assert client.recv() == '6:::1+["done"]'
        # A machine that is short of time may have made it write another line.
        assert any("on_compute_for" in line for line in lines(caplog))
        assert server.stats()["limits"]["block_warning"] == len(lines(caplog))
        client.close()


def test_one_that_computes_for_less_is_not(caplog: pytest.LogCaptureFixture) -> None:
    with serving({"": Busy}, block_warning=5) as server:
        client = WebSocketClient(server).open()
        client.send(event("compute_for", 0.5, msgid="1+"))
        assert client.recv() == '6:::1+["done"]'
        client.close()
    assert not lines(caplog)


def test_nobody_looks_by_default(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "socketio.server")
    with serving({"": Busy}) as server:
        assert server._watchdog is None


def native_threads() -> int:
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("Threads:")).split()[1])


def test_its_thread_ends_with_the_server_and_comes_back_with_the_next_start() -> None:
    before = native_threads()
    with serving({"": Busy}, block_warning=0.2) as server:
        assert native_threads() == before + 1
        server.stop()
        wait_for(lambda: native_threads() == before)
        server.start()
        assert native_threads() == before + 1
    wait_for(lambda: native_threads() == before)
