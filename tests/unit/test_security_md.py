"""SECURITY.md says what is: its limits are the defaults, its tests and rows exist."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from socketio.config import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
LIMITS = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", TEXT, re.MULTILINE))
NAMED_TESTS = sorted(set(re.findall(r"`(test_\w+)`", TEXT)))
NAMED_ROWS = sorted(set(re.findall(r"\b([FG]\d+)\b", TEXT)))
# These are no limits on a client.
OTHERS = {"heartbeat_interval", "polling_duration", "slow_peer", "block_warning"}


def existing_tests():
    names = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                names.add(node.name)
    return names


def existing_rows():
    """Return the names given to ``row()`` in the trust harness."""
    names = set()
    for path in (ROOT / "tests" / "trust").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("row", "goal"):
                names.add(getattr(node.args[0], "value", ""))
    return names


EXISTING_TESTS, EXISTING_ROWS = existing_tests(), existing_rows()


def test_every_limit_is_in_the_table_with_its_default():
    expected = {f.name: str(f.default) for f in fields(Settings) if f.name not in OTHERS}
    assert expected == LIMITS


@pytest.mark.parametrize("name", NAMED_TESTS)
def test_a_test_that_is_named_exists(name):
    assert name in EXISTING_TESTS


@pytest.mark.parametrize("name", NAMED_ROWS)
def test_a_row_that_is_named_exists(name):
    assert name in EXISTING_ROWS
