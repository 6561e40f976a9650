"""Clients of jsonp-polling, htmlfile, xhr-multipart and flashsocket, as browsers of the time were.

The streaming ones read the response piece by piece: chunks are joined as they come, a script of
htmlfile runs when its element is complete, a part of xhr-multipart counts when the boundary behind
it is there.
"""

from __future__ import annotations

import json
import re
from email.parser import BytesParser
from typing import Any
from urllib.parse import urlencode

from socketio.server import SocketIOServer
from socketio.wire.payload import decode_payload, encode_payload
from tests.client import CLIENTS, Answer, Connection, PollingClient, WebSocketClient, handshake

PAGE_HEAD = "<html><body><script>var _ = function (msg) { parent.s._(msg, document); };</script>"


class JSONPClient(PollingClient):
    """Polls are scripts, posts are forms."""

    transport = "jsonp-polling"
    index = "1"

    def __init__(self, server: SocketIOServer, sessid: str | None = None) -> None:
        super().__init__(server, sessid)
        self.url = f"/{server.resource}/1/jsonp-polling/{self.sessid}?t=2&i={self.index}"

    def undress(self, text: str) -> str:
        """Return what the script ``text`` hands to our callback."""
        match = re.fullmatch(rf"io\.j\[{self.index}\]\((\".*\")\);", text, re.ASCII)
        assert match, text
        return str(json.loads(match[1]))

    def post(self, *packets: str) -> Answer:
        form = urlencode({"d": json.dumps(encode_payload(packets), ensure_ascii=False)})
        kind = "application/x-www-form-urlencoded"
        return self._post.request("POST", self.url, form.encode(), Content_Type=kind)


class Stream(Connection):
    """An endless response, taken out of its chunks as they come."""

    def open(self, target: str, **headers: str) -> dict[str, str]:
        """Send the GET and return the headers of the answer."""
        self.start("GET", target, headers={k.replace("_", "-"): v for k, v in headers.items()})
        raw = self._until(b"\r\n\r\n").decode("latin-1")
        status, *lines = raw.split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {k.lower(): v.strip() for k, v in (x.split(":", 1) for x in lines if x)}
        self.chunks: list[bytes] = []
        self.ended = False
        return self.headers

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def read_chunk(self) -> bytes:
        """Return the next piece of the response; EOFError behind the last one."""
        if self.ended:
            raise EOFError("the response has ended")
        if self.headers.get("transfer-encoding") != "chunked":
            while not self._buffer:
                self._more()
            data, self._buffer = self._buffer, b""
            return data
        size = int(self._until(b"\r\n"), 16)
        while len(self._buffer) < size + 2:
            self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size + 2 :]
        if not size:
            self.ended = True
            raise EOFError("the response has ended")
        self.chunks.append(data)
        return data


class StreamClient:
    """A session over a streaming HTTP transport: one response that stays open, and posts."""

    transport = ""

    def __init__(self, server: SocketIOServer, sessid: str | None = None) -> None:
        self.server = server
        self.sessid = sessid or handshake(server)
        self.url = f"/{server.resource}/1/{self.transport}/{self.sessid}?t=2"
        self.stream = Stream(server)
        self._post = Connection(server)
        self._received: list[str] = []
        self._text = b""

    @property
    def sock(self) -> Any:
        return self.stream.sock

    def connect(self, **headers: str) -> None:
        self.stream.open(self.url, **headers)
        assert self.stream.status == 200, self.stream.headers

    def open(self) -> Any:
        """Open the stream and read the greeting."""
        self.connect()
        assert self.recv() == "1::"
        return self

    def take(self) -> list[str]:
        """Take the packets that are complete out of ``_text``."""
        raise NotImplementedError

    def recv(self) -> str:
        """Return the next packet; EOFError when the response ends."""
        while not self._received:
            self._text += self.stream.read_chunk()
            for text in self.take():
                self._received += decode_payload(text)
        return self._received.pop(0)

    def post(self, *packets: str) -> Answer:
        return self._post.request("POST", self.url, encode_payload(packets).encode())

    def send(self, *packets: str) -> None:
        answer = self.post(*packets)
        assert (answer.status, answer.text) == (200, "1"), answer

    def close(self) -> None:
        self.stream.close()
        self._post.close()


class HTMLFileClient(StreamClient):
    """Runs the script elements of a page that never ends."""

    transport = "htmlfile"
    _head_seen = False

    def take(self) -> list[str]:
        if not self._head_seen:
            if len(self._text) < 256:
                return []
            assert self._text[:256] == PAGE_HEAD.encode().ljust(256)
            self._text, self._head_seen = self._text[256:], True
        found = []
        while match := re.match(rb"<script>_\((\".*?\")\);</script>", self._text):
            self._text = self._text[match.end() :]
            literal = match[1].decode("ascii")
            assert "/" not in literal.replace("\\/", "")
            found.append(json.loads(literal))
        assert not self._text or self._text.startswith(b"<script>"[: len(self._text)])
        return found


class MultipartClient(StreamClient):
    """Takes the parts out of a multipart/x-mixed-replace response."""

    transport = "xhr-multipart"
    _sessid_seen = False

    def take(self) -> list[str]:
        kind, boundary = self.stream.headers["content-type"].split(";boundary=")
        assert kind == "multipart/x-mixed-replace"
        mark = f"--{boundary.strip(chr(34))}\r\n".encode()
        *parts, self._text = self._text.split(mark)
        found = []
        for part in parts:
            if not part:  # in front of the first boundary
                continue
            message = BytesParser().parsebytes(part)
            assert message.get_content_type() == "text/plain"
            body = part.split(b"\r\n\r\n", 1)[1]
            assert body.endswith(b"\r\n"), part
            found.append(body[:-2].decode())
        if found and not self._sessid_seen:
            assert found.pop(0) == self.sessid
            self._sessid_seen = True
        return found


class FlashSocketClient(WebSocketClient):
    """A WebSocket under another name."""

    transport = "flashsocket"


ALL_CLIENTS: dict[str, Any] = {
    **CLIENTS,
    "flashsocket": FlashSocketClient,
    "htmlfile": HTMLFileClient,
    "jsonp-polling": JSONPClient,
    "xhr-multipart": MultipartClient,
}
"""Transport id -> client, of all six."""

EVERY = tuple(ALL_CLIENTS)
STREAMING = ("websocket", "flashsocket", "htmlfile", "xhr-multipart")
"""The transports that keep a connection open."""
WEBSOCKETS = ("websocket", "flashsocket")
POLLING = ("xhr-polling", "jsonp-polling")
