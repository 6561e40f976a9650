"""The codec: dictionaries to wire text and back (sections 3 to 5 of the protocol text)."""

import copy
import json
from decimal import Decimal
from types import MappingProxyType

import pytest

from socketio import packet as module
from socketio.errors import DecodeError, EncodeError
from socketio.packet import decode, encode

# -- tables ------------------------------------------------------------------------------------


def test_types_are_numbered_from_0_to_8_in_the_order_of_the_protocol():
    assert list(module.MSG_TYPES.items()) == [
        ("disconnect", 0),
        ("connect", 1),
        ("heartbeat", 2),
        ("message", 3),
        ("json", 4),
        ("event", 5),
        ("ack", 6),
        ("error", 7),
        ("noop", 8),
    ]


def test_reasons_and_advices_are_those_of_the_protocol():
    assert module.ERROR_REASONS == {
        "transport not supported": 0,
        "client not handshaken": 1,
        "unauthorized": 2,
    }
    assert module.ERROR_ADVICES == {"reconnect": 0}


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (module.MSG_TYPES, module.MSG_VALUES),
        (module.ERROR_REASONS, module.REASONS_VALUES),
        (module.ERROR_ADVICES, module.ADVICES_VALUES),
    ],
)
def test_each_table_has_its_inverse(there, back):
    assert {number: name for name, number in there.items()} == back
    assert len(there) == len(back)


def test_the_packet_type_lists_the_attributes_of_the_original_and_ack():
    assert set(module.socketio_packet_attributes) | {"ack"} == set(module.Packet.__annotations__)


# -- encode ------------------------------------------------------------------------------------

ENCODED = [
    ({"type": "disconnect"}, "0::"),
    ({"type": "disconnect", "endpoint": None}, "0::"),
    ({"type": "disconnect", "endpoint": "/a/b", "id": 3, "data": "x"}, "0::/a/b"),
    ({"type": "connect"}, "1::"),
    ({"type": "connect", "endpoint": "/a", "qs": None}, "1::/a"),
    ({"type": "connect", "endpoint": "/a", "qs": "?b=c:d"}, "1::/a:?b=c:d"),
    ({"type": "connect", "qs": "?b"}, "1:::?b"),
    ({"type": "heartbeat", "endpoint": ""}, "2::"),
    ({"type": "message", "data": ""}, "3::"),
    ({"type": "message", "data": "a:b\n"}, "3:::a:b\n"),
    ({"type": "message", "data": "\ud83d"}, "3:::\ud83d"),
    ({"type": "message", "data": "", "id": 5, "endpoint": "/t"}, "3:5:/t"),
    ({"type": "message", "data": "x", "id": 0}, "3:0::x"),
    ({"type": "message", "data": "x", "id": 1, "ack": True}, "3:1::x"),
    ({"type": "message", "data": "x", "id": 1, "ack": "data"}, "3:1+::x"),
    ({"type": "message", "data": "x", "id": None, "ack": "data"}, "3:::x"),
    ({"type": "json", "data": None}, "4:::null"),
    ({"type": "json", "data": "2"}, '4:::"2"'),
    ({"type": "json", "data": [], "id": 4}, "4:4::[]"),
    ({"type": "json", "data": {"b": 1, "a": Decimal("0.5")}}, '4:::{"a":0.5,"b":1}'),
    ({"type": "event", "name": "x"}, '5:::{"name":"x"}'),
    ({"type": "event", "name": "x", "args": None}, '5:::{"name":"x"}'),
    ({"type": "event", "name": "x", "args": []}, '5:::{"name":"x"}'),
    ({"type": "event", "name": "x", "args": ()}, '5:::{"name":"x"}'),
    ({"type": "event", "name": "x", "args": [None]}, '5:::{"args":[null],"name":"x"}'),
    ({"type": "event", "name": "x", "args": (1, "2")}, '5:::{"args":[1,"2"],"name":"x"}'),
    ({"type": "event", "name": "x", "args": "str"}, '5:::{"args":"str","name":"x"}'),
    ({"type": "event", "name": "x", "args": {"a": 1}}, '5:::{"args":{"a":1},"name":"x"}'),
    ({"type": "event", "name": "x", "id": 2, "ack": "data"}, '5:2+::{"name":"x"}'),
    ({"type": "ack", "ackId": 140}, "6:::140"),
    ({"type": "ack", "ackId": 0, "args": []}, "6:::0"),
    ({"type": "ack", "ackId": 1, "args": (), "endpoint": "/c"}, "6::/c:1"),
    ({"type": "ack", "ackId": 1, "args": None, "id": 9}, "6:::1"),
    ({"type": "ack", "ackId": 3, "args": ["a+b"]}, '6:::3+["a+b"]'),
    ({"type": "ack", "ackId": 3, "args": (None,)}, "6:::3+[null]"),
    ({"type": "error"}, "7:::"),
    ({"type": "error", "reason": None, "advice": None}, "7:::"),
    ({"type": "error", "reason": "", "advice": "", "endpoint": "/woot"}, "7:::/woot"),
    ({"type": "error", "reason": "unauthorized", "endpoint": "/c"}, "7::/c:2"),
    ({"type": "error", "reason": "client not handshaken", "advice": "reconnect"}, "7:::1+0"),
    ({"type": "error", "advice": "reconnect", "endpoint": "/c"}, "7::/c:+0"),
    ({"type": "noop", "data": ""}, "8::"),
]


@pytest.mark.parametrize(("packet", "text"), ENCODED)
def test_a_packet_is_written(packet, text):
    assert encode(packet) == text


@pytest.mark.parametrize("packet", [packet for packet, _ in ENCODED])
def test_writing_leaves_the_packet_as_it_was(packet):
    before = copy.deepcopy(packet)
    assert encode(MappingProxyType(packet)) == encode(packet)
    assert packet == before


@pytest.mark.parametrize(
    ("packet", "complaint"),
    [
        ({}, "packet has no valid type: None"),
        ({"type": "shout"}, "packet has no valid type: 'shout'"),
        ({"type": 3}, "packet has no valid type: 3"),
        ({"type": ["event"]}, "packet has no valid type: ['event']"),
        ({"type": "message"}, "packet of type message without 'data'"),
        ({"type": "json"}, "packet of type json without 'data'"),
        ({"type": "event", "args": []}, "packet of type event without 'name'"),
        ({"type": "ack"}, "packet of type ack without 'ackId'"),
        ({"type": "ack", "args": [1]}, "packet of type ack without 'ackId'"),
        ({"type": "message", "data": b"x"}, "the data of a message is text, not bytes"),
        ({"type": "message", "data": None}, "the data of a message is text, not NoneType"),
        ({"type": "error", "reason": "weather"}, "unknown error reason: 'weather'"),
        ({"type": "error", "advice": "run"}, "unknown error advice: 'run'"),
    ],
)
def test_a_packet_that_cannot_be_written_is_refused_with_the_cause(packet, complaint):
    with pytest.raises(EncodeError) as caught:
        encode(packet)
    assert str(caught.value) == complaint


def test_the_application_may_bring_its_own_writer():
    text = encode({"type": "json", "data": {"a": 1}}, json_dumps=lambda value: f"<{len(value)}>")
    assert text == "4:::<1>"


@pytest.mark.parametrize("error", [KeyError("boom"), TypeError("boom"), ValueError("boom")])
@pytest.mark.parametrize(
    "packet",
    [
        {"type": "json", "data": 1},
        {"type": "event", "name": "x"},
        {"type": "ack", "ackId": 1, "args": [1]},
    ],
)
def test_what_the_writer_of_the_application_raises_is_passed_on(packet, error):
    def dumps(value):
        raise error

    with pytest.raises(type(error)) as caught:
        encode(packet, dumps)
    assert caught.value is error


# -- decode ------------------------------------------------------------------------------------


def root(kind, **keys):
    return {"type": kind, "endpoint": "", **keys}


DECODED = [
    ("0::", root("disconnect")),
    ("0::/chat", {"type": "disconnect", "endpoint": "/chat"}),
    ("0::/chat:x", {"type": "disconnect", "endpoint": "/chat"}),
    ("0:1+::", root("disconnect", id=1, ack="data")),
    ("1::", root("connect", qs="")),
    ("1::/a", {"type": "connect", "endpoint": "/a", "qs": ""}),
    ("1::/a?b=c", {"type": "connect", "endpoint": "/a?b=c", "qs": ""}),
    ("1::/a:?b=c:d", {"type": "connect", "endpoint": "/a", "qs": "?b=c:d"}),
    ("2::", root("heartbeat")),
    ("2:::", root("heartbeat")),
    ("8::", root("noop")),
    ("3::", root("message", data="")),
    ("3:::", root("message", data="")),
    ("3:::a:b:c", root("message", data="a:b:c")),
    ("3:::\n", root("message", data="\n")),
    ("3:::\ufffd5\ufffd", root("message", data="\ufffd5\ufffd")),
    ("3::no slash:x", {"type": "message", "endpoint": "no slash", "data": "x"}),
    ("3:0::x", root("message", id=0, ack=True, data="x")),
    ("3:007::x", root("message", id=7, ack=True, data="x")),
    ("3:12+:/c:x", {"type": "message", "endpoint": "/c", "id": 12, "ack": "data", "data": "x"}),
    ("3:+::x", root("message", data="x")),
    ("3:" + "9" * 32 + "::", root("message", id=10**32 - 1, ack=True, data="")),
    ("4:::null", root("json", data=None)),
    ('4:1+::{"a":[1]}', root("json", id=1, ack="data", data={"a": [1]})),
    ('5:::{"name":"x"}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":null}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":0}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":0.0}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":false}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":""}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":[]}', root("event", name="x", args=[])),
    ('5:::{"name":"x","args":[null]}', root("event", name="x", args=[None])),
    ('5:::{"args":[1],"name":"x","more":2}', root("event", name="x", args=[1])),
    # No list, but true in JavaScript: handed over as it is, the dispatcher refuses it.
    ('5:::{"name":"x","args":"str"}', root("event", name="x", args="str")),
    ('5:::{"name":"x","args":1}', root("event", name="x", args=1)),
    ('5:::{"name":"x","args":true}', root("event", name="x", args=True)),
    ('5:::{"name":"x","args":{"a":1}}', root("event", name="x", args={"a": 1})),
    ('5:::{"name":"x","args":{}}', root("event", name="x", args={})),
    ('5:::{"name":5}', root("event", name=5, args=[])),
    ('5:::{"name":null}', root("event", name=None, args=[])),
    # No name: the dispatcher refuses it.
    ("5::", root("event", args=[])),
    ("5:::", root("event", args=[])),
    ("5:::{bad", root("event", args=[])),
    ("5:::null", root("event", args=[])),
    ("5:::1", root("event", args=[])),
    ('5:::"name"', root("event", args=[])),
    ("5:::[1]", root("event", args=[])),
    ("5:::{}", root("event", args=[])),
    ('5:::{"args":[1]}', root("event", args=[1])),
    ('5:::{"name":"x","args":[NaN]}', root("event", args=[])),
    ('5:::{"name":"x","args":[1e999]}', root("event", args=[])),
    ("6:::140", root("ack", ackId=140, args=[])),
    ("6::/c:0", {"type": "ack", "endpoint": "/c", "ackId": 0, "args": []}),
    ("6:::140+", root("ack", ackId=140, args=[])),
    ("6:::140+bad", root("ack", ackId=140, args=[])),
    ("6:::140+[1]+[2]", root("ack", ackId=140, args=[])),
    ('6:::3+["a+b"]', root("ack", ackId=3, args=["a+b"])),
    ("6:::3[1]", root("ack", ackId=3, args=[1])),
    ("6:::3+[1]\nmore", root("ack", ackId=3, args=[1])),
    ("6:::3+null", root("ack", ackId=3, args=[])),
    ("6:::3+false", root("ack", ackId=3, args=[])),
    ('6:::3+""', root("ack", ackId=3, args=[])),
    ("6:::3+0", root("ack", ackId=3, args=[])),
    ("6:::3+1", root("ack", ackId=3, args=[1])),
    ('6:::3+{"a":1}', root("ack", ackId=3, args=[{"a": 1}])),
    ("6:::3+{}", root("ack", ackId=3, args=[{}])),
    ("6:::3+[[]]", root("ack", ackId=3, args=[[]])),
    ("7::", root("error", reason="", advice="")),
    ("7:::", root("error", reason="", advice="")),
    ("7::/woot", {"type": "error", "endpoint": "/woot", "reason": "", "advice": ""}),
    ("7:::0", root("error", reason="transport not supported", advice="")),
    ("7:::1+0", root("error", reason="client not handshaken", advice="reconnect")),
    ("7::/c:2+", {"type": "error", "endpoint": "/c", "reason": "unauthorized", "advice": ""}),
    ("7:::+0", root("error", reason="", advice="reconnect")),
    ("7:::0+0+0", root("error", reason="transport not supported", advice="reconnect")),
    ("7:::9+9", root("error", reason="", advice="")),
    ("7:::00", root("error", reason="", advice="")),
    ("7:::\u0661", root("error", reason="", advice="")),
    ("7:::undefined", root("error", reason="", advice="")),
]


@pytest.mark.parametrize(("text", "packet"), DECODED)
def test_a_text_is_read(text, packet):
    assert decode(text) == packet


REFUSED = [
    *["", "x", "3", "3:", "0", ":", '{"type":"message"}'],
    *["::", "a::", "99::", "9:::", "10:::x", "-1::", "+1::", "03:::x", "3 :::x", " 3:::x"],
    *["\u0663:::x", "\ufeff3:::x", "\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b"],
    *["3:a::x", "3:-1::x", "3: 1::x", "3:1 ::x", "3:1+2::x", "3:1++::x", "3:++::x", "3:1\n::x"],
    *["3:\u0661::x", "3:1.0::x", "3:1e3::x", "3:0x1::x", "3:1_0::x"],
    *["3:" + "1" * 33 + "::x", "3:" + "1" * 5000 + "::x"],
    *["4::", "4:::", "4:::bad", '4:::{"a":1', "4:::'x'", "4:::NaN", "4:::-Infinity", "4:::1e999"],
    *["4:::" + "9" * 5000, "4:::" + "[" * 100_000, "4:::" + '{"a":' * 100_000],
    *["6::", "6:::", "6:::abc", "6:::+[1]", "6:::-1", "6::: 1", "6:::\u0661"],
    *["6:::" + "1" * 33, "6:::" + "1" * 5000],
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: f"{text[:30]!a}-{len(text)}")
def test_what_is_no_packet_is_refused(text):
    with pytest.raises(DecodeError):
        decode(text)


@pytest.mark.parametrize("thing", [None, b"3:::x", 3, ["3:::x"], object], ids=repr)
def test_what_is_no_text_is_refused(thing):
    with pytest.raises(DecodeError, match=r"^A packet is text, not "):
        decode(thing)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("3:", "Not a packet, less than two colons: '3:'"),
        ("99::", "Unknown message type: 99"),
        ("3:x::", "Invalid packet id: 'x'"),
        ("4:::bad", "Invalid JSON: 'bad'"),
        ("6:::x", "Invalid ack: 'x'"),
    ],
)
def test_the_refusal_says_why(text, complaint):
    with pytest.raises(DecodeError) as caught:
        decode(text)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("form", ["{}", "{}::", "3:{}::", "4:::{}", "6:::{}"])
@pytest.mark.parametrize("evil", ["\r\nFake: line", "\x1b[2J", "\u2028", "\ud83d", "\U0001f600'\""])
def test_the_refusal_can_be_logged_in_one_short_printable_line(form, evil):
    with pytest.raises(DecodeError) as caught:
        decode(form.format(evil * 1000))
    line = str(caught.value)
    assert len(line) <= 250
    assert len(line.splitlines()) == 1
    assert line.isprintable()


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), KeyError("x"), StopIteration()])
def test_whatever_the_reader_of_the_application_raises_means_no_json(error):
    def loads(text):
        raise error

    with pytest.raises(DecodeError) as caught:
        decode("4:::1", loads)
    assert caught.value.__cause__ is error
    assert decode('5:::{"name":"x"}', loads) == root("event", args=[])
    assert decode("6:::1+[2]", loads) == root("ack", ackId=1, args=[])


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_is_not_taken_for_bad_json(error):
    def loads(text):
        raise error

    for text in ("4:::1", "5:::1", "6:::1+1"):
        with pytest.raises(error):
            decode(text, loads)


def test_the_application_may_bring_its_own_reader():
    def loads(text):
        return json.loads(text, parse_float=Decimal)

    assert decode("4:::0.10", loads)["data"] == Decimal("0.10")
    assert decode('5:::{"name":"x","args":0.0}', loads)["args"] == []


def test_each_packet_gets_a_list_of_its_own():
    for text in ("5:::", '5:::{"name":"x"}', "6:::1", "6:::1+bad"):
        decode(text)["args"].append("mine")
        assert decode(text)["args"] == []


@pytest.mark.parametrize(
    "packet",
    [
        {"type": "json", "data": 1},
        {"type": "event", "name": "e", "args": [1]},
        {"type": "ack", "ackId": 1, "args": [1]},
    ],
)
def test_json_functions_that_return_bytes_fail_at_once(packet):
    with pytest.raises(TypeError, match="bytes"):
        encode(packet, lambda value: b"1")
