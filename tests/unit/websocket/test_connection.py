"""Our WebSocket on one end of a socket pair, every byte of the other end in the test's hands."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket as gsocket
from geventwebsocket.exceptions import WebSocketError
from geventwebsocket.websocket import WebSocket as OriginalWebSocket

from socketio.websocket.connection import WebSocket
from tests.client import wait_for

from .frames import (
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

SNOWMAN, SMILE = "\u2603", "\U0001f600"


class Ends:
    """A WebSocket and its peer."""

    def __init__(self, **kw: Any) -> None:
        self.sock, theirs = gsocket.socketpair()
        self.peer = Peer(theirs)
        self.environ: dict[str, Any] = {"PATH_INFO": "/x", "HTTP_ORIGIN": "http://o.example"}
        self.ws: Any = WebSocket(self.environ, self.sock, None, **kw)

    def receive_all(self) -> list[Any]:
        """Return the messages up to the end."""
        got = []
        while (message := self.ws.receive()) is not None:
            got.append(message)
        return got

    def close(self) -> None:
        self.sock.close()
        self.peer.close()


@pytest.fixture
def ends() -> Iterator[Callable[..., Ends]]:
    made: list[Ends] = []

    def make(**kw: Any) -> Ends:
        made.append(Ends(**kw))
        return made[-1]

    yield make
    for one in made:
        one.close()


# -- receiving -------------------------------------------------------------------------------------

MESSAGES = ["", "x", SNOWMAN, SMILE * 3, "a\nb\0c\u2028", "x" * 125, "x" * 126, "x" * 65_535]
MESSAGES += ["x" * 65_536, SMILE * 100_000, "\ufeffbom", "\ufffd\uffff"]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: f"{m[:8]!a}x{len(m)}")
def test_a_text_frame_is_received_as_str_and_a_binary_one_as_bytes(ends: Any, message: str) -> None:
    on = ends()
    data = message.encode()
    sender = gevent.spawn(on.peer.send, text(message), frame(BINARY, data), close_frame(1000))
    assert on.receive_all() == [message, data]
    sender.join()


def test_bytes_that_come_one_by_one_make_the_same_messages(ends: Any) -> None:
    on = ends()
    wire = text("one") + text(SMILE) + frame(PING, b"p") + frame(BINARY, b"\xff") + close_frame()

    def send_slowly() -> None:
        for at in range(len(wire)):
            on.peer.send(wire[at : at + 1])
            gevent.sleep(0)

    sender = gevent.spawn(send_slowly)
    assert on.receive_all() == ["one", SMILE, b"\xff"]
    sender.join()


def test_a_batch_is_everything_that_came_at_once(ends: Any) -> None:
    on = ends()
    on.peer.send(*[text(str(number)) for number in range(100)])
    assert on.ws.receive_batch() == [str(number) for number in range(100)]
    on.peer.send(text("later"), close_frame())
    assert on.ws.receive_batch() == ["later"]
    assert on.ws.receive_batch() == []
    assert on.ws.receive_batch() == []


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_joined_wherever_they_are_cut(ends: Any, opcode: int) -> None:
    on = ends()
    data = f"a{SNOWMAN}{SMILE}z".encode()
    for at in range(len(data) + 1):
        on.peer.send(*fragments(opcode, [data[:at], b"", data[at:]]))
    on.peer.send(close_frame())
    expected: Any = data.decode() if opcode == TEXT else data
    assert on.receive_all() == [expected] * (len(data) + 1)


def test_control_frames_between_fragments_are_answered_and_disturb_nothing(ends: Any) -> None:
    on = ends()
    first, second, third = fragments(TEXT, [b"one ", b"two ", b"three"])
    on.peer.send(first, frame(PING, b"1"), second, frame(PONG, b"?"), frame(PING, b"2"), third)
    assert on.ws.receive() == "one two three"
    assert on.peer.read_frame() == (PONG, b"1")
    assert on.peer.read_frame() == (PONG, b"2")


def test_what_came_before_the_upgrade_was_answered_is_received_first(ends: Any) -> None:
    cut = text("cut in two")
    on = ends(early=text("early") + frame(PING, b"early") + cut[:7])
    assert on.ws.receive() == "early"
    on.peer.send(cut[7:], text("late"))
    assert on.ws.receive() == "cut in two"
    assert on.ws.receive() == "late"
    assert on.peer.read_frame() == (PONG, b"early")


def test_early_bytes_may_end_the_connection(ends: Any) -> None:
    on = ends(early=text("hello") + close_frame(3000, b"bye"))
    assert on.receive_all() == ["hello"]
    assert on.ws.close_code == 3000
    assert on.peer.read_close() == 3000


@pytest.mark.parametrize("payload", [b"", b"x", b"\x00\xff" * 62 + b"x"])
def test_a_ping_is_answered_by_a_pong_with_its_payload(ends: Any, payload: bytes) -> None:
    on = ends()
    on.peer.send(frame(PING, payload), text("next"))
    assert on.ws.receive() == "next"
    assert on.peer.read(2 + len(payload)) == bytes([0x8A, len(payload)]) + payload


def test_an_unasked_pong_is_ignored(ends: Any) -> None:
    on = ends()
    on.peer.send(frame(PONG, b"x"), text("next"), close_frame(1000))
    assert on.receive_all() == ["next"]
    assert on.peer.read_close() == 1000


def test_a_flood_of_pings_from_a_peer_that_does_not_read_stays_bounded(ends: Any) -> None:
    on = ends(max_size=1000)
    floods = [frame(PING, b"%05d" % number + b"x" * 120) for number in range(20_000)]
    reader = gevent.spawn(on.receive_all)
    most = 0
    tracemalloc.start()
    try:
        for at in range(0, len(floods), 500):
            on.peer.send(*floods[at : at + 500])
            gevent.sleep(0)
            most = max(most, on.ws.writer.backlog)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most <= 64
    assert grown < 1_000_000
    on.peer.send(text("still here"), frame(PING, b"last"), close_frame(1000))
    answered = []
    while True:
        opcode, payload = on.peer.read_frame()
        if opcode == CLOSE:
            break
        assert opcode == PONG
        assert len(payload) == 125 or payload == b"last"
        answered.append(payload)
    # Those that were answered were answered in order; RFC 6455 allows to answer the latest only.
    assert answered == sorted(answered)
    reader.join(10)
    assert reader.value == ["still here"]


LAST_MESSAGES = {
    "a close frame": close_frame(1000),
    "a close frame without a code": close_frame(),
    "a breach of the protocol": text("x", masked=False),
    "too large a message": frame(TEXT, length=2**40),
    "invalid UTF-8": frame(TEXT, b"\xff"),
}


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("case", LAST_MESSAGES)
def test_a_message_right_before_the_end_is_received_then_none_then_an_error(
    ends: Any, case: str, early: bool
) -> None:
    wire = text("last") + LAST_MESSAGES[case]
    on = ends(early=wire) if early else ends()
    if not early:
        on.peer.send(wire)
    assert on.ws.receive() == "last"
    assert on.ws.receive() is None
    with pytest.raises(WebSocketError):
        on.ws.receive()


# -- what ends a connection ------------------------------------------------------------------------


def expect_failure(on: Ends, code: int, received: list[Any] | None = None) -> None:
    """Check that the connection ends with ``code``, and counts as failed."""
    assert on.receive_all() == (received or [])
    assert on.ws.closed
    assert on.ws.failed
    assert on.peer.read_close() == code
    with pytest.raises(WebSocketError):
        on.ws.receive()
    with pytest.raises(WebSocketError):
        on.ws.send("late")


PROTOCOL_ERRORS = {
    "unmasked text": text("x", masked=False),
    "unmasked ping": frame(PING, masked=False),
    "unmasked close": frame(CLOSE, b"\x03\xe8", masked=False),
    **{f"reserved bit {bit}": text("x", rsv=bit) for bit in (1, 2, 4)},
    "all reserved bits": text("x", rsv=7),
    "a reserved bit on a ping": frame(PING, rsv=4),
    **{f"opcode {opcode}": frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a fragmented ping": frame(PING, b"x", fin=False),
    "a fragmented close": frame(CLOSE, b"", fin=False),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a close of 126 bytes": frame(CLOSE, b"\x03\xe8" + b"x" * 124),
    "a continuation of nothing": frame(CONT, b"x"),
    "a last continuation of nothing": frame(CONT, b"x", fin=False),
    "a continuation of a whole message": text("whole") + frame(CONT, b"x"),
    "text inside a fragmented message": text("a", fin=False) + text("b"),
    "binary inside a fragmented message": text("a", fin=False) + frame(BINARY, b"b", fin=False),
    "a close of one byte": frame(CLOSE, b"x"),
    **{
        f"close code {code}": close_frame(code)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("case", PROTOCOL_ERRORS)
def test_a_breach_of_the_protocol_closes_the_connection_with_1002(ends: Any, case: str) -> None:
    on = ends()
    on.peer.send(text("before"), PROTOCOL_ERRORS[case], text("behind"))
    before = ["before", "whole"] if "whole" in case else ["before"]
    expect_failure(on, 1002, before)


def late_timer(on: Ends) -> Any:
    """Have a message and a breach come at once, take neither, and return what waits for that."""
    on.peer.send(text("before"), text("x", masked=False))
    on.ws._read()
    return on.ws._late


@pytest.mark.parametrize(
    ("breach", "code"),
    [
        (text("x", masked=False), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, length=2**40), 1009),
        (b"".join(fragments(TEXT, [b""] * 1001)), 1008),
    ],
    ids=["mask", "UTF-8", "size", "fragments"],
)
@pytest.mark.parametrize("early", [False, True])
def test_a_breach_is_answered_though_nobody_takes_what_came_before_it(
    ends: Any, early: bool, breach: bytes, code: int
) -> None:
    wire = text("before") + breach
    on = ends(early=wire) if early else ends()
    if not early:
        on.peer.send(wire)
        while not on.ws.failed:
            on.ws._read()
    on.peer.sock.settimeout(10)
    assert on.peer.read_close() == code
    assert on.ws.closed
    assert on.ws.failed_with == code
    assert on.receive_all() == ["before"]
    with pytest.raises(WebSocketError):
        on.ws.receive()


def test_a_breach_is_answered_once(ends: Any) -> None:
    on = ends()
    timer = late_timer(on)
    assert timer.active
    assert on.receive_all() == ["before"]
    assert not timer.active
    assert on.ws._late is None
    assert on.peer.read_close() == 1002
    assert on.peer.at_end()


def test_closing_in_front_of_the_answer_to_a_breach_gives_that_answer(ends: Any) -> None:
    on = ends()
    timer = late_timer(on)
    on.ws.close(1000)
    assert not timer.active
    assert on.ws._late is None
    assert on.peer.read_close() == 1002
    assert on.peer.at_end()


def test_a_cut_in_front_of_the_answer_to_a_breach_leaves_no_timer(ends: Any) -> None:
    on = ends()
    timer = late_timer(on)
    assert timer.active
    on.ws.cut()
    on.ws.cut()
    assert not timer.active
    assert on.ws._late is None
    assert on.peer.at_end()


INVALID_UTF8 = {
    "a stray byte": b"\xff",
    "a stray continuation": b"ok\x80",
    "cut short": "x\u2603".encode()[:-1],
    "over-long": b"\xc0\xaf",
    "over-long NUL": b"\xe0\x80\x80",
    "a surrogate": b"\xed\xa0\x80",
    "a surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
}


@pytest.mark.parametrize("case", INVALID_UTF8)
@pytest.mark.parametrize("cut", [False, True])
def test_invalid_utf8_in_a_text_closes_the_connection_with_1007(
    ends: Any, case: str, cut: bool
) -> None:
    on, data = ends(), INVALID_UTF8[case]
    parts = [data[:1], data[1:]] if cut else [data]
    on.peer.send(text("before"), *fragments(TEXT, parts), text("behind"))
    expect_failure(on, 1007, ["before"])


@pytest.mark.parametrize("case", INVALID_UTF8)
def test_a_binary_message_may_hold_anything(ends: Any, case: str) -> None:
    on, data = ends(), INVALID_UTF8[case]
    on.peer.send(frame(BINARY, data))
    assert on.ws.receive() == data


def test_invalid_utf8_in_the_reason_of_a_close_is_answered_with_1007(ends: Any) -> None:
    on = ends()
    on.peer.send(close_frame(1000, b"\xff"))
    expect_failure(on, 1007)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("cut", [1, 2, 500])
def test_a_message_may_have_the_limit_and_not_a_byte_more(
    ends: Any, opcode: int, over: int, cut: int
) -> None:
    on = ends(max_size=1000)
    data = b"x" * (1000 + over)
    step = -(-len(data) // cut)
    parts = [data[at : at + step] for at in range(0, len(data), step)]
    on.peer.send(text("before"), *fragments(opcode, parts), text("behind"))
    if over:
        expect_failure(on, 1009, ["before"])
    else:
        expected: Any = data.decode() if opcode == TEXT else data
        assert [on.ws.receive() for _ in range(3)] == ["before", expected, "behind"]


@pytest.mark.parametrize("length", [1_000_001, 2**31, 2**32 + 1, 2**62, 2**63, 2**64 - 1])
@pytest.mark.parametrize("first", [True, False])
def test_a_declared_length_over_the_limit_is_refused_before_its_bytes_come(
    ends: Any, length: int, first: bool
) -> None:
    on = ends()
    header = frame(TEXT if first else CONT, length=length)
    tracemalloc.start()
    try:
        on.peer.send(b"" if first else text("a", fin=False), header)
        expect_failure(on, 1009)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def test_a_message_may_have_a_thousand_fragments_and_not_one_more(ends: Any) -> None:
    on = ends()
    on.peer.send(*fragments(TEXT, [b"x"] * 1000), *fragments(BINARY, [b""] * 1000))
    assert on.ws.receive() == "x" * 1000
    assert on.ws.receive() == b""
    on.peer.send(text("before"), *fragments(TEXT, [b""] * 1001))
    expect_failure(on, 1008, ["before"])


def test_fragments_without_an_end_are_given_up(ends: Any) -> None:
    on = ends()
    on.peer.send(text("", fin=False), *[frame(CONT, fin=False)] * 5000)
    expect_failure(on, 1008)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1009, 1011, 1012, 3000, 4999, None])
@pytest.mark.parametrize("reason", [b"", "bye \u2603".encode(), b"x" * 123])
def test_a_close_frame_is_echoed_and_ends_the_connection(
    ends: Any, code: int | None, reason: bytes
) -> None:
    on = ends()
    sent = close_frame(code, reason if code else b"")
    on.peer.send(text("before"), sent, text("behind"), frame(PING))
    assert on.receive_all() == ["before"]
    assert on.ws.close_code == (code or 1005)
    assert not on.ws.failed
    payload = (code.to_bytes(2, "big") + reason) if code else b""
    assert on.peer.read_frame() == (CLOSE, payload)
    assert on.peer.at_end()
    with pytest.raises(WebSocketError):
        on.ws.receive()


@pytest.mark.parametrize("partial", [b"", text("cut off")[:5], text("a", fin=False), b"\x81"])
def test_the_end_of_the_stream_ends_the_messages(ends: Any, partial: bytes) -> None:
    on = ends()
    on.peer.send(text("before"), partial)
    on.peer.close()
    assert on.receive_all() == ["before"]
    assert on.ws.closed
    assert on.ws.close_code is None
    assert not on.ws.failed
    with pytest.raises(WebSocketError):
        on.ws.receive()


# -- sending ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, b"\x00"),
        (1, b"\x01"),
        (125, b"\x7d"),
        (126, b"\x7e\x00\x7e"),
        (65_535, b"\x7e\xff\xff"),
        (65_536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (1_000_000, b"\x7f\x00\x00\x00\x00\x00\x0f\x42\x40"),
    ],
)
def test_the_length_of_a_frame_is_written_in_its_shortest_form(
    ends: Any, size: int, header: bytes
) -> None:
    on = ends()
    sender = gevent.spawn(lambda: [on.ws.send("x" * size), on.ws.send(b"y" * size)])
    assert on.peer.read(1 + len(header)) == b"\x81" + header
    assert on.peer.read(size) == b"x" * size
    assert on.peer.read(1 + len(header)) == b"\x82" + header
    assert on.peer.read(size) == b"y" * size
    sender.join()


@pytest.mark.parametrize(
    ("message", "binary", "opcode"),
    [
        ("x", None, TEXT),
        (b"x", None, BINARY),
        (bytearray(b"x"), None, BINARY),
        ("x", True, BINARY),
        (b"x", False, TEXT),
    ],
)
def test_a_message_is_sent_as_text_or_binary(
    ends: Any, message: Any, binary: bool | None, opcode: int
) -> None:
    on = ends()
    on.ws.send(message, binary=binary)
    assert on.peer.read_frame() == (opcode, b"x")


def test_what_is_no_unicode_is_replaced_on_the_wire(ends: Any) -> None:
    on = ends()
    on.ws.send("a\ud83db\udc00 \ud83d\ude00")  # two halves that stand alone, and a pair
    assert on.peer.read_text() == "a\ufffdb\ufffd \U0001f600"


def test_a_frame_of_any_kind_can_be_sent(ends: Any) -> None:
    on = ends()
    on.ws.send_frame("are you there?", WebSocket.OPCODE_PING)
    on.ws.send_frame(b"\xff", WebSocket.OPCODE_BINARY)
    assert on.peer.read_frame() == (PING, b"are you there?")
    assert on.peer.read_frame() == (BINARY, b"\xff")


def test_sending_waits_for_a_slow_peer_and_no_frame_is_torn(ends: Any) -> None:
    on = ends()
    senders = [gevent.spawn(on.ws.send, str(number) * 400_000) for number in range(8)]
    on.peer.send(*[frame(PING, b"%d" % number) for number in range(8)])
    reader = gevent.spawn(on.receive_all)
    gevent.sleep(0.01)
    assert not all(sender.ready() for sender in senders)
    got = [on.peer.read_frame() for _ in range(16)]
    assert sorted(payload[:1] for opcode, payload in got if opcode == TEXT) == [
        b"%d" % number for number in range(8)
    ]
    assert {len(payload) for opcode, payload in got if opcode == TEXT} == {400_000}
    assert [payload for opcode, payload in got if opcode == PONG] == [b"%d" % n for n in range(8)]
    gevent.joinall(senders, raise_error=True)
    on.peer.send(close_frame())
    reader.join(10)


@pytest.mark.parametrize(
    ("args", "payload"),
    [
        ((), b"\x03\xe8"),
        ((1001,), b"\x03\xe9"),
        ((4000, "bye \u2603"), b"\x0f\xa0bye \xe2\x98\x83"),
        ((1000, b"bytes"), b"\x03\xe8bytes"),
    ],
)
def test_closing_writes_one_close_frame_with_code_and_reason(
    ends: Any, args: Any, payload: bytes
) -> None:
    on = ends()
    on.ws.send_frame("before", TEXT)
    on.ws.close(*args)
    on.ws.close(1011, "again")
    assert on.ws.closed
    assert on.peer.read_text() == "before"
    assert on.peer.read_frame() == (CLOSE, payload)
    assert on.peer.at_end()
    for late in (lambda: on.ws.send("x"), lambda: on.ws.send_frame("x", TEXT), on.ws.receive):
        with pytest.raises(WebSocketError):
            late()


@pytest.mark.parametrize(
    "args",
    [(1005,), (1006,), (999,), (0,), (65_536,), (1000, "x" * 124), (1000, "\u2603" * 100)],
    ids=lambda args: ascii(args)[:20],
)
def test_closing_with_what_may_not_be_sent_still_closes(ends: Any, args: Any) -> None:
    on = ends()
    on.ws.close(*args)
    assert on.ws.closed
    on.peer.read_close()


def test_closing_wakes_nobody_before_the_peer_has_answered(ends: Any) -> None:
    on = ends()
    reader = gevent.spawn(on.ws.receive_batch)
    gevent.sleep(0)
    on.ws.close(1000)
    assert on.peer.read_close() == 1000
    on.peer.send(text("crossed your close"), close_frame(1000))
    reader.join(10)
    assert reader.ready()
    assert on.ws.close_code == 1000


def test_a_cut_connection_wakes_its_reader_and_takes_nothing(ends: Any) -> None:
    on = ends()
    reader = gevent.spawn(on.ws.receive)
    gevent.sleep(0)
    on.ws.cut()
    on.ws.cut()
    reader.join(10)
    assert reader.ready()
    assert reader.value is None
    assert on.ws.closed
    assert on.peer.at_end()
    with pytest.raises(WebSocketError):
        on.ws.send("late")
    on.ws.close()


def test_sending_to_a_peer_that_is_gone_raises_the_error_of_gevent_websocket(ends: Any) -> None:
    on = ends()
    on.peer.close()

    def send_on() -> None:
        while True:
            on.ws.send("x" * 100_000)

    with pytest.raises(WebSocketError):
        send_on()


def test_a_peer_that_does_not_read_is_cut_and_its_sender_gets_the_error(ends: Any) -> None:
    on = ends(write_timeout=0.1)

    def send_on() -> None:
        while True:
            on.ws.send("x" * 1_000_000)

    with pytest.raises(WebSocketError):
        send_on()
    wait_for(lambda: on.ws.writer.over)


# -- gevent-websocket's interface ------------------------------------------------------------------


def test_it_is_one_of_gevent_websockets_websockets(ends: Any) -> None:
    on = ends()
    assert isinstance(on.ws, OriginalWebSocket)
    assert on.ws.environ is on.environ
    assert on.ws.closed is False
    assert on.ws.path == "/x"
    assert on.ws.origin == "http://o.example"
    assert on.ws.version is None
    assert (on.ws.OPCODE_TEXT, on.ws.OPCODE_PING) == (TEXT, PING)


def test_one_that_is_collected_writes_nothing(ends: Any) -> None:
    on = ends()
    on.ws = None
    gc.collect()
    on.sock.sendall(b"nothing came before this")
    assert on.peer.read(24) == b"nothing came before this"
