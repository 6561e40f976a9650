"""The codec on generated input: what goes in comes out, and nothing but the documented error."""

import copy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.errors import DecodeError
from socketio.packet import MSG_TYPES, decode, encode

from .strategies import damaged, joined, packets, texts
from .work import MILLION, count_calls

# Section 5 of the protocol text: what the reference decoders search for.
REFERENCE = re.compile(r"([^:]+):([0-9]+)?(\+)?:([^:]+)?:?(.*)", re.DOTALL)


@given(packets)
def test_a_packet_comes_back_as_it_was_sent(packet):
    expected = dict(packet)
    if packet["type"] in ("json", "event", "ack"):
        # These travel as JSON in ASCII; all the rest travels as it is.
        for key in {"data", "name", "args"} & packet.keys():
            expected[key] = joined(packet[key])
    assert decode(encode(packet)) == expected


@given(packets)
def test_writing_a_packet_does_not_change_it(packet):
    before = copy.deepcopy(packet)
    encode(packet)
    assert packet == before


@given(packets)
def test_json_goes_out_in_ascii_and_everything_is_one_packet(packet):
    text = encode(packet)
    assert MSG_TYPES[packet["type"]] == int(text[0])
    assert text[1] == ":"
    assert text.count(":") >= 2
    if packet["type"] in ("json", "event", "ack"):
        assert text.replace(packet["endpoint"], "").isascii()


def check(text, **keywords):
    """Decode ``text``: a packet of the documented shape, or None for the documented error."""
    try:
        packet = decode(text, **keywords)
    except DecodeError as error:
        line = str(error)
        assert len(line) < 250
        assert line.isprintable()
        return None
    kind = packet["type"]
    required, optional = SHAPES[kind]
    assert {"type", "endpoint", *required} <= packet.keys()
    assert packet.keys() <= {"type", "endpoint", "id", "ack", *required, *optional}
    assert ":" not in packet["endpoint"]
    assert ("id" in packet) == ("ack" in packet)
    assert packet.get("ack", True) in (True, "data")
    for key in ("id", "ackId"):
        assert 0 <= packet.get(key, 0) < 10**32
    if kind == "ack":
        assert type(packet["args"]) is list
    return packet


SHAPES = {
    "disconnect": ((), ()),
    "connect": (("qs",), ()),
    "heartbeat": ((), ()),
    "message": (("data",), ()),
    "json": (("data",), ()),
    "event": (("args",), ("name",)),
    "ack": (("ackId", "args"), ()),
    "error": (("reason", "advice"), ()),
    "noop": ((), ()),
}

wire_like = st.builds(
    "{}:{}:{}:{}".format,
    st.one_of(st.integers(-1, 12), texts),
    st.one_of(st.just(""), st.from_regex(r"\A[0-9]{0,40}\+?\Z"), texts),
    st.one_of(st.just(""), texts),
    texts,
)
sent = packets.map(encode)
anything = st.one_of(texts, wire_like, damaged(sent))
often_a_packet = st.one_of(sent, damaged(sent), damaged(sent), wire_like)


@given(anything)
def test_any_text_is_a_packet_or_the_documented_error(text):
    check(text)


@given(often_a_packet)
def test_what_we_take_for_a_packet_the_reference_reads_alike(text):
    packet = check(text)
    if packet is None:
        return
    kind, msgid, plus, endpoint, data = REFERENCE.match(text).groups()
    assert packet["type"] == list(MSG_TYPES)[int(kind)]
    assert packet["endpoint"] == (endpoint or "")
    assert packet.get("id") == (int(msgid) if msgid else None)
    assert packet.get("ack") == (("data" if plus else True) if msgid else None)
    if packet["type"] == "message":
        assert packet["data"] == data
    if packet["type"] == "connect":
        assert packet["qs"] == data


@given(often_a_packet)
def test_what_was_read_can_be_written_and_read_again(text):
    packet = check(text)
    if packet is None or (packet["type"] == "event" and "name" not in packet):
        return
    if packet["type"] not in ("message", "json", "event"):
        packet.pop("id", None)  # it means nothing there, and is not written
        packet.pop("ack", None)
    if packet["type"] == "error" and not (packet["reason"] or packet["advice"]):
        packet["endpoint"] = ""  # the original's form has no place for it
    assert decode(encode(packet)) == packet


FOREIGN_ERRORS = [
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
    MemoryError,
    OverflowError,
    StopIteration,
    AssertionError,
    OSError,
    EOFError,
    UnicodeError,
    Exception,
]


@given(anything, st.sampled_from(FOREIGN_ERRORS))
def test_whatever_a_foreign_json_reader_raises_is_a_packet_or_the_documented_error(text, error):
    def loads(_text):
        raise error("of the application")

    packet = check(text, json_loads=loads)
    if packet is not None:
        assert packet["type"] != "json"
        assert "name" not in packet
        assert packet.get("args", []) == []


@given(
    st.sampled_from(["4:::{}", '5:::{{"name":"x","args":[{}]}}', "6:::1+[{}]"]),
    st.one_of(
        st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", "-1E400", "1" + "0" * 5000]),
        st.integers(2_000, 200_000).map(lambda depth: "[" * depth),
        st.integers(60_000, 200_000).map(lambda depth: "[" * depth + "]" * depth),
        st.integers(60_000, 200_000).map(lambda depth: '{"":' * depth + "0" + "}" * depth),
    ),
)
def test_numbers_without_end_and_depths_without_bottom_are_no_json(form, value):
    packet = check(form.format(value))
    if packet is not None:
        assert "data" not in packet
        assert "name" not in packet
        assert packet["args"] == []


# -- linear time -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        "3:::{}",
        "3:{}::",
        "0::{}",
        "1::/a:{}",
        '4:::"{}"',
        '5:::{{"name":"{}"}}',
        "6:::{}",
        "7:::{}",
    ],
)
@pytest.mark.parametrize("filling", ["x", "1", "+", "\U0001f600"])
def test_the_number_of_steps_does_not_depend_on_the_length_of_a_packet(form, filling):
    short, long = (form.format(filling * length) for length in (50, 50_000))
    assert max(count_calls(check_quietly, short), count_calls(check_quietly, long)) < 60


def check_quietly(text):
    try:
        decode(text)
    except DecodeError:
        pass


@pytest.mark.parametrize(
    "prefix", ["", "3:", "3:1", "3::", "4:::", "5:::", "6:::", "6:::1", "7:::"]
)
@pytest.mark.parametrize(
    "filling",
    [":", "+", "0", "1", "[", '{"a":', "[[],", '"', '"\\', " ", "\n", "-", "1e", "\ud83d"],
)
def test_a_million_hostile_characters_are_read_at_once(prefix, filling):
    check_quietly(prefix + filling * (MILLION // len(filling)))
