"""What belongs to a namespace, what to the session, and what an ACL forbids."""

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace


# -- initialize
class Named(BaseNamespace):
    def initialize(self):
        self.session.setdefault("name", "somebody")


class Counting(BaseNamespace):
    def initialize(self):
        self.count = 0


class Chat(Named, Counting, RoomsMixin, BroadcastMixin):
    def on_say(self, text):
        self.count += 1  # of this namespace of this client
        self.broadcast_event("said", self.session["name"], text)


# -- session
class Profile(Named):
    def on_name(self, name):
        self.session["name"] = name  # all namespaces of this client see it


# -- acl
class Game(BaseNamespace):
    def get_initial_acl(self):
        return ["recv_connect", "on_login"]

    def on_login(self, password):
        if password != "sesame":
            return False
        self.add_acl_method("on_move")
        return True

    def on_move(self, place):
        return f"moved to {place}"

    def on_logout(self):
        self.reset_acl()


# -- end
NAMESPACES = {"/chat": Chat, "/profile": Profile, "/game": Game}
