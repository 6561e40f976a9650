"""Payload framing on generated input, against a reader that knows nothing but UTF-16 units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.errors import PayloadError
from socketio.packet import encode
from socketio.wire.message import WireMessage, to_utf8
from socketio.wire.payload import MARKER, decode_payload, encode_payload, utf16_length

from .strategies import damaged, joined, packets, texts
from .work import MILLION, CountingText, count_calls

messages = st.lists(texts, max_size=6)
payloads = st.lists(texts, min_size=2, max_size=6).map(encode_payload)
payload_like = st.lists(
    st.tuples(st.one_of(st.integers(-2, 40), st.just(""), texts), texts), max_size=5
).map(lambda parts: "".join(f"{MARKER}{length}{MARKER}{text}" for length, text in parts))
bodies = st.one_of(texts, payloads, payload_like, damaged(payloads), damaged(payload_like))


def read_as_javascript(body):
    """Return the messages as a list of lists of UTF-16 units, or None: section 6, step by step."""
    data = body.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(data[place : place + 2], "little") for place in range(0, len(data), 2)]
    if not units:
        return None
    if units[0] != 0xFFFD:
        return [units]
    found, place = [], 0
    while place < len(units):
        if units[place] != 0xFFFD or 0xFFFD not in units[place + 1 :]:
            return None
        end = units.index(0xFFFD, place + 1)
        digits = "".join(map(chr, units[place + 1 : end]))
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
            return None
        place = end + 1 + int(digits)
        if place > len(units):
            return None
        found.append(units[end + 1 : place])
    return found


def units_of(text):
    return read_as_javascript("x" + text)[0][1:]


@given(st.lists(texts, min_size=2, max_size=8))
def test_several_messages_come_back_as_they_were_sent(messages):
    received = decode_payload(encode_payload(messages))
    assert [joined(text) for text in received] == [joined(text) for text in messages]


@given(st.lists(packets, min_size=1, max_size=4))
def test_packets_come_back_as_they_were_sent_alone_or_together(packets_sent):
    sent = [encode(packet) for packet in packets_sent]
    received = decode_payload(encode_payload(sent))
    assert [joined(text) for text in received] == [joined(text) for text in sent]


@given(messages)
def test_the_javascript_client_reads_what_we_write(messages):
    body = encode_payload(messages)
    if len(messages) >= 2:
        assert read_as_javascript(body) == [units_of(text) for text in messages]
    else:
        assert body == "".join(messages)


@given(bodies)
def test_any_body_is_cut_as_javascript_would_or_refused_whole(body):
    expected = read_as_javascript(body)
    if expected is None:
        with pytest.raises(PayloadError):
            decode_payload(body)
    else:
        assert [units_of(text) for text in decode_payload(body)] == expected


@given(bodies, st.integers(1, 6))
def test_the_limit_only_ever_refuses(body, limit):
    try:
        unlimited = decode_payload(body)
    except PayloadError:
        unlimited = None
    if unlimited is not None and len(unlimited) <= limit:
        assert decode_payload(body, limit) == unlimited
    else:
        with pytest.raises(PayloadError):
            decode_payload(body, limit)


@given(texts)
def test_the_length_is_the_number_of_utf16_units(text):
    assert utf16_length(text) == len(units_of(text))


@given(texts)
def test_utf8_never_fails_and_keeps_the_length_that_javascript_sees(text):
    received = to_utf8(text).decode()
    assert utf16_length(received) == utf16_length(text)
    if not any("\ud800" <= character <= "\udfff" for character in joined(text)):
        assert received == joined(text)


@given(st.lists(texts, min_size=2, max_size=5))
def test_the_parts_of_messages_make_up_the_payload(messages):
    body = b"".join(WireMessage(text).part for text in messages)
    received = [to_utf8(text).decode() for text in messages]
    assert decode_payload(body.decode()) == received


# -- linear time -------------------------------------------------------------------------------

FILLINGS = pytest.mark.parametrize("filling", ["x", "\U0001f600"], ids=["BMP", "astral"])


@FILLINGS
@pytest.mark.parametrize("function", ["encode", "decode"])
def test_the_number_of_steps_grows_with_the_number_of_packets(function, filling):
    def steps(count):
        sent = [filling * 3] * count
        if function == "encode":
            return count_calls(encode_payload, sent)
        return count_calls(decode_payload, encode_payload(sent))

    once, twice, thrice = steps(500), steps(1000), steps(1500)
    assert thrice - twice == twice - once <= 500 * 20


@FILLINGS
def test_the_number_of_steps_does_not_depend_on_the_length_of_the_packets(filling):
    short, long = (encode_payload([filling * size] * 10) for size in (1000, 9000))
    assert count_calls(decode_payload, short) == count_calls(decode_payload, long)


@FILLINGS
@pytest.mark.parametrize("count", [10, 1000])
def test_each_character_is_copied_once(filling, count):
    body = CountingText(encode_payload([filling * 50] * count))
    decode_payload(body)
    assert 50 * count <= body.copied <= len(body.encode("utf-16-le"))


@pytest.mark.parametrize(
    "filling",
    [
        MARKER,
        MARKER + "0",
        f"{MARKER}0{MARKER}",
        f"{MARKER}1{MARKER}x",
        f"{MARKER}-4{MARKER}",
        f"{MARKER}2{MARKER}\U0001f600",
        f"{MARKER}00{MARKER}",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("tail", ["", "x", "\U0001f600"], ids=ascii)
def test_a_million_hostile_characters_are_cut_at_once(filling, tail):
    body = filling * (MILLION // len(filling)) + tail
    try:
        assert len(decode_payload(body)) == MILLION // len(filling)
    except PayloadError:
        assert filling.count(MARKER) < 2 or tail or "-" in filling


@pytest.mark.parametrize("digit", ["0", "1"])
def test_a_million_digits_are_no_length(digit):
    with pytest.raises(PayloadError):
        decode_payload(MARKER + digit * MILLION + MARKER + "x")


def test_a_million_packets_stop_at_the_limit():
    body = f"{MARKER}1{MARKER}x" * (MILLION // 4)
    with pytest.raises(PayloadError, match="more than 1000 packets"):
        decode_payload(body, 1000)
    assert count_calls(decode_safely, body, 1000) < 1000 * 20 + 100


def decode_safely(body, limit):
    try:
        decode_payload(body, limit)
    except PayloadError:
        pass
