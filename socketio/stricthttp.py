"""What we change in gevent's reading of HTTP: bounds on time and size, and a strict grammar.

It holds for every request of the server, the application's own included.
"""

from __future__ import annotations

import errno
import io
import logging
import re
import struct
import time
from typing import TYPE_CHECKING, Any

import gevent
import gevent.socket
from gevent.pywsgi import Input, WSGIHandler

from socketio.slowbody import BodyTimeout, SlowBody
from socketio.strictbody import StrictInput
from socketio.tcp import Peer, look_at_peer, unacknowledged
from socketio.wire.httpcheck import find_header_fault, find_request_line_fault, split_target

if TYPE_CHECKING:
    from socketio.server import SocketIOServer

__all__ = ["StrictHTTPHandler"]

log = logging.getLogger("socketio.handler")

_MAX_HEADER_BLOCK = 65536
_MAX_HEADERS = 100
# A session id is a credential: 40 digits, of which a log needs the first.
_SESSID = re.compile(r"(?<!\d)(\d{6})\d{34}(?!\d)", re.ASCII)
_MOST_LOGGED = 1000
# How long, and how much, we still listen to a client whose request was refused half-way: without
# it the close resets the connection and our answer with it.
_PARTING_SECONDS = 1
_PARTING_BYTES = 1 << 24


# SO_LINGER: close at once, and drop what is not delivered.
_RESET = struct.pack("ii", 1, 0)
_MALFORMED = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 11\r\n\r\nBad Request"
)
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class StrictHTTPHandler(WSGIHandler):
    """Reads the requests of one connection, in the greenlet of the connection.

    .. versionadded:: 1.0
    """

    server: SocketIOServer
    environ: dict[str, Any]
    application: Any
    result: Any
    # EBADF: cut by us while it was written to.
    ignored_socket_errors = (*WSGIHandler.ignored_socket_errors, errno.ETIMEDOUT, errno.EBADF)

    idle = False
    """Whether the connection waits for its next request, or for the rest of its header."""
    unread = False
    """Whether a body may still be coming that was not read."""
    broken = False
    """Whether the client ended the connection before it had all that we wrote."""
    _half_closed = False
    _header_timer: Any = None
    _authority: str | None = None

    # -- reading a request ---------------------------------------------------------------------

    def handle_one_request(self) -> Any:
        """Serve one request; as in pywsgi, with a bound on the time its header may take."""
        if self.server.stopping or not self._next_request_came():
            return None
        self.requestline, self.response_length = "", 0  # not those of the request before
        self._header_timer = gevent.Timeout.start_new(self.server.config.header_timeout)
        try:
            result = super().handle_one_request()
        except gevent.Timeout as timer:
            if timer is not self._header_timer:
                raise
            self.server.journal.limited(
                "header_timeout", log, "a request of %s did not send its header", self._peer
            )
            result = ("408 Request Timeout", _TIMED_OUT)
        finally:
            self.idle = False
            self._header_timer.close()
        if isinstance(result, tuple):  # pywsgi would close at once, and reset its own answer
            self._refuse(*result)
            return None
        return result

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
        # What is there already is read without waiting: others have their turn between requests.
        gevent.sleep(0)
        if self.server.stopping:
            return False
        self.idle = True
        try:
            with gevent.Timeout(self.server.config.keepalive_timeout, False):  # type: ignore[arg-type]  # stubs: False is allowed
                if self.rfile.peek(1):
                    return True
                self.broke_off()
                return False
            if self._unconfirmed():
                self._abandon()
        except OSError:
            self.broken = True
        return False

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
        fault = find_request_line_fault(raw_requestline.removesuffix("\r\n"))
        if fault is not None:
            raise ValueError(fault)
        result = super().read_request(raw_requestline)
        self.path, self._authority = split_target(self.path or "")
        options = ",".join(self.headers.get_all("Connection", [])).lower().split(",")
        if "close" in [option.strip(" \t") for option in options]:
            self.close_connection = True  # pywsgi sees it only where it stands alone
        return result

    def MessageClass(self, rfile: Any, *args: Any) -> Any:  # noqa: N802 - pywsgi's name
        """Parse the header of the request; raises ValueError, which becomes a 400."""
        if not self.server.strict_http:
            return super().MessageClass(rfile, *args)
        try:
            block = _read_header_block(rfile)
        except OSError:
            raise ValueError("the connection broke off") from None
        fault = find_header_fault(block, self.request_version or "")
        if fault is not None:
            raise ValueError(fault)
        lines = block.split(b"\r\n")[:-2]
        if len(lines) > _MAX_HEADERS:
            raise ValueError("too many headers")
        # The standard library's parser goes on into the Content-Type, as if it were that of a mail,
        # which takes seconds for some. Nothing of that is asked for here.
        message = super().MessageClass(io.BytesIO(b"\r\n"), *args)
        for line in lines:
            name, _, value = line.decode("latin-1").partition(":")
            message[name] = value.strip(" \t")
        return message

    def get_environ(self) -> dict[str, Any]:
        """Return the WSGI environment; the header is complete, so its timer ends here."""
        self.idle = False
        self._header_timer.close()
        environ: dict[str, Any] = super().get_environ()
        if self.server.strict_http:
            plain: Any = self.wsgi_input
            self.wsgi_input = StrictInput(
                plain.rfile, plain.content_length, plain.socket, plain.chunked_input
            )
            # Where an upgrade is asked for, pywsgi gives out the bare connection: an application
            # that does not upgrade would take the next request for the body, and then pywsgi
            # would skip the length of the body once more.
            environ["wsgi.input"] = self.wsgi_input
            if self._authority is not None:  # it takes the place of the Host
                environ["HTTP_HOST"] = self._authority
        return environ

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

    @property
    def _peer(self) -> str:
        """Who is at the other end, for the log."""
        address: Any = self.client_address
        return str(address[0]) if isinstance(address, tuple) and address else "a client"

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

    # -- writing an answer ---------------------------------------------------------------------

    def _sendall(self, data: bytes | bytearray) -> None:
        """Write ``data``; a client that takes nothing for ``write_timeout`` seconds is given up."""
        view = memoryview(data)
        try:
            while view:
                stalled = TimeoutError(errno.ETIMEDOUT, "the client does not read")
                with gevent.Timeout(self.server.config.write_timeout, stalled):
                    view = view[self.socket.send(view) :]
        except OSError as exc:
            if isinstance(exc, TimeoutError) and exc is stalled:
                self.server.journal.limited(
                    "write_timeout", log, "%s does not read its answer", self._peer
                )
            self.status = f"socket error: {exc}"
            self.code = -abs(self.code or 0)
            raise
        self.response_length += len(data)

    def format_request(self) -> str:
        """Return the line of the access log: what the client sent is escaped and cut."""
        line = _SESSID.sub(r"\1...", (self.requestline or "").rstrip("\r\n"))
        # Cut last: one byte may make four characters.
        self.requestline = ascii(line)[1:-1][:_MOST_LOGGED]
        formatted: str = super().format_request()
        return formatted

    # -- the connection ------------------------------------------------------------------------

    def ignore_body(self) -> None:
        """Leave a body unread that nobody wants, and end the connection behind the answer."""
        if self.content_length or self.environ.get("HTTP_TRANSFER_ENCODING"):
            self.close_connection = self.unread = True
        self.wsgi_input = Input(io.BufferedReader(io.BytesIO()), 0)

    def part(self) -> None:
        """Let the client read our last answer before the connection closes; blocks, bounded."""
        try:
            self.socket.shutdown(gevent.socket.SHUT_WR)
            self._half_closed = True
            waited = 0
            while not self._hear_out():
                waited += _PARTING_SECONDS
                if not self._unconfirmed():
                    break
                if waited >= self.server.config.write_timeout:
                    self._abandon()
                    return
            self.broke_off()
        except (OSError, ValueError):
            self.broken = True

    def _hear_out(self) -> bool:
        """Read until the client ends its side; False when it takes longer than a moment."""
        left = _PARTING_BYTES
        with gevent.Timeout(_PARTING_SECONDS, False):  # type: ignore[arg-type]  # stubs: False is allowed
            while left > 0 and (data := self.socket.recv(65536)):
                left -= len(data)
            return True
        return False

    def _unconfirmed(self) -> bool:
        return unacknowledged(self.socket, half_closed=self._half_closed) > 0

    def _abandon(self) -> None:
        """Give up what the client has not taken: for good, or it would have it twice."""
        self.broken = True
        self.socket.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_LINGER, _RESET)

    def peer_is_gone(self) -> bool:
        """Tell whether the client has closed the connection while we held its request.

        Never blocks.
        """
        return look_at_peer(self.socket, half_closed=self._half_closed) is not Peer.OPEN

    def broke_off(self) -> bool:
        """Tell whether the client ended the connection before it had all that we wrote.

        May be asked at any time, from any greenlet, also after the connection; never blocks.
        """
        sock = self.__dict__.get("socket")
        if sock is not None:
            peer = look_at_peer(sock, half_closed=self._half_closed)
            self.broken = self.broken or peer is Peer.BROKEN
        return self.broken

    def shutdown_connection(self) -> None:
        """Shut the connection down both ways, which wakes whoever reads from it. Never blocks."""
        try:
            self.socket.shutdown(gevent.socket.SHUT_RDWR)
        except (OSError, AttributeError):
            log.debug("the connection was gone already")


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
