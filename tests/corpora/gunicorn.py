"""The corpus of gunicorn: one file a case, and beside it what its parser makes of that.

Both are written for gunicorn's own tests. Its requests stand in the files with visible escapes, and
line ends that mean nothing; its expectations are Python modules, of which we read the few constant
expressions that matter, without running them.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from tests.corpora.cases import Case, Corpus, Request, Rest
from tests.corpora.decisions import GUNICORN
from tests.corpora.fetching import SourceDistribution

SOURCE = SourceDistribution(
    "gunicorn", "27.0.1", "b1514965361c8b7e8107a80aa2a92636878df1ccfac6dd204a676426e04d9e3e"
)
_FOLDERS = ("tests/requests/invalid", "tests/requests/valid")
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([rnt0]))")
_LETTERS = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0"}


def read_corpus() -> Corpus:
    """Return its cases, by file name below ``tests/requests``."""
    files = dict(SOURCE.files(*_FOLDERS))
    cases = []
    for path, content in sorted(files.items()):
        if path.endswith(".http"):
            name = path.removeprefix("tests/requests/").removesuffix(".http")
            expected = files[path.removesuffix(".http") + ".py"]
            cases.append(_make_case(name, content, expected.decode()))
    return Corpus("gunicorn", tuple(cases), GUNICORN)


def _make_case(name: str, content: bytes, expected: str) -> Case:
    module = _Module(expected)
    rest = Rest.MALFORMED if name.startswith("invalid/") else Rest.NOTHING
    found = [] if rest is Rest.MALFORMED else module.values["request"]
    requests = tuple(
        Request(one["method"], one["uri"], one["body"] or b"")
        for one in (found if isinstance(found, list) else [found])
    )
    return Case("gunicorn", name, unescape(content), requests, rest, tuple(module.options))


def unescape(content: bytes) -> bytes:
    """Return the bytes that a file stands for."""
    return _ESCAPE.sub(
        lambda match: bytes([int(match[1], 16)]) if match[1] else _LETTERS[match[2]],
        content.replace(b"\n", b""),
    )


class _Module:
    """The names that a module gives constant values, and the options that it sets."""

    def __init__(self, source: str) -> None:
        self.values: dict[str, Any] = {}
        self.options: list[str] = []
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.values[node.targets[0].id] = self._value(node.value)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                self.options.append(" = ".join(str(self._value(arg)) for arg in node.value.args))

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.values.get(node.id)
            case ast.List() | ast.Tuple():
                return [self._value(one) for one in node.elts]
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                return {self._value(key): self._value(value) for key, value in pairs if key}
            case ast.Call(func=ast.Name(id="uri")):
                return self._value(node.args[0])
            case ast.Call(func=ast.Attribute(attr="decode" | "encode" | "replace") as method):
                arguments = [self._value(arg) for arg in node.args]
                return getattr(self._value(method.value), method.attr)(*arguments)
            case ast.Call():  # the configuration, of which only the options set on it matter
                return None
        raise NotImplementedError(ast.dump(node))
