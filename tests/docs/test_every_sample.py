"""No page shows code that nothing runs.

What a page includes lies in a file that a test knows, which is looked for here; what stands in the
page itself is run here, each block by itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.subprograms import TOP

DOCS = TOP / "docs"
PAGES = sorted(
    [
        *(page for page in DOCS.rglob("*.rst") if not page.name.startswith("_")),
        *TOP.glob("*.md"),
        *TOP.glob("examples/**/README.md"),
    ]
)
PAGES = [page for page in PAGES if not {"node_modules", "_build"} & set(page.parts)]
INLINE = re.compile(
    r"^( *)\.\. (?:code-block|code|sourcecode):: *(\w*)\n(?: +:[^\n]*\n)*((?:\1 +[^\n]*\n|\s*\n)+)",
    re.MULTILINE,
)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r"^ *\.\. literalinclude:: +(\S+)$", re.MULTILINE)
RUN_ELSEWHERE = {
    # Whole programs that serve: printed once more where they are tested.
    "README.md": "serve(app, port=8080",
}
"""What a block has that tests/integration/test_readme_and_demo.py runs as printed."""


def name_of(page: Path) -> str:
    return page.relative_to(TOP).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of each block of code that stands in a page."""
    text = page.read_text()
    if page.suffix == ".md":
        return FENCED.findall(text)
    return [(language, textwrap.dedent(code)) for _, language, code in INLINE.findall(text)]


def included(page: Path) -> list[Path]:
    """Return the files that a page includes."""
    if page.suffix == ".md":
        return []
    names = INCLUDED.findall(page.read_text())
    return [(DOCS / name[1:] if name[0] == "/" else page.parent / name).resolve() for name in names]


PYTHON = [
    pytest.param(code, id=f"{name_of(page)}-{number}")
    for page in PAGES
    for number, (language, code) in enumerate(blocks(page))
    if language in ("python", "py", "python3")
    and RUN_ELSEWHERE.get(name_of(page), "\0") not in code
]
INCLUDES = sorted({file for page in PAGES for file in included(page)})
TESTS = "\n".join(
    file.read_text()
    for folder in ("docs", "examples", "integration")
    for file in sorted((TOP / "tests" / folder).glob("*.py"))
    if file.name != Path(__file__).name
)


@pytest.mark.parametrize("code", PYTHON)
def test_python_in_a_page_runs(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(TOP), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), code


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_no_other_program_text_of_its_own(page: Path) -> None:
    mine = {language for language, _ in blocks(page)} & {"javascript", "js", "html", "css"}
    assert not mine, "put it into docs/samples and have a test run it"


TAKEN_WHOLE = [
    "docs/samples/protocol/conversations",  # each is played, test_protocol_conversations.py
    "docs/samples/tutorial",  # every file and command, tests/docs/tutorialreader.py
    "docs/testing_example",  # run by pytest, test_testing_docs.py
    "examples/command_line",  # run, as each example is, tests/examples
    "examples/django_chat",
    "docs/_commandline_help.txt",  # written by the program itself, docs/conf.py
]
"""What tests take as a whole, without the names of its files."""


def is_tested(file: Path) -> bool:
    """Tell whether a test has the name of a file: whole, or as a module in quotes."""
    if name_of(file).startswith(tuple(TAKEN_WHOLE)):
        return True
    name, stem = re.escape(file.name), re.escape(file.stem)
    if re.search(rf"""\b{name}\b|["'.]{stem}["'.:]""", TESTS):
        return True
    # A page that a sample beside it serves.
    return file.suffix != ".py" and any(
        file.name in sample.read_text() for sample in file.parent.glob("*.py") if is_tested(sample)
    )


@pytest.mark.parametrize("file", INCLUDES, ids=name_of)
def test_what_a_page_includes_is_there_and_a_test_names_it(file: Path) -> None:
    assert file.is_file()
    assert is_tested(file)


def test_a_file_that_no_test_names_is_found() -> None:
    assert not is_tested(DOCS / "samples" / "howto" / "nobody_runs_me.py")


def test_there_are_pages_blocks_and_includes() -> None:
    # The patterns above find something: a typing error in one of them would find nothing.
    assert len(PAGES) > 30
    assert len(PYTHON) > 3
    assert len(INCLUDES) > 20
