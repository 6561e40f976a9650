"""What is kept for a client, and where."""

import os

from itsdangerous import BadSignature, URLSafeTimedSerializer

from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace

SIGNER = URLSafeTimedSerializer(os.environ["SECRET_KEY"], salt="ticket")
DAY = 24 * 60 * 60


class Basket(BaseNamespace):
    def on_add(self, article):
        basket = self.session.setdefault("basket", [])
        basket.append(article)
        return len(basket)


class Till(BaseNamespace):
    """Another namespace of the same client."""

    def on_pay(self):
        return self.session.pop("basket", [])


class About(BaseNamespace):
    def on_about(self):
        environ = self.socket.handshake_environ
        return environ["REMOTE_ADDR"], environ.get("HTTP_USER_AGENT", "unknown")


class Chat(BaseNamespace, RoomsMixin):
    """Gives its clients a ticket, by which they are who they were when they come back."""

    def on_name(self, name):
        self.session["name"] = name
        return self.ticket()

    def on_join(self, room):
        self.join(room)
        return self.ticket()

    def on_resume(self, ticket):
        try:
            kept = SIGNER.loads(str(ticket), max_age=DAY)
        except BadSignature:
            return False
        self.session["name"] = kept["name"]
        for room in kept["rooms"]:
            self.join(room)
        return True

    def ticket(self):
        return SIGNER.dumps({"name": self.session.get("name"), "rooms": self.rooms()})

    def on_say(self, room, text):
        self.broadcast_to_room(room, "said", self.session.get("name"), text)
