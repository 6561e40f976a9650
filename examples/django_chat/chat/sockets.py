"""What clients may do: ``socketio.sdjango.autodiscover()`` imports this module."""

from __future__ import annotations

from socketio.errors import UnauthorizedError
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.sdjango import namespace

from .models import Message


@namespace("/chat")
class ChatNamespace(BaseNamespace, BroadcastMixin):
    """One person's side of the chat. ``self.request`` is Django's, of the time they connected."""

    def recv_connect(self) -> None:
        """Let in who has logged in, and show them the last messages."""
        user = self.request.user
        if not user.is_authenticated:
            raise UnauthorizedError("log in first")
        last = Message.objects.select_related("author").order_by("-pk")[:20]
        self.emit("history", [message.for_client() for message in reversed(last)])
        self.broadcast_event_not_me("joined", user.get_username())

    def on_say(self, text: object) -> bool:
        """Store a message and show it to everybody; the answer is whether it was taken."""
        if not isinstance(text, str) or not 0 < len(text.strip()) <= Message.LONGEST:
            return False
        message = Message.objects.create(author=self.request.user, text=text.strip())
        self.broadcast_event("said", message.for_client())
        return True

    def recv_disconnect(self) -> None:
        """Tell the others, whatever the way a client went."""
        self.broadcast_event_not_me("left", self.request.user.get_username())
        self.disconnect(silent=True)
