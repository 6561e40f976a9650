"""Frames that end a WebSocket session, and frames that do not."""

from __future__ import annotations

import socket as stdsocket

import gevent
import pytest

from tests.client import event, wait_for
from tests.integration.wsstage import has_ended, stage, works
from tests.unit.websocket.frames import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    close_frame,
    fragments,
    frame,
    text,
)

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
