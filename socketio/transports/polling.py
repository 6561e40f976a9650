"""xhr-polling: a GET that is held until there is something to say, a POST for the other way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from gevent.hub import Waiter
from gevent.queue import Empty

from socketio.config import Settings
from socketio.errors import PayloadError
from socketio.hub import call_soon
from socketio.journal import Journal
from socketio.session.links import Delivery
from socketio.transports.base import BaseTransport, Response, error_response
from socketio.wire.message import WireMessage, to_utf8
from socketio.wire.payload import decode_payload

__all__ = ["Poll", "XHRPollingTransport"]

log = logging.getLogger("socketio.transport")

# How many POSTs of one session may wait for room, each with its body: real clients send one at a
# time, or a few behind one another.
_MOST_WAITING = 4


class Poll:
    """One held GET as a :class:`~socketio.session.links.Link`.

    It takes nothing from the session's queue before it is sure to be the only one who may.

    Args:
        name: Id of its transport.
        cut_connection: Ends the connection of the request. Must not block.
    """

    streaming = False
    dead = False
    lost = False  # what could not be written is given back
    worker = None

    def __init__(self, name: str, cut_connection: Callable[[], None]) -> None:
        self.name = name
        self.over = False
        self.delivering = False
        self._cut_connection = cut_connection
        # Not an event with a timeout: those two take 3 us more for each poll.
        self._waiter: Waiter[None] | None = None
        self._late = False

    def wake(self) -> None:
        """Something is there for the client."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            call_soon(waiter.hub, partial(waiter.switch, None))

    def flush(self) -> None:
        """Do nothing: an answer is written once."""

    def supersede(self) -> None:
        """A newer request of the client carries the session."""
        # The client asks again without having read the answer that is being written: it never will.
        self.cut()

    def cut(self) -> None:
        """End at once: an answer that is being written breaks off, another one says nothing."""
        if self.delivering:
            self._cut_connection()
        self.over = True
        self.wake()

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Block the greenlet of the request until ``ready()``, the end, or the time is up."""
        timer: Any = None
        try:
            while True:
                # Before the look: what another thread queues behind it finds somebody to wake.
                waiter = self._waiter = Waiter()
                if self.over or self._late or ready():
                    break
                if timer is None:
                    timer = gevent.get_hub().loop.timer(seconds)
                    timer.start(self._ring, update=True)
                waiter.get()
        finally:
            self._waiter = None
            if timer is not None:
                timer.stop()
                timer.close()

    def _ring(self) -> None:
        self._late = True
        self.wake()


class XHRPollingTransport(BaseTransport):
    """Section 8 of the protocol text."""

    name = "xhr-polling"

    def __init__(self, handler: Any, config: Any) -> None:
        super().__init__(handler, config)
        self.settings = Settings.read(config)
        self._taken: list[str] = []

    @property
    def journal(self) -> Journal:
        """Where what is refused is counted."""
        journal: Journal = self.handler.server.journal
        return journal

    def do_exchange(self, socket: Any, request_method: str) -> Response | None:
        """Answer a GET, POST or OPTIONS; other methods are refused with 405."""
        if request_method == "GET":
            return self.get(socket)
        if request_method == "POST":
            return self.post(socket)
        if request_method == "OPTIONS":
            return self.options()
        response = error_response("405 Method Not Allowed", "use GET, POST or OPTIONS")
        response.headers.append(("Allow", "GET, POST, OPTIONS"))
        return response

    def options(self) -> Response:
        """Answer a preflight; the handler adds the headers that depend on the origin."""
        return Response("200 OK", [("Content-Type", "text/plain; charset=UTF-8")])

    # -- to the client -------------------------------------------------------------------------

    def get(self, socket: Any) -> Response | None:
        """Answer a poll: at once when something is queued, else when it is, else with a noop.

        Blocks up to the polling duration. The first GET of a session is answered with the
        greeting alone; one of an ended session gets what that still has to say, or is refused.
        """
        poll = Poll(self.name, self.handler.shutdown_connection)
        too_late = not socket.state.live
        socket._attach(poll)
        if socket._establish():
            self._taken = [socket.dialect.greeting]
            self.handler.start_application(socket)
            return self._answer(socket, poll, to_utf8(socket.dialect.greeting))
        try:
            payload = self._await_payload(socket, poll)
        except BaseException:  # an override of the application's failed, or we were killed
            socket._give_back(self._taken)
            socket._detach(poll)
            raise
        if not payload and too_late and not poll.over:
            socket._detach(poll)
            return self.refuse_session("GET")
        return self._answer(socket, poll, payload or to_utf8(socket.dialect.noop))

    def _await_payload(self, socket: Any, poll: Poll) -> bytes:
        def ready() -> bool:
            may_take: bool = socket._may_take(poll)
            return may_take and bool(socket.client_queue.qsize() or not socket.state.live)

        poll.wait(ready, self.settings.poll_seconds)
        # A client that went away keeps its packets, for its next poll.
        if not socket._may_take(poll) or self.handler.peer_is_gone():
            return b""
        return self.get_messages_payload(socket, timeout=0)

    def _answer(self, socket: Any, poll: Poll, payload: bytes) -> Response:
        taken, handler = self._taken, self.handler
        poll.delivering = True
        self.journal.packets_sent += len(taken)
        body = self.dress(payload)
        self.journal.bytes_sent += len(body)

        def done(delivered: bool) -> None:
            poll.delivering = False
            if not delivered:
                socket._give_back(taken)
            elif taken:
                socket._delivery = Delivery(taken, handler.broke_off)
            socket._detach(poll)

        return Response("200 OK", self.response_headers(), body, done)

    def dress(self, payload: bytes) -> bytes:
        """Return the body of the answer that carries ``payload``: here, just that."""
        return payload

    def response_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the answer to a poll."""
        # The Python client of PyPI needs the charset, or it cannot cut a payload.
        return [("Content-Type", "text/plain; charset=UTF-8"), ("Connection", "Keep-Alive")]

    def get_messages_payload(self, socket: Any, timeout: float | None = None) -> bytes:
        """Take everything queued for the client and return it as one body; b"" if there is nothing.

        Args:
            socket: The session.
            timeout: Seconds to wait for the first packet; None waits for ever.
        """
        try:
            messages = socket.get_multiple_client_msgs(timeout=timeout)
        except Empty:
            messages = []
        self._taken = [text for text in messages if text is not None]
        return self.encode_payload(self._taken) if self._taken else b""

    def encode_payload(self, messages: list[str]) -> bytes:
        """Return the body that carries ``messages``: nothing, the one bare, or all framed."""
        if len(messages) == 1:
            return to_utf8(messages[0])
        return b"".join(
            [
                (text if isinstance(text, WireMessage) else WireMessage(text)).part
                for text in messages
            ]
        )

    # -- from the client -----------------------------------------------------------------------

    def post(self, socket: Any) -> Response | None:
        """Queue the packets of the request for the receiver, all of them or none.

        Blocks until the body is here, and while the session has too much to do already.
        """
        if socket.server_queue.waiting >= _MOST_WAITING:
            return self._no_room(socket, close=True)  # its body is not worth reading
        body = self.read_body()
        if isinstance(body, Response):
            return body
        self.journal.bytes_received += len(body)
        if socket.server_queue.waiting >= _MOST_WAITING:  # others came while the body did
            return self._no_room(socket)
        try:
            messages = self.decode_payload(self.undress(body))
        except PayloadError as exc:
            return self._refuse_payload(socket, exc)
        limits = self.settings
        if not socket.server_queue.wait_for_room(
            limits.max_inbound_packets, limits.max_inbound_size, limits.body_timeout
        ):
            return self._no_room(socket)
        if not socket.state.live:
            return self.refuse_session("POST")
        for message in messages:
            socket.put_server_msg(message)
        return Response("200 OK", [("Content-Type", "text/plain; charset=UTF-8")], b"1")

    def _no_room(self, socket: Any, *, close: bool = False) -> Response:
        # What it had to wait for is counted already.
        self.journal.tell(log, "no room", "session %s: a POST found no room", socket.short_id)
        response = error_response(
            "503 Service Unavailable", "too many packets are waiting", close=close
        )
        response.headers.append(("Retry-After", "1"))
        return response

    def _refuse_payload(self, socket: Any, why: PayloadError) -> Response:
        text = "session %s: refused a payload: %s"
        if why.limit is not None:
            self.journal.limited(why.limit, log, text, socket.short_id, why)
        else:
            self.journal.failed("malformed_payload", log, text, socket.short_id, why)
        return error_response("400 Bad Request", f"malformed payload: {why}")

    def undress(self, body: bytes) -> bytes | str:
        """Return the payload in the body of a POST: here, just that.

        Raises:
            PayloadError: There is none in it.
        """
        return body

    def decode_payload(self, payload: bytes | str) -> list[str]:
        """Return the packets in the body of a POST.

        Raises:
            PayloadError: Not UTF-8, empty, malformed, or over the limit.
        """
        try:
            text = payload.decode() if isinstance(payload, bytes) else payload
        except UnicodeDecodeError:
            raise PayloadError("not UTF-8") from None
        return decode_payload(text, self.settings.max_payload_packets)

    def read_body(self) -> bytes | Response:
        """Return the whole body of the request, or the answer that refuses it."""
        most = self.settings.max_body_size
        environ = self.handler.environ
        if int(environ.get("CONTENT_LENGTH") or 0) > most:
            return self._too_large(most)
        source, body = environ["wsgi.input"], None
        try:
            if self.handler.body_is_here():
                return self._in_bounds(source.read(most + 1))
            with gevent.Timeout(self.settings.body_timeout, False):  # type: ignore[arg-type]  # stubs: False is allowed
                body = source.read(most + 1)
        except OSError:
            return error_response("400 Bad Request", "the body broke off", close=True)
        if body is None:
            self.journal.limited("body_timeout", log, "a body did not come in time")
            return error_response("408 Request Timeout", "the body did not come", close=True)
        return self._in_bounds(body)

    def _in_bounds(self, body: bytes) -> bytes | Response:
        most = self.settings.max_body_size
        return self._too_large(most) if len(body) > most else body

    def _too_large(self, most: int) -> Response:
        self.journal.limited("max_body_size", log, "refused a body of more than %d bytes", most)
        return error_response("413 Content Too Large", f"a body may have {most} bytes", close=True)
