"""What we change in gevent's reading of HTTP: bounds on time and size, and a strict grammar.

It holds for every request of the server, the application's own included.
"""

from __future__ import annotations

import io
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import gevent
from gevent.pywsgi import Input, _NoopLog  # type: ignore[attr-defined]  # private, and not in its stubs

from socketio.accesslog import loggable
from socketio.slowbody import BodyTimeout, SlowBody
from socketio.strictbody import StrictInput
from socketio.tcp import ConnectionHandler
from socketio.wire.headers import Headers, add_headers, read_block, read_headers, wants_close
from socketio.wire.httpcheck import find_request_line_fault, split_target

if TYPE_CHECKING:
    from socketio.server import SocketIOServer

__all__ = ["NO_BODY", "StrictHTTPHandler"]

log = logging.getLogger("socketio.handler")

# Bytes of a header that a connection remembers, to know it again in the next request.
_MOST_KNOWN = 2000
_MALFORMED = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 11\r\n\r\nBad Request"
)
NO_BODY = Input(io.BufferedReader(io.BytesIO()), 0)
"""What stands for the body of a request that has none; one for all, for nothing can be read."""
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class StrictHTTPHandler(ConnectionHandler):
    """Reads the requests of one connection, in the greenlet of the connection.

    .. versionadded:: 1.0
    """

    server: SocketIOServer
    environ: dict[str, Any]
    application: Any
    result: Any
    headers: Any
    response_headers: Any
    status: Any
    _orig_status: Any
    content_length: int | None  # type: ignore[assignment]  # stubs: it has None
    idle = False
    """Whether the connection waits for its next request, or for the rest of its header."""
    unread = False
    """Whether a body may still be coming that was not read."""
    _header_timer: Any = None
    _known: tuple[bytes, str, Headers] | None = None
    """The last header that was read, the version it was read for, and what it says."""
    _authority: str | None = None
    _header_is_here = False
    """Whether all of the header was read with its first byte."""
    behind = -1
    """How many bytes behind the header were read with it; -1 where that is not known."""
    _client: str | None = None
    """Whom a proxy speaks for in this request; None where it is who is connected."""

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        super().__init__(sock, address, server)
        # Armed for each request anew; another timer each time takes 2 us more.
        self._patience = gevent.Timeout(server.config.keepalive_timeout)

    # -- reading a request ---------------------------------------------------------------------

    def handle(self) -> None:
        """Serve the requests of the connection; returns when it is closed."""
        try:
            super().handle()
        finally:
            self._patience.close()

    def handle_one_request(self) -> Any:
        """Serve one request; as in pywsgi, with a bound on the time its header may take."""
        if self.server.stopping or not self._next_request_came():
            return None
        self.requestline, self.response_length = "", 0  # not those of the request before
        self._client = None
        if self._header_is_here:  # then no timer, which takes 3 us
            result = super().handle_one_request()
        else:
            result = self._handle_slow_request()
        self.idle = False
        if isinstance(result, tuple):  # pywsgi would close at once, and reset its own answer
            self._refuse(*result)
            return None
        return result

    def _handle_slow_request(self) -> Any:
        self._header_timer = gevent.Timeout.start_new(self.server.config.header_timeout)
        try:
            return super().handle_one_request()
        except gevent.Timeout as timer:
            if timer is not self._header_timer:
                raise
            self.server.journal.limited(
                "header_timeout", log, "a request of %s did not send its header", self._peer
            )
            return "408 Request Timeout", _TIMED_OUT
        finally:
            self.idle = False
            self._header_timer.close()

    def _refuse(self, status: str, answer: bytes) -> None:
        """Send a complete answer to what is no request, and end the connection."""
        self.idle = False
        self.status = status
        self._orig_status = None  # the one of the request before, which pywsgi would log
        try:
            self.socket.sendall(answer)
            self.part()
        except OSError:
            log.debug("the client did not wait for its answer")
        self.time_finish = time.time()
        self.log_request()

    def _next_request_came(self) -> bool:
        if self.rfile.closed:
            return False
        needs_more = self._has_read_all()
        if not needs_more:
            # What is there already is read without waiting: others have their turn in between.
            gevent.sleep(0)
        if self.server.stopping:
            return False
        self.idle = True
        self._patience.start()
        try:
            if needs_more:  # an attempt to read, in vain, would take 3 us more
                sock: Any = self.socket
                sock._wait(sock._read_event)
            waiting = self.rfile.peek(1)
            if waiting:
                self._header_is_here = b"\r\n\r\n" in waiting
                return True
            self.broke_off()
        except gevent.Timeout as timer:
            if timer is not self._patience:
                raise
            if self._unconfirmed():
                self._abandon()
        except OSError:
            self.note_reset()
        finally:
            self._patience.cancel()
        return False

    def _has_read_all(self) -> bool:
        """Tell whether all that was read so far belonged to the request before."""
        return (
            self._bare is not None
            and self.behind == (self.content_length or 0)
            and "HTTP_TRANSFER_ENCODING" not in self.environ
        )

    def read_requestline(self) -> Any:
        """Return the request line; one empty line before it is none (RFC 9112, section 2.2)."""
        line = super().read_requestline()
        if line == "\r\n" and self.server.strict_http:
            line = super().read_requestline()
        return line

    def read_request(self, raw_requestline: str) -> Any:
        """Parse the request, after a check of what pywsgi would let through."""
        if not self.server.strict_http:
            return super().read_request(raw_requestline)
        self.requestline = raw_requestline.removesuffix("\r\n")
        fault = find_request_line_fault(self.requestline)
        if fault is not None:
            raise ValueError(fault)
        self.command, target, self.request_version = self.requestline.split(" ")
        self.path, self._authority = split_target(target)
        headers = self.MessageClass(self.rfile)
        if not isinstance(headers, Headers):  # of a subclass
            headers = Headers(list(headers.items()))
        self.headers = headers
        length = headers.first.get("content-length")
        self.content_length = None if length is None else int(length)
        if self.content_length and self.command == "HEAD":
            raise ValueError("Content-Length in a HEAD request")
        self.close_connection = wants_close(headers, self.request_version)
        return True

    def MessageClass(self, rfile: Any, *args: Any) -> Any:  # noqa: N802 - pywsgi's name
        """Parse the header of the request; raises ValueError, which becomes a 400."""
        if not self.server.strict_http:
            return super().MessageClass(rfile, *args)
        try:
            block, self.behind = read_block(rfile)
        except OSError:
            raise ValueError("the connection broke off") from None
        # On one connection most requests have the same header: of a browser's, with ten lines,
        # the copy takes 1 us and not 12.
        known, version = self._known, self.request_version or ""
        if known is not None and known[0] == block and known[1] == version:
            return known[2].copy()
        headers = read_headers(block, version)
        if len(block) <= _MOST_KNOWN:  # idle connections are many, and keep it
            self._known = block, version, headers.copy()
        return headers

    def get_environ(self) -> dict[str, Any]:
        """Return the WSGI environment; the header is complete, so its timer ends here."""
        self.idle = False
        if self._header_timer is not None:
            self._header_timer.close()
        environ = self._strict_environ() if self.server.strict_http else super().get_environ()
        # A Unix socket tells a reset from a plain end by what was left unread.
        self.relayed = "HTTP_X_FORWARDED_FOR" in environ and isinstance(self.client_address, tuple)
        if self.server.trusted_proxies is not None:
            self.server.trusted_proxies.apply(environ)
            self._client = environ.get("REMOTE_ADDR")
        return environ

    def _strict_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = self.server.get_environ()
        path, _, query = (self.path or "").partition("?")
        environ["REQUEST_METHOD"] = self.command
        environ["SCRIPT_NAME"] = ""
        environ["PATH_INFO"] = unquote(path, "latin-1")
        environ["QUERY_STRING"] = query
        environ["SERVER_PROTOCOL"] = self.request_version
        address: Any = self.client_address
        if isinstance(address, tuple):
            environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = str(address[0]), str(address[1])
        add_headers(environ, self.headers)
        if self._authority is not None:  # it takes the place of the Host
            environ["HTTP_HOST"] = self._authority
        self._add_input(environ)
        return environ

    def _add_input(self, environ: dict[str, Any]) -> None:
        wants_go_ahead = environ.get("HTTP_EXPECT") == "100-continue"
        self.wsgi_input = environ["wsgi.input"] = StrictInput(
            self.rfile,
            self.content_length,
            self.socket if wants_go_ahead else None,
            "HTTP_TRANSFER_ENCODING" in environ,  # chunked, or it would have been refused
        )
        # Where an upgrade is asked for, pywsgi gives out the bare connection: an application
        # that does not upgrade would take the next request for the body, and then pywsgi
        # would skip the length of the body once more.
        first = self.headers.first
        environ["wsgi.input_terminated"] = not (
            first.get("connection", "").lower() == "upgrade"
            or first.get("upgrade", "").lower() == "websocket"
        )

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """Count what is no HTTP and log it, not once for each of a thousand such requests."""
        self.server.journal.failed(
            "malformed_request",
            log,
            "refused a request of %s: %.200s",
            self._peer,
            getattr(ex, "formatted_message", None) or str(ex) or type(ex).__name__,
        )
        return "400", _MALFORMED

    def _send_error_response_if_possible(self, error_code: int) -> None:
        """Answer what is wrong behind the header too; the rest of it may still be coming."""
        super()._send_error_response_if_possible(error_code)  # type: ignore[misc]  # not in the stubs
        if error_code == 400:
            self.part()  # or the close resets the connection, and our answer with it

    def run_application(self) -> None:
        """Call the application; a body of which nothing comes for too long is not waited for."""
        body = SlowBody(self.rfile, self.server.config.body_timeout, self._body_is_late)
        source: Any = self.wsgi_input
        if source.rfile is self.rfile:
            source.rfile = body
        try:
            super().run_application()
        except BodyTimeout as exc:
            if exc is not body.late:
                raise
            if not self.headers_sent:  # else the answer breaks off with the connection
                self.answer_late_body()

    def _body_is_late(self) -> None:
        self.close_connection = True
        self.server.journal.limited("body_timeout", log, "%s did not send its body", self._peer)

    def answer_late_body(self) -> None:
        """Answer 408 to a request whose body did not come; the connection ends behind it."""
        self.close_connection = True
        self.start_response(
            "408 Request Timeout", [("Content-Length", "0"), ("Connection", "close")]
        )
        self.result = []
        self.process_result()
        self.part()

    def body_is_here(self) -> bool:
        """Tell whether the whole body was read together with the header: nothing to wait for."""
        body: Any = self.wsgi_input
        # Who wants to be told to go on has to be written to first, which may take its time.
        return (
            not body.chunked_input
            and body.socket is None
            and (body.content_length or 0) <= self.behind
        )

    def ignore_body(self) -> None:
        """Leave a body unread that nobody wants, and end the connection behind the answer."""
        if self.content_length or self.environ.get("HTTP_TRANSFER_ENCODING"):
            self.close_connection = self.unread = True
            self.wsgi_input = NO_BODY

    # -- writing an answer ---------------------------------------------------------------------

    def log_request(self) -> None:
        """Write the line of the access log, where there is one."""
        if type(self.server.log) is not _NoopLog:  # it would be formatted for nobody, in 6 us
            super().log_request()

    def format_request(self) -> str:
        """Return the line of the access log: what the client sent is escaped and cut."""
        self.requestline = loggable((self.requestline or "").rstrip("\r\n"))
        peer = self.client_address
        if self._client is not None:
            self.client_address = self._client
        formatted: str = super().format_request()
        self.client_address = peer
        return formatted
