"""WebSocket sessions at their edges, with frames that no good client sends."""

from __future__ import annotations

import contextlib
import re
import socket as stdsocket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket as gsocket
from gevent.event import Event
from gevent.queue import Empty
from geventwebsocket.handler import WebSocketHandler as PlainHandler
from geventwebsocket.websocket import WebSocket as PlainWebSocket

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer
from socketio.virtsocket import Socket
from tests.client import (
    Connection,
    PollingClient,
    Recorder,
    WebSocketClient,
    event,
    fetch,
    handshake,
    serving,
    wait_for,
)
from tests.unit.websocket.frames import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    Peer,
    close_frame,
    fragments,
    frame,
    text,
)
from tests.unit.websocket.handshakes import ACCEPT, BAD, GOOD, upgrade

GREETING = b"\x81\x031::"


class Root(BaseNamespace, BroadcastMixin):
    """Echoes events, records messages."""

    record: Recorder

    def on_echo(self, value: Any) -> Any:
        return value

    def recv_message(self, data: str) -> None:
        self.record(data)

    def recv_connect(self) -> None:
        self.record("connect")

    def recv_disconnect(self) -> None:
        self.record("disconnect")


class Stage:
    """A server, what its handlers saw, and the raw clients of a test."""

    def __init__(self, server: SocketIOServer, record: Recorder) -> None:
        self.server = server
        self.record = record
        self._clients: list[Any] = []

    def dial(self, *data: bytes) -> Peer:
        """Open a TCP connection and send ``data``."""
        peer = Peer(gsocket.create_connection(("127.0.0.1", self.server.server_port)))
        self._clients.append(peer)
        peer.send(*data)
        return peer

    def url(self, sessid: str | None = None) -> str:
        return f"/socket.io/1/websocket/{sessid or handshake(self.server)}"

    def connect(self, sessid: str | None = None) -> tuple[Peer, Any]:
        """Upgrade and read the greeting; return the raw client and its session."""
        sessid = sessid or handshake(self.server)
        peer = self.dial(upgrade(target=self.url(sessid)))
        assert " 101 " in peer.read_head()
        assert peer.read(5) == GREETING
        return peer, self.server.sockets[sessid]

    def client(self) -> WebSocketClient:
        """Return a good client that has read the greeting."""
        client = WebSocketClient(self.server)
        self._clients.append(client)
        return client.open()

    def polling(self, sessid: str | None = None) -> PollingClient:
        """Return a client that polls, for a new session or one there is."""
        client = PollingClient(self.server, sessid)
        self._clients.append(client)
        return client

    def connection(self) -> Connection:
        """Return a connection for HTTP requests."""
        self._clients.append(Connection(self.server))
        return self._clients[-1]

    def hang_up(self) -> None:
        for client in self._clients:
            client.close()


@contextlib.contextmanager
def stage(app: Any = None, **kw: Any) -> Iterator[Stage]:
    record = Recorder()
    root = type("RootHere", (Root,), {"record": record})
    with serving(app or {"": root, "/chat": root}, **kw) as server:
        on = Stage(server, record)
        try:
            yield on
        finally:
            on.hang_up()


@pytest.fixture(params=["ours", "plain"])
def handler_class(request: pytest.FixtureRequest) -> Any:
    """Our WebSocketHandler, and one that an application brings along."""
    return PlainHandler if request.param == "plain" else None


def works(peer: Peer) -> bool:
    """Tell whether the session still answers."""
    peer.send(text(event("echo", "still here", msgid="7+")))
    return peer.read_text() == '6:::7+["still here"]'


def has_ended(socket: Any, reason: str) -> bool:
    wait_for(lambda: socket.state == "DISCONNECTED", f"{socket!r} is over")
    return socket.disconnect_reason == reason


# -- the upgrade (section 12) ----------------------------------------------------------------------


@pytest.mark.parametrize("case", GOOD)
def test_a_good_upgrade_gets_the_101_of_the_protocol_and_the_greeting(case: str) -> None:
    with stage() as on:
        peer = on.dial(upgrade(target=on.url() + "/?token=x", **GOOD[case]))
        assert peer.read_head() == (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        )
        assert peer.read(5) == GREETING
        assert works(peer)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_upgrade_is_refused_and_the_session_can_still_be_opened(case: str) -> None:
    with stage() as on:
        url = on.url()
        peer = on.dial(upgrade(target=url, **BAD[case]))
        head = peer.read_head()
        assert head.startswith(("HTTP/1.1 400 ", "HTTP/1.1 405 ", "HTTP/1.1 426 ")), head
        length = re.search(r"\r\nContent-Length: ([0-9]+)\r\n", head)
        assert length
        if BAD[case].get("method") != "HEAD":
            assert peer.read(int(length[1]))
        assert peer.at_end()
        socket = on.server.sockets[url.split("/")[-1]]
        assert socket.state == "NEW"
        assert works(on.connect(socket.sessid)[0])


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://h.evil.example", ""])
def test_an_upgrade_of_a_foreign_origin_is_refused_before_the_101(origin: str) -> None:
    with stage() as on:
        url = on.url()
        for name in ("Origin", "Sec_WebSocket_Origin"):
            if name == "Sec_WebSocket_Origin" and not origin:
                continue
            version = "13" if name == "Origin" else "8"
            changes = {name: origin, "Sec_WebSocket_Version": version}
            peer = on.dial(upgrade(target=url, **changes))
            assert peer.read_head().startswith("HTTP/1.1 403 "), name
        assert on.server.sockets[url.split("/")[-1]].state == "NEW"


def test_an_upgrade_of_the_own_origin_is_let_in() -> None:
    with stage() as on:
        peer = on.dial(upgrade(target=on.url(), Origin="http://h"))
        assert " 101 " in peer.read_head()
        assert peer.read(5) == GREETING


@pytest.mark.parametrize("sessid", ["nosuch", "1" * 40, "%00", "x" * 2000])
def test_an_upgrade_for_an_unknown_session_is_a_400(sessid: str) -> None:
    with stage() as on:
        peer = on.dial(upgrade(target=on.url(sessid)))
        assert peer.read_head().startswith("HTTP/1.1 400 ")


def test_an_upgrade_for_a_session_that_is_ending_is_a_400() -> None:
    with stage() as on:
        client = on.polling().open()
        socket = on.server.sockets[client.sessid]
        socket.disconnect()  # between two polls: the farewell waits for the next poll
        peer = on.dial(upgrade(target=on.url(client.sessid)))
        assert peer.read_head().startswith("HTTP/1.1 400 ")
        assert client.poll() == ["0::"]


# -- early bytes -----------------------------------------------------------------------------------


def test_packets_in_the_segment_of_the_upgrade_are_handled_in_order() -> None:
    with stage() as on:
        messages = [f"3:::{number}" for number in range(100)]
        peer = on.dial(upgrade(target=on.url()) + b"".join(text(m) for m in messages))
        peer.read_head()
        assert peer.read(5) == GREETING
        wait_for(lambda: len(on.record.seen) == 100)
        assert on.record.seen == [str(number) for number in range(100)]
        assert works(peer)


@pytest.mark.parametrize("size", [8_000, 9_000, 70_000, 900_000])
@pytest.mark.parametrize("cut", [None, 1, 5000])
def test_a_long_packet_that_begins_in_the_segment_of_the_upgrade_arrives_whole(
    size: int, cut: int | None
) -> None:
    with stage() as on:
        packet = text("3:::" + "y" * size)
        peer = on.dial(upgrade(target=on.url()) + packet[:cut])
        peer.read_head()
        assert peer.read(5) == GREETING
        peer.send(packet[cut:] if cut else b"", text("3:::next"))
        wait_for(lambda: len(on.record.seen) == 2)
        assert on.record.seen == ["y" * size, "next"]


def test_a_goodbye_in_the_segment_of_the_upgrade_ends_the_session() -> None:
    with stage() as on:
        url = on.url()
        socket = on.server.sockets[url.split("/")[-1]]
        peer = on.dial(upgrade(target=url) + text("3:::only this") + text("0::"))
        peer.read_head()
        assert peer.read_text() == "1::"
        assert peer.read_text() == "0::"
        assert peer.read_close() == 1000
        assert has_ended(socket, "peer_left")
        assert on.record.seen == ["only this", "disconnect"]


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_an_upgrade_or_a_frame_cut_off_at_any_byte_leaves_nothing_behind(
    how: str, handler_class: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with stage(ws_handler_class=handler_class) as on:
        bystander, other = on.connect()
        sample = upgrade(target=on.url("0" * 40)) + text("3:::\u2603") + frame(PING, b"ping")
        for length in range(len(sample)):
            sessid = handshake(on.server)
            peer = on.dial(sample.replace(b"0" * 40, sessid.encode())[:length])
            if how == "RST":
                gevent.sleep(0)
                linger = struct.pack("ii", 1, 0)
                peer.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_LINGER, linger)
            peer.close()
        wait_for(lambda: len(on.server._connections) == 1, "all but the bystander are gone")
        wait_for(lambda: all(s is other or s.state == "NEW" for s in on.server.sockets.values()))
        assert set(on.record.seen) <= {"\u2603", "disconnect"}
        assert works(bystander)
    assert "Traceback" not in "".join(capfd.readouterr())


# -- frames that end the connection ----------------------------------------------------------------

BREACHES = {
    "unmasked": (text("3:::x", masked=False), 1002),
    "reserved bit 1": (text("3:::x", rsv=4), 1002),
    "reserved bit 2": (text("3:::x", rsv=2), 1002),
    "reserved bit 3": (text("3:::x", rsv=1), 1002),
    "opcode 3": (frame(3), 1002),
    "opcode 11": (frame(11), 1002),
    "a fragmented ping": (frame(PING, fin=False), 1002),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a continuation of nothing": (frame(CONT, b"x"), 1002),
    "text inside a message": (text("3:::a", fin=False) + text("3:::b"), 1002),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close code 1005": (close_frame(1005), 1002),
    "close code 2999": (close_frame(2999), 1002),
    "invalid UTF-8": (frame(TEXT, b"3:::\xff"), 1007),
    "a surrogate": (frame(TEXT, b"3:::\xed\xa0\xbd\xed\xb8\x80"), 1007),
    "invalid UTF-8 across fragments": (
        b"".join(fragments(TEXT, [b"3:::\xe2", b"\x98", b"x"])),
        1007,
    ),
    "1 MB and a byte": (frame(TEXT, b"x" * 1_000_001), 1009),
    "1 MB and a byte in fragments": (
        b"".join(fragments(BINARY, [b"x" * 500_000, b"x" * 500_000, b"x"])),
        1009,
    ),
    "2 GB declared": (frame(TEXT, length=2**31), 1009),
    "8 EB declared": (frame(TEXT, length=2**63), 1009),
    "16 EB declared": (frame(BINARY, length=2**64 - 1), 1009),
    "1001 fragments": (b"".join(fragments(TEXT, [b""] * 1001)), 1008),
}


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_is_told_to_the_peer_and_ends_only_its_session(case: str) -> None:
    with stage() as on:
        bystander, _ = on.connect()
        peer, socket = on.connect()
        breach, code = BREACHES[case]
        peer.send(text("1::/chat"))
        assert peer.read_text() == "1::/chat"
        sender = gevent.spawn(peer.send, breach, text("3:::behind"))
        assert peer.read_close() == code
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == ["connect", "disconnect"]
        assert works(bystander)
        sender.kill()


def test_what_is_queued_for_a_peer_that_breaks_the_protocol_is_not_sent_behind_the_close() -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(text("x", masked=False))
        assert peer.read_close() == 1002
        socket.put_client_msg("3:::late")
        assert has_ended(socket, "transport_lost")


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("step", [400, 100])
def test_a_message_may_have_the_limit_of_the_server_and_not_a_byte_more(
    over: int, step: int
) -> None:
    with stage(max_message_size=300) as on:
        peer, socket = on.connect()
        data = b"3:::" + b"x" * (296 + over)
        peer.send(*fragments(TEXT, [data[at : at + step] for at in range(0, len(data), step)]))
        if over:
            assert peer.read_close() == 1009
            assert has_ended(socket, "transport_lost")
        else:
            assert works(peer)
        assert on.record.seen == ([] if over else ["x" * 296])


# -- frames that do not ----------------------------------------------------------------------------


def test_fragments_with_control_frames_between_them_make_one_packet() -> None:
    with stage() as on:
        peer, _ = on.connect()
        data = "3:::a\u2603\U0001f600z".encode()
        parts = fragments(TEXT, [data[at : at + 1] for at in range(len(data))])
        mixed = [piece for part in parts for piece in (part, frame(PING, b"p"), frame(PONG, b"q"))]
        peer.send(*mixed)
        for _ in parts:
            assert peer.read_frame() == (PONG, b"p")
        wait_for(lambda: on.record.seen == ["a\u2603\U0001f600z"])
        assert works(peer)


def test_binary_frames_and_empty_texts_mean_nothing() -> None:
    with stage() as on:
        peer, _ = on.connect()
        peer.send(
            frame(BINARY, b"3:::binary"),
            frame(BINARY, b"\xff\xfe"),
            *fragments(BINARY, [b"3:::", b"\xff", b""]),
            text(""),
            *fragments(TEXT, [b"", b""]),
            frame(BINARY),
        )
        assert works(peer)
        assert on.record.seen == []


def test_a_payload_of_polling_in_a_frame_is_no_packet() -> None:
    with stage() as on:
        peer, _ = on.connect()
        peer.send(text("\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b"))
        assert '"invalid_packet"' in peer.read_text()
        assert works(peer)
        assert on.record.seen == []


def test_pings_are_answered_beside_the_packets() -> None:
    with stage() as on:
        peer, _ = on.connect()
        peer.send(frame(PING, b"\x00\xff" * 62), frame(PING))
        assert peer.read_frame() == (PONG, b"\x00\xff" * 62)
        assert peer.read(2) == b"\x8a\x00"
        assert works(peer)


def test_a_flood_of_pings_without_reading_leaves_the_session_working() -> None:
    with stage() as on:
        peer, socket = on.connect()
        for _ in range(100):
            peer.send(*[frame(PING, b"x" * 125)] * 200)
            gevent.sleep(0)
        peer.send(text("3:::done"))
        wait_for(lambda: on.record.seen == ["done"])
        peer.send(text(event("echo", 1, msgid="7+")))
        while (got := peer.read_frame()) == (PONG, b"x" * 125):
            pass
        assert got == (TEXT, b"6:::7+[1]")
        assert socket.connected


SIZES = [125, 126, 127, 65_535, 65_536, 65_537, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_frames_of_every_length_are_read_and_written_in_the_shortest_form(size: int) -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(text("3:::" + "x" * (size - 4)))
        wait_for(lambda: on.record.seen == ["x" * (size - 4)])
        socket[""].send("y" * (size - 4))
        if size < 126:
            header = bytes([0x81, size])
        elif size < 65_536:
            header = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            header = b"\x81\x7f" + size.to_bytes(8, "big")
        assert peer.read(len(header)) == header
        assert peer.read(size) == b"3:::" + b"y" * (size - 4)


def test_what_is_no_unicode_is_replaced_or_escaped_and_the_writer_goes_on() -> None:
    with stage() as on:
        peer, socket = on.connect()
        assert works(peer)
        ns = socket[""]
        ns.send("a\ud83db")
        ns.send("\udc00")
        ns.emit("x", "a\ud83db")
        ns.emit("y", "\ud83d\ude00")
        socket.put_client_msg("3:::\udfff")
        assert [peer.read_text() for _ in range(5)] == [
            "3:::a\ufffdb",
            "3:::\ufffd",
            '5:::{"args":["a\\ud83db"],"name":"x"}',
            '5:::{"args":["\\ud83d\\ude00"],"name":"y"}',
            "3:::\ufffd",
        ]
        assert works(peer)


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, 3000, 4999])
def test_a_close_frame_is_echoed_and_ends_the_session_once(code: int | None) -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(text("1::/chat"))
        assert peer.read_text() == "1::/chat"
        peer.send(close_frame(code, b"bye" if code else b""))
        assert peer.read_close() == code
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == ["connect", "disconnect"]


@pytest.mark.parametrize("together", [True, False])
def test_a_client_that_says_goodbye_and_closes_has_left_and_was_not_lost(together: bool) -> None:
    # That is how the reference client disconnects: 0::, a close frame and FIN, all at once.
    with stage() as on:
        peer, socket = on.connect()
        peer.send(text("1::/chat"))
        assert peer.read_text() == "1::/chat"
        if together:
            peer.send(text("0::") + close_frame(1000))
            peer.sock.shutdown(stdsocket.SHUT_WR)
        else:
            peer.send(text("0::"))
            assert peer.read_text() == "0::"
            peer.send(close_frame(1000))
        assert peer.read_close() == 1000
        assert has_ended(socket, "peer_left")
        assert on.record.seen == ["connect", "disconnect"]


def test_packets_in_front_of_a_close_frame_are_handled() -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(*[text(f"3:::{number}") for number in range(50)], close_frame(1000))
        assert peer.read_close() == 1000
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == [*[str(number) for number in range(50)], "disconnect"]


def test_a_kick_says_0_and_closes_with_1000_behind_everything_queued() -> None:
    with stage() as on:
        peer, socket = on.connect()
        for number in range(500):
            socket.put_client_msg(f"3:::{number}" + "x" * 1000)
        socket.disconnect()
        for number in range(500):
            assert peer.read_text().startswith(f"3:::{number}x")
        assert peer.read_text() == "0::"
        assert peer.read_close() == 1000
        assert has_ended(socket, "kicked")


def test_packets_behind_a_goodbye_are_not_handled() -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(text("3:::one"), text("0::"), text("3:::two"), text("1::/chat"))
        assert peer.read_text() == "0::"
        assert peer.read_close() == 1000
        assert has_ended(socket, "peer_left")
        assert on.record.seen == ["one", "disconnect"]


# -- slow handlers ---------------------------------------------------------------------------------


def test_reading_stops_at_the_inbound_limit_and_goes_on_with_nothing_lost() -> None:
    gate = Event()
    seen: list[str] = []

    class Slow(BaseNamespace):
        def recv_message(self, data: str) -> None:
            gate.wait()
            seen.append(data)

    with stage({"": Slow}, max_inbound_packets=10) as on:
        client = on.client()
        socket = on.server.sockets[client.sessid]
        client.send(*[f"3:::{number}" for number in range(1000)])
        wait_for(lambda: socket.server_queue.qsize() == 10)
        on.client()  # time passes, and nothing more is read
        assert socket.server_queue.qsize() == 10
        gate.set()
        wait_for(lambda: len(seen) == 1000)
        assert seen == [str(number) for number in range(1000)]


@pytest.mark.parametrize("transport", ["websocket", "xhr-polling"])
def test_a_client_that_vanishes_from_a_busy_handler_with_a_full_inbox_is_noticed(
    transport: str,
) -> None:
    class Busy(BaseNamespace):
        def recv_message(self, data: str) -> None:
            gevent.sleep(3600)

    settings = {"heartbeat_interval": 0.05, "heartbeat_timeout": 0.3, "close_timeout": 0.3}
    with stage({"": Busy}, max_inbound_packets=10, linger_timeout=0.1, **settings) as on:
        client: Any = on.client() if transport == "websocket" else on.polling().open()
        socket = on.server.sockets[client.sessid]
        client.send(*[f"3:::{number}" for number in range(100)])
        wait_for(lambda: socket.server_queue.qsize() >= 10)
        client.close()
        reason = "heartbeat_timeout" if transport == "websocket" else "close_timeout"
        assert has_ended(socket, reason)
        wait_for(lambda: not on.server._connections)


# -- slow peers ------------------------------------------------------------------------------------


def narrow(peer: Peer) -> None:
    """Keep the peer's window small, so that the server has to wait for it."""
    peer.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 262_144)


def test_a_slow_reader_gets_everything_in_order() -> None:
    with stage() as on:
        peer, socket = on.connect()
        narrow(peer)
        for number in range(6000):
            socket.put_client_msg(f"3:::{number}:" + "x" * 1000)
        wait_for(lambda: 0 < socket.client_queue.qsize() < 6000, "the kernel takes no more")
        peer.send(frame(PING, b"overtakes what is queued, not what is half written"))
        for number in range(6000):
            opcode, payload = peer.read_frame()
            if opcode == PONG:
                opcode, payload = peer.read_frame()
            assert payload.startswith(b"3:::%d:x" % number)
        assert works(peer)


def test_a_peer_that_stops_reading_is_cut_at_the_write_timeout_and_harms_nobody() -> None:
    with stage(write_timeout=0.3) as on:
        bystander, _ = on.connect()
        peer, socket = on.connect()
        peer.send(text("1::/chat"))
        assert peer.read_text() == "1::/chat"
        narrow(peer)
        for _ in range(75):
            socket.put_client_msg("3:::" + "x" * 100_000)
        assert works(bystander)
        assert has_ended(socket, "transport_lost")
        assert on.record.seen == ["connect", "disconnect"]
        assert works(bystander)


def test_more_than_the_outbound_limit_ends_the_session_of_a_peer_that_does_not_read() -> None:
    with stage(max_outbound_size=5_000_000) as on:
        peer, socket = on.connect()
        narrow(peer)
        while socket.state.live:
            socket.put_client_msg("3:::" + "x" * 100_000)
            gevent.sleep(0)
        assert has_ended(socket, "slow_peer")


# -- an application's own WebSocketHandler ---------------------------------------------------------


def test_both_handlers_carry_a_session(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        client = on.client()
        client.send("3:::early", "1::/chat", event("echo", "\u2603\U0001f600", msgid="1+"))
        assert client.recv() == "1::/chat"
        assert client.recv() == '6:::1+["\\u2603\\ud83d\\ude00"]'
        socket = on.server.sockets[client.sessid]
        for number in range(500):
            socket["/chat"].emit("n", number)
        for number in range(500):
            assert client.recv() == f'5::/chat:{{"args":[{number}],"name":"n"}}'
        socket[""].send("\u2603" * 70_000)
        assert client.recv() == "3:::" + "\u2603" * 70_000
        assert on.record.seen == ["early", "connect"]
        client.send("0::")
        assert client.recv() == "0::"
        assert has_ended(socket, "peer_left")
        assert on.record.seen == ["early", "connect", "disconnect", "disconnect"]


def client_closes(on: Stage, client: WebSocketClient) -> None:
    client.core.send_close(1000)
    client._flush()


def client_vanishes(on: Stage, client: WebSocketClient) -> None:
    client.close()


def client_asks_for_disconnect(on: Stage, client: WebSocketClient) -> None:
    assert fetch(on.server, "GET", f"/socket.io/1//{client.sessid}/?disconnect=1").status == 200
    assert client.recv() == "0::"


def server_kicks(on: Stage, client: WebSocketClient) -> None:
    on.server.sockets[client.sessid].disconnect()
    assert client.recv() == "0::"


def server_kills(on: Stage, client: WebSocketClient) -> None:
    on.server.sockets[client.sessid].kill()


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (client_closes, "transport_lost"),
        (client_vanishes, "transport_lost"),
        (client_asks_for_disconnect, "peer_left"),
        (server_kicks, "kicked"),
        (server_kills, "killed"),
    ],
)
def test_both_handlers_end_a_session_once(
    handler_class: Any, end: Callable[[Stage, WebSocketClient], None], reason: str
) -> None:
    with stage(ws_handler_class=handler_class) as on:
        client = on.client()
        client.send("1::/chat")
        assert client.recv() == "1::/chat"
        socket = on.server.sockets[client.sessid]
        end(on, client)
        assert has_ended(socket, reason)
        assert on.record.seen == ["connect", "disconnect"]
        if end is not client_vanishes:
            with pytest.raises(EOFError):
                client.recv()
        wait_for(lambda: not on.server._connections)


def test_both_handlers_close_their_connections_when_the_server_stops(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        client = on.client()
        socket = on.server.sockets[client.sessid]
        on.server.stop(timeout=5)
        assert socket.disconnect_reason == "server_stopping"
        with pytest.raises(EOFError):
            client.recv()


def test_the_handler_of_the_application_makes_its_own_websockets() -> None:
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.websocket"])
        socketio_manage(environ, {"": BaseNamespace})
        return []

    with stage(app, ws_handler_class=PlainHandler) as on:
        on.client()
        wait_for(lambda: seen)
        assert type(seen[0]) is PlainWebSocket


@pytest.mark.parametrize("case", ["no key", "a short key", "version '12'", "no version"])
def test_what_the_handler_of_the_application_refuses_is_refused(case: str) -> None:
    with stage(ws_handler_class=PlainHandler) as on:
        url = on.url()
        head = on.dial(upgrade(target=url, **BAD[case])).read_head()
        assert head.startswith(("HTTP/1.1 400 ", "HTTP/1.1 426 ")), head
        assert on.server.sockets[url.split("/")[-1]].state == "NEW"


# -- what applications override --------------------------------------------------------------------


class Shouting(Socket):
    """Changes what goes out, and takes its time; drops what it was told to."""

    def get_client_msg(self, **kwargs: Any) -> Any:
        message = super().get_client_msg(**kwargs)
        gevent.sleep(0.001)
        return message.upper() if message is not None else None


def with_sockets(server: SocketIOServer, cls: type[Socket]) -> None:
    """Replace the server's way to make sessions, as applications do."""
    original = server.get_socket

    def get_socket(sessid: str = "") -> Socket | None:
        if sessid:
            return original(sessid)
        socket = cls(server, server.config)
        server.sockets[socket.sessid] = socket
        return socket

    server.get_socket = get_socket  # type: ignore[assignment,method-assign]


def test_an_overridden_get_client_msg_sees_everything_that_goes_out(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        with_sockets(on.server, Shouting)
        client = on.client()
        socket = on.server.sockets[client.sessid]
        assert type(socket) is Shouting
        for number in range(50):
            socket.put_client_msg(f"3:::hello {number}")
        for number in range(50):
            assert client.recv() == f"3:::HELLO {number}"
        client.send(event("echo", "quiet", msgid="1+"))
        assert client.recv() == '6:::1+["QUIET"]'
        client.send("0::")
        assert client.recv() == "0::"
        assert has_ended(socket, "peer_left")


class Hesitating(Socket):
    """Keeps every message back once before it hands it out."""

    hesitated = False

    def get_client_msg(self, **kwargs: Any) -> Any:
        self.hesitated = not self.hesitated
        if self.hesitated:
            gevent.spawn(self._link.wake)
            raise Empty
        return super().get_client_msg(**kwargs)


def test_an_overridden_get_client_msg_may_keep_something_back(handler_class: Any) -> None:
    with stage(ws_handler_class=handler_class) as on:
        with_sockets(on.server, Hesitating)
        client = on.client()
        socket = on.server.sockets[client.sessid]
        for number in range(10):
            socket.put_client_msg(f"3:::{number}")
        for number in range(10):
            assert client.recv() == f"3:::{number}"


def test_an_overridden_get_client_msg_sees_what_a_poll_takes() -> None:
    with stage() as on:
        with_sockets(on.server, Shouting)
        client = on.polling().open()
        socket = on.server.sockets[client.sessid]
        socket.put_client_msg("3:::one")
        socket.put_client_msg("3:::two")
        assert client.poll() == ["3:::ONE", "3:::TWO"]


def test_overridden_put_methods_see_every_packet_both_ways() -> None:
    seen: list[tuple[str, str]] = []

    class Watching(Socket):
        def put_client_msg(self, msg: str | None) -> None:
            seen.append(("out", str(msg)))
            super().put_client_msg(msg)

        def put_server_msg(self, msg: str | None) -> None:
            seen.append(("in", str(msg)))
            super().put_server_msg(msg)

    with stage() as on:
        with_sockets(on.server, Watching)
        client = on.client()
        client.send("1::/chat", event("echo", 1, endpoint="/chat", msgid="1+"))
        assert [client.recv(), client.recv()] == ["1::/chat", "6::/chat:1+[1]"]
        assert [text for way, text in seen if way == "out"] == ["1::/chat", "6::/chat:1+[1]"]
        assert next(text for way, text in seen if way == "in") == "1::/chat"


def test_the_view_of_a_session_has_a_websocket_in_its_environ() -> None:
    record = Recorder()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ws = environ["wsgi.websocket"]
        record(ws.closed, callable(ws.send), callable(ws.receive), callable(ws.close))
        record("HTTP_UPGRADE" in environ)
        ws.send("3:::straight from the view")
        socketio_manage(environ, {"": BaseNamespace})
        record(ws.closed)
        return []

    with stage(app) as on:
        client = on.client()
        assert client.recv() == "3:::straight from the view"
        client.send("0::")
        assert client.recv() == "0::"
        client.close()
        wait_for(lambda: len(record.seen) == 3)
        assert record.seen == [(False, True, True, True), False, True]


# -- one session, several transports (F45) ---------------------------------------------------------


def test_a_poll_takes_a_session_over_from_its_websocket() -> None:
    with stage() as on:
        peer, socket = on.connect()
        polling = on.polling(socket.sessid)
        poll = polling.start_poll()
        assert peer.read_close() == 1000
        socket.put_client_msg("3:::for the poll")
        assert poll.read_answer().text == "3:::for the poll"
        polling.send(event("echo", 1, msgid="1+"))
        assert polling.recv() == "6:::1+[1]"
        assert socket.connected
        assert "disconnect" not in on.record.seen


def test_a_websocket_takes_a_session_over_from_its_poll_without_another_greeting() -> None:
    with stage() as on:
        polling = on.polling().open()
        socket = on.server.sockets[polling.sessid]
        poll = polling.start_poll()
        wait_for(lambda: socket.transport)
        peer = on.dial(upgrade(target=on.url(polling.sessid)))
        assert " 101 " in peer.read_head()
        assert poll.read_answer().text == "8::"
        socket.put_client_msg("3:::for the websocket")
        assert peer.read_text() == "3:::for the websocket"
        assert works(peer)


def test_a_websocket_between_two_polls_gets_what_is_queued_one_frame_each() -> None:
    with stage() as on:
        polling = on.polling().open()
        socket = on.server.sockets[polling.sessid]
        for number in range(10):
            socket.put_client_msg(f"3:::{number}")
        peer = on.dial(upgrade(target=on.url(polling.sessid)))
        peer.read_head()
        assert [peer.read_text() for _ in range(10)] == [f"3:::{number}" for number in range(10)]


def test_a_post_works_beside_a_websocket() -> None:
    with stage() as on:
        peer, socket = on.connect()
        polling = on.polling(socket.sessid)
        polling.send("3:::posted", event("echo", 2, msgid="2+"))
        assert peer.read_text() == "6:::2+[2]"
        assert on.record.seen == ["posted"]
        assert works(peer)


def test_nothing_is_lost_or_repeated_while_a_session_changes_its_transport() -> None:
    with stage() as on:
        polling = on.polling().open()
        socket = on.server.sockets[polling.sessid]
        got: list[str] = []
        for turn in range(25):
            peer = on.dial(upgrade(target=on.url(polling.sessid)))
            peer.read_head()
            for number in range(4):
                socket.put_client_msg(f"3:::{turn}.{number}")
                if number == 1:
                    got += [peer.read_text() for _ in range(2)]
            hits = socket.hits
            poll = polling.start_poll()
            wait_for(lambda before=hits: socket.hits > before)
            while True:
                opcode, payload = peer.read_frame()
                if opcode == CLOSE:
                    break
                got.append(payload.decode())
            socket.put_client_msg(f"3:::{turn}.4")
            answer = poll.read_answer()
            assert answer.status == 200
            got += [message for message in _messages(answer.body) if message != "8::"]
            while len(got) < (turn + 1) * 5:
                got += [message for message in polling.poll() if message != "8::"]
        assert got == [f"3:::{turn}.{number}" for turn in range(25) for number in range(5)]


def _messages(body: bytes) -> list[str]:
    parts = re.split("\ufffd[0-9]+\ufffd", body.decode())
    return [part for part in parts if part]


def test_a_second_websocket_gets_no_greeting_and_all_that_is_queued_from_then_on() -> None:
    with stage() as on:
        first, socket = on.connect()
        assert works(first)
        second = on.dial(upgrade(target=on.url(socket.sessid)))
        assert " 101 " in second.read_head()
        for number in range(10):
            socket.put_client_msg(f"3:::{number}")
        assert first.read_close() == 1000
        assert [second.read_text() for _ in range(10)] == [f"3:::{number}" for number in range(10)]
        assert works(second)
        assert on.record.seen == []


def test_the_close_of_an_older_websocket_does_not_end_the_session() -> None:
    with stage() as on:
        first, socket = on.connect()
        second = on.dial(upgrade(target=on.url(socket.sessid)))
        second.read_head()
        assert first.read_close() == 1000
        first.send(close_frame(1000))
        first.close()
        assert works(second)
        assert socket.connected


def test_a_websocket_connection_serves_no_further_requests() -> None:
    with stage() as on:
        peer, socket = on.connect()
        peer.send(close_frame(1000), b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n")
        assert peer.read_close() == 1000
        assert has_ended(socket, "transport_lost")


def test_a_websocket_may_follow_other_requests_on_its_connection() -> None:
    with stage() as on:
        connection = on.connection()
        sessid = connection.request("GET", "/socket.io/1/").text.split(":")[0]
        assert connection.request("GET", "/page").text == "the application's page"
        connection.send_raw(upgrade(target=on.url(sessid)))
        assert connection.read_answer().status == 101
        peer = Peer(connection.sock)
        peer._buffer = connection._buffer
        assert peer.read(5) == GREETING
        assert works(peer)
