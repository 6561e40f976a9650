"""The layer rule of the design, proved on what is there: imports, and who knows the wire text."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "socketio"

# From the bottom up; a module may import from its own layer and from those below it.
LAYERS = {
    "ground": ["conflict", "wrongserver", "errors", "config", "hub", "tcp", "turn"],
    "wire": ["defaultjson", "packet", "wire"],
    "session": ["session", "virtsocket", "clock", "journal", "backplane"],
    "transports": ["transports", "websocket", "writer"],
    "server": [
        *[
            "accesslog",
            "connections",
            "slowbody",
            "plainhttp",
            "stats",
            "strictbody",
            "tls",
            "watchdog",
        ],
        *[
            "answering",
            "stricthttp",
            "view",
            "options",
            "handshake",
            "clientfile",
            "refusals",
            "handler",
        ],
        *["server", "policyserver"],
    ],
    "application": ["namespace", "dispatch", "mixins"],
    "integrations": [
        *["sgunicorn", "sdjango", "metrics", "management", "testing", "pytestplugin"],
        *["commandline", "__main__", "patched", "socketio"],
    ],
}
RANKS = {name: rank for rank, layer in enumerate(LAYERS.values()) for name in layer}

# These run without gevent, for whoever wants the codec alone, and for tests in microseconds.
ALWAYS_PURE = [
    "socketio.config",
    "socketio.conflict",
    "socketio.defaultjson",
    "socketio.errors",
    "socketio.packet",
    "socketio.session.acks",
    "socketio.session.deadlines",
    "socketio.session.lifecycle",
    "socketio.wire.cors",
    "socketio.wire.httpcheck",
    "socketio.wire.message",
    "socketio.wire.payload",
    "socketio.wire.routes",
    "socketio.wrongserver",
]
OF_GEVENT = ("gevent", "geventwebsocket", "greenlet", "zope")
WIRE_TEXT = ("1::", "2::", "\ufffd")


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
PURE = sorted({*ALWAYS_PURE, *(name for name in SOURCES if name.startswith("socketio.wire"))})


def imports_of(name, source, modules):
    """Return every module that ``source`` imports, also inside functions, but not for types only.

    ``from package import name`` counts as the import of a module where ``name`` is one.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    # A package is its own parent: "from ." in it means the package.
    is_package = any(module.startswith(f"{name}.") for module in modules)
    parents = name.split(".") if is_package else name.split(".")[:-1]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{base}.{alias.name}" for alias in node.names} & set(modules)
            # Of the root package only the modules matter: it holds no code that they need.
            found.update(inner or {base})
    return found


def layer_member(module):
    """Return the name under which a module stands in the table of layers."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


@pytest.fixture(scope="module", params=sorted(SOURCES))
def module(request):
    return request.param


def arrows(module):
    """Return the modules of ours that a module imports."""
    imported = imports_of(module, SOURCES[module].read_text(encoding="utf-8"), SOURCES)
    return {name for name in imported if name.startswith("socketio.")} - {module}


# -- purity ------------------------------------------------------------------------------------

BLOCKED_IMPORT = f"""
import importlib, sys
for name in {OF_GEVENT}:
    sys.modules[name] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def import_without_gevent(path, *modules):
    return subprocess.run(
        [sys.executable, "-bb", "-W", "error", "-c", BLOCKED_IMPORT, *modules],
        env={**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_pure_modules_are_there():
    assert set(ALWAYS_PURE) <= set(SOURCES)


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_is_imported_where_there_is_no_gevent(name):
    done = import_without_gevent(ROOT, name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", ["import gevent", "from gevent.lock import RLock"])
def test_the_block_on_gevent_holds(tmp_path, line):
    (tmp_path / "impure.py").write_text(line)
    done = import_without_gevent(tmp_path, "impure")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_knows_no_gevent_no_socket_no_clock_and_no_log(name):
    banned = {*OF_GEVENT, "socket", "ssl", "select", "time", "threading", "logging", "asyncio"}
    imported = imports_of(name, SOURCES[name].read_text(encoding="utf-8"), SOURCES)
    assert not {module.split(".")[0] for module in imported} & banned


# -- arrows point down -------------------------------------------------------------------------


def test_every_module_has_its_place_in_the_layers(module):
    assert layer_member(module) in RANKS, "a new module: give it a layer in LAYERS above"


def test_a_module_imports_nothing_above_itself(module):
    # One that has no place yet fails above, once.
    rank = RANKS.get(layer_member(module), len(LAYERS))
    above = {name for name in arrows(module) if RANKS.get(layer_member(name), 0) > rank}
    assert not above


def test_namespaces_and_transports_do_not_know_each_other(module):
    # Neither imports the other; they meet in the session.
    sides = {"namespace": ("transports", "websocket"), "transports": ("namespace",)}
    sides["websocket"] = sides["transports"]
    forbidden = sides.get(layer_member(module), ())
    assert not {name for name in arrows(module) if layer_member(name) in forbidden}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import gevent", {"gevent"}),
        ("import gevent.lock as x, os", {"gevent.lock", "os"}),
        ("from gevent import lock", {"gevent"}),
        ("from socketio import packet, errors", {"socketio.packet", "socketio.errors"}),
        ("from socketio.wire import payload", {"socketio.wire.payload"}),
        ("from socketio.wire.payload import MARKER", {"socketio.wire.payload"}),
        ("from . import cors", {"socketio.wire.cors"}),
        ("from .cors import OriginPolicy", {"socketio.wire.cors"}),
        ("from .. import packet", {"socketio.packet"}),
        ("from ..session import acks", {"socketio.session.acks"}),
        ("def f():\n    import gevent", {"gevent"}),
        ("try:\n    import gevent\nexcept ImportError:\n    pass", {"gevent"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gevent", {"typing"}),
        ("if typing.TYPE_CHECKING:\n    import gevent\nelse:\n    import os", {"os"}),
        ("x = 1", set()),
    ],
)
def test_no_way_of_importing_is_overlooked(source, expected):
    assert imports_of("socketio.wire.payload", source, SOURCES) == expected


def test_a_package_imports_from_itself():
    assert imports_of("socketio.wire", "from . import cors", SOURCES) == {"socketio.wire.cors"}
    assert imports_of("socketio.wire", "from .. import packet", SOURCES) == {"socketio.packet"}


# -- who knows the wire text -------------------------------------------------------------------


def wire_text_in(source):
    """Return the constants of ``source``, docstrings apart, that hold text of the wire."""
    tree = ast.parse(source)
    # A string that stands alone is a docstring: of a module, class, function or attribute.
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in alone:
            continue
        value = node.value
        if isinstance(value, bytes):
            value = value.decode("utf-8", "ignore")
        if isinstance(value, str) and any(text in value for text in WIRE_TEXT):
            found.append(node.value)
    return found


def test_only_the_wire_and_the_codec_hold_wire_text(module):
    if module == "socketio.packet" or module.startswith("socketio.wire"):
        return
    assert wire_text_in(SOURCES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('x = "1::"', 1),
        ("x = '2::/chat'", 1),
        ('x = "\\ufffd5\\ufffd"', 1),
        ('x = b"1::"', 1),
        ('x = b"\\xef\\xbf\\xbd"', 1),
        ('x = f"1::{endpoint}"', 1),
        ('x = ("a" "1::")', 1),
        ('send("2::")', 1),
        ('def f():\n    """Sends ``1::``."""\n    return "0::"', 0),
        ('class A:\n    x = 1\n    """What ``1::`` means."""', 0),
        ('x = "1:"  # 1::', 0),
        ('x = "a::b"', 0),
        ("x = 1", 0),
    ],
)
def test_wire_text_is_found_in_code_and_not_in_docstrings(source, found):
    assert len(wire_text_in(source)) == found
