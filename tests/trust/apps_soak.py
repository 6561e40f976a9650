"""The application of the soak: numbers come up in order, numbers go down in order."""

from __future__ import annotations

from typing import Any

from socketio.namespace import BaseNamespace

violations: list[str] = []
"""What broke the order, at most a few; the first is what matters."""
ended: dict[str, list[Any]] = {}
"""Session id -> how often it ended, the last number of its client, the reason."""
totals = {"up": 0, "down": 0}


def facts() -> dict[str, Any]:
    """Return what the model compares; what was reported once is forgotten."""
    report = {"violations": violations[:20], "ended": dict(ended), "totals": totals}
    ended.clear()
    return report


class Numbers(BaseNamespace):
    """One client's numbers."""

    def initialize(self) -> None:
        self.last_up = self.last_down = 0

    def on_up(self, number: int, count: int, size: int) -> int:
        """Take the next number, and send the next ``count`` numbers of ours."""
        if number != self.last_up + 1:
            violations.append(f"{self.socket.transport}: {number} after {self.last_up}")
        self.last_up = number
        totals["up"] += 1
        for _ in range(count):
            self.last_down += 1
            totals["down"] += 1
            self.emit("down", self.last_down, "x" * size)
        return number

    def on_kick(self) -> None:
        self.socket.disconnect()

    def recv_disconnect(self) -> None:
        entry = ended.setdefault(self.socket.sessid, [0, self.last_up, None])
        entry[0] += 1
        entry[2] = str(self.socket.disconnect_reason)
        super().recv_disconnect()


namespaces: dict[str, Any] = {"/n": Numbers}
