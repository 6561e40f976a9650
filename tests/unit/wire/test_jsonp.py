"""What goes around a text for jsonp-polling and what comes off a form (sections 2.3, 2.4, 9)."""

import json
import re
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.errors import PayloadError
from socketio.wire.jsonp import form_text, jsonp_error, jsonp_script
from socketio.wire.payload import decode_payload
from socketio.wire.routes import jsonp_index

VECTORS = json.loads(Path(__file__).parents[1].joinpath("vectors.json").read_text(encoding="utf-8"))

# How many there are. A file that lost some must not pass.
COUNTS = {"jsonp_response": 31, "jsonp_post": 36}

# What the reference answers with 1 and then drops, or fails on, we answer 400 with none of it
# applied: a client with a fault should learn of it. Note of the vector -> what we say.
REFUSED_BY_US = {
    "no d key": "a form needs the field 'd', once",
    "empty body": "a form needs the field 'd', once",
    "d twice": "a form needs the field 'd', once",
    "JSON empty string": "empty body",
    "JSON null: no message": "the field 'd' is no JSON string",
    "JSON number: the reference throws": "the field 'd' is no JSON string",
    "broken percent escape": "no form, or not in UTF-8",
    "invalid UTF-8": "no form, or not in UTF-8",
}

HOSTILE = (
    *['"', "'", "\\", "/", "</script>", "<!--", "<script", "\u2028", "\u2029", "\x00", "\x7f"],
    *["\ud83d", "\ude00", "\U0001f600", "');alert(1);//", '");alert(1);//', "\r\n", "\ufffd"],
)
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text()), max_size=8).map("".join)


def joined(text):
    """Return ``text`` as JavaScript has it: two halves of a character are that character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def cases(name, label):
    return [
        pytest.param(vector, id=f"{place}-{ascii(vector[label])[1:40]}")
        for place, vector in enumerate(VECTORS[name])
    ]


def literal_of(script, index):
    """Return the one argument of the call of callback ``index``: ASCII, but for the marker."""
    match = re.fullmatch(rf"io\.j\[{index}\]\((\"[\x20-\x7e\ufffd]*\")\);", script)
    assert match, script
    return match[1]


@pytest.mark.parametrize("name", COUNTS)
def test_no_vector_is_missing(name):
    assert len(VECTORS[name]) == COUNTS[name]


@pytest.mark.parametrize("vector", cases("jsonp_response", "message"))
def test_a_script_is_what_the_vector_says(vector):
    query = "t=1" if vector["i"] is None else f"t=1&i={quote_plus(vector['i'])}"
    index = jsonp_index(query, "i") or "0"
    script = jsonp_script(index, vector["message"])
    assert json.loads(literal_of(script, index)) == vector["message"]
    wrapper = f"io.j[{index}]("
    assert vector["body"].startswith(wrapper)
    # The reference leaves other characters raw, U+2028 among them: ours means it too.
    assert json.loads(vector["body"][len(wrapper) : -len(");")]) == vector["message"]
    if vector["message"].isascii():
        assert script == vector["body"]
        assert len(script.encode()) == vector["content_length"]


@pytest.mark.parametrize("vector", cases("jsonp_post", "body"))
def test_a_form_is_read_as_the_vector_says(vector):
    complaint = REFUSED_BY_US.get(vector.get("note"))
    if complaint is None:
        assert decode_payload(form_text(vector["body"].encode())) == vector["messages"]
    else:
        with pytest.raises(PayloadError) as caught:
            decode_payload(form_text(vector["body"].encode()))
        assert str(caught.value) == complaint


def test_each_deviation_from_the_vectors_has_its_vector():
    notes = [vector.get("note") for vector in VECTORS["jsonp_post"]]
    assert [notes.count(note) for note in REFUSED_BY_US] == [1] * len(REFUSED_BY_US)


def test_what_the_reference_drops_is_refused_by_us_and_nothing_else_but_an_empty_packet():
    dropped = {v.get("note") for v in VECTORS["jsonp_post"] if not v["messages"]}
    assert dropped | {"JSON empty string"} == set(REFUSED_BY_US)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", 'io.j[3]("");'),
        (
            "SID:60:60:websocket,xhr-polling",
            'io.j[3]("SID:60:60:websocket,xhr-polling");',
        ),
        ('"\\', r'io.j[3]("\"\\");'),
        ("it's", 'io.j[3]("it\'s");'),
        ("\n\r\t\x00\x1b", r'io.j[3]("\n\r\t\u0000\u001b");'),
        ("a\u2028b\u2029c", r'io.j[3]("a\u2028b\u2029c");'),
        ("\u00e9\ufeff", r'io.j[3]("\u00e9\ufeff");'),
        # A client in Python looks for it before it reads the literal; a backslash is no part of it.
        ("\ufffd5\ufffd\\ufffd", 'io.j[3]("\ufffd5\ufffd\\\\ufffd");'),
        ("\U0001f600", r'io.j[3]("\ud83d\ude00");'),
        ("\ud83d", r'io.j[3]("\ud83d");'),
    ],
)
def test_the_text_is_one_literal(text, script):
    assert jsonp_script("3", text) == script


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("handshake unauthorized", 'io.j[3](new Error("handshake unauthorized"));'),
        ("handshake error", 'io.j[3](new Error("handshake error"));'),
        ('"));alert(1);//\u2028', r'io.j[3](new Error("\"));alert(1);//\u2028"));'),
    ],
)
def test_a_failed_handshake_is_an_error_object(text, script):
    assert jsonp_error("3", text) == script


@given(texts, st.integers(0, 999_999_999_999).map(str))
def test_any_text_is_one_literal_and_evaluates_to_itself(text, index):
    script = jsonp_script(index, text)
    assert joined(json.loads(literal_of(script, index))) == joined(text)
    # The same literal stands in the script that reports a failed handshake.
    failed = jsonp_error(index, text)
    assert failed == f"io.j[{index}](new Error({literal_of(script, index)}));"


@given(texts.filter(lambda text: not re.search("[\ud800-\udfff]", text)), st.booleans())
def test_a_form_gives_back_what_a_browser_put_into_it(text, ascii_only):
    form = urlencode({"d": json.dumps(text, ensure_ascii=ascii_only)})
    assert form_text(form.encode()) == text


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: b"d=" + text.encode()))
def test_any_body_is_a_text_or_the_documented_error(body):
    try:
        assert isinstance(form_text(body), str)
    except PayloadError:
        pass


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'd="3:::x"', "3:::x"),
        (b"d=%22%22", ""),
        (b"d=+%22x%22+", "x"),
        (b'd="a;b"', "a;b"),
        (b'd="a=b"', "a=b"),
        (b'd="\xc3\xa9"', "\u00e9"),
        (b"d=%22%C3%A9%22", "\u00e9"),
        (b'd="\\ud83d\\ude00"', "\U0001f600"),
        (b'd="\\ud83d"', "\ud83d"),
        (b'%64="x"', "x"),
        (b'&&d="x"&', "x"),
        (b'd="x"&D=1&d%00=2&dd', "x"),
    ],
)
def test_what_forms_may_look_like(body, text):
    assert form_text(body) == text


NO_FIELD = "a form needs the field 'd', once"
NO_JSON = "the field 'd' is not JSON"
NO_STRING = "the field 'd' is no JSON string"
NO_FORM = "no form, or not in UTF-8"

MALFORMED = {
    "nothing": (b"", NO_FIELD),
    "no field": (b"3:::x", NO_FIELD),
    "another case": (b'D="x"', NO_FIELD),
    "a list of the field": (b'd[]="x"', NO_FIELD),
    "twice": (b'd="x"&d="x"', NO_FIELD),
    "twice, one empty": (b'd="x"&d', NO_FIELD),
    "raw broken UTF-8": (b'd="\xff"', NO_FORM),
    "escaped broken UTF-8": (b"d=%22%ff%22", NO_FORM),
    "an escaped surrogate": (b"d=%22%ED%A0%80%22", NO_FORM),
    "broken UTF-8 in another field": (b'd="x"&e=%ff', NO_FORM),
    "no value": (b"d", NO_JSON),
    "an empty value": (b"d=", NO_JSON),
    "a packet as it is": (b"d=3:::x", NO_JSON),
    "single quotes": (b"d='x'", NO_JSON),
    "no closing quote": (b'd="x', NO_JSON),
    "two strings": (b'd="x""y"', NO_JSON),
    "a line end in the string": (b"d=%22a%0Ab%22", NO_JSON),
    "deeper than Python can go": (b"d=" + b"[" * 200_000, NO_JSON),
    "more digits than Python reads": (b"d=" + b"1" * 100_000, NO_JSON),
    "null": (b"d=null", NO_STRING),
    "true": (b"d=true", NO_STRING),
    "a number": (b"d=123", NO_STRING),
    "no number": (b"d=NaN", NO_STRING),
    "a list": (b'd=["x"]', NO_STRING),
    "an object": (b'd={"x":"y"}', NO_STRING),
}


@pytest.mark.parametrize(("body", "complaint"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_form_is_refused_and_the_refusal_says_why(body, complaint):
    with pytest.raises(PayloadError) as caught:
        form_text(body)
    assert str(caught.value) == complaint


def test_the_limit_on_fields_is_met_and_not_exceeded():
    form = b'd="x"' + b"&e=" * 99
    assert form_text(form) == "x"
    with pytest.raises(PayloadError, match=NO_FORM):
        form_text(form + b"&e=")
