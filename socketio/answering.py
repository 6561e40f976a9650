"""Answers of ours, written through pywsgi or in one piece."""

from __future__ import annotations

import time
from typing import Any

from gevent.pywsgi import WSGIHandler

from socketio.handshake import script_response
from socketio.stricthttp import StrictHTTPHandler
from socketio.transports.base import PLAIN_TEXT, Response, error_response
from socketio.wire.answer import encode_headers, encode_status, join_answer
from socketio.wire.jsonp import jsonp_script
from socketio.wire.routes import jsonp_index

__all__ = ["AnsweringHandler"]

# How an answer goes through pywsgi. A subclass that has one of these its own sees ours there too.
_WRITERS = [
    *["start_response", "process_result", "finalize_headers", "write"],
    *["_write", "_write_with_headers"],
]
_CLOSES = ("connection", b"close")
# The answers of which pywsgi knows best what they may not have.
_WITHOUT_BODY = ("204", "304")


class AnsweringHandler(StrictHTTPHandler):
    """Writes the answers to requests that are ours, in the greenlet of the connection.

    .. versionadded:: 1.0
    """

    _writes_at_once = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._writes_at_once = all(
            getattr(cls, name) is getattr(WSGIHandler, name) for name in _WRITERS
        )

    def answer(self, response: Response) -> None:
        """Write a small answer of ours through pywsgi; blocks while the client is slow."""
        headers = response.headers
        if response.close:
            self.ignore_body()
            self.close_connection = True
        if self.close_connection:
            headers = [entry for entry in headers if entry[0] != "Connection"]
            headers.append(("Connection", "close"))
        delivered = False
        try:
            if not response.status.startswith("304"):
                headers = [*headers, ("Content-Length", str(len(response.body)))]
            body = b"" if self.command == "HEAD" else response.body
            usual = not (self.headers_sent or response.status.startswith(_WITHOUT_BODY))
            if usual and self._writes_at_once:
                self._write_at_once(response.status, headers, body)
            else:
                self.start_response(response.status, headers)
                self.result = [body] if body else []
                self.process_result()
            delivered = True
        finally:
            self.result = None
            if response.done is not None:
                response.done(delivered)
        # An answer that carried packets has to arrive, or at least to be known as lost.
        if response.close or self.unread or (self.close_connection and response.done is not None):
            self.part()

    def _write_at_once(self, line: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """Write an answer in one piece; for others it looks as if pywsgi had done it in two.

        This and that the headers of all answers are the same bytes take 30 us less.
        """
        status, ends = encode_status(line), None
        if self.request_version == "HTTP/1.0":
            ends = "close" if self.close_connection else "keep-alive"
        fields = encode_headers(headers, int(time.time()), ends)
        if _CLOSES in [(field.key, field.pair[1]) for field in fields]:
            self.close_connection = True
        self.code, self.status, self._orig_status = status.code, status.encoded, line
        self.response_headers = [field.pair for field in fields]
        self.headers_sent = True
        self._sendall(join_answer(status, fields, body))

    # -- kept from the original, for transports of applications --------------------------------

    def handle_bad_request(self) -> None:
        """Answer 400 and end the connection."""
        self.answer(error_response("400 Bad Request", "bad request", close=True))

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
        headers = [PLAIN_TEXT, *self.server.origin_policy.headers(self.environ)]
        self.answer(Response("200 OK", headers, body))

    def write_jsonp_result(self, data: str | bytes, wrapper: str = "0") -> None:
        """Answer with a script that hands ``data`` to callback ``wrapper``, a number."""
        text = data.decode() if isinstance(data, bytes) else data
        index = wrapper if wrapper.isascii() and wrapper.isdigit() else "0"
        self.answer(script_response(jsonp_script(index, text)))
