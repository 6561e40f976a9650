"""The same where somebody else makes the server: it starts with the first session."""

import time

import gevent
from news import tell

from socketio import socketio_manage
from socketio.namespace import BaseNamespace

teller = None


def app(environ, start_response):
    global teller
    if "socketio" in environ:
        if teller is None:  # nobody was there to be told before
            teller = gevent.spawn(tell, environ["socketio"].server, time.ctime, 0.2)
        socketio_manage(environ, {"/news": BaseNamespace})
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the page\n"]
