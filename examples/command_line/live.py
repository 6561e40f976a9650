"""Everybody hears what anybody says: ``python -m socketio live:namespaces``."""

from __future__ import annotations

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace

__all__ = ["Live", "namespaces"]

LONGEST = 1000


class Live(BaseNamespace, BroadcastMixin):
    """One client's side."""

    def on_say(self, text: object) -> bool:
        """Tell everybody; the answer is whether it was taken."""
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
            return False
        self.broadcast_event("said", text)
        return True


namespaces = {"/live": Live}
