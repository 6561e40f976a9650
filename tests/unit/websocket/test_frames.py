"""The short way for plain text frames, with the general protocol core as its judge."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from socketio.websocket.frames import read_texts

from .frames import BINARY, CLOSE, CONT, MASK, PING, PONG, TEXT, close_frame, frame, text

SNOWMAN, SMILE = "\u2603", "\U0001f600"
LIMIT = 70_000


def read(data: bytes, max_size: int = LIMIT) -> tuple[list[str], int, int, int]:
    """Return the texts, and what ``read_texts`` returns."""
    texts: list[str] = []
    return texts, *read_texts(data, max_size, texts)


# -- what it reads ---------------------------------------------------------------------------------

MESSAGES = ["", "x", SNOWMAN, SMILE * 3, "a\nb\0c\u2028", "\ufeffbom", "\ufffd\uffff"]
MESSAGES += ["x" * size for size in (124, 125, 126, 127, 65_535, 65_536, LIMIT)]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: f"{m[:8]!a}x{len(m)}")
def test_a_text_in_one_masked_frame_is_read(message: str) -> None:
    wire = text(message)
    assert read(wire) == ([message], len(message.encode()), len(wire), 0)


def test_frames_in_a_row_are_read_in_their_order() -> None:
    wire = b"".join(text(message) for message in MESSAGES)
    size = sum(len(message.encode()) for message in MESSAGES)
    assert read(wire) == (MESSAGES, size, len(wire), 0)


def test_nothing_is_nothing() -> None:
    assert read(b"") == ([], 0, 0, 0)


def test_what_was_read_comes_behind_what_the_list_has() -> None:
    texts = ["before"]
    read_texts(text("new"), LIMIT, texts)
    assert texts == ["before", "new"]


@pytest.mark.parametrize("mask", [bytes(4), b"\xff" * 4, b"\0\0\0\1", MASK], ids=bytes.hex)
@pytest.mark.parametrize("size", range(9))
def test_any_mask_is_taken_off(mask: bytes, size: int) -> None:
    payload = b"abcdefgh"[:size]
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    assert read(bytes([0x81, 0x80 | size]) + mask + masked)[0] == [payload.decode()]


def test_a_length_written_with_more_bytes_than_it_needs_is_that_length() -> None:
    # The core takes it too, although RFC 6455 wants the shortest form.
    for head in (b"\x81\xfe\x00\x02", b"\x81\xff" + bytes(7) + b"\x02"):
        assert read(head + bytes(4) + b"ok")[0] == ["ok"]


# -- what is not there yet -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_of_half_a_frame_is_told_how_many_bytes_it_needs_as_soon_as_that_is_known(
    size: int,
) -> None:
    wire = text("x" * size)
    known = 2 if size < 126 else 4 if size < 65536 else 10
    for cut in [*range(1, 16), len(wire) // 2, len(wire) - 1]:
        if cut < len(wire):
            needed = len(wire) if cut >= known else 0
            assert read(wire[:cut]) == ([], 0, 0, needed)
            assert read(text("whole") + wire[:cut]) == (["whole"], 5, 11, needed)


# -- what is for the core --------------------------------------------------------------------------

OTHERS = {
    "binary": frame(BINARY, b"x"),
    "ping": frame(PING),
    "pong": frame(PONG),
    "close": close_frame(1000),
    "continuation": frame(CONT, b"x"),
    "first fragment": frame(TEXT, b"x", fin=False),
    "reserved bit": text("x", rsv=4),
    "reserved opcode": frame(3),
    "unmasked": text("x", masked=False),
    "unmasked and empty": text("", masked=False),
    "unmasked and long": text("x" * 126, masked=False),
    "unmasked and longer": text("x" * 65_536, masked=False),
    "invalid UTF-8": frame(TEXT, b"\xff"),
    "a surrogate": frame(TEXT, b"\xed\xa0\xbd"),
    "half a character": frame(TEXT, SNOWMAN.encode()[:2]),
    "one byte too many": text("x" * (LIMIT + 1)),
    "8 EB": frame(TEXT, length=2**63),
    "16 EB": frame(TEXT, length=2**64 - 1),
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_is_left_where_it_begins(name: str) -> None:
    for before in (b"", text("one") + text("two")):
        texts, total, position, needed = read(before + OTHERS[name] + text("behind"))
        assert (texts, total) == ((["one", "two"], 6) if before else ([], 0))
        assert (position, needed) == (len(before), -1)


def test_the_first_byte_of_another_frame_is_enough_to_leave_it() -> None:
    for first in set(range(256)) - {0x81}:
        assert read(bytes([first])) == ([], 0, 0, -1)


def test_the_second_byte_of_an_unmasked_frame_is_enough_to_leave_it() -> None:
    for second in range(128):
        assert read(bytes([0x81, second])) == ([], 0, 0, -1)


def test_a_length_over_the_limit_is_left_before_its_message_comes() -> None:
    assert read(text("x" * 200)[:4], max_size=199) == ([], 0, 0, -1)
    assert read(text("x" * 200)[:4], max_size=200) == ([], 0, 0, 208)
    assert read(frame(TEXT, length=2**63)[:10]) == ([], 0, 0, -1)


# -- the core as a judge ---------------------------------------------------------------------------


class Judged:
    """Takes pieces the short way as long as that goes, then through a core."""

    def __init__(self, max_size: int) -> None:
        self.seen: list[Any] = []
        self.core = Protocol(Side.SERVER, max_size=max_size)
        self._max_size = max_size
        self._half = b""
        self._short = True

    def feed(self, data: bytes) -> None:
        if self._short:
            data = self._half + data
            texts: list[str] = []
            total, position, needed = read_texts(data, self._max_size, texts)
            assert total == sum(len(message.encode()) for message in texts)
            self.seen += [(Opcode.TEXT, message.encode(), True) for message in texts]
            data = self._half = data[position:]
            self._short = needed >= 0
            if self._short:
                assert needed == 0 or needed > len(data)
                return
        self.core.receive_data(data)
        self.seen += events(self.core)


def events(core: Protocol) -> list[Any]:
    """Return what ``core`` received, in a form that can be compared."""
    found = core.events_received()
    return [(f.opcode, bytes(f.data), f.fin) for f in found if isinstance(f, Frame)]


SMALL = 200
PLAIN = st.text(max_size=SMALL // 4).map(text)
ANY = st.one_of(
    PLAIN,
    PLAIN,
    st.integers(SMALL - 2, SMALL + 2).map(lambda size: text("x" * size)),
    st.builds(
        frame,
        st.sampled_from([CONT, TEXT, BINARY, 3, CLOSE, PING, PONG]),
        st.binary(max_size=140),
        fin=st.booleans(),
        rsv=st.sampled_from([0, 0, 0, 4]),
        masked=st.sampled_from([True, True, True, False]),
    ),
    st.builds(frame, st.just(TEXT), length=st.integers(0, 2**64 - 1)),
    st.sampled_from(list(OTHERS.values())),
    st.binary(max_size=20),
)


@given(st.lists(PLAIN, max_size=8), st.lists(ANY, max_size=8), st.data())
def test_whatever_comes_and_however_it_is_cut_the_core_would_have_read_the_same(
    plain: list[bytes], others: list[bytes], data: st.DataObject
) -> None:
    wire = b"".join(plain + others)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12), label="cuts"))
    core, judged = Protocol(Side.SERVER, max_size=SMALL), Judged(SMALL)
    core.receive_data(wire)
    for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        judged.feed(wire[begin:end])
    assert judged.seen == events(core)
    assert repr(judged.core.parser_exc) == repr(core.parser_exc)
    assert judged.core.close_sent == core.close_sent
    assert judged.core.data_to_send() == core.data_to_send()


@given(st.text(max_size=300).map(text), st.data())
def test_the_bytes_that_a_frame_is_said_to_need_are_those_it_has(
    wire: bytes, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(wire) - 1))
    texts, total, position, needed = read(wire[:cut])
    assert (texts, total, position) == ([], 0, 0)
    assert needed in (0, len(wire))
    assert len(read(wire)[0]) == 1
