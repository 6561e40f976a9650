"""Two distributions with a package ``socketio``, put into one environment by pip, in both orders.

The environments are real, and so are python-socketio and what pip makes of its files and ours.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import gevent
import pytest

from tests.subprograms import TOP
from tests.tools import missing

OURS, THEIRS = "gevent-socketio", "python-socketio"
# With what its package imports.
NEEDED = (THEIRS, "python-engineio", "bidict")
SURVIVORS = (
    "handler",
    "mixins",
    "policyserver",
    "sgunicorn",
    "testing",
    "transports",
    "virtsocket",
    "commandline",
    "__main__",
)


def pip(*arguments: str | Path, python: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run pip, for another environment than ours where ``python`` is given."""
    chosen = ["--python", str(python)] if python is not None else []
    # What is on our path is not installed there.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "pip", *chosen, "--disable-pip-version-check", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env=env,
    )


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with our wheel and theirs."""
    if importlib.util.find_spec("pip") is None:
        missing("pip")
    folder = tmp_path_factory.mktemp("wheels")
    got = pip("download", "--quiet", "--no-deps", "--dest", folder, *NEEDED)
    if got.returncode != 0:
        missing(f"{THEIRS}, which pip could not fetch: {got.stderr[-300:]}")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / name, source)
    shutil.copytree(
        TOP / "socketio", source / "socketio", ignore=shutil.ignore_patterns("__pycache__")
    )
    built = pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source)
    assert built.returncode == 0, built.stderr
    return folder


class Environment:
    """An environment of its own, with gevent and whatever else there is where the tests run."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self._wheels = wheels
        if not folder.exists():
            command = [sys.executable, "-m", "venv", "--without-pip", folder]
            subprocess.run(command, check=True, timeout=60)
        (self.site,) = folder.glob("lib/python*/site-packages")

    def copy(self, name: str) -> Environment:
        """Return one like it."""
        folder = self.folder.with_name(name)
        shutil.copytree(self.folder, folder, symlinks=True)
        return Environment(folder, self._wheels)

    def pip(self, *arguments: str) -> None:
        """Run pip for it."""
        done = pip(*arguments, python=self.python)
        assert done.returncode == 0, done.stderr

    def install(self, name: str, *options: str) -> None:
        """Install a wheel."""
        where = ("--no-deps", "--no-index", "--no-compile", "--find-links", str(self._wheels))
        self.pip("install", *options, *where, name)

    def run(self, program: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program in it; ``path`` is where it looks for packages first."""
        # Behind its own packages, and only when pip is done: it would take them for installed.
        others = [*self._wheels.glob("*engineio*"), *self._wheels.glob("bidict*")]
        lines = [Path(gevent.__file__).parents[1], *others]
        extra = self.site / "others.pth"
        extra.write_text("".join(f"{line}\n" for line in lines))
        try:
            return subprocess.run(
                [self.python, "-c", program],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], **({"PYTHONPATH": str(path)} if path else {})},
            )
        finally:
            extra.unlink()


@pytest.fixture(scope="module")
def bare(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environments") / "bare", wheels)


@pytest.fixture(scope="module")
def ours_alone(bare: Environment) -> Environment:
    environment = bare.copy("ours-alone")
    environment.install(OURS)
    return environment


@pytest.fixture(scope="module")
def ours_last(bare: Environment) -> Environment:
    environment = bare.copy("ours-last")
    environment.install(THEIRS)
    environment.install(OURS)
    return environment


@pytest.fixture(scope="module")
def theirs_last(ours_alone: Environment) -> Environment:
    environment = ours_alone.copy("theirs-last")
    environment.install(THEIRS)
    return environment


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


# -- ours over theirs ------------------------------------------------------------------------------


def test_where_ours_came_last_it_works_and_says_who_else_is_there(ours_last: Environment) -> None:
    done = ours_last.run(
        "from socketio import socketio_manage\n"
        "from socketio.server import SocketIOServer\n"
        "from socketio.namespace import BaseNamespace\n"
        "from socketio.mixins import RoomsMixin\n"
        "print('works')"
    )
    assert (done.returncode, done.stdout) == (0, "works\n"), done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert line.startswith("<string>:1: UserWarning: gevent-socketio and python-socketio ")
    assert str(ours_last.site / "socketio") in line
    assert "pip uninstall -y gevent-socketio python-socketio; pip install gevent-socketio" in line


@pytest.mark.parametrize("module", ["packet", "mixins", "server"])
def test_whichever_module_comes_first_the_line_is_there_once(
    ours_last: Environment, module: str
) -> None:
    done = ours_last.run(f"import socketio.{module}, socketio.virtsocket")
    assert done.returncode == 0
    assert done.stderr.count("UserWarning") == 1


def test_a_name_of_theirs_is_explained_by_our_package(ours_last: Environment) -> None:
    done = ours_last.run("import socketio\nsocketio.Server()")
    assert done.returncode == 1
    assert last_line(done.stderr).startswith(
        "AttributeError: module 'socketio' has no attribute 'Server': that is in python-socketio"
    )
    assert ours_last.run("import socketio; assert not hasattr(socketio, 'x')").returncode == 0


# -- theirs over ours ------------------------------------------------------------------------------


def test_where_theirs_came_last_each_module_that_is_left_says_so_each_time(
    theirs_last: Environment,
) -> None:
    names = [*SURVIVORS, *SURVIVORS]
    done = theirs_last.run(
        f"for name in {names}:\n"
        "    try: __import__(f'socketio.{name}')\n"
        "    except ImportError as exc: print(f'{name}: {exc}')\n"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == names
    for line in lines:
        assert ": gevent-socketio and python-socketio 5." in line
        assert "now gevent-socketio does not work" in line


def test_a_traceback_ends_with_that_line(theirs_last: Environment) -> None:
    done = theirs_last.run("from socketio.mixins import RoomsMixin")
    assert done.returncode == 1
    assert last_line(done.stderr).startswith("ImportError: gevent-socketio and python-socketio 5.")


def test_theirs_itself_is_left_alone(theirs_last: Environment) -> None:
    done = theirs_last.run("import socketio; socketio.Server(); print('theirs works')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "theirs works\n", "")


# -- what was taken away ---------------------------------------------------------------------------


def test_where_theirs_was_uninstalled_over_ours_the_way_back_is_said(
    theirs_last: Environment,
) -> None:
    environment = theirs_last.copy("theirs-gone")
    environment.pip("uninstall", "--yes", THEIRS)
    done = environment.run("import socketio.mixins")
    assert done.returncode == 1
    line = last_line(done.stderr)
    assert line.startswith("ImportError: ")
    assert f"{environment.site / 'socketio' / '__init__.py'} is missing" in line
    assert "pip install --force-reinstall --no-deps gevent-socketio" in line
    environment.install(OURS, "--force-reinstall")
    done = environment.run("import socketio.mixins")
    assert (done.returncode, done.stderr) == (0, "")


# -- where nothing is wrong ------------------------------------------------------------------------


def test_our_package_alone_says_nothing(ours_alone: Environment) -> None:
    done = ours_alone.run("import socketio.server, socketio.mixins")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_checkout_on_the_path_says_nothing_whoever_is_installed(
    theirs_last: Environment,
) -> None:
    done = theirs_last.run("import socketio.server; print(socketio.__file__)", path=TOP)
    assert (done.stdout.strip(), done.stderr) == (str(TOP / "socketio" / "__init__.py"), "")


def test_an_editable_install_says_nothing(bare: Environment) -> None:
    # A line in a file of paths is how setuptools makes one of a package at the top of its source.
    environment = bare.copy("editable")
    (environment.site / "editable.pth").write_text(f"{TOP}\n")
    done = environment.run("import socketio.server; print(socketio.__file__)")
    assert (done.stdout.strip(), done.stderr) == (str(TOP / "socketio" / "__init__.py"), "")


def test_an_archive_says_nothing(bare: Environment, tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (TOP / "socketio").rglob("*.py"):
            file.write(path, path.relative_to(TOP))
    done = bare.run("import socketio.server; print(socketio.__file__)", path=archive)
    assert (done.stdout.strip(), done.stderr) == (f"{archive}/socketio/__init__.py", "")
