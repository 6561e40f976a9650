"""Which files are looked at, and what counts as a change; the processes are in test_reload."""

from __future__ import annotations

import json
import os
import signal
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

import socketio
from socketio.commandline.reloading import ModuleReporter, Supervisor


def reported(reporter: ModuleReporter, reader: int, *files: str) -> list[str]:
    """Return the directories that are reported, in addition to those before."""
    reporter.report(files)
    os.set_blocking(reader, False)
    try:
        data = os.read(reader, 1 << 20)
    except BlockingIOError:
        return []
    return [name for line in data.splitlines() for name in json.loads(line)]


def supervisor(*directories: Path) -> Supervisor:
    return Supervisor(lambda _: 0, directories=map(str, directories), say=lambda _: None)


def test_a_directory_is_reported_once(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    reporter = ModuleReporter(writer)
    reported(reporter, reader)
    assert reported(reporter, reader, str(tmp_path / "a.py")) == [str(tmp_path)]
    assert reported(reporter, reader, str(tmp_path / "b.py")) == []
    os.close(reader)
    os.close(writer)


def test_modules_are_found_and_those_nobody_works_on_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, file in enumerate(
        [
            tmp_path / "mine" / "app.py",
            tmp_path / "site-packages" / "installed.py",
            tmp_path / "dist-packages" / "deep" / "installed.py",
            Path(sysconfig.get_path("stdlib")) / "json" / "__init__.py",
            Path(socketio.__file__),
        ]
    ):
        module = ModuleType(f"reported{number}")
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(sys.modules, "reported_odd", None)  # type: ignore[arg-type]  # as Python has
    reader, writer = os.pipe()
    found = reported(ModuleReporter(writer), reader)
    os.close(reader)
    os.close(writer)
    assert [name for name in found if name.startswith(str(tmp_path))] == [str(tmp_path / "mine")]
    assert not any("site-packages" in name or "json" in name for name in found)
    assert os.path.dirname(socketio.__file__) not in found


def test_a_supervisor_that_is_gone_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ModuleReporter(writer).report(["/somewhere/app.py"])
    os.close(writer)
    assert not ModuleReporter(writer).orphaned()


@pytest.mark.parametrize(
    ("name", "watched"),
    [
        ("app.py", True),
        ("deep/er/app.py", True),
        ("notes.txt", False),
        (".#app.py", False),
        (".hidden/app.py", False),
        ("node_modules/x/app.py", False),
        ("__pycache__/app.py", False),
        ("env/lib/app.py", False),
    ],
)
def test_all_code_below_a_directory_is_looked_at(tmp_path: Path, name: str, watched: bool) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    watching = supervisor(tmp_path)
    before = watching._snapshot()
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n")
    assert watching._changed(before) is watched


def test_the_current_directory_is_looked_at_but_not_what_is_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    watching = supervisor()
    before = watching._snapshot()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "app.py").write_text("x = 1\n")
    assert not watching._changed(before)
    (tmp_path / "app.py").write_text("x = 1\n")
    assert watching._changed(before)


def replace(path: Path) -> None:
    """Put a file of the same size and time in the place of another, as editors do."""
    stat = path.stat()
    copy = path.with_suffix(".new")
    copy.write_text("x = 2\n")
    os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    copy.replace(path)


@pytest.mark.parametrize(
    "change",
    [
        replace,
        Path.unlink,
        lambda path: path.write_text("x = 1\ny = 2\n"),
        lambda path: path.rename(path.with_name("other.py")),
        lambda path: os.utime(path, ns=(1, 1)),
    ],
    ids=["replaced", "removed", "written", "renamed", "touched"],
)
def test_each_way_of_changing_a_file_is_noticed(tmp_path: Path, change: object) -> None:
    path = tmp_path / "app.py"
    path.write_text("x = 1\n")
    watching = supervisor(tmp_path)
    before = watching._snapshot()
    assert not watching._changed(before)
    change(path)  # type: ignore[operator]
    assert watching._changed(before)


def test_a_directory_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("")
    (tmp_path / "src" / "dangling.py").symlink_to(tmp_path / "nowhere")
    watching = supervisor(tmp_path / "src")
    watching._directories.add(str(tmp_path / "src"))
    before = watching._snapshot()
    (tmp_path / "src" / "app.py").unlink()
    (tmp_path / "src" / "dangling.py").unlink()
    (tmp_path / "src").rmdir()
    assert watching._changed(before)


def test_what_has_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    watching = Supervisor(lambda _: 0, say=said.append)
    before = watching._snapshot()
    (tmp_path / "b.py").write_text("")
    assert watching._changed(before)
    (tmp_path / "a.py").write_text("")
    (tmp_path / "c.py").write_text("")
    assert watching._changed(before)
    assert said == ["b.py changed, starting anew", "a.py and 2 more changed, starting anew"]


def test_a_child_that_gets_a_signal_before_it_is_ready_ends() -> None:
    watching = supervisor()
    watching._pid += 1
    with pytest.raises(SystemExit) as caught:
        watching._on_signal(signal.SIGTERM, None)
    assert caught.value.code == 0
