"""The interface of ``socketio.defaultjson``, row by row."""

from decimal import Decimal

import pytest

from socketio.defaultjson import default_json_dumps, default_json_loads


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"b": 1, "a": [1, None, True]}, '{"a":[1,null,true],"b":1}'),
        ({"price": Decimal("0.5")}, '{"price":0.5}'),
        ("é☃", '"\\u00e9\\u2603"'),
        ((1, "two"), '[1,"two"]'),
        ({}, "{}"),
    ],
)
def test_dumps_is_compact_sorted_ascii_and_knows_decimals(data, text):
    assert default_json_dumps(data) == text


def test_dumps_refuses_what_has_no_json_form_with_a_type_error():
    with pytest.raises(TypeError):
        default_json_dumps(object())


@pytest.mark.parametrize(
    ("text", "data"),
    [('{"a": [1, null]}', {"a": [1, None]}), ('"\\u00e9"', "é"), ("0.5", 0.5), ("[]", [])],
)
def test_loads_reads_json(text, data):
    assert default_json_loads(text) == data


def test_loads_refuses_anything_else_with_a_value_error():
    with pytest.raises(ValueError):
        default_json_loads("{bad")
