"""One HTTP request: ours, or the application's.

A request of ours becomes a small WSGI-like answer inside pywsgi's own machinery, so that the access
log, the reading of bodies and the error pages stay gevent's.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
import gevent.socket
from gevent.pywsgi import Input, WSGIHandler

from socketio.session.lifecycle import DisconnectReason, Event
from socketio.transports.base import Response, error_response
from socketio.transports.polling import XHRPollingTransport
from socketio.transports.websocket import WebsocketTransport
from socketio.websocket.handler import is_upgrade
from socketio.wire.httpcheck import find_header_fault, find_request_line_fault
from socketio.wire.routes import Disconnect, Exchange, Handshake, Route, jsonp_index
from socketio.wire.v09 import jsonp_script

if TYPE_CHECKING:
    from socketio.server import SocketIOServer

__all__ = ["SocketIOHandler"]

log = logging.getLogger("socketio.handler")

_MAX_HEADER_BLOCK = 65536
# How long, and how much, we still listen to a client whose request was refused half-way: without
# it the close resets the connection and our answer with it.
_PARTING_SECONDS = 1
_PARTING_BYTES = 1 << 20

_TEXT = [("Content-Type", "text/plain; charset=UTF-8")]
_BAD_ORIGIN = "handshake bad origin"


class SocketIOHandler(WSGIHandler):
    """Serves handshakes, polls and WebSockets itself and passes everything else to the application.

    Args:
        config: The settings of the server.
        sock: The accepted connection.
        address: The address of the client.
        server: The :class:`~socketio.server.SocketIOServer`.
    """

    server: SocketIOServer
    environ: dict[str, Any]
    application: Any
    result: Any

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
        "xhr-polling": XHRPollingTransport,
    }
    """Transport id -> class. Applications may add and replace entries."""

    def __init__(self, config: Any, sock: Any, address: Any, server: Any) -> None:
        super().__init__(sock, address, server)
        self.config = config
        self.idle = False
        """Whether the connection waits for its next request."""
        self._header_timer: Any = None

    # -- reading a request ---------------------------------------------------------------------

    def handle_one_request(self) -> Any:
        """Serve one request; as in pywsgi, with a bound on the time its header may take."""
        if self.server.stopping or not self._next_request_came():
            return None
        self._header_timer = gevent.Timeout.start_new(self.server.config.header_timeout)
        try:
            return super().handle_one_request()
        except gevent.Timeout as timer:
            if timer is not self._header_timer:
                raise
            log.info("a request of %s did not send its header in time", self.client_address)
            return (
                "408 Request Timeout",
                b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            )
        finally:
            self._header_timer.close()

    def _next_request_came(self) -> bool:
        if self.rfile.closed:
            return False
        self.idle = True
        try:
            return bool(self.rfile.peek(1))
        except OSError:
            return False
        finally:
            self.idle = False

    def read_request(self, raw_requestline: str) -> Any:
        """Parse the request, after a check of what pywsgi would let through."""
        if self.server.strict_http:
            line = raw_requestline.removesuffix("\r\n")
            fault = find_request_line_fault(line)
            if fault is not None:
                raise ValueError(fault)
        return super().read_request(raw_requestline)

    def MessageClass(self, rfile: Any, *args: Any) -> Any:  # noqa: N802 - pywsgi's name
        """Parse the header of the request; raises ValueError, which becomes a 400."""
        if not self.server.strict_http:
            return super().MessageClass(rfile, *args)
        block = _read_header_block(rfile)
        fault = find_header_fault(block, self.request_version or "")
        if fault is not None:
            raise ValueError(fault)
        return super().MessageClass(io.BytesIO(block), *args)

    def get_environ(self) -> dict[str, Any]:
        """Return the WSGI environment; the header is complete, so its timer ends here."""
        self._header_timer.close()
        environ: dict[str, Any] = super().get_environ()
        return environ

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
            self._ignore_body()
        response = self._respond(route)
        if response is not None:
            self._send(response)

    def _claim(self) -> Route | None:
        path, query = self.environ["PATH_INFO"], self.environ["QUERY_STRING"]
        for dialect in self.server.dialects:
            route: Route | None = dialect.claim(path, query, self.server.resource)
            if route is not None:
                return route
        return None

    def _respond(self, route: Route) -> Response | None:
        if not isinstance(route, (Handshake, Exchange, Disconnect)):
            return error_response(
                "400 Bad Request",
                "Protocol version not supported. This server speaks Socket.IO 0.9 (version 1).",
            )
        jsonp = isinstance(route, Handshake) and route.jsonp is not None
        script = jsonp or isinstance(route, Disconnect)
        if not self.server.origin_policy.allows(self.environ, script=script):
            return self._refuse_origin(route)
        if isinstance(route, Handshake):
            return self._handshake(route)
        if isinstance(route, Disconnect):
            return self._disconnect(route)
        return self._exchange(route)

    def _refuse_origin(self, route: Route) -> Response:
        origin = self.environ.get("HTTP_ORIGIN") or self.environ.get("HTTP_REFERER") or "unknown"
        log.warning("refused a request from the origin %.100r: allow it with origins=[...]", origin)
        if isinstance(route, Handshake) and route.jsonp is not None:
            return _jsonp_error(route.jsonp, _BAD_ORIGIN)
        return error_response(
            "403 Forbidden",
            f"{_BAD_ORIGIN}: this server allows its own origin and those in its setting 'origins'",
            close=isinstance(route, Exchange),
        )

    # -- handshake and disconnect --------------------------------------------------------------

    def _handshake(self, route: Handshake) -> Response:
        method = self.environ["REQUEST_METHOD"]
        policy = self.server.origin_policy
        if method == "OPTIONS":
            return Response("200 OK", [*_TEXT, *policy.preflight_headers(self.environ)])
        if method not in ("GET", "POST"):
            return _not_allowed("GET, POST, OPTIONS")
        if self.server.is_full():
            response = error_response("503 Service Unavailable", "too many sessions")
            response.headers.append(("Retry-After", "5"))
            return response
        socket = self.server.get_socket()
        socket.handshake_environ = {
            key: value for key, value in self.environ.items() if isinstance(value, str)
        }
        self.server.expect_client(socket)
        self.environ["socketio"] = socket
        body = socket.dialect.handshake(socket.sessid, socket.settings, self.server.transports)
        if route.jsonp is not None:
            return _jsonp(jsonp_script(route.jsonp, body))
        headers = [("Content-Type", "text/plain")]
        if "HTTP_ORIGIN" in self.environ:
            headers += policy.preflight_headers(self.environ)
        return Response("200 OK", headers, body.encode())

    def _disconnect(self, route: Disconnect) -> Response:
        if self.environ["REQUEST_METHOD"] not in ("GET", "POST"):
            return _not_allowed("GET, POST")
        socket = self.server.get_socket(route.sessid)
        if socket is not None:
            self.environ["socketio"] = socket
            socket._signal(Event.PEER_LEFT, DisconnectReason.PEER_LEFT, farewell=True)
        return Response("200 OK", list(_TEXT))

    # -- transports ----------------------------------------------------------------------------

    def _exchange(self, route: Exchange) -> Response | None:
        transport_class = self.handler_types.get(route.transport)
        if transport_class is None or route.transport not in self.server.transports:
            return error_response(
                "400 Bad Request",
                f"transport not available here: use {', '.join(self.server.transports)}",
                close=True,
            )
        transport = transport_class(self, self.config)
        method = self.environ["REQUEST_METHOD"]
        streaming = route.transport in ("websocket", "flashsocket")
        if method == "OPTIONS" and not streaming:
            preflight = self.server.origin_policy.preflight_headers(self.environ)
            return Response("200 OK", [*_TEXT, *preflight])
        socket = self.server.get_socket(route.sessid)
        if socket is None:
            return error_response("400 Bad Request", "session unknown or over", close=True)
        self.environ["socketio"] = socket
        if streaming:
            if not self._upgrade(socket):
                return None
        elif not self.environ["wsgi.input_terminated"]:
            return error_response("400 Bad Request", "no upgrade on this URL", close=True)
        response: Response | None = transport.do_exchange(socket, method)
        if response is not None:
            response.headers += self.server.origin_policy.headers(self.environ)
        return response

    def _upgrade(self, socket: Any) -> bool:
        """Make the connection a WebSocket; otherwise answer why not, and return False."""
        if not socket.state.live:
            self._send(error_response("400 Bad Request", "session over", close=True))
            return False
        if not is_upgrade(self.environ):
            refusal = error_response("400 Bad Request", "a WebSocket upgrade is needed", close=True)
            self._send(refusal)
            return False
        # The upgrade is a method of another handler class, which applications may choose: a second
        # handler that shares all of this one's state carries it out.
        upgrader = self.server.ws_handler_class.__new__(self.server.ws_handler_class)
        upgrader.__dict__ = self.__dict__
        upgrader.prevent_wsgi_call = True
        upgrader.run_application()
        self.result = None
        self.close_connection = True
        return self.environ.get("wsgi.websocket") is not None

    def peer_is_gone(self) -> bool:
        """Tell whether the client has closed the connection while we held its request.

        Never blocks. Over TLS the answer is always False, for there is no looking ahead.
        """
        if hasattr(self.socket, "do_handshake"):
            return False
        timeout = self.socket.gettimeout()
        self.socket.settimeout(0.0)
        try:
            return self.socket.recv(1, _MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(timeout)

    def shutdown_connection(self) -> None:
        """Shut the connection down both ways, which wakes whoever reads from it. Never blocks."""
        try:
            self.socket.shutdown(gevent.socket.SHUT_RDWR)
        except (OSError, AttributeError):
            log.debug("the connection was gone already")

    # -- the application -----------------------------------------------------------------------

    def start_application(self, socket: Any) -> None:
        """Run the application for the session in a greenlet of its own; used by polling."""
        environ = self._session_environ(socket)
        socket.wsgi_app_greenlet = gevent.spawn(run_view, self.application, environ, socket)

    def run_session_application(self, socket: Any) -> None:
        """Run the application for the session right here; returns when it does. For streams."""
        socket.wsgi_app_greenlet = gevent.getcurrent()
        run_view(self.application, self._session_environ(socket), socket)

    def _session_environ(self, socket: Any) -> dict[str, Any]:
        """Return what the application sees: the request, without what belongs to the connection."""
        environ: dict[str, Any] = {**self.environ, "socketio": socket}
        environ["wsgi.input"] = io.BytesIO()
        environ["wsgi.input_terminated"] = True
        # Werkzeug answers any request that asks for an upgrade with 400 before the view runs.
        environ.pop("HTTP_UPGRADE", None)
        tokens = environ.get("HTTP_CONNECTION", "").split(",")
        kept = [token.strip() for token in tokens if token.strip().lower() != "upgrade"]
        environ["HTTP_CONNECTION"] = ", ".join(kept)
        return environ

    # -- writing an answer ---------------------------------------------------------------------

    def _send(self, response: Response) -> None:
        headers = response.headers
        if response.close:
            headers = [*headers, ("Connection", "close")]
            self._ignore_body()
            self.close_connection = True
        delivered = False
        try:
            headers = [*headers, ("Content-Length", str(len(response.body)))]
            self.start_response(response.status, headers)
            self.result = [] if self.command == "HEAD" else [response.body]
            self.process_result()
            delivered = True
        finally:
            self.result = None
            if response.done is not None:
                response.done(delivered)
        if response.close:
            self.part()

    def _ignore_body(self) -> None:
        """Leave a body unread that nobody wants, and end the connection behind the answer."""
        if self.content_length or self.environ.get("HTTP_TRANSFER_ENCODING"):
            self.close_connection = True
        self.wsgi_input = Input(io.BufferedReader(io.BytesIO()), 0)

    def part(self) -> None:
        """Let the client read our refusal before the connection closes; blocks, bounded."""
        try:
            self.socket.shutdown(gevent.socket.SHUT_WR)
            with gevent.Timeout(_PARTING_SECONDS, False):  # type: ignore[arg-type]
                left = _PARTING_BYTES
                while left > 0 and (data := self.socket.recv(65536)):
                    left -= len(data)
        except (OSError, ValueError):
            log.debug("the client did not wait for its answer")

    # -- kept from the original, for transports of applications --------------------------------

    def handle_bad_request(self) -> None:
        """Answer 400 and end the connection."""
        self._send(error_response("400 Bad Request", "bad request", close=True))

    def handle_disconnect_request(self) -> None:
        """Answer a disconnect URL and end its session; an unknown one is answered alike."""
        route = self._claim()
        if isinstance(route, Disconnect):
            self._send(self._disconnect(route))
        else:
            self.handle_bad_request()

    def write_smart(self, data: str | bytes) -> None:
        """Answer with ``data``, as a script when the query has a valid ``jsonp``, else plain."""
        index = jsonp_index(self.environ.get("QUERY_STRING", ""), "jsonp")
        if index is not None:
            self.write_jsonp_result(data, index)
        else:
            self.write_plain_result(data)

    def write_plain_result(self, data: str | bytes) -> None:
        """Answer with ``data`` as plain text, with the access-control headers."""
        body = data.encode() if isinstance(data, str) else data
        headers = [*_TEXT, *self.server.origin_policy.headers(self.environ)]
        self._send(Response("200 OK", headers, body))

    def write_jsonp_result(self, data: str | bytes, wrapper: str = "0") -> None:
        """Answer with a script that hands ``data`` to callback ``wrapper``, a number."""
        text = data.decode() if isinstance(data, bytes) else data
        index = wrapper if wrapper.isascii() and wrapper.isdigit() else "0"
        self._send(_jsonp(jsonp_script(index, text)))


_MSG_PEEK = gevent.socket.MSG_PEEK


def run_view(application: Callable[..., Any], environ: dict[str, Any], socket: Any) -> None:
    """Call the application for a session and throw its answer away; ends a session it left alone.

    What the application raises is logged here: there is no request it could become the answer to.
    """
    status: list[str] = []
    failed = False

    def start_response(line: str, _headers: Any, _exc_info: Any = None) -> Callable[[bytes], None]:
        status[:] = [line]
        return lambda _data: None

    try:
        result = application(environ, start_response)
        try:
            for _ in result:
                pass
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
    except Exception:
        failed = True
        log.exception("session %s: the application failed", socket.short_id)
    if not socket.is_unmanaged():
        return
    if not failed:
        log.warning(
            "session %s: the application answered %r for its Socket.IO URL instead of calling "
            "socketio_manage()",
            socket.short_id,
            status[0] if status else "nothing",
        )
    # A view that failed may do better next time; one that returned does not want the client.
    socket._signal(Event.APP_ENDED, DisconnectReason.APP_ENDED, farewell=not failed)


def _read_header_block(rfile: Any) -> bytes:
    lines: list[bytes] = []
    size = 0
    while True:
        line = rfile.readline(_MAX_HEADER_BLOCK + 1)
        size += len(line)
        if size > _MAX_HEADER_BLOCK:
            raise ValueError("header too large")
        lines.append(line)
        if line in (b"\r\n", b"\n", b""):
            return b"".join(lines)


def _not_allowed(methods: str) -> Response:
    response = error_response("405 Method Not Allowed", f"use {methods}")
    response.headers.append(("Allow", methods))
    return response


def _jsonp(script: str) -> Response:
    headers = [("Content-Type", "application/javascript"), ("X-Content-Type-Options", "nosniff")]
    return Response("200 OK", headers, script.encode())


def _jsonp_error(index: str, text: str) -> Response:
    return _jsonp(f'io.j[{index}](new Error("{text}"));')
