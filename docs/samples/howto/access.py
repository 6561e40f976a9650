"""Who may do what, once they are in."""

from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace

TOKENS = {"token of ada": "Ada"}  # stands for your own check
EDITORS = {"Ada"}


class Admin(BaseNamespace):
    """Lets editors in, and nobody else."""

    def recv_connect(self):
        if self.session.get("user") not in EDITORS:
            raise UnauthorizedError(f"{self.session.get('user')} is no editor")


class Board(BaseNamespace):
    """Everybody reads, editors write."""

    def get_initial_acl(self):
        allowed = {"recv_connect", "on_read"}
        if self.session.get("user") in EDITORS:
            allowed |= {"on_write"}
        return allowed

    def on_read(self):
        return "the news of today"

    def on_write(self, text):
        return len(text)


class Late(BaseNamespace):
    """Lets everybody in, and asks who it is then."""

    def get_initial_acl(self):
        return {"recv_connect", "on_login"}

    def on_login(self, token):
        user = TOKENS.get(token)
        if user is None:
            return False
        self.session["user"] = user
        self.lift_acl_restrictions()
        return True

    def on_logout(self):
        del self.session["user"]
        self.reset_acl()

    def on_whoami(self):
        return self.session["user"]


def log_out(server, user):
    """End the sessions of a user; those clients do not come back by themselves."""
    for socket in server.sockets.values():
        if socket.session.get("user") == user:
            socket.disconnect()
