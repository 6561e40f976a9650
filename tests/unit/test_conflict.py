"""What is said at import when the package is not ours, or not ours alone."""

from __future__ import annotations

import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest

from socketio import conflict
from tests.subprograms import TOP

OURS = types.SimpleNamespace(__all__=["__version__", "socketio_manage"], __file__="socketio")
THEIRS = types.SimpleNamespace(__all__=["Server", "Client"], __file__="socketio")
GONE = types.SimpleNamespace(__file__=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a package next to which nothing is installed."""
    path = tmp_path / "site-packages" / "socketio"
    path.mkdir(parents=True)
    return path


def install(folder: Path, name: str, files: str = "", top: str | None = None) -> None:
    """Add what pip keeps of a distribution."""
    info = folder.parent / f"{name.replace('-', '_')}-5.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 5.0\n")
    (info / "RECORD").write_text(files)
    if top is not None:
        (info / "top_level.txt").write_text(top)


def warning_of(package: object, folder: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        conflict._check(package, str(folder))
    assert {warning.category for warning in caught} <= {UserWarning}
    return [str(warning.message) for warning in caught]


def refusal_of(package: object, folder: Path) -> str:
    with pytest.raises(ImportError) as caught:
        conflict._check(package, str(folder))
    assert caught.value.name == "socketio"
    return str(caught.value)


def test_our_package_alone_is_no_word_and_no_look_at_what_is_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict, "_find_others", None)
    assert warning_of(OURS, folder) == []


@pytest.mark.parametrize("name", ["base_manager.py", "transports.py"])
def test_a_file_of_theirs_beside_ours_is_one_line(folder: Path, name: str) -> None:
    (folder / name).touch()
    install(folder, "python-socketio", "socketio/__init__.py,sha256=x,1\n")
    (line,) = warning_of(OURS, folder)
    assert "\n" not in line
    assert line.startswith(
        f"gevent-socketio and python-socketio 5.0 are installed into one folder, {folder}: "
        "now gevent-socketio works and the other one may not."
    )
    assert "(pip uninstall -y gevent-socketio python-socketio; pip install gevent-socketio)" in line


def test_a_package_that_is_theirs_is_refused_in_one_line(folder: Path) -> None:
    install(folder, "python-socketio", "socketio/__init__.py,sha256=x,1\n")
    line = refusal_of(THEIRS, folder)
    assert "\n" not in line
    assert "gevent-socketio and python-socketio 5.0 are installed into one folder" in line
    assert "now gevent-socketio does not work, and the other one may not" in line


@pytest.mark.parametrize("package", [types.SimpleNamespace(__file__="x"), THEIRS])
def test_whoever_put_it_there_the_folder_is_named(folder: Path, package: object) -> None:
    line = refusal_of(package, folder)
    assert (
        f"gevent-socketio and another distribution are installed into one folder, {folder}" in line
    )
    assert "pip uninstall -y gevent-socketio;" in line


def test_a_package_without_its_first_file_is_refused_with_the_way_to_bring_it_back(
    folder: Path,
) -> None:
    line = refusal_of(GONE, folder)
    assert f"{folder}/__init__.py is missing" in line
    assert "pip install --force-reinstall --no-deps gevent-socketio" in line


def test_only_those_who_have_files_in_our_package_are_named(folder: Path) -> None:
    install(folder, "gevent-socketio", "socketio/__init__.py,,\n")
    install(folder, "Gevent.SocketIO", "socketio/__init__.py,,\n")
    install(folder, "python-socketio", "README,,\nsocketio/__init__.py,,\n", "socketio\n")
    install(folder, "old-egg", top="other\nsocketio\n")
    install(folder, "flask-socketio", "flask_socketio/__init__.py,,\n", "flask_socketio\n")
    install(folder, "xsocketio", "xsocketio/__init__.py,,\nlib/socketio/x.py,,\n")
    assert conflict._find_others(str(folder.parent)) == [
        ("old-egg", "5.0"),
        ("python-socketio", "5.0"),
    ]


def test_several_others_are_all_named(folder: Path) -> None:
    for name in ("one", "two"):
        install(folder, name, "socketio/__init__.py,,\n")
    line = refusal_of(THEIRS, folder)
    assert "gevent-socketio and one 5.0 and two 5.0 are" in line
    assert "pip uninstall -y gevent-socketio one two;" in line


def test_a_package_in_an_archive_has_no_files_beside_it(tmp_path: Path) -> None:
    assert warning_of(OURS, tmp_path / "all.zip" / "socketio") == []


@pytest.mark.parametrize("name", ["Server", "AsyncServer", "WSGIApp", "Client", "Namespace"])
def test_a_name_of_theirs_is_explained(name: str) -> None:
    error = conflict.missing_name(name)
    assert type(error) is AttributeError
    assert str(error).startswith(f"module 'socketio' has no attribute {name!r}: that is in python-")
    assert error.name == name
    assert error.obj is sys.modules["socketio"]


@pytest.mark.parametrize("name", ["server", "nothing", "__wrapped__", "BaseNamespace"])
def test_another_name_is_missing_in_the_usual_words(name: str) -> None:
    assert str(conflict.missing_name(name)) == f"module 'socketio' has no attribute {name!r}"


def test_the_check_costs_less_than_a_millisecond_of_modules() -> None:
    # What makes imports slow is further modules: where nothing is wrong there are none.
    program = (
        "import sys, re, warnings, os\n"
        "import socketio\n"
        "sys.modules.pop('socketio.conflict', None)\n"
        "before = set(sys.modules)\n"
        "import socketio.conflict\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["socketio.conflict"]
