"""``__all__``: there in every module, true, without doubles, and in an order one can search."""

import ast
import importlib
import re
import tokenize
from pathlib import Path

import pytest

from .test_layers import PURE, SOURCES


def exports_of(source):
    """Return ``__all__`` as written, or None where it is not a plain list of texts at the top."""
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if [ast.unparse(target) for target in targets] == ["__all__"]:
            assert isinstance(node.value, (ast.List, ast.Tuple)), "write it out"
            return [ast.literal_eval(name) for name in node.value.elts], node
    return None


def defined_in(source):
    """Return the names a module defines or imports, without running it."""
    names = set()
    scopes = [ast.parse(source).body]
    while scopes:
        for node in scopes.pop():
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    names.update(leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name))
            # if, try, with: their names are the module's too
            for field in ("body", "orelse", "handlers", "finalbody"):
                inner = getattr(node, field, None)
                if inner and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    scopes.append(inner)
    return names


def groups_of(path, node):
    """Return the names of ``__all__`` cut into groups at its comment lines."""
    groups = [[]]
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if not node.lineno <= token.start[0] <= node.end_lineno:
                continue
            if token.type == tokenize.COMMENT and token.line.strip().startswith("#"):
                groups.append([])
            elif token.type == tokenize.STRING:
                groups[-1].append(ast.literal_eval(token.string))
    return groups


def reading_order(name):
    """Order constants before classes before functions, numbers in names by their value."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def is_empty(source):
    """Tell whether a module holds nothing but its docstring."""
    return all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for node in ast.parse(source).body
    )


TEXTS = {name: path.read_text(encoding="utf-8") for name, path in SOURCES.items()}
MODULES = [name for name, text in TEXTS.items() if not is_empty(text)]


def test_there_are_modules_to_look_at():
    assert len(MODULES) >= 12
    assert {name for name in PURE if name != "socketio.wire"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_exports(name):
    assert exports_of(TEXTS[name]) is not None


@pytest.mark.parametrize("name", MODULES)
def test_what_is_exported_exists_once(name):
    names, _ = exports_of(TEXTS[name])
    assert len(names) == len(set(names))
    assert set(names) <= defined_in(TEXTS[name])


@pytest.mark.parametrize("name", MODULES)
def test_what_is_exported_stands_in_order_group_by_group(name):
    names, node = exports_of(TEXTS[name])
    groups = groups_of(SOURCES[name], node)
    assert [member for group in groups for member in group] == names
    for group in groups:
        assert group in (sorted(group), sorted(group, key=reading_order))


@pytest.mark.parametrize("name", [name for name in PURE if name in MODULES])
def test_what_a_pure_module_exports_is_what_others_get(name):
    module = importlib.import_module(name)
    assert all(hasattr(module, export) for export in module.__all__)
    # Public is what is exported: any other name of the module's own is private or imported.
    own = {
        member
        for member, value in vars(module).items()
        if getattr(value, "__module__", None) == name and not member.startswith("_")
    }
    assert own <= set(module.__all__)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def a(): b = 1", {"a"}),
        ("class A:\n    b = 1", {"A"}),
        ("a, (b, c) = 1, (2, 3)\nd: int = 4", {"a", "b", "c", "d"}),
        ("import a.b, c as d\nfrom e import f as g, h", {"a", "d", "g", "h"}),
        (
            "try:\n    import a\nexcept E:\n    b = 1\nelse:\n    c = 1\nfinally:\n    d = 1",
            set("abcd"),
        ),
        ("if x:\n    a = 1\nelse:\n    b = 1", {"a", "b"}),
    ],
)
def test_every_way_of_defining_a_name_is_known(source, names):
    assert defined_in(source) == names


def test_an_order_may_be_by_alphabet_or_by_kind():
    assert sorted(["make", "Table", "LIMIT", "Area10", "Area9"], key=reading_order) == [
        "LIMIT",
        "Area9",
        "Area10",
        "Table",
        "make",
    ]


def test_groups_are_cut_at_comments(tmp_path):
    path = Path(tmp_path / "m.py")
    path.write_text(
        '__all__ = [\n    # one\n    "b",\n    # two\n    "a",  # not here\n    "c",\n]\n'
    )
    _, node = exports_of(path.read_text())
    assert groups_of(path, node) == [[], ["b"], ["a", "c"]]
