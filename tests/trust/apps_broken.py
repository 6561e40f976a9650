"""Applications that do what must never happen, to see that the harness notices."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from socketio.namespace import BaseNamespace
from tests.trust import apps_soak
from tests.trust.apps_soak import Numbers

facts = apps_soak.facts
kept: list[Any] = []


class Misbehaving(BaseNamespace):
    """Breaks one promise at a time."""

    def on_die(self) -> None:
        os._exit(1)

    def on_print(self) -> None:
        sys.stderr.write("Traceback (most recent call last):\n")
        sys.stderr.flush()

    def on_block(self) -> None:
        time.sleep(0.4)

    def on_keep(self) -> None:
        kept.append(open("/dev/null"))  # noqa: SIM115 - that is the point


class Losing(Numbers):
    """Loses a number now and then."""

    def on_up(self, number: int, count: int, size: int) -> int:
        if number == 3:
            self.last_down += 1
        return super().on_up(number, count, size)


class Repeating(Numbers):
    """Says a number twice."""

    def on_up(self, number: int, count: int, size: int) -> int:
        if number == 3:
            self.last_down -= 1
        return super().on_up(number, count, size)


class Forgetting(Numbers):
    """Acknowledges what it does not take."""

    def on_up(self, number: int, count: int, size: int) -> int:
        answer = super().on_up(number, count, size)
        if number == 3:
            self.last_up = 2
        return answer


class TellingTwice(Numbers):
    """Is told of its end, and tells it once more."""

    def recv_disconnect(self) -> None:
        super().recv_disconnect()
        apps_soak.ended[self.socket.sessid][0] += 1


misbehaving = {"": Misbehaving}
losing = {"/n": Losing}
repeating = {"/n": Repeating}
forgetting = {"/n": Forgetting}
telling_twice = {"/n": TellingTwice}
