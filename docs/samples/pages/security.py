"""What docs/security.rst shows: who may connect, and how slow they may be."""

from http.cookies import SimpleCookie
from typing import NamedTuple

from socketio import socketio_manage
from socketio.errors import UnauthorizedError
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer


class User(NamedTuple):
    name: str
    is_admin: bool


USERS = {"cookie-of-ada": User("Ada", True), "cookie-of-bob": User("Bob", False)}
listener = ("127.0.0.1", 0)


def user_of_cookie(text):
    cookies = SimpleCookie(text)
    return USERS.get(cookies["login"].value) if "login" in cookies else None


def app(environ, _start_response):
    socketio_manage(environ, {"/admin": Admin, "/prices": BaseNamespace})
    return []


# -- a namespace
class Admin(BaseNamespace):
    def recv_connect(self):
        if not self.session.get("is_admin"):
            raise UnauthorizedError


# -- the handshake
def authorize(environ):
    user = user_of_cookie(environ.get("HTTP_COOKIE", ""))
    if user is None:
        raise UnauthorizedError("no such user")  # or: return False
    return {"user": user.name, "is_admin": user.is_admin}  # becomes part of socket.session


guarded = SocketIOServer(listener, app, authorize=authorize)
# -- origins
shop = SocketIOServer(listener, app, origins=["https://shop.example", "https://www.shop.example"])
public = SocketIOServer(listener, app, origins="*")  # every page of the world
# -- the newest
prices = SocketIOServer(listener, app, slow_peer="drop_oldest")


# -- by session
def slow_peer(socket):
    return "drop_oldest" if socket.session.get("watches_only") else "disconnect"


mixed = SocketIOServer(listener, app, slow_peer=slow_peer)
