"""What applications do where nothing may get lost: numbers one way, ids the other way."""

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace


# -- numbers
class Feed(BaseNamespace, BroadcastMixin):
    entries = []  # of all clients; a table of a database in real life

    def on_publish(self, text):
        self.entries.append(text)
        self.broadcast_event("entry", len(self.entries), text)

    def on_since(self, number):
        """Send what a client has missed that had ``number`` entries."""
        for place, text in enumerate(self.entries[number:], number + 1):
            self.emit("entry", place, text)


# -- ids
class Orders(BaseNamespace):
    done = {}  # likewise

    def on_order(self, order_id, article):
        """Do it once, however often the client asks: it does when it got no answer."""
        if order_id not in self.done:
            self.done[order_id] = f"{article} is on its way"
        return self.done[order_id]
