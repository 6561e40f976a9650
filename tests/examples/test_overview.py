"""The pages that list the examples name all there are."""

from __future__ import annotations

import re

import pytest

from tests.examples.stage import EXAMPLES
from tests.subprograms import TOP

NAMES = {file.parent.name for file in EXAMPLES.glob("*/__main__.py")}


def test_the_readme_of_the_examples_names_each() -> None:
    text = (EXAMPLES / "README.md").read_text()
    assert set(re.findall(r"^\| \[(\w+)\]\(\1\) \|", text, re.MULTILINE)) == NAMES


def test_the_documentation_of_the_examples_names_each() -> None:
    text = (TOP / "docs" / "examples.rst").read_text()
    assert set(re.findall(r"^``(\w+)``\n   ", text, re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_has_a_readme_with_its_command(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text()
    command = "make demo\n" if name == "simple_chat" else f"make demo EXAMPLE={name}\n"
    assert command in text


def test_what_the_readmes_link_to_is_there() -> None:
    for file in [EXAMPLES / "README.md", *EXAMPLES.glob("*/README.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", file.read_text()):
            assert (file.parent / target).exists(), f"{file}: {target}"
