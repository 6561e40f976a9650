"""A Flask application: its context around each call, and hooks that keep a record of them."""

import logging
from collections import Counter

from flask import Flask, current_app, got_request_exception, request

from socketio import socketio_manage
from socketio.namespace import BaseNamespace

app = Flask(__name__)
log = logging.getLogger(__name__)
outcome = Counter()


# -- hooks
class Audited(BaseNamespace):
    def before_event(self, packet):
        log.info("%s begins", packet.get("name", packet["type"]))

    def after_event(self, _packet, error):
        outcome[type(error).__name__ if error else "well"] += 1


# -- signal
class Watched(BaseNamespace):
    def after_event(self, _packet, error):
        if isinstance(error, Exception):
            application = current_app._get_current_object()
            got_request_exception.send(application, exception=error)


# -- handlers
class Division(BaseNamespace):
    def on_divide(self, number, by):
        return [number / by, current_app.name]


class AuditedDivision(Division, Audited):
    pass


class WatchedDivision(Division, Watched):
    pass


# -- view
@app.route("/socket.io/<path:_rest>", methods=["GET", "POST"])
def socketio(_rest):
    namespaces = {"/audited": AuditedDivision, "/watched": WatchedDivision}
    socketio_manage(request.environ, namespaces, event_context=app.app_context)
    return ""


# -- end
