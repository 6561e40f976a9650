"""One HTTP request: ours, or the application's.

A request of ours becomes a small WSGI-like answer inside pywsgi's own machinery, so that the access
log, the reading of bodies and the error pages stay gevent's.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import gevent

import socketio.conflict  # noqa: F401 - refuses a package that is not ours
from socketio.answering import AnsweringHandler
from socketio.clientfile import NOT_CONFIGURED
from socketio.handshake import answer_handshake
from socketio.refusals import let_origin_read, refuse_origin, refuse_transport, refuse_version
from socketio.session.lifecycle import DisconnectReason, Event
from socketio.stricthttp import NO_BODY
from socketio.transports import (
    FlashSocketTransport,
    HTMLFileTransport,
    JSONPolling,
    WebsocketTransport,
    XHRMultipartTransport,
    XHRPollingTransport,
)
from socketio.transports.base import PLAIN_TEXT, Response, error_response
from socketio.view import run_view, session_environ
from socketio.websocket.connection import WebSocket
from socketio.websocket.handler import is_upgrade
from socketio.wire.routes import (
    ClientFile,
    Disconnect,
    Exchange,
    Handshake,
    NewerClient,
    Route,
    WrongVersion,
)

__all__ = ["SocketIOHandler"]

log = logging.getLogger("socketio.handler")

# What a handler has of its request, and needs no more when the connection is a WebSocket.
_OF_A_REQUEST = frozenset(
    {
        "_authority",
        "_bare",
        "_header_is_here",
        "_known",
        "behind",
        "command",
        "content_length",
        "headers",
        "path",
        "prevent_wsgi_call",
        "request_version",
        "response_headers",
        "rfile",
    }
)

_CLOSED = gevent.Timeout(None)


class SocketIOHandler(AnsweringHandler):
    """Serves handshakes, polls and WebSockets itself and passes everything else to the application.

    Args:
        config: The settings of the server.
        sock: The accepted connection.
        address: The address of the client.
        server: The :class:`~socketio.server.SocketIOServer`.
    """

    RE_REQUEST_URL = re.compile(
        r"^/(?P<resource>.+?)/1/(?P<transport_id>[^/]+)/(?P<sessid>[^/]+)/?$"
    )
    """What a transport URL looks like; for subclasses and readers, routing is the dialect's."""
    RE_HANDSHAKE_URL = re.compile(r"^/(?P<resource>.+?)/1/?$")
    """What a handshake URL looks like."""
    RE_DISCONNECT_URL = re.compile(
        r"^/(?P<resource>.+?)/(?P<protocol_version>[^/]+)/(?P<transport_id>[^/]*)"
        r"/(?P<sessid>[^/]+)/?$"
    )
    """What a disconnect URL looks like; it has ``disconnect`` in its query too."""

    handler_types: dict[str, Any] = {
        "websocket": WebsocketTransport,
        "flashsocket": FlashSocketTransport,
        "htmlfile": HTMLFileTransport,
        "xhr-polling": XHRPollingTransport,
        "jsonp-polling": JSONPolling,
        "xhr-multipart": XHRMultipartTransport,
    }
    """Transport id -> class. Applications may add and replace entries."""

    _travels_light = True
    """Whether it can do without its request when that has become a WebSocket."""
    _is_light = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Each class has to say it for itself.
        cls._travels_light = vars(cls).get("_travels_light", False)

    def __init__(self, config: Any, sock: Any, address: Any, server: Any) -> None:
        super().__init__(sock, address, server)
        self.config = config
        self.dialect = server.dialects[0]
        """The protocol of the request that is being served."""

    # -- ours or the application's -------------------------------------------------------------

    def run_application(self) -> None:
        """Answer the request, or have the application answer it."""
        if self.server.stopping:
            self.close_connection = True
        route = self._claim()
        if route is None:
            super().run_application()
            return
        if not isinstance(route, Exchange):
            self.ignore_body()
        response = self._respond(route)
        if response is not None:
            self.answer(response)

    def _claim(self) -> Route | None:
        path, query = self.environ["PATH_INFO"], self.environ["QUERY_STRING"]
        for dialect in self.server.dialects:
            route: Route | None = dialect.claim(path, query, self.server.resource)
            if isinstance(route, ClientFile) and not self.server.serves_client:
                return None
            if route is not None:
                self.dialect = dialect
                return route
        return None

    def _respond(self, route: Route) -> Response | None:
        if isinstance(route, ClientFile):
            return self._client_file(route)
        if isinstance(route, (WrongVersion, NewerClient)):
            return refuse_version(self, route, self.dialect.speaks)
        transport = self._transport(route) if isinstance(route, Exchange) else None
        jsonp = isinstance(route, Handshake) and route.jsonp is not None
        # What a foreign page can ask for without an Origin, its Referer decides.
        blind = jsonp or not getattr(transport, "has_origin", True)
        script = blind or isinstance(route, Disconnect)
        if not self.server.origin_policy.allows(self.environ, script=script):
            return refuse_origin(self, route)
        response: Response | None
        if isinstance(route, Handshake):
            response = self._handshake(route)
        elif isinstance(route, Disconnect):
            response = self._disconnect(route)
        else:
            response = self._exchange(route, transport)
        if response is not None and not blind:
            let_origin_read(self, response)
        return response

    def _client_file(self, route: ClientFile) -> Response:
        if route.flash:
            return error_response("404 Not Found", "Flash files are not served; use websocket.")
        if self.server.client_file is None:
            return error_response("404 Not Found", NOT_CONFIGURED)
        response: Response = self.server.client_file.respond(self.environ)
        return response

    # -- handshake and disconnect --------------------------------------------------------------

    def _handshake(self, route: Handshake) -> Response:
        method = self.environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return self._preflight()
        if method not in ("GET", "POST"):
            return _not_allowed("GET, POST, OPTIONS")
        return answer_handshake(self, route)

    def _preflight(self) -> Response:
        """Answer the question whether a page may send a request (section 8.3)."""
        return Response(
            "200 OK", [PLAIN_TEXT, *self.server.origin_policy.preflight_headers(self.environ)]
        )

    def _disconnect(self, route: Disconnect) -> Response:
        method = self.environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return self._preflight()
        if method not in ("GET", "POST"):
            return _not_allowed("GET, POST, OPTIONS")
        socket = self.server.get_socket(route.sessid)
        if socket is not None:
            self.environ["socketio"] = socket
            socket._signal(Event.PEER_LEFT, DisconnectReason.PEER_LEFT, farewell=True)
        return Response("200 OK", [PLAIN_TEXT])

    # -- transports ----------------------------------------------------------------------------

    def _transport(self, route: Exchange) -> Any:
        """Return the transport of the request; None when this server does not offer it."""
        transport_class = self.handler_types.get(route.transport)
        if transport_class is None or route.transport not in self.server.transports:
            return None
        return transport_class(self, self.config)

    def _exchange(self, route: Exchange, transport: Any) -> Response | None:
        if transport is None:
            return refuse_transport(self, route)
        method = self.environ["REQUEST_METHOD"]
        if method != "POST":
            self.ignore_body()
        if method == "OPTIONS" and not transport.upgrades:
            return self._preflight()
        socket = self.server.get_socket(route.sessid)
        if socket is None:
            refusal: Response | None = transport.refuse_session(method)
            return refusal
        self.environ["socketio"] = socket
        if transport.upgrades:
            if not self._upgrade(socket):
                return None
        elif not self.environ["wsgi.input_terminated"]:
            return error_response("400 Bad Request", "no upgrade on this URL", close=True)
        response: Response | None = transport.do_exchange(socket, method)
        return response

    def _upgrade(self, socket: Any) -> bool:
        """Make the connection a WebSocket; otherwise answer why not, and return False."""
        if not socket.state.live:
            self.answer(error_response("400 Bad Request", "session over", close=True))
            return False
        if self.command != "GET" or not is_upgrade(self.environ):
            refusal = error_response("400 Bad Request", "a WebSocket upgrade is needed", close=True)
            self.answer(refusal)
            return False
        self._patience.close()  # no request follows, and a WebSocket lives for long
        self._known = None
        # The upgrade is a method of another handler class, which applications may choose: a second
        # handler that shares all of this one's state carries it out.
        upgrader = self.server.ws_handler_class.__new__(self.server.ws_handler_class)
        upgrader.__dict__ = self.__dict__
        upgrader.prevent_wsgi_call = True
        upgrader.run_application()
        self.result = None
        self.close_connection = True
        websocket = self.environ.get("wsgi.websocket")
        light = self._travels_light and getattr(upgrader, "_travels_light", False)
        if light and type(websocket) is WebSocket:
            self._travel_light(socket, websocket)
            upgrader.__dict__ = self.__dict__
        return websocket is not None

    def _travel_light(self, socket: Any, websocket: WebSocket) -> None:
        """Forget what only a request needs: a WebSocket lives for long, one of thousands.

        Not called for subclasses of applications: they may want all of it at the end.
        """
        self.environ = websocket.environ = session_environ(self.environ, socket)
        # Made anew, for a dictionary that loses entries does not shrink.
        self.__dict__ = {
            name: value
            for name, value in vars(self).items()
            if name not in _OF_A_REQUEST and _DEFAULTS.get(name, self) is not value
        }
        self._patience = _CLOSED
        self.wsgi_input = NO_BODY
        self._is_light = True

    # -- the application -----------------------------------------------------------------------

    def start_application(self, socket: Any) -> None:
        """Run the application for the session in a greenlet of its own; used by polling."""
        environ = session_environ(self.environ, socket)
        socket.wsgi_app_greenlet = gevent.spawn(run_view, self.application, environ, socket)

    def run_session_application(self, socket: Any) -> None:
        """Run the application for the session right here; returns when it does. For streams."""
        socket.wsgi_app_greenlet = gevent.getcurrent()
        environ = self.environ if self._is_light else session_environ(self.environ, socket)
        run_view(self.application, environ, socket)

    # -- kept from the original, for transports of applications --------------------------------

    def handle_disconnect_request(self) -> None:
        """Answer a disconnect URL and end its session; an unknown one is answered alike."""
        route = self._claim()
        if isinstance(route, Disconnect):
            self.answer(self._disconnect(route))
        else:
            self.handle_bad_request()


# What an instance need not have of its own.
_DEFAULTS = {name: getattr(SocketIOHandler, name) for name in dir(SocketIOHandler)}


def _not_allowed(methods: str) -> Response:
    response = error_response("405 Method Not Allowed", f"use {methods}")
    response.headers.append(("Allow", methods))
    return response
