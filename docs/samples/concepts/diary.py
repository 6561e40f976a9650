"""Writes down what is called, in which order: the event flow, and the end of a session."""

from contextlib import contextmanager

import gevent

from socketio import socketio_manage
from socketio.namespace import BaseNamespace

DIARY = []


# -- the namespace
class Diarist(BaseNamespace):
    def note(self, what):
        DIARY.append(f"{self.ns_name}: {what}")

    def get_initial_acl(self):
        self.note("get_initial_acl()")

    def initialize(self):
        self.note("initialize()")

    def recv_connect(self):
        self.note("recv_connect()")

    def before_event(self, packet):
        self.note(f"before_event() for {packet['type']}")

    def after_event(self, packet, error):
        self.note(f"after_event() for {packet['type']}" + (f": {error!r}" if error else ""))

    def on_work(self, what):
        self.note("on_work()")
        self.emit("progress")
        return what

    def on_spawn(self):
        self.spawn(self.run, "job of the namespace")
        self.socket.spawn(self.run, "job of the session")

    def run(self, what):
        try:
            gevent.sleep(3600)
        finally:
            self.note(f"{what} is killed")

    def recv_disconnect(self):
        self.note("recv_disconnect()")


# -- the view
@contextmanager
def context():
    DIARY.append("event_context is entered")
    try:
        yield
    finally:
        DIARY.append("event_context is left")


def app(environ, start_response):
    DIARY.append("the view is called")
    namespaces = {"/first": Diarist, "/second": Diarist}
    socketio_manage(environ, namespaces, event_context=context)
    DIARY.append("socketio_manage() returns")
    start_response("200 OK", [])  # nobody reads it
    return []
