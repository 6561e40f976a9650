"""The conversations that the protocol pages show, played against a real server, byte for byte.

``> `` is what the client sends, ``< `` what the server answers, ``>>`` and ``<<`` are bytes of a
WebSocket. ``SID`` stands for the id of the session, and U+FFFD is written as in Python. The Date
header is left out.
"""

import itertools
import re
import runpy
from pathlib import Path

import pytest

from tests.client import Connection, handshake, serving

SAMPLES = Path(__file__).parents[2] / "docs" / "samples" / "protocol"
CONVERSATIONS = sorted((SAMPLES / "conversations").glob("*.http"))
CRLF = "\r\n"


def steps_of(text):
    """Return the steps of a conversation: a mark and its lines, which belong together."""
    marked = [re.match(r"(>>|<<|>|<|#|)( ?)(.*)", line).group(1, 3) for line in text.splitlines()]
    for mark, group in itertools.groupby(marked, key=lambda line: line[0]):
        lines = [line for _mark, line in group]
        # Answers to one request, and frames, stand in one group each; comments say connections.
        if mark:
            yield mark, lines


def message(lines):
    """Return a request or an answer as it goes over the wire, without what lines cannot show."""
    end = lines.index("") if lines[0].count("HTTP/1.1") else -1
    head, body = lines[: end + 1], lines[end + 1 :]
    chunked = not head or any("chunked" in line for line in head)
    ends = CRLF if chunked else ""
    body = [re.sub(r"\{(\d+) blanks\}", lambda m: " " * int(m[1]), line) for line in body]
    return "".join(f"{line}{CRLF}" for line in head), "".join(f"{line}{ends}" for line in body)


class Player:
    """Plays one conversation; the connections are those that its comments name."""

    def __init__(self, server):
        self.server = server
        self.sessid = handshake(server)
        self.connections = {"first": Connection(server)}
        self.connection = self.connections["first"]

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def play(self, mark, lines):
        if mark == "#":
            self.choose_connection(" ".join(lines))
        elif mark in (">>", "<<"):
            self.play_bytes(mark, bytes.fromhex("".join(lines)))
        else:
            written = {"SID": self.sessid, "\\ufffd": "\ufffd"}
            head, body = message(
                [re.sub(r"SID|\\ufffd", lambda found: written[found[0]], line) for line in lines]
            )
            if mark == ">":
                self.connection.send_raw((head + body).encode())
            else:
                self.expect(head, body)

    def choose_connection(self, comment):
        name = re.search(r"on (?:the )?(\w+) connection", comment)
        if name:
            if name[1] not in self.connections:
                self.connections[name[1]] = Connection(self.server)
            self.connection = self.connections[name[1]]

    def play_bytes(self, mark, data):
        if mark == ">>":
            self.connection.send_raw(data)
        else:
            assert self.read(len(data)) == data

    def expect(self, head, body):
        """Read an answer; a handshake has an id of its own in it, which may be any."""
        if head:
            found = re.sub(r"Date: [^\r]+\r\n", "", self.read_head())
            assert found == head
        wanted = body.encode()
        found = self.read(len(wanted))
        if "Content-Type: multipart" not in head:
            found = re.sub(rb"[0-9]{40}", self.sessid.encode(), found)
        assert found == wanted

    def read_head(self):
        while b"\r\n\r\n" not in self.connection._buffer:
            self.connection._more()
        head, self.connection._buffer = self.connection._buffer.split(b"\r\n\r\n", 1)
        return head.decode() + 2 * CRLF

    def read(self, size):
        while len(self.connection._buffer) < size:
            self.connection._more()
        found, self.connection._buffer = (
            self.connection._buffer[:size],
            self.connection._buffer[size:],
        )
        return found


@pytest.fixture(scope="module")
def app():
    return runpy.run_path(str(SAMPLES / "server.py"))["app"]


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_a_conversation_goes_as_the_page_shows_it(path, app):
    with serving(app, origins=["http://chat.example"]) as server:
        player = Player(server)
        try:
            for mark, lines in steps_of(path.read_text(encoding="utf-8")):
                player.play(mark, lines)
            rest = [connection._buffer for connection in player.connections.values()]
            assert not any(rest), "the server has said more than the page shows"
        finally:
            player.close()


def test_every_transport_has_a_conversation():
    with serving({}) as server:
        shown = {path.stem for path in CONVERSATIONS}
        assert set(server.transports) - {"flashsocket"} <= shown
