"""A limit on how often a client may send events."""

import time

from socketio.namespace import BaseNamespace

PER_SECOND = 20


class Chat(BaseNamespace):
    since, count = 0.0, 0

    def process_event(self, packet):
        now = time.monotonic()
        if now - self.since > 1:
            self.since, self.count = now, 0
        self.count += 1
        if self.count > PER_SECOND:
            self.error("too_fast", "slow down")
            return False  # the answer, for a client that asks for one
        return super().process_event(packet)

    def on_say(self, text):
        self.emit("said", text)
        return True
