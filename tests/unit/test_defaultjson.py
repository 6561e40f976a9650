"""The JSON that goes over the wire when the application brings no functions of its own."""

import gc
import json
import json.encoder
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import socketio.defaultjson
from socketio.defaultjson import default_json_dumps, default_json_loads

DEEP = 100_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (2, "2"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (10**30, "1" + "0" * 30),
        ("", '""'),
        ([], "[]"),
        ({}, "{}"),
        ((1, 2), "[1,2]"),
        ({"b": [1, 2], "a": {"d": 1, "c": None}}, '{"a":{"c":null,"d":1},"b":[1,2]}'),
        ("h\u00e9 \u2028 \ufffd", '"h\\u00e9 \\u2028 \\ufffd"'),
        ("\U0001f600", '"\\ud83d\\ude00"'),
        ("lone \ud83d high", '"lone \\ud83d high"'),
        ("\x00\n\x7f", '"\\u0000\\n\\u007f"'),
    ],
)
def test_values_are_written_compact_sorted_and_ascii(value, text):
    assert default_json_dumps(value) == text
    assert text.isascii()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.5"), "0.5"),
        (Decimal("3"), "3.0"),
        (Decimal("-1E+2"), "-100.0"),
        ({"a": [Decimal("0.1")]}, '{"a":[0.1]}'),
    ],
)
def test_decimals_are_written_as_numbers(value, text):
    assert default_json_dumps(value) == text


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        [1, {"a": float("inf")}],
        {float("nan"): 1},
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1e999"),
    ],
    ids=repr,
)
def test_what_is_no_finite_number_is_not_written(value):
    with pytest.raises(ValueError):
        default_json_dumps(value)


def test_a_structure_that_contains_itself_is_not_written():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError):
        default_json_dumps(loop)


def test_a_structure_nested_too_deep_is_not_written():
    deep = []
    for _ in range(DEEP):
        deep = [deep]
    with pytest.raises(RecursionError):
        default_json_dumps(deep)


@pytest.mark.parametrize(
    "value", [b"bytes", {1}, 1j, {(1, 2): 3}, {Decimal(1): 2}, {1: 2, "a": 3}], ids=repr
)
def test_a_value_without_a_json_form_is_a_type_error(value):
    with pytest.raises(TypeError):
        default_json_dumps(value)


def test_the_type_error_names_the_type_and_not_the_whole_value():
    with pytest.raises(TypeError, match=r"^bytes is not JSON serializable") as caught:
        default_json_dumps({"a": b"x" * 10_000})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (' [1, 2.5, "a"] ', [1, 2.5, "a"]),
        ('{"a":{"b":[]}}', {"a": {"b": []}}),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\ud83d"', "\ud83d"),
        ('"\u2028\ufffd"', "\u2028\ufffd"),
        ("1e308", 1e308),
        ("1e-999", 0.0),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_json_is_read(text, value):
    assert default_json_loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "bad",
        "'x'",
        "{",
        "[1",
        "[1,]",
        '{"a":1',
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1 2",
        '"tab\there"',
        '"\\x41"',
        "\ufeff1",
        "\u0661",
    ],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        default_json_loads(text)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a":Infinity}', "1e999", "-1e999", "[1.5e400]"],
)
def test_what_other_clients_could_not_parse_is_refused(text):
    json.loads(text)  # the standard library takes it: it is we who refuse
    with pytest.raises(ValueError, match=r"is not JSON|number out of range: "):
        default_json_loads(text)


def test_the_refusal_does_not_repeat_a_long_number():
    with pytest.raises(ValueError) as caught:
        default_json_loads("1" * 10_000 + ".0e9")
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("digits", [4301, 5000, 100_000])
def test_an_integer_with_thousands_of_digits_is_refused(digits):
    with pytest.raises(ValueError):
        default_json_loads("9" * digits)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_json_nested_too_deep_is_a_recursion_error(opening):
    with pytest.raises(RecursionError):
        default_json_loads(opening * DEEP)


# -- with and without the encoder in C -------------------------------------------------------------


def other_signature(markers, default):
    raise AssertionError("never called: nine arguments do not fit")


def other_meaning(*arguments):
    return lambda value, level: ["{}"]


def other_call(*arguments):
    return lambda value: ["{}"]


MAKERS = {
    "none": None,
    "other signature": other_signature,
    "other meaning": other_meaning,
    "other call": other_call,
}

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals(), st.binary()
)
KEYS = st.one_of(st.text(), st.integers(), st.none(), st.floats(), st.booleans())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(KEYS, inner)
    ),
    max_leaves=20,
)


def written(value):
    """Return the text of ``value``, or what kind of error it is."""
    try:
        return default_json_dumps(value)
    except (TypeError, ValueError) as exc:
        return type(exc)


@pytest.fixture
def make_by(monkeypatch):
    """Return what makes the encoder from ``maker``, as an interpreter that has this one would."""

    def make(maker):
        monkeypatch.setattr(json.encoder, "c_make_encoder", maker)
        return socketio.defaultjson._make_chunks_of()

    return make


@pytest.mark.parametrize("name", MAKERS)
def test_an_encoder_in_c_that_is_not_the_known_one_is_not_used(make_by, name):
    assert make_by(MAKERS[name]) is None


def test_an_interpreter_that_does_not_name_it_has_no_encoder_in_c(monkeypatch):
    monkeypatch.delattr(json.encoder, "c_make_encoder")
    assert socketio.defaultjson._make_chunks_of() is None


@given(VALUES)
def test_without_the_encoder_in_c_the_text_is_the_same(value):
    with pytest.MonkeyPatch.context() as patch:
        with_it = written(value)
        patch.setattr(socketio.defaultjson, "_chunks_of", None)
        assert written(value) == with_it


@given(VALUES)
def test_the_text_is_that_of_the_standard_library(value):
    try:
        text = json.dumps(
            value,
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
            default=socketio.defaultjson._as_number,
        )
    except (TypeError, ValueError) as exc:
        text = type(exc)
    assert written(value) == text


def test_a_value_that_was_refused_leaves_nothing_behind():
    shared = {"a": 1}
    for bad in ([shared, float("nan")], [shared, b"bytes"], [[shared, object()]]):
        with pytest.raises((TypeError, ValueError)):
            default_json_dumps(bad)
    assert default_json_dumps([shared, shared]) == '[{"a":1},{"a":1}]'


# -- the collector ---------------------------------------------------------------------------------

LONG = "[" + ",".join(["[]"] * 10_000) + "]"


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("text", ["[]", LONG, LONG[:-1], LONG + "x"], ids=len)
def test_the_collector_is_afterwards_what_it_was(enabled, text):
    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        try:
            default_json_loads(text)
        except ValueError:
            assert text not in ("[]", LONG)
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


@given(VALUES)
def test_what_was_written_is_read_as_the_standard_library_reads_it(value):
    text = written(value)
    if isinstance(text, str):
        for around in (text, " " + text, text + "\n", f"\t{text} "):
            assert default_json_loads(around) == json.loads(text)
