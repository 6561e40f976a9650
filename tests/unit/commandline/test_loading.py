"""What is named on the command line is found, or the message says what is there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socketio.commandline.loading import ApplicationError, load_application

CODE = """
import os.path
from json import loads

def app(environ, start_response): return [b"app"]
def other(environ, start_response): return [b"other"]

class holder:
    inner = staticmethod(other)

def make(name="plain", *, loud=False):
    def made(environ, start_response):
        return [name.upper() if loud else name]
    return made

def fail():
    raise RuntimeError("no database")

number = 7
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with modules; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    (tmp_path / "shop.py").write_text(CODE)
    package = tmp_path / "market"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "stall.py").write_text("from . import goods\n" + CODE)
    (package / "goods.py").write_text("")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    importlib.invalidate_caches()


def served(text: str) -> Any:
    """Return what an application answers with."""
    (answer,) = load_application(text)({}, lambda *_: None)
    return answer


def refuse(text: str) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        load_application(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("shop:app", b"app"),
        ("shop", b"app"),
        ("shop:", b"app"),
        ("shop:other", b"other"),
        ("shop:holder.inner", b"other"),
        ("shop:make()", "plain"),
        (" shop : make( 'a:b' , loud=True ) ", "A:B"),
        ("market.stall:app", b"app"),
        ("shop.py:other", b"other"),
        ("./shop.py", b"app"),
        ("market/stall.py:other", b"other"),
    ],
)
def test_an_application_is_found(home: Path, text: str, answer: object) -> None:
    assert served(text) == answer


def test_a_file_elsewhere_is_found_with_what_is_beside_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = home / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    assert served("../market/stall.py:app") == b"app"
    assert "market.goods" in sys.modules
    assert served(f"{home}/shop.py") == b"app"


def test_the_current_directory_comes_before_what_is_installed(home: Path) -> None:
    (home / "pytest_nothing.py").write_text(CODE)
    served("pytest_nothing:app")
    assert sys.path[0] == str(home)


def test_a_module_may_call_its_application_by_either_name(home: Path) -> None:
    (home / "wsgi.py").write_text("def application(environ, start): return [b'application']\n")
    assert served("wsgi") == b"application"


def test_a_package_directory_is_a_file_too(home: Path) -> None:
    (home / "market" / "__init__.py").write_text("from .stall import app")
    assert served("./market") == b"app"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' names no module; write MODULE:APPLICATION"),
        (":app", "':app' names no module; write MODULE:APPLICATION"),
        ("shop:a-b", "'shop:a-b': 'a-b' is no name of an attribute"),
        ("shop:make(x)", "'shop:make(x)': 'make(x)' is no call with literal arguments"),
        ("shop:make(**{})", "'shop:make(**{})': 'make(**{})' is no call with literal"),
        ("shop:make(", "'shop:make(': 'make(' is no call with literal arguments"),
        ("shop:(make)", "'shop:(make)': '(make)' is no call with literal arguments"),
        ("shop:[1]()", "'shop:[1]()': '[1]' is no name of an attribute"),
        (
            "shp:app",
            "'shp:app': there is no module 'shp' in {home}, nor elsewhere on sys.path; did",
        ),
        ("market.stal:app", "'market.stal:app': there is no module 'market.stal' in package 'mark"),
        (
            "zzz:app",
            "'zzz:app': there is no module 'zzz' in {home}, nor elsewhere on sys.path; the",
        ),
        ("shop.x:app", "'shop.x:app': 'shop' is a module, not a package: it has no 'x' in it"),
        ("shpo.py:app", "'shpo.py:app': there is no file {home}/shpo.py; did you mean 'shop.py'?"),
        ("no/where.py:app", "'no/where.py:app': there is no file {home}/no/where.py"),
        ("shop:ap", "'shop:ap': module 'shop' has no 'ap'; did you mean 'app'?"),
        (
            "shop:zzz",
            "'shop:zzz': module 'shop' has no 'zzz'; there are app, fail, holder, make, o",
        ),
        ("shop:holder.iner", "'shop:holder.iner': 'type' has no 'iner'; did you mean 'inner'?"),
        ("market", "'market': the module has neither 'app' nor 'application'; name the applicatio"),
        ("shop:number", "'shop:number' cannot be served: it is a int, which cannot be called"),
        ("shop:number()", "'shop:number()': 'number' cannot be called"),
        ("shop:make", "'shop:make' cannot be served: it is to be called without arguments; if it"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(home: Path, text: str, message: str) -> None:
    error = refuse(text)
    assert str(error).startswith(message.replace("{home}", str(home)))
    assert error.report() == f"gevent-socketio: {error}\n", "nothing was raised by the application"
    assert list(error.files()) == []


def test_the_names_that_are_told_are_those_an_application_may_have(home: Path) -> None:
    (home / "plain.py").write_text(CODE.replace("app(", "serve("))
    text = str(refuse("plain"))
    assert text.endswith("as in plain:NAME; there are fail, holder, make, other, serve")


def test_a_long_list_of_names_is_cut(home: Path) -> None:
    (home / "many.py").write_text("\n".join(f"def f{i}(): pass" for i in range(10, 30)))
    assert str(refuse("many:zzz")).endswith("there are f10, f11, f12, f13, f14, f15, f16, f17, ...")


@pytest.mark.parametrize("text", ["json.py:app", "json:app"])
def test_a_file_that_is_called_like_a_loaded_module_is_not_mistaken_for_it(
    home: Path, text: str
) -> None:
    (home / "json.py").write_text(CODE)
    message = str(refuse(text))
    if text == "json.py:app":
        assert f"so that {home}/json.py cannot be imported under it" in message
    else:
        assert "module 'json' has no 'app'" in message


BROKEN: dict[str, tuple[str, str]] = {
    "raises": ("def f():\n    raise ValueError('of mine')\nf()\n", "ValueError: of mine"),
    "syntax": ("def app(:\n", "SyntaxError: "),
    "imports": ("import nosuchmodule\n", "No module named 'nosuchmodule'"),
    "deeper": ("import syntax\n", "SyntaxError: "),
    "exits": ("import sys\nsys.exit(4)\n", "SystemExit: 4"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_the_application_raises_is_shown_from_its_own_first_line_on(
    home: Path, name: str
) -> None:
    for other, (code, _) in BROKEN.items():
        (home / f"{other}.py").write_text(code)
    error = refuse(f"{name}:app")
    report = error.report()
    assert BROKEN[name][1] in report
    assert f'File "{home}/{name}.py", line' in report
    assert "importlib" not in report
    assert "commandline" not in report
    assert f"importing {name!r}" in report.splitlines()[-1], "the last line says what it was about"
    wanted = "syntax" if name == "deeper" else name
    assert str(home / f"{wanted}.py") in list(error.files())


def test_what_a_factory_raises_is_shown_likewise(home: Path) -> None:
    report = refuse("shop:fail()").report()
    assert "RuntimeError: no database" in report
    assert "commandline" not in report
    assert report.splitlines()[-1].startswith("gevent-socketio: calling 'fail' failed")


def test_a_cause_is_shown_and_its_file_is_known(home: Path) -> None:
    (home / "low.py").write_text("def f():\n    raise KeyError('low')\n")
    (home / "high.py").write_text(
        "import low\ntry:\n    low.f()\nexcept KeyError as exc:\n    raise ValueError from exc\n"
    )
    error = refuse("high:app")
    assert {str(home / "low.py"), str(home / "high.py")} <= set(error.files())
    assert "direct cause" in error.report()


def test_a_user_who_interrupts_an_import_is_not_told_of_a_failure(home: Path) -> None:
    (home / "slow.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_application("slow:app")


def test_a_module_is_found_that_was_not_there_before(home: Path) -> None:
    refuse("late:app")
    (home / "late.py").write_text(CODE)
    assert served("late:app") == b"app"


def test_a_mapping_of_namespaces_is_served(home: Path) -> None:
    (home / "spaces.py").write_text(
        "from socketio.namespace import BaseNamespace\n"
        "class Chat(BaseNamespace): pass\n"
        "namespaces = {'/chat': Chat}\n"
    )
    application: Callable[..., Any] = load_application("spaces:namespaces")
    assert application({}, lambda *_: None) == [b"Here are Socket.IO namespaces only, no pages.\n"]
    assert "name a mapping, as {'': Chat}" in str(refuse("spaces:Chat"))
