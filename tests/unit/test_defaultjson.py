"""The JSON that goes over the wire when the application brings no functions of its own."""

import json
from decimal import Decimal

import pytest

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
