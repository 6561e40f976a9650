"""The golden vectors: what the reference server and client do with the same input.

``vectors.json`` explains its sets under the key ``about``. The sets of the JSONP transport are
tested with that transport.
"""

import json
from pathlib import Path

import pytest

from socketio.errors import DecodeError, EncodeError, PayloadError
from socketio.packet import decode, encode
from socketio.wire.payload import decode_payload, encode_payload

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))

# How many there are. A file that lost some must not pass.
COUNTS = {"encode": 123, "decode": 219, "payload_encode": 16, "payload_decode": 37}

# Section 4.6 of the protocol text, "Ours: decode hands it over unchanged": the dispatcher refuses
# args that are no list, where JavaScript would pass them on as one argument.
ARGS_HANDED_OVER_UNCHANGED = {"args not a list": "str", "args an object": {"0": 1}}


def cases(name):
    """Return the vectors of a set, each under its place in the file and the start of its text."""
    return [
        pytest.param(vector, id=f"{place}-{ascii(vector['wire'])[1:40]}")
        for place, vector in enumerate(VECTORS[name])
    ]


def expected(vector, key):
    """Return what we should make of it: the recommendation, or what the reference does."""
    return vector.get("recommended", vector[key])


@pytest.mark.parametrize("name", COUNTS)
def test_no_vector_is_missing(name):
    assert len(cases(name)) == COUNTS[name]


@pytest.mark.parametrize("vector", cases("encode"))
def test_a_packet_is_written_as_the_vector_says(vector):
    outcome = expected(vector, "wire")
    if outcome == {"raises": True}:
        with pytest.raises(EncodeError):
            encode(vector["packet"])
    else:
        assert encode(vector["packet"]) == outcome


@pytest.mark.parametrize("vector", cases("decode"))
def test_a_text_is_read_as_the_vector_says(vector):
    outcome = expected(vector, "packet")
    if outcome == {"raises": True}:
        with pytest.raises(DecodeError):
            decode(vector["wire"])
    elif vector.get("note") in ARGS_HANDED_OVER_UNCHANGED:
        args = ARGS_HANDED_OVER_UNCHANGED[vector["note"]]
        assert outcome["args"] == [args]
        assert decode(vector["wire"]) == {**outcome, "args": args}
    else:
        assert decode(vector["wire"]) == outcome


def test_each_deviation_from_the_vectors_has_its_vector():
    notes = [vector.get("note") for vector in VECTORS["decode"]]
    assert [notes.count(note) for note in ARGS_HANDED_OVER_UNCHANGED] == [1, 1]


@pytest.mark.parametrize("vector", cases("payload_encode"))
def test_messages_are_framed_as_the_vector_says(vector):
    assert encode_payload(vector["messages"]) == expected(vector, "wire")


@pytest.mark.parametrize("vector", cases("payload_decode"))
def test_a_body_is_cut_as_the_vector_says(vector):
    outcome = expected(vector, "messages")
    if outcome == {"raises": True}:
        with pytest.raises(PayloadError):
            decode_payload(vector["wire"])
    else:
        assert decode_payload(vector["wire"]) == outcome
