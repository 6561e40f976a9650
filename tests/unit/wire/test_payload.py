"""Payload framing: lengths in UTF-16 units, and nothing but the documented error (section 6)."""

import pytest

from socketio.errors import PayloadError
from socketio.wire.payload import MARKER, decode_payload, encode_payload, utf16_length

ASTRAL = "\U0001f600"


def framed(*messages):
    """Return the framed form, also of a single message, which ``encode_payload`` sends bare."""
    return "".join(f"{MARKER}{utf16_length(text)}{MARKER}{text}" for text in messages)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("3:::a", 5),
        ("3:::\u00e9", 5),
        ("3:::\u2603", 5),
        ("3:::" + ASTRAL, 6),
        ("\ufffd\uffff", 2),
        ("e\u0301", 2),
        ("\ud83d", 1),
        ("\ude00\ud83d", 2),
        ("\U00010000\U0010ffff", 4),
        ("x" * 10_000 + ASTRAL, 10_002),
    ],
)
def test_a_length_counts_utf16_units(text, length):
    assert utf16_length(text) == length


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([], ""),
        (["3:::a"], "3:::a"),
        (["3:::" + ASTRAL], "3:::" + ASTRAL),
        (["3:::a", "3:::b"], "\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b"),
        (("2::", "8::", ""), "\ufffd3\ufffd2::\ufffd3\ufffd8::\ufffd0\ufffd"),
        (["3:::" + ASTRAL, "3:::b"], f"\ufffd6\ufffd3:::{ASTRAL}\ufffd5\ufffd3:::b"),
    ],
)
def test_one_message_goes_bare_and_several_are_framed(messages, body):
    assert encode_payload(messages) == body


def test_the_example_of_the_protocol_text_has_24_bytes():
    assert len(encode_payload(["3:::a", "3:::b"]).encode()) == 24


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ("1::", ["1::"]),
        ("anything", ["anything"]),
        ("3:::a\ufffd5\ufffd3:::b", ["3:::a\ufffd5\ufffd3:::b"]),
        ("\ufeff\ufffd5\ufffd3:::a", ["\ufeff\ufffd5\ufffd3:::a"]),
        (ASTRAL + "\ufffd", [ASTRAL + "\ufffd"]),
        (framed("3:::a"), ["3:::a"]),
        (framed("3:::a", "3:::b"), ["3:::a", "3:::b"]),
        (framed("", ""), ["", ""]),
        (framed("\ufffd5\ufffdx", "\ufffd"), ["\ufffd5\ufffdx", "\ufffd"]),
        (framed("l1\nl2", "\r\n\x00\u2028"), ["l1\nl2", "\r\n\x00\u2028"]),
        (framed(ASTRAL, "b"), [ASTRAL, "b"]),
        (framed("a", ASTRAL), ["a", ASTRAL]),
        (framed("\ufffd" + ASTRAL, "\ufffd\ufffd"), ["\ufffd" + ASTRAL, "\ufffd\ufffd"]),
        (framed(ASTRAL, "", "\ud83d", "\ude00"), [ASTRAL, "", "\ud83d", "\ude00"]),
        ("\ufffd0000000005\ufffd3:::a", ["3:::a"]),
        ("\ufffd1\ufffd\ud83d\ufffd1\ufffda", ["\ud83d", "a"]),
    ],
)
def test_a_body_is_cut_into_its_messages(body, messages):
    assert decode_payload(body) == messages


MALFORMED = {
    "empty body": "",
    "marker alone": "\ufffd",
    "markers without a length": "\ufffd\ufffd",
    "empty length": "\ufffd\ufffd3:::a",
    "length without its end": "\ufffd5",
    "negative length": "\ufffd-4\ufffd",
    "length with a sign": "\ufffd+5\ufffd3:::a",
    "length with blanks": "\ufffd 5 \ufffd3:::a",
    "length with a line end": "\ufffd5\n\ufffd3:::a",
    "length with an underscore": "\ufffd0_5\ufffd3:::a",
    "fractional length": "\ufffd5.7\ufffd3:::abc",
    "hexadecimal length": "\ufffd0x5\ufffd3:::a",
    "exponent": "\ufffd1e1\ufffd3:::abcdefghij",
    "Arabic digits": "\ufffd\u0665\ufffd3:::a",
    "full-width digits": "\ufffd\uff15\ufffd3:::a",
    "message missing": "\ufffd3\ufffd",
    "length past the end": "\ufffd6\ufffd3:::a",
    "length far past the end": "\ufffd9999999999\ufffd3:::a",
    "eleven digits": "\ufffd00000000005\ufffd3:::a",
    "thousands of digits": "\ufffd" + "1" * 5000 + "\ufffd3:::a",
    "length too short": "\ufffd4\ufffd3:::a",
    "junk behind": "\ufffd5\ufffd3:::a ",
    "marker behind": "\ufffd5\ufffd3:::a\ufffd",
    "bare packet behind": "\ufffd5\ufffd3:::a3:::b",
    "junk between": "\ufffd5\ufffd3:::a \ufffd5\ufffd3:::b",
    "second length past the end": "\ufffd5\ufffd3:::a\ufffd6\ufffd3:::b",
    "length in code points": f"\ufffd5\ufffd3:::{ASTRAL}\ufffd5\ufffd3:::b",
    "length in bytes": f"\ufffd8\ufffd3:::{ASTRAL}\ufffd5\ufffd3:::b",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_refused_whole(body):
    with pytest.raises(PayloadError):
        decode_payload(body)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "empty body"),
        ("\ufffd5", "a packet is not preceded by its length"),
        ("\ufffd6\ufffd3:::a", "a length runs past the end of the body"),
    ],
)
def test_the_refusal_says_why(body, complaint):
    with pytest.raises(PayloadError) as caught:
        decode_payload(body)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("body", [body for body in MALFORMED.values() if body], ids=ascii)
def test_a_body_with_characters_beyond_16_bits_is_read_as_strictly(body):
    # The same fault behind a sound first message that takes the other way through the code.
    with pytest.raises(PayloadError):
        decode_payload(framed(ASTRAL) + body)


@pytest.mark.parametrize("text", ["x", ASTRAL])
def test_the_limit_on_packets_is_met_and_not_exceeded(text):
    three = framed(*[text] * 3)
    assert decode_payload(three, max_packets=3) == decode_payload(three, None) == [text] * 3
    with pytest.raises(PayloadError, match="more than 2 packets in one body"):
        decode_payload(three, max_packets=2)


def test_a_bare_packet_is_within_any_limit():
    assert decode_payload("3:::a", max_packets=1) == ["3:::a"]


def test_the_limit_holds_before_the_rest_is_looked_at():
    with pytest.raises(PayloadError, match="more than 1 packets"):
        decode_payload(framed("a", "b") + "junk", max_packets=1)
