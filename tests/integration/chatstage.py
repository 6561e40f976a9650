"""What a test adds to the chats of ``examples/``, the same for each framework."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import gevent

__all__ = ["Stage"]


class Stage:
    """Goes before the example's namespace in the bases."""

    met: list[str] = []
    emit: Any
    send: Any
    spawn: Any

    @abstractmethod
    def who(self) -> Any:
        """Return who the framework says has sent the request, and what else it knows."""

    @abstractmethod
    def write(self, text: str) -> None:
        """Write a line to the database without committing it."""

    def on_meet(self) -> None:
        """The first is half done when the second comes, and done when the second is half done."""
        before, others = self.who(), len(self.met)
        self.met.append("half done")
        while len(self.met) < others + 2:
            gevent.sleep(0.01)
        after = self.who()
        self.met.append("done")
        self.emit("met", before, after)

    def on_spawn(self) -> None:
        self.spawn(lambda: self.emit("told", self.who()))

    def on_acked(self) -> None:
        self.send("do you hear me", callback=lambda: self.emit("told", self.who()))

    def on_fail(self) -> None:
        self.write("never to be read")
        raise RuntimeError("told to fail")
