"""What docs/speed.rst shows: other JSON functions."""

import orjson

from socketio import socketio_manage
from socketio.namespace import BaseNamespace


class Echo(BaseNamespace):
    def on_echo(self, value):
        return value


namespaces = {"/echo": Echo}


# -- functions
def dumps(value):
    return orjson.dumps(value).decode()  # text, not bytes


def view(environ, _start_response):
    socketio_manage(environ, namespaces, json_loads=orjson.loads, json_dumps=dumps)
    return []
