"""What the test-suite of the original demands of its packet codec.

The rows are those at the end of section 17 of the protocol text, and a few more. Each holds in
both directions unless it stands in a table of one.
"""

import copy
from decimal import Decimal

import pytest

from socketio.packet import decode, encode

BOTH_WAYS = {
    "disconnect": ({"type": "disconnect", "endpoint": "/woot"}, "0::/woot"),
    "connect": ({"type": "connect", "endpoint": "/tobi", "qs": ""}, "1::/tobi"),
    "connect with a query string": (
        {"type": "connect", "endpoint": "/test", "qs": "?test=1"},
        "1::/test:?test=1",
    ),
    "heartbeat": ({"type": "heartbeat", "endpoint": ""}, "2::"),
    "message": ({"type": "message", "endpoint": "", "data": "woot"}, "3:::woot"),
    "message with id and endpoint": (
        {"type": "message", "id": 5, "ack": True, "endpoint": "/tobi", "data": ""},
        "3:5:/tobi",
    ),
    "message that is a line end": ({"type": "message", "endpoint": "", "data": "\n"}, "3:::\n"),
    "json text": ({"type": "json", "endpoint": "", "data": "2"}, '4:::"2"'),
    "json with id and ack data": (
        {"type": "json", "id": 1, "ack": "data", "endpoint": "", "data": {"a": "b"}},
        '4:1+::{"a":"b"}',
    ),
    "json with a Decimal": (
        {"type": "json", "id": 1, "ack": "data", "endpoint": "", "data": {"a": Decimal("0.5")}},
        '4:1+::{"a":0.5}',
    ),
    "event": ({"type": "event", "name": "woot", "endpoint": "", "args": []}, '5:::{"name":"woot"}'),
    "event with id": (
        {"type": "event", "name": "tobi", "id": 1, "ack": True, "endpoint": "", "args": []},
        '5:1::{"name":"tobi"}',
    ),
    "event with id and ack data": (
        {"type": "event", "name": "tobi", "id": 1, "ack": "data", "endpoint": "", "args": []},
        '5:1+::{"name":"tobi"}',
    ),
    "event with args": (
        {"type": "event", "name": "edwald", "endpoint": "", "args": [{"a": "b"}, 2, "3"]},
        '5:::{"args":[{"a":"b"},2,"3"],"name":"edwald"}',
    ),
    "ack": ({"type": "ack", "ackId": 140, "endpoint": "", "args": []}, "6:::140"),
    "ack with args": (
        {"type": "ack", "ackId": 12, "endpoint": "", "args": ["woot", "wa"]},
        '6:::12+["woot","wa"]',
    ),
    "ack with args and endpoint": (
        {"type": "ack", "ackId": 12, "endpoint": "/chat", "args": ["woot", "wa"]},
        '6::/chat:12+["woot","wa"]',
    ),
    "error": ({"type": "error", "reason": "", "advice": "", "endpoint": ""}, "7:::"),
    "error with reason": (
        {"type": "error", "reason": "transport not supported", "advice": "", "endpoint": ""},
        "7:::0",
    ),
    "error with reason and advice": (
        {"type": "error", "reason": "unauthorized", "advice": "reconnect", "endpoint": ""},
        "7:::2+0",
    ),
    "noop": ({"type": "noop", "endpoint": ""}, "8::"),
}

ENCODE_ONLY = {
    "event without endpoint": (
        {"type": "event", "name": "tobi", "id": 1, "ack": True, "args": []},
        '5:1::{"name":"tobi"}',
    ),
    "event with ack but no id": (
        {"type": "event", "name": "edwald", "ack": "data", "args": [{"a": "b"}, 2, "3"]},
        '5:::{"args":[{"a":"b"},2,"3"],"name":"edwald"}',
    ),
    "error with endpoint alone": (
        {"type": "error", "reason": "", "advice": "", "endpoint": "/woot"},
        "7:::/woot",
    ),
    "args as a tuple": (
        {"type": "event", "name": "woot", "endpoint": "", "args": (1, "2")},
        '5:::{"args":[1,"2"],"name":"woot"}',
    ),
    "args as an empty tuple": (
        {"type": "event", "name": "woot", "endpoint": "", "args": ()},
        '5:::{"name":"woot"}',
    ),
    "args as a dict": (
        {"type": "event", "name": "woot", "endpoint": "", "args": {"a": "b"}},
        '5:::{"args":{"a":"b"},"name":"woot"}',
    ),
    "args as a text": (
        {"type": "event", "name": "woot", "endpoint": "", "args": "abc"},
        '5:::{"args":"abc","name":"woot"}',
    ),
}

DECODE_ONLY = {
    "heartbeat with a third colon": ("2:::", {"type": "heartbeat", "endpoint": ""}),
    "error with endpoint alone": (
        "7::/woot",
        {"type": "error", "reason": "", "advice": "", "endpoint": "/woot"},
    ),
    "event without JSON": ("5:::", {"type": "event", "endpoint": "", "args": []}),
    "event with broken JSON": ("5:::{bad", {"type": "event", "endpoint": "", "args": []}),
}


@pytest.mark.parametrize(
    ("packet", "text"),
    [*BOTH_WAYS.values(), *ENCODE_ONLY.values()],
    ids=[*BOTH_WAYS, *ENCODE_ONLY],
)
def test_the_packet_is_encoded_as_the_original_did(packet, text):
    before = copy.deepcopy(packet)
    assert encode(packet) == text
    assert packet == before  # the original put keys of its own into it


@pytest.mark.parametrize(
    ("text", "packet"),
    [*((text, packet) for packet, text in BOTH_WAYS.values()), *DECODE_ONLY.values()],
    ids=[*BOTH_WAYS, *DECODE_ONLY],
)
def test_the_text_is_decoded_as_the_original_did(text, packet):
    assert decode(text) == packet


def test_a_newline_is_data():
    assert decode("3:::\n") == {"type": "message", "data": "\n", "endpoint": ""}


def test_an_event_without_json_has_no_name():
    packet = decode("5:::")
    assert packet["args"] == []
    assert "name" not in packet


def test_an_unknown_type_raises_with_the_text_of_the_original():
    with pytest.raises(Exception, match=r"^Unknown message type: 99$") as caught:
        decode("99::")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("key", ["reason", "advice"])
def test_an_unknown_reason_or_advice_is_still_a_key_error(key):
    with pytest.raises(KeyError):
        encode({"type": "error", key: "weather", "endpoint": ""})
