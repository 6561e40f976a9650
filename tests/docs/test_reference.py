"""Every module of the library has its place in the reference."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.subprograms import TOP

PAGES = sorted((TOP / "docs" / "reference").glob("*.rst"))
SHOWN = re.findall(
    r"^\.\. automodule:: (\S+)$", "\n".join(page.read_text() for page in PAGES), re.MULTILINE
)
NOT_SHOWN = {
    # Patches the standard library when it is imported; docs/django.rst has its options.
    "socketio.management.commands.runserver_socketio",
}


def offers(file: Path) -> set[str]:
    """Return the names that a module has for others, without importing it."""
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return set(ast.literal_eval(statement.value))
    return set()


def modules() -> dict[str, set[str]]:
    """Return the modules that have names for others, and these names."""
    found = {}
    for file in sorted((TOP / "socketio").rglob("*.py")):
        parts = file.relative_to(TOP).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = offers(file)
    return {name: names for name, names in found.items() if names and name not in NOT_SHOWN}


MODULES = modules()


@pytest.mark.parametrize("name", MODULES)
def test_each_module_is_in_the_reference_or_all_its_names_are_shown_with_its_package(
    name: str,
) -> None:
    package = name.rpartition(".")[0]
    assert name in SHOWN or (package in SHOWN and MODULES[name] <= MODULES[package])


def test_nothing_is_shown_twice_and_nothing_that_is_not_there() -> None:
    assert len(SHOWN) == len(set(SHOWN))
    assert set(SHOWN) <= {*MODULES, "socketio.__main__"}
