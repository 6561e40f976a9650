"""Encoded text that keeps its frame and its payload part."""

import pytest
from websockets.frames import Frame, Opcode

from socketio.wire.message import WireMessage, text_frame, to_utf8
from socketio.wire.payload import encode_payload

ASTRAL = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("1::", b"1::"),
        ("\u00e9\u2028", b"\xc3\xa9\xe2\x80\xa8"),
        (ASTRAL, b"\xf0\x9f\x98\x80"),
        ("a\ud83db", b"a\xef\xbf\xbdb"),
        ("high \ud83d", b"high \xef\xbf\xbd"),
        ("low \ude00", b"low \xef\xbf\xbd"),
        ("\ude00\ud83d", b"\xef\xbf\xbd" * 2),
        ("\ud83d\ud83d\ude00", b"\xef\xbf\xbd\xf0\x9f\x98\x80"),
        ("\ud83d" + ASTRAL, b"\xef\xbf\xbd\xf0\x9f\x98\x80"),
    ],
)
def test_a_lone_surrogate_becomes_the_replacement_character(text, data):
    assert to_utf8(text) == data


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("1::", b"\x81\x03"),
        ("x" * 125, b"\x81\x7d"),
        ("x" * 126, b"\x81\x7e\x00\x7e"),
        ("\u2603" * 42, b"\x81\x7e\x00\x7e"),
        ("x" * 65_535, b"\x81\x7e\xff\xff"),
        ("x" * 65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_frame_is_one_unmasked_text_frame(text, header):
    assert WireMessage(text).frame == header + text.encode()


@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 2**20])
def test_a_frame_of_any_size_is_that_of_the_protocol_core(size):
    data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    assert text_frame(data) == Frame(Opcode.TEXT, data).serialize(mask=False)


@pytest.mark.parametrize("text", ["", "3:::a", "3:::\u2603", "3:::" + ASTRAL, "\ud83d", "x" * 126])
def test_the_frame_of_a_message_is_that_of_its_utf_8(text):
    assert WireMessage(text).frame == text_frame(to_utf8(text))


@pytest.mark.parametrize(
    "text", ["", "3:::a", "3:::\u2603", "3:::" + ASTRAL, "3:::\ufffd5\ufffd", "\ud83d"]
)
def test_parts_in_a_row_are_the_payload(text):
    messages = [WireMessage(text), WireMessage("8::")]
    assert b"".join(message.part for message in messages) == to_utf8(encode_payload(messages))


def test_a_part_counts_a_lone_surrogate_as_what_it_becomes():
    assert WireMessage("\ud83d").part.decode() == "\ufffd1\ufffd\ufffd"


@pytest.mark.parametrize("name", ["frame", "part"])
def test_the_work_is_done_once(name):
    message = WireMessage("3:::hello")
    assert getattr(message, name) is getattr(message, name)


def test_a_message_is_the_text_that_applications_expect():
    message = WireMessage("3:::hello")
    assert isinstance(message, str)
    assert message == "3:::hello"
    assert hash(message) == hash("3:::hello")
    assert {"3:::hello": 1}[message] == 1
    assert message.split(":", 3) == ["3", "", "", "hello"]


def test_a_message_has_no_room_for_anything_else():
    with pytest.raises(AttributeError):
        WireMessage("x").other = 1
