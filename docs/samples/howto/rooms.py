"""Rooms that people enter and leave, and a way to reach one of them."""

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_join(self, room):
        self.join(room)
        self.emit_to_room(room, "joined", room, self.session["user"])
        return self.who_is_in(room)

    def on_say(self, room, text):
        if room not in self.rooms():
            return False
        self.emit_to_room(room, "said", room, self.session["user"], text)
        return True

    def on_leave(self, room):
        self.leave(room)
        self.emit_to_room(room, "left", room, self.session["user"])

    def who_is_in(self, room):
        return sorted(socket.session["user"] for socket in self.members(room))

    def recv_disconnect(self):
        for room in self.rooms():
            self.on_leave(room)


class Post(BaseNamespace, RoomsMixin):
    """A room for each user, whatever number of windows and devices they have."""

    def recv_connect(self):
        self.join(f"user:{self.session['user']}")

    def on_whisper(self, user, text):
        self.emit_to_room(f"user:{user}", "whispered", self.session["user"], text)

    def on_follow(self, topic):
        self.join(f"topic:{topic}")


class Party(BaseNamespace, RoomsMixin):
    def on_over(self, room):
        self.broadcast_to_room(room, "over", room)
        self.close_room(room)
