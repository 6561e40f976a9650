# ruff: noqa: ARG001 - as people write tests

from flask import Flask, current_app, request, session

from socketio import socketio_manage
from socketio.namespace import BaseNamespace
from socketio.testing import TestServer

app = Flask(__name__)
app.secret_key = "of the tests"


class Chat(BaseNamespace):
    def recv_connect(self):
        self.emit("welcome", self.request.user, current_app.name)


@app.post("/login")
def login():
    session["user"] = request.form["user"]
    return "welcome"


@app.route("/socket.io/<path:below>")
def socketio(below):
    request.user = session["user"]
    socketio_manage(
        request.environ,
        {"/chat": Chat},
        request._get_current_object(),
        event_context=app.app_context,
    )
    return ""


def test_who_has_logged_in_is_known_in_the_chat():
    browser = app.test_client()
    browser.post("/login", data={"user": "Ada"})
    cookie = browser.get_cookie("session")
    with TestServer(app) as server:
        ada = server.connect("/chat", cookies={"session": cookie.value})
        ada.expect("welcome", "Ada", app.name)
