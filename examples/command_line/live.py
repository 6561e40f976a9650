"""Everybody hears what anybody says: ``python -m socketio live:namespaces``."""

from __future__ import annotations

from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace

__all__ = ["Live", "namespaces"]


class Live(BaseNamespace, BroadcastMixin):
    """One client's side."""

    def on_say(self, text: object) -> bool:
        """Tell everybody; the answer says that it is done."""
        self.broadcast_event("said", str(text))
        return True


namespaces = {"/live": Live}
