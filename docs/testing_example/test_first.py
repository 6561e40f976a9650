from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer


class Chat(BaseNamespace, BroadcastMixin):
    def on_say(self, text):
        self.broadcast_event("said", text)


def test_everybody_hears_what_is_said():
    with TestServer({"/chat": Chat}) as server:
        ada, bob = server.connect("/chat"), server.connect("/chat")
        ada.emit("say", "hello")
        bob.expect("said", "hello")
