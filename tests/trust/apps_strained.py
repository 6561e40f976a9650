"""An application that blocks, whose memory ends, or whose clock jumps."""

from __future__ import annotations

import resource
import time
from collections import Counter
from typing import Any

import gevent

from socketio.defaultjson import default_json_loads
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from tests.trust.place import vsz

calls: Counter[str] = Counter()
"""How often something happened."""

_MEGABYTE = 1 << 20
_real_time = time.time


def facts() -> dict[str, Any]:
    """Return what the rows may ask for."""
    return {"calls": dict(calls), "time": time.time()}


class Strained(BaseNamespace, BroadcastMixin):
    """Does what its client says, however bad."""

    def initialize(self) -> None:
        self.socket.json_loads = loads

    def on_echo(self, *args: Any) -> Any:
        return args

    def recv_disconnect(self) -> None:
        calls["disconnected"] += 1
        super().recv_disconnect()

    def on_forever(self) -> None:
        calls["slept"] += 1
        try:
            gevent.sleep(3600)
        except gevent.GreenletExit:
            calls["interrupted"] += 1
            raise

    def on_spin(self, seconds: float) -> None:
        """Block the whole process, as no handler should."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            calls["spun"] += 1

    def on_number(self, _number: int) -> None:
        calls["numbers"] += 1

    def on_shift(self, seconds: float) -> float:
        """Change the time by ``seconds``."""
        time.time = lambda: _real_time() + seconds
        return time.time()

    def on_freeze(self) -> float:
        """Have the time stand still."""
        now = time.time()
        time.time = lambda: now
        return now

    def on_hoard(self) -> None:
        """Take memory until there is none, in ever smaller pieces, and hold it while failing."""
        calls["hoarded"] += 1
        hoard = []
        size = 16 * _MEGABYTE
        while True:
            try:
                hoard.append(bytearray(size))
            except MemoryError:
                if size <= 4096:
                    raise
                size //= 2

    def on_grab(self) -> None:
        """Ask for more than there is."""
        calls["grabbed"] += 1
        bytearray(1 << 40)

    def on_answer(self) -> Any:
        """Answer with what cannot be written in the memory there is."""
        calls["answered"] += 1
        return ["x" * _MEGABYTE] * 128


def loads(text: str) -> Any:
    """Read JSON; what says so needs more memory than there is."""
    if "hungry" in text:
        calls["decoded"] += 1
        bytearray(1 << 40)
    return default_json_loads(text)


namespaces: dict[str, Any] = {"": Strained}


def prepare(settings: dict[str, Any]) -> dict[str, Any]:
    """Limit the memory of the process, if the settings say so."""
    megabytes = settings.pop("_megabytes", None)
    if megabytes is not None:
        limit = vsz() + megabytes * _MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return settings
