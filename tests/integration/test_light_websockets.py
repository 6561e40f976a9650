"""What the handler of a WebSocket keeps of its request as long as it lives: next to nothing."""

import pytest

from socketio.handler import SocketIOHandler
from socketio.namespace import BaseNamespace
from socketio.sgunicorn import GunicornWebSocketWSGIHandler, GunicornWSGIHandler
from socketio.websocket.handler import WebSocketHandler
from tests.client import make_app
from tests.compat.standins import online


class OwnHandler(SocketIOHandler):
    pass


class OwnUpgrade(WebSocketHandler):
    pass


def handler_of(client):
    (handler,) = [
        handler
        for handler in client.socket.server._connections.values()
        if handler.environ.get("wsgi.websocket") is not None
    ]
    return handler


def test_the_handler_of_a_websocket_forgets_its_request():
    with online(make_app({"": BaseNamespace})) as client:
        handler = handler_of(client)
        assert handler._is_light
        assert not {"headers", "path", "response_headers", "rfile"} & set(vars(handler))


@pytest.mark.parametrize("given", [{"handler_class": OwnHandler}, {"ws_handler_class": OwnUpgrade}])
def test_a_handler_class_of_an_application_keeps_it(given):
    with online(make_app({"": BaseNamespace}), **given) as client:
        handler = handler_of(client)
        assert not handler._is_light
        assert handler.path.startswith("/socket.io/1/websocket/")


@pytest.mark.parametrize("ours", [GunicornWSGIHandler, GunicornWebSocketWSGIHandler])
def test_gunicorns_handlers_forget_it_and_classes_derived_from_them_do_not(ours):
    assert ours._travels_light
    assert not type("Own", (ours,), {})._travels_light
